"""Tables of calls."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, SmallInteger, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.directory import models as _directory
from core.foundation.models import (
    ERASE,
    NOT_PERSONAL,
    Base,
    TenantRow,
    created_now,
    tenant_constraints,
    tenant_link,
)
from core.identity import models as _identity
from core.tenants import models as _tenants
from core.tickets import models as _tickets
from core.timeline import models as _timeline

LINKED_TABLES: Final = (_identity, _tenants, _directory, _timeline, _tickets)
"""The modules whose tables ours link to: a process that imports only calls, as the gateway does, needs them all."""


class PhoneLine(TenantRow, Base):
    """The number by which a user can be dialled; one each. ``caller_id`` is what callees outside see, in E.164."""

    __tablename__ = "phone_line"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "number"),
        UniqueConstraint("tenant_id", "user_id"),
        CheckConstraint("number ~ '^[0-9]{2,6}$'", name="number"),
        tenant_link("user_id", "user_account", on_delete="CASCADE"),
    )

    number: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    user_id: Mapped[int] = mapped_column(BigInteger)
    caller_id: Mapped[str] = mapped_column(server_default="", info=NOT_PERSONAL)
    created_at: Mapped[datetime] = created_now()


class Device(TenantRow, Base):
    """What rings when a line is dialled; itself it cannot be dialled (D-FAQ-9).

    Phones and browsers sign in as ``sip_username`` with the digest ``ha1`` = MD5(username:realm:password), the form
    that RFC 2617 makes servers keep; an external device is a number outside. It rings ``ring_time_s`` seconds,
    beginning ``ring_delay_s`` after the call came. One that is on no line is spare: it waits for somebody to get it,
    and the edge lets it sign in nowhere.
    """

    __tablename__ = "device"
    __table_args__ = tenant_constraints(
        CheckConstraint("kind in ('sip', 'browser', 'external')", name="kind"),
        CheckConstraint("(kind = 'external') = (sip_username = '')", name="sign_in"),
        CheckConstraint("(kind = 'external') = (external_number <> '')", name="external"),
        CheckConstraint("sip_username ~ '^[A-Za-z0-9._-]{0,64}$'", name="sip_username"),
        CheckConstraint("ring_delay_s between 0 and 60", name="ring_delay"),
        CheckConstraint("ring_time_s between 5 and 120", name="ring_time"),
        tenant_link("line_id", "phone_line", on_delete="CASCADE"),
        Index(None, "tenant_id", "line_id"),
        Index(
            "uq_device_sip_username", "tenant_id", "sip_username", unique=True, postgresql_where="sip_username <> ''"
        ),
    )

    line_id: Mapped[int | None] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    name: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    sip_username: Mapped[str] = mapped_column(server_default="", info=NOT_PERSONAL)
    ha1: Mapped[str] = mapped_column(server_default="", info=NOT_PERSONAL)
    external_number: Mapped[str] = mapped_column(server_default="", info=ERASE)
    ring_delay_s: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    ring_time_s: Mapped[int] = mapped_column(SmallInteger, server_default="30")
    is_enabled: Mapped[bool] = mapped_column(server_default="true")
    created_at: Mapped[datetime] = created_now()


class Trunk(TenantRow, Base):
    """A way to the telephone network. ``sealed_password`` answers the provider's challenges, encrypted by our key."""

    __tablename__ = "trunk"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "name"),
        CheckConstraint("transport in ('udp', 'tcp', 'tls')", name="transport"),
        CheckConstraint("port between 1 and 65535", name="port"),
    )

    name: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    host: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    port: Mapped[int] = mapped_column(server_default="5060")
    transport: Mapped[str] = mapped_column(server_default="udp", info=NOT_PERSONAL)
    username: Mapped[str] = mapped_column(server_default="", info=NOT_PERSONAL)
    sealed_password: Mapped[bytes | None] = mapped_column(LargeBinary, info=NOT_PERSONAL)
    is_enabled: Mapped[bool] = mapped_column(server_default="true")
    created_at: Mapped[datetime] = created_now()


class TrunkNumber(TenantRow, Base):
    """A number of the company, in E.164, and the line that rings when somebody outside dials it.

    Unique in the whole installation: a call from outside finds its company by nothing else.
    """

    __tablename__ = "trunk_number"
    __table_args__ = tenant_constraints(
        UniqueConstraint("number"),
        tenant_link("trunk_id", "trunk", on_delete="CASCADE"),
        tenant_link("line_id", "phone_line", on_delete="SET NULL (line_id)"),
    )

    number: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    trunk_id: Mapped[int] = mapped_column(BigInteger)
    line_id: Mapped[int | None] = mapped_column(BigInteger)


class Call(TenantRow, Base):
    """One call, as its events tell it. Visible with its activity, and always to those whose lines take part.

    ``line_id`` is the line that was called, of a call to the outside the one that calls; ``caller_line_id`` the one
    that calls, None for a call from outside. Numbers are in E.164, lines' numbers, or empty where the caller hides it.
    ``worker`` is the gateway process that carries it.
    """

    __tablename__ = "call"
    __table_args__ = tenant_constraints(
        CheckConstraint("direction in ('in', 'out', 'internal')", name="direction"),
        CheckConstraint("state in ('ringing', 'answered', 'ended')", name="state"),
        CheckConstraint("ended_by in ('caller', 'callee', 'system')", name="ended_by"),
        CheckConstraint("(state = 'ended') = (ended_at is not null and cause is not null)", name="ended"),
        tenant_link("activity_id", "activity", on_delete="CASCADE"),
        tenant_link("line_id", "phone_line", on_delete="SET NULL (line_id)"),
        tenant_link("caller_line_id", "phone_line", on_delete="SET NULL (caller_line_id)"),
        UniqueConstraint("tenant_id", "activity_id"),
        Index(None, "tenant_id", "started_at", "id"),
        Index("ix_call_live", "tenant_id", "worker", postgresql_where=text("state <> 'ended'")),
    )

    direction: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    from_number: Mapped[str] = mapped_column(info=ERASE)
    to_number: Mapped[str] = mapped_column(info=ERASE)
    activity_id: Mapped[int] = mapped_column(BigInteger)
    line_id: Mapped[int | None] = mapped_column(BigInteger)
    caller_line_id: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(server_default="ringing", info=NOT_PERSONAL)
    started_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(info=NOT_PERSONAL)
    cause: Mapped[str | None] = mapped_column(info=NOT_PERSONAL)
    sip_status: Mapped[int | None]
    worker: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    sip_call_id: Mapped[str] = mapped_column(info=ERASE)


class CallEvent(TenantRow, Base):
    """One thing that happened in a call. The application can add rows and read them, nothing else.

    ``detail`` holds codes, statuses and ids.
    """

    __tablename__ = "call_event"
    __table_args__ = tenant_constraints(
        CheckConstraint("kind in ('began', 'ringing', 'leg_ended', 'answered', 'recorded', 'ended')", name="kind"),
        tenant_link("call_id", "call", on_delete="CASCADE"),
        Index(None, "tenant_id", "call_id", "id"),
    )

    call_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    device_id: Mapped[int | None] = mapped_column(BigInteger)
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}", info=NOT_PERSONAL)


class Recording(TenantRow, Base):
    """The sound of a call: stereo Opus in Ogg, the caller left, the callee right.

    ``stem`` names the two WAV files in the recordings' folder until they are encoded. ``peaks`` are loudness values
    from 0 to 255 over the time, those of the left channel first, then as many of the right.
    """

    __tablename__ = "recording"
    __table_args__ = tenant_constraints(
        CheckConstraint("state in ('recording', 'encoding', 'ready', 'failed')", name="state"),
        CheckConstraint("(state = 'ready') = (blob_id is not null)", name="stored"),
        UniqueConstraint("tenant_id", "call_id"),
        tenant_link("call_id", "call", on_delete="CASCADE"),
        tenant_link("blob_id", "blob"),
    )

    call_id: Mapped[int] = mapped_column(BigInteger)
    blob_id: Mapped[int | None] = mapped_column(BigInteger)
    stem: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    state: Mapped[str] = mapped_column(server_default="recording", info=NOT_PERSONAL)
    duration_ms: Mapped[int] = mapped_column(server_default="0")
    peaks: Mapped[bytes] = mapped_column(LargeBinary, server_default=text("''"), info=ERASE)
    created_at: Mapped[datetime] = created_now()

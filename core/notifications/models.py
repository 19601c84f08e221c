"""Tables of notifications. Each row is seen by its own user alone, and by the product itself."""

from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from core.calls import models as _calls
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
from core.tickets import models as _tickets

LINKED_TABLES: Final = (_calls, _identity, _tickets)
"""The modules whose tables ours link to."""


class Notification(TenantRow, Base):
    """Something that happened, for one user. Hidden with the ticket or call that it is about.

    ``key`` names what it is about, such as ``ticket:17``: news of the same kind and key join one that is unread, and
    ``count`` says how many. ``source_id`` is the newest fact behind it (an activity, a call, a session), so that a job
    that runs twice adds nothing. ``detail`` is a code of the kind.
    """

    __tablename__ = "notification"
    __table_args__ = tenant_constraints(
        tenant_link("user_id", "user_account", on_delete="CASCADE"),
        tenant_link("ticket_id", "ticket", on_delete="CASCADE"),
        tenant_link("call_id", "call", on_delete="CASCADE"),
        Index(
            "uq_notification_unread",
            "tenant_id",
            "user_id",
            "kind",
            "key",
            unique=True,
            postgresql_where=text("read_at is null"),
        ),
        Index(None, "tenant_id", "user_id", "happened_at", "id"),
        Index(None, "tenant_id", "ticket_id"),
        Index(None, "tenant_id", "call_id"),
        Index(None, "tenant_id", "happened_at"),
    )

    user_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    key: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    source_id: Mapped[int] = mapped_column(BigInteger)
    detail: Mapped[str] = mapped_column(server_default="", info=NOT_PERSONAL)
    ticket_id: Mapped[int | None] = mapped_column(BigInteger)
    call_id: Mapped[int | None] = mapped_column(BigInteger)
    count: Mapped[int] = mapped_column(server_default="1")
    in_app: Mapped[bool] = mapped_column(server_default="true")
    happened_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    mail_wanted: Mapped[bool] = mapped_column(server_default="false")
    mailed_at: Mapped[datetime | None]
    pushed_at: Mapped[datetime | None]


class NotificationChoice(TenantRow, Base):
    """By which channels a user wants a kind. Without a row the kind's own defaults hold."""

    __tablename__ = "notification_choice"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "user_id", "kind"),
        tenant_link("user_id", "user_account", on_delete="CASCADE"),
    )

    user_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    channels: Mapped[list[str]] = mapped_column(ARRAY(Text), info=NOT_PERSONAL)


class PushSubscription(TenantRow, Base):
    """A browser that takes pushes (RFC 8030), as long as its sign-in lasts.

    ``p256dh`` and ``auth`` are the browser's public key and secret, by which what it gets is encrypted (RFC 8291).
    """

    __tablename__ = "push_subscription"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "endpoint_sha256"),
        CheckConstraint("endpoint like 'http%'", name="endpoint"),
        tenant_link("user_id", "user_account", on_delete="CASCADE"),
        tenant_link("session_id", "sign_in_session", on_delete="CASCADE"),
        Index(None, "tenant_id", "user_id"),
        Index(None, "tenant_id", "session_id"),
    )

    user_id: Mapped[int] = mapped_column(BigInteger)
    session_id: Mapped[int] = mapped_column(BigInteger)
    endpoint: Mapped[str] = mapped_column(info=ERASE)
    endpoint_sha256: Mapped[bytes] = mapped_column(LargeBinary, info=ERASE)
    p256dh: Mapped[str] = mapped_column(info=ERASE)
    auth: Mapped[str] = mapped_column(info=ERASE)
    created_at: Mapped[datetime] = created_now()
    delivered_at: Mapped[datetime | None]


class PushKey(TenantRow, Base):
    """The key by which push services know the company (VAPID, RFC 8292); the private half is sealed."""

    __tablename__ = "push_key"
    __table_args__ = tenant_constraints(UniqueConstraint("tenant_id"))

    public_key: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    sealed_private_key: Mapped[bytes] = mapped_column(LargeBinary, info=NOT_PERSONAL)
    created_at: Mapped[datetime] = created_now()

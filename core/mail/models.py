"""Tables of mail."""

from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, LargeBinary, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Text

from core.directory import models as _directory
from core.foundation.models import (
    ERASE,
    NOT_PERSONAL,
    Base,
    TenantRow,
    created_now,
    keep,
    tenant_constraints,
    tenant_link,
)
from core.identity import models as _identity
from core.tenants import models as _tenants
from core.tickets import models as _tickets
from core.timeline import models as _timeline

LINKED_TABLES: Final = (_identity, _tenants, _directory, _timeline, _tickets)
"""The modules whose tables ours link to: a process that imports only mail, as the mail server does, needs them all."""


class MailAddress(Base):
    """An address that the installation takes mail for, the tenant and queue that it belongs to.

    Read before a tenant is known, hence without row-level security; it holds no customer's data.
    """

    __tablename__ = "mail_address"
    __table_args__ = (tenant_link("queue_id", "queue"), tenant_link("category_id", "ticket_category"))

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenant.id"))
    address: Mapped[str] = mapped_column(unique=True, info=NOT_PERSONAL)
    queue_id: Mapped[int] = mapped_column(BigInteger)
    category_id: Mapped[int] = mapped_column(BigInteger)


class InboundMail(TenantRow, Base):
    """A mail as it arrived. ``state`` goes ``received → filed``, or ``→ unreadable`` with the reason's code.

    ``recipient`` is the envelope's address with its plus part, which may carry our token.
    """

    __tablename__ = "inbound_mail"
    __table_args__ = tenant_constraints(
        CheckConstraint("state in ('received', 'filed', 'unreadable')", name="state"),
        tenant_link("blob_id", "blob"),
        tenant_link("activity_id", "activity"),
        Index(None, "tenant_id", "sha256"),
        Index(None, "tenant_id", "activity_id"),
    )

    blob_id: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[bytes] = mapped_column(LargeBinary, info=keep("integrity of stored evidence"))
    mail_address_id: Mapped[int] = mapped_column(ForeignKey("mail_address.id"))
    sender: Mapped[str] = mapped_column(info=ERASE)
    recipient: Mapped[str] = mapped_column(info=ERASE)
    state: Mapped[str] = mapped_column(server_default="received", info=NOT_PERSONAL)
    reason: Mapped[str | None] = mapped_column(info=NOT_PERSONAL)
    activity_id: Mapped[int | None] = mapped_column(BigInteger)
    received_at: Mapped[datetime] = created_now()


class MailMessage(TenantRow, Base):
    """A parsed or written mail: what its activity says. Addresses are JSON lists of ``[name, address]``.

    ``flags`` are codes such as ``unreadable``, ``claims_colleague``, ``automatic``, ``bounce``.
    """

    __tablename__ = "mail_message"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "activity_id"),
        tenant_link("activity_id", "activity", on_delete="CASCADE"),
        Index(None, "tenant_id", "message_id"),
    )

    activity_id: Mapped[int] = mapped_column(BigInteger)
    message_id: Mapped[str] = mapped_column(info=ERASE)
    in_reply_to: Mapped[list[str]] = mapped_column(ARRAY(Text), info=ERASE)
    sender: Mapped[list[str]] = mapped_column(JSONB, info=ERASE)
    reply_to: Mapped[list[list[str]]] = mapped_column(JSONB, server_default="[]", info=ERASE)
    recipients: Mapped[list[list[str]]] = mapped_column(JSONB, info=ERASE)
    copies: Mapped[list[list[str]]] = mapped_column(JSONB, info=ERASE)
    subject: Mapped[str] = mapped_column(info=ERASE)
    body_text: Mapped[str] = mapped_column(info=ERASE)
    body_html: Mapped[str | None] = mapped_column(info=ERASE)
    flags: Mapped[list[str]] = mapped_column(ARRAY(Text), info=NOT_PERSONAL)
    sent_at: Mapped[datetime | None]


class MailParticipant(TenantRow, Base):
    """An address that takes part in a ticket, in lower case; only these may join by the subject's tag."""

    __tablename__ = "mail_participant"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "ticket_id", "address_lower"),
        tenant_link("ticket_id", "ticket", on_delete="CASCADE"),
    )

    ticket_id: Mapped[int] = mapped_column(BigInteger)
    address_lower: Mapped[str] = mapped_column(info=ERASE)


class OutboundMail(TenantRow, Base):
    """The intent to send a mail.

    ``state``: ``queued → sending → sent``; ``held`` when no outgoing server is set (the outbox page shows it);
    ``refused`` when the server said no; ``uncertain`` when a process died after ``sending`` began: it is never sent
    again by itself.

    A notice (``core.mail.notices``) belongs to no activity and carries its ``subject`` here; only owners see it.
    """

    __tablename__ = "outbound_mail"
    __table_args__ = tenant_constraints(
        CheckConstraint("state in ('queued', 'sending', 'sent', 'held', 'refused', 'uncertain')", name="state"),
        tenant_link("blob_id", "blob"),
        tenant_link("activity_id", "activity"),
        CheckConstraint("(activity_id is null) = (subject is not null)", name="notice"),
        UniqueConstraint("tenant_id", "activity_id"),
        Index(None, "tenant_id", "state", "id"),
    )

    activity_id: Mapped[int | None] = mapped_column(BigInteger)
    subject: Mapped[str | None] = mapped_column(info=ERASE)
    blob_id: Mapped[int] = mapped_column(BigInteger)
    envelope_from: Mapped[str] = mapped_column(info=ERASE)
    envelope_to: Mapped[list[str]] = mapped_column(ARRAY(Text), info=ERASE)
    state: Mapped[str] = mapped_column(server_default="queued", info=NOT_PERSONAL)
    answer: Mapped[str | None] = mapped_column(info=ERASE)
    created_at: Mapped[datetime] = created_now()
    sending_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]

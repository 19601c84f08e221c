"""Tables of the timeline."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.foundation.models import (
    ERASE,
    NOT_PERSONAL,
    Base,
    TenantRow,
    created_now,
    tenant_constraints,
    tenant_link,
)


class Queue(TenantRow, Base):
    """Where activities of one channel wait for agents; an e-mail queue has an address (``mail.mail_address``)."""

    __tablename__ = "queue"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "name"),
        CheckConstraint("channel in ('email', 'call', 'sms')", name="channel"),
    )

    name: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    channel: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    everyone_sees: Mapped[bool] = mapped_column(server_default="true")


class QueueGrant(TenantRow, Base):
    """That a user group, and the groups below it, may see a queue."""

    __tablename__ = "queue_grant"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "user_group_id", "queue_id"),
        tenant_link("user_group_id", "user_group", on_delete="CASCADE"),
        tenant_link("queue_id", "queue", on_delete="CASCADE"),
    )

    user_group_id: Mapped[int] = mapped_column(BigInteger)
    queue_id: Mapped[int] = mapped_column(BigInteger)


class Activity(TenantRow, Base):
    """One contact with a customer. Visible with its ticket; without a ticket, with its contact, else its queue.

    ``summary`` is one line for lists. ``direction`` is ``in``, ``out`` or ``none``.
    """

    __tablename__ = "activity"
    __table_args__ = tenant_constraints(
        CheckConstraint("kind in ('call', 'email', 'sms', 'note', 'meeting', 'task', 'form')", name="kind"),
        CheckConstraint("direction in ('in', 'out', 'none')", name="direction"),
        tenant_link("contact_id", "contact", on_delete="SET NULL (contact_id)"),
        tenant_link("company_id", "company", on_delete="SET NULL (company_id)"),
        tenant_link("ticket_id", "ticket"),
        tenant_link("queue_id", "queue"),
        tenant_link("user_id", "user_account"),
        Index(None, "tenant_id", "contact_id", "occurred_at", "id"),
        Index(None, "tenant_id", "company_id", "occurred_at", "id"),
        Index(None, "tenant_id", "ticket_id", "occurred_at", "id"),
    )

    kind: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    direction: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    company_id: Mapped[int | None] = mapped_column(BigInteger)
    ticket_id: Mapped[int | None] = mapped_column(BigInteger)
    queue_id: Mapped[int | None] = mapped_column(BigInteger)
    user_id: Mapped[int | None] = mapped_column(BigInteger)
    summary: Mapped[str] = mapped_column(info=ERASE)
    occurred_at: Mapped[datetime]
    created_at: Mapped[datetime] = created_now()


class Attachment(TenantRow, Base):
    """A file of an activity. ``name`` is for people only; the bytes lie in a blob under a random name."""

    __tablename__ = "attachment"
    __table_args__ = tenant_constraints(
        tenant_link("activity_id", "activity", on_delete="CASCADE"),
        tenant_link("blob_id", "blob"),
        Index(None, "tenant_id", "activity_id"),
    )

    activity_id: Mapped[int] = mapped_column(BigInteger)
    blob_id: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(info=ERASE)
    media_type: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    content_id: Mapped[str | None] = mapped_column(info=ERASE)
    is_inline: Mapped[bool] = mapped_column(server_default="false")

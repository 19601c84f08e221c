"""Tables of tickets."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Computed, Index, UniqueConstraint
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


class TicketCategory(TenantRow, Base):
    """What a ticket is about, and so who may see it."""

    __tablename__ = "ticket_category"
    __table_args__ = tenant_constraints(UniqueConstraint("tenant_id", "name"))

    name: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    everyone_sees: Mapped[bool] = mapped_column(server_default="true")


class TicketCategoryGrant(TenantRow, Base):
    """That a user group, and the groups below it, may see a category's tickets."""

    __tablename__ = "ticket_category_grant"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "user_group_id", "category_id"),
        tenant_link("user_group_id", "user_group", on_delete="CASCADE"),
        tenant_link("category_id", "ticket_category", on_delete="CASCADE"),
    )

    user_group_id: Mapped[int] = mapped_column(BigInteger)
    category_id: Mapped[int] = mapped_column(BigInteger)


class Ticket(TenantRow, Base):
    """A case. ``number`` counts up within the tenant and is what people say."""

    __tablename__ = "ticket"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "number"),
        CheckConstraint("status in ('open', 'waiting', 'closed')", name="status"),
        tenant_link("category_id", "ticket_category"),
        tenant_link("queue_id", "queue"),
        tenant_link("contact_id", "contact", on_delete="SET NULL (contact_id)"),
        tenant_link("company_id", "company", on_delete="SET NULL (company_id)"),
        tenant_link("owner_id", "user_account"),
        Index(None, "tenant_id", "status", "last_activity_at", "id"),
        Index(None, "tenant_id", "last_activity_at", "id"),
        Index(None, "tenant_id", "contact_id"),
        Index(None, "tenant_id", "company_id"),
        Index(
            None,
            "tenant_id",
            "search_text",
            postgresql_using="gin",
            postgresql_ops={"search_text": "gin_trgm_ops"},
        ),
    )

    number: Mapped[int] = mapped_column(BigInteger)
    title: Mapped[str] = mapped_column(info=ERASE)
    status: Mapped[str] = mapped_column(server_default="open", info=NOT_PERSONAL)
    category_id: Mapped[int] = mapped_column(BigInteger)
    queue_id: Mapped[int | None] = mapped_column(BigInteger)
    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    company_id: Mapped[int | None] = mapped_column(BigInteger)
    owner_id: Mapped[int | None] = mapped_column(BigInteger)
    requester: Mapped[str] = mapped_column(server_default="", info=ERASE)
    version: Mapped[int] = mapped_column(server_default="1")
    search_words: Mapped[str] = mapped_column(server_default="", info=ERASE)
    search_text: Mapped[str] = mapped_column(Computed("app_fold(' ' || search_words)", persisted=True), info=ERASE)
    last_activity_at: Mapped[datetime]
    created_at: Mapped[datetime] = created_now()


class TicketCounter(TenantRow, Base):
    """The last ticket number of the tenant; its row's lock makes numbers gapless and unique."""

    __tablename__ = "ticket_counter"
    __table_args__ = tenant_constraints(UniqueConstraint("tenant_id"))

    last_number: Mapped[int] = mapped_column(BigInteger, server_default="0")

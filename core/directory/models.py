"""Tables of the directory."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, Computed, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.foundation.models import (
    ANONYMISE,
    ERASE,
    NOT_PERSONAL,
    Base,
    TenantRow,
    created_now,
    tenant_constraints,
    tenant_link,
)


class ContactDatabase(TenantRow, Base):
    """A named set of contacts and companies with its own rights. ``everyone_sees`` spares the grants."""

    __tablename__ = "contact_database"
    __table_args__ = tenant_constraints(UniqueConstraint("tenant_id", "name"))

    name: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    everyone_sees: Mapped[bool] = mapped_column(server_default="true")


class ContactDatabaseGrant(TenantRow, Base):
    """That a user group, and the groups below it, may see a database."""

    __tablename__ = "contact_database_grant"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "user_group_id", "database_id"),
        tenant_link("user_group_id", "user_group", on_delete="CASCADE"),
        tenant_link("database_id", "contact_database", on_delete="CASCADE"),
    )

    user_group_id: Mapped[int] = mapped_column(BigInteger)
    database_id: Mapped[int] = mapped_column(BigInteger)


class Company(TenantRow, Base):
    """A company that the tenant deals with. ``search_words`` is what search finds it by, written by the service."""

    __tablename__ = "company"
    __table_args__ = tenant_constraints(
        tenant_link("database_id", "contact_database"),
        tenant_link("owner_id", "user_account"),
        Index(None, "tenant_id", "sort_key", "id"),
        Index(
            None,
            "tenant_id",
            "search_text",
            postgresql_using="gin",
            postgresql_ops={"search_text": "gin_trgm_ops"},
        ),
    )

    database_id: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(info=ANONYMISE)
    sort_key: Mapped[bytes] = mapped_column(LargeBinary, info=ANONYMISE)
    registration_number: Mapped[str] = mapped_column(server_default="", info=ERASE)
    vat_number: Mapped[str] = mapped_column(server_default="", info=ERASE)
    website: Mapped[str] = mapped_column(server_default="", info=ERASE)
    street: Mapped[str] = mapped_column(server_default="", info=ERASE)
    city: Mapped[str] = mapped_column(server_default="", info=ERASE)
    postal_code: Mapped[str] = mapped_column(server_default="", info=ERASE)
    country: Mapped[str] = mapped_column(server_default="", info=NOT_PERSONAL)
    note: Mapped[str] = mapped_column(server_default="", info=ERASE)
    owner_id: Mapped[int | None] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(server_default="1")
    search_words: Mapped[str] = mapped_column(server_default="", info=ERASE)
    search_text: Mapped[str] = mapped_column(Computed("app_fold(search_words)", persisted=True), info=ERASE)
    created_at: Mapped[datetime] = created_now()
    updated_at: Mapped[datetime] = created_now()


class CompanyPhone(TenantRow, Base):
    """A company's number in E.164 (``+420601123456``), with its place in the list."""

    __tablename__ = "company_phone"
    __table_args__ = tenant_constraints(
        tenant_link("company_id", "company", on_delete="CASCADE"),
        Index(None, "tenant_id", "company_id"),
        Index(None, "tenant_id", "number"),
    )

    company_id: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[str] = mapped_column(info=ERASE)
    label: Mapped[str] = mapped_column(server_default="", info=NOT_PERSONAL)
    position: Mapped[int]


class CompanyEmail(TenantRow, Base):
    """A company's e-mail address, as written and in lower case for equality."""

    __tablename__ = "company_email"
    __table_args__ = tenant_constraints(
        tenant_link("company_id", "company", on_delete="CASCADE"),
        Index(None, "tenant_id", "company_id"),
        Index(None, "tenant_id", "address_lower"),
    )

    company_id: Mapped[int] = mapped_column(BigInteger)
    address: Mapped[str] = mapped_column(info=ERASE)
    address_lower: Mapped[str] = mapped_column(info=ERASE)
    label: Mapped[str] = mapped_column(server_default="", info=NOT_PERSONAL)
    position: Mapped[int]


class Contact(TenantRow, Base):
    """A person. ``version`` counts saves, so that two people's edits do not overwrite each other unseen."""

    __tablename__ = "contact"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "id", "database_id"),
        CheckConstraint("name <> ''", name="named"),
        tenant_link("database_id", "contact_database"),
        tenant_link("company_id", "company", on_delete="SET NULL (company_id)"),
        tenant_link("owner_id", "user_account"),
        Index(None, "tenant_id", "sort_key", "id"),
        Index(None, "tenant_id", "company_id"),
        Index(
            None,
            "tenant_id",
            "search_text",
            postgresql_using="gin",
            postgresql_ops={"search_text": "gin_trgm_ops"},
        ),
    )

    database_id: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(info=ANONYMISE)
    sort_key: Mapped[bytes] = mapped_column(LargeBinary, info=ANONYMISE)
    company_id: Mapped[int | None] = mapped_column(BigInteger)
    job_title: Mapped[str] = mapped_column(server_default="", info=ERASE)
    street: Mapped[str] = mapped_column(server_default="", info=ERASE)
    city: Mapped[str] = mapped_column(server_default="", info=ERASE)
    postal_code: Mapped[str] = mapped_column(server_default="", info=ERASE)
    country: Mapped[str] = mapped_column(server_default="", info=NOT_PERSONAL)
    note: Mapped[str] = mapped_column(server_default="", info=ERASE)
    owner_id: Mapped[int | None] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(server_default="1")
    search_words: Mapped[str] = mapped_column(server_default="", info=ERASE)
    search_text: Mapped[str] = mapped_column(Computed("app_fold(search_words)", persisted=True), info=ERASE)
    created_at: Mapped[datetime] = created_now()
    updated_at: Mapped[datetime] = created_now()


class ContactPhone(TenantRow, Base):
    """A person's number in E.164, with its place in the list."""

    __tablename__ = "contact_phone"
    __table_args__ = tenant_constraints(
        tenant_link("contact_id", "contact", on_delete="CASCADE"),
        Index(None, "tenant_id", "contact_id"),
        Index(None, "tenant_id", "number"),
    )

    contact_id: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[str] = mapped_column(info=ERASE)
    label: Mapped[str] = mapped_column(server_default="", info=NOT_PERSONAL)
    position: Mapped[int]


class ContactEmail(TenantRow, Base):
    """A person's e-mail address, as written and in lower case for equality."""

    __tablename__ = "contact_email"
    __table_args__ = tenant_constraints(
        tenant_link("contact_id", "contact", on_delete="CASCADE"),
        Index(None, "tenant_id", "contact_id"),
        Index(None, "tenant_id", "address_lower"),
    )

    contact_id: Mapped[int] = mapped_column(BigInteger)
    address: Mapped[str] = mapped_column(info=ERASE)
    address_lower: Mapped[str] = mapped_column(info=ERASE)
    label: Mapped[str] = mapped_column(server_default="", info=NOT_PERSONAL)
    position: Mapped[int]

"""Tables of address books."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Computed,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    UniqueConstraint,
)
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

POLICIES = "('phone_book', 'app_only', 'none')"


def _follows_contact() -> ForeignKeyConstraint:
    """A link to the contact that also keeps ``database_id`` equal to the contact's, for the visibility policy."""
    return ForeignKeyConstraint(
        ["tenant_id", "contact_id", "database_id"],
        ["contact.tenant_id", "contact.id", "contact.database_id"],
        onupdate="CASCADE",
        ondelete="CASCADE",
    )


class AddressBook(TenantRow, Base):
    """What CardDAV serves to phones and mail programs.

    ``sync_policy`` counts for those who see the book by ``everyone_sees``, and for the owner; the others' stands in
    their grants. ``database_id`` is where contacts go that a phone creates. ``version`` is the card clock's value at
    the last change of what the book serves.
    """

    __tablename__ = "address_book"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "name"),
        CheckConstraint(f"sync_policy in {POLICIES}", name="sync_policy"),
        tenant_link("database_id", "contact_database"),
    )

    name: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    everyone_sees: Mapped[bool] = mapped_column(server_default="false")
    sync_policy: Mapped[str] = mapped_column(server_default="app_only", info=NOT_PERSONAL)
    database_id: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(BigInteger, server_default="0")


class AddressBookGrant(TenantRow, Base):
    """That a user group, and the groups below it, may see an address book, and how far it goes onto their phones."""

    __tablename__ = "address_book_grant"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "user_group_id", "address_book_id"),
        CheckConstraint(f"sync_policy in {POLICIES}", name="sync_policy"),
        tenant_link("user_group_id", "user_group", on_delete="CASCADE"),
        tenant_link("address_book_id", "address_book", on_delete="CASCADE"),
    )

    user_group_id: Mapped[int] = mapped_column(BigInteger)
    address_book_id: Mapped[int] = mapped_column(BigInteger)
    sync_policy: Mapped[str] = mapped_column(server_default="app_only", info=NOT_PERSONAL)


class CardClock(TenantRow, Base):
    """The tenant's counter of card changes. Its row is locked until the commit, so versions become visible in order."""

    __tablename__ = "card_clock"
    __table_args__ = tenant_constraints(UniqueConstraint("tenant_id"))

    version: Mapped[int] = mapped_column(BigInteger, server_default="0")


class ContactCard(TenantRow, Base):
    """A contact's vCard 3.0 (RFC 2426), byte for byte as the last client wrote it but for lines changed since.

    ``version`` counts the card's changes. ``search_words`` is what its names, numbers and addresses say.
    """

    __tablename__ = "contact_card"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "contact_id"),
        _follows_contact(),
        Index(
            None,
            "tenant_id",
            "search_text",
            postgresql_using="gin",
            postgresql_ops={"search_text": "gin_trgm_ops"},
        ),
    )

    contact_id: Mapped[int] = mapped_column(BigInteger)
    database_id: Mapped[int] = mapped_column(BigInteger)
    uid: Mapped[str] = mapped_column(info=ERASE)
    body: Mapped[str] = mapped_column(info=ERASE)
    version: Mapped[int] = mapped_column(BigInteger, server_default="1")
    search_words: Mapped[str] = mapped_column(server_default="", info=ERASE)
    search_text: Mapped[str] = mapped_column(Computed("app_fold(search_words)", persisted=True), info=ERASE)
    updated_at: Mapped[datetime] = created_now()


class CardRevision(TenantRow, Base):
    """An earlier card that some client still holds: the base of a three-way merge."""

    __tablename__ = "card_revision"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "contact_id", "version"),
        tenant_link("contact_id", "contact", on_delete="CASCADE"),
    )

    contact_id: Mapped[int] = mapped_column(BigInteger)
    version: Mapped[int] = mapped_column(BigInteger)
    body: Mapped[str] = mapped_column(info=ERASE)
    created_at: Mapped[datetime] = created_now()


class AddressBookEntry(TenantRow, Base):
    """That a contact stands in a book. ``version`` is the card clock's value when what is served last changed."""

    __tablename__ = "address_book_entry"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "address_book_id", "href"),
        UniqueConstraint("tenant_id", "contact_id", "address_book_id"),
        tenant_link("address_book_id", "address_book", on_delete="CASCADE"),
        _follows_contact(),
        Index(
            "ix_address_book_entry_listing",
            "tenant_id",
            "address_book_id",
            "version",
            postgresql_include=["href", "contact_id", "database_id"],
        ),
    )

    address_book_id: Mapped[int] = mapped_column(BigInteger)
    contact_id: Mapped[int] = mapped_column(BigInteger)
    database_id: Mapped[int] = mapped_column(BigInteger)
    href: Mapped[str] = mapped_column(info=ERASE)
    version: Mapped[int] = mapped_column(BigInteger)


class CardTombstone(TenantRow, Base):
    """That an entry left a book: what a client must be told, and nothing about the person."""

    __tablename__ = "card_tombstone"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "address_book_id", "href"),
        Index(None, "tenant_id", "address_book_id", "version"),
    )

    address_book_id: Mapped[int] = mapped_column(BigInteger)
    href: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    version: Mapped[int] = mapped_column(BigInteger)
    deleted_at: Mapped[datetime] = created_now()


class SyncedClient(TenantRow, Base):
    """One installation of an address book: a phone's Contacts, Thunderbird. It has an app password of its own.

    The password is random (128 bits), so its SHA-256 needs no slow hash. Revoking goes ``active`` → ``wiping`` →
    ``revoked``: a client that is wiping still signs in and is served empty books.
    """

    __tablename__ = "synced_client"
    __table_args__ = tenant_constraints(
        UniqueConstraint("username"),
        CheckConstraint("state in ('active', 'wiping', 'revoked')", name="state"),
        tenant_link("user_id", "user_account", on_delete="CASCADE"),
        Index(None, "tenant_id", "user_id"),
    )

    user_id: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(info=ERASE)
    username: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    secret_sha256: Mapped[bytes] = mapped_column(LargeBinary, info=ERASE)
    state: Mapped[str] = mapped_column(server_default="active", info=NOT_PERSONAL)
    created_at: Mapped[datetime] = created_now()
    last_seen_at: Mapped[datetime | None]
    last_user_agent: Mapped[str] = mapped_column(server_default="", info=ERASE)
    wipe_started_at: Mapped[datetime | None]
    wipe_served_at: Mapped[datetime | None]
    wipe_confirmed_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class SyncedClientBook(TenantRow, Base):
    """How far a client is in a book (``address_book_id`` empty: in the merged book of all).

    ``served_version`` was in the last answer, ``confirmed_version`` came back in a later request of the client.
    """

    __tablename__ = "synced_client_book"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "client_id", "address_book_id", postgresql_nulls_not_distinct=True),
        tenant_link("client_id", "synced_client", on_delete="CASCADE"),
        tenant_link("address_book_id", "address_book", on_delete="CASCADE"),
    )

    client_id: Mapped[int] = mapped_column(BigInteger)
    address_book_id: Mapped[int | None] = mapped_column(BigInteger)
    served_version: Mapped[int] = mapped_column(BigInteger)
    served_at: Mapped[datetime]
    confirmed_version: Mapped[int] = mapped_column(BigInteger, server_default="-1")
    confirmed_at: Mapped[datetime | None]


class SyncedClientCard(TenantRow, Base):
    """That a card was handed to a client, in which version; stays when the contact goes, without saying who it was.

    Written by fifty rows a question, so its only foreign key is the client's, which carries the tenant; a trigger sees
    to the contact (migration 0013).
    """

    __tablename__ = "synced_client_card"
    __table_args__ = (
        UniqueConstraint("tenant_id", "client_id", "address_book_id", "href"),
        tenant_link("client_id", "synced_client", on_delete="CASCADE"),
        Index(None, "tenant_id", "contact_id", "card_version"),
    )

    client_id: Mapped[int] = mapped_column(BigInteger)
    address_book_id: Mapped[int] = mapped_column(BigInteger)
    href: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    contact_id: Mapped[int | None] = mapped_column(BigInteger)
    card_version: Mapped[int] = mapped_column(BigInteger)
    served_at: Mapped[datetime]


class ProfileLink(TenantRow, Base):
    """A link that hands a new client's settings to a phone, once. The link itself holds the password, encrypted."""

    __tablename__ = "profile_link"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "token_sha256"),
        tenant_link("client_id", "synced_client", on_delete="CASCADE"),
    )

    client_id: Mapped[int] = mapped_column(BigInteger)
    token_sha256: Mapped[bytes] = mapped_column(LargeBinary, info=NOT_PERSONAL)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

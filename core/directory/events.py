"""Facts about the directory."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class ContactSaved:
    """A contact was created or changed."""

    name: ClassVar[str] = "directory.contact_saved"
    contact_id: int


@dataclass(frozen=True, slots=True)
class CompanySaved:
    """A company was created or changed."""

    name: ClassVar[str] = "directory.company_saved"
    company_id: int


@dataclass(frozen=True, slots=True)
class ContactDeleted:
    """A contact is gone; its tickets and activities stay without it."""

    name: ClassVar[str] = "directory.contact_deleted"
    contact_id: int


@dataclass(frozen=True, slots=True)
class BookChanged:
    """A book, its rights or its contents changed."""

    name: ClassVar[str] = "directory.book_changed"
    book_id: int


@dataclass(frozen=True, slots=True)
class ClientRevoked:
    """A synced client is to be wiped, or was cut off."""

    name: ClassVar[str] = "directory.client_revoked"
    client_id: int


@dataclass(frozen=True, slots=True)
class DatabaseOpened:
    """A database was opened to everyone, or closed: other names may now stand among words that search finds."""

    name: ClassVar[str] = "directory.database_opened"
    database_id: int

"""Creating, changing and deleting address books: who sees them, and how far they go onto phones."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import delete, func, select, update

from core.directory import checks
from core.directory.books.entries import withdraw
from core.directory.books.models import AddressBook, AddressBookEntry, AddressBookGrant
from core.directory.events import BookChanged
from core.foundation.errors import Invalid, NotFound
from core.foundation.history import record_change
from core.foundation.i18n import _
from core.foundation.live import tell
from core.foundation.outbox import emit
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.models import UserGroup


class SyncPolicy(StrEnum):
    """How far a book goes: into phones' own address books (CardDAV), into the product's app only, or nowhere."""

    PHONE_BOOK = "phone_book"
    APP_ONLY = "app_only"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class BookGrant:
    """That a user group sees the book, and the policy for its people."""

    user_group_id: int
    sync_policy: SyncPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class BookDraft:
    """A book to store. ``sync_policy`` counts where everyone sees it, and for the owner."""

    name: str
    database_id: int
    everyone_sees: bool = False
    sync_policy: SyncPolicy = SyncPolicy.APP_ONLY
    grants: tuple[BookGrant, ...] = ()


def create_book(work: Work, draft: BookDraft) -> int:
    """Store a new book and answer its id; raises ``Invalid``, emits ``BookChanged``."""
    work.actor.require(Permission.BOOKS_MANAGE)
    values = _checked(work, draft, own_id=None)
    book = AddressBook(**values)
    work.session.add(book)
    work.session.flush()
    _write_grants(work, book.id, draft.grants)
    record_change(work, "address_book", book.id, before={}, after=values | {"grants": _told(draft.grants)})
    _tell(work, book.id)
    return book.id


def change_book(work: Work, book_id: int, draft: BookDraft) -> None:
    """Store the draft over the book; raises ``NotFound``, ``Invalid``; emits ``BookChanged`` if anything differs.

    Phones of people who lose the book by it drop its contacts at their next sync.
    """
    work.actor.require(Permission.BOOKS_MANAGE)
    book = _locked(work, book_id)
    values = _checked(work, draft, own_id=book_id)
    before = {field: getattr(book, field) for field in values} | {"grants": _told(grants_of(work, book_id))}
    after = values | {"grants": _told(draft.grants)}
    if not record_change(work, "address_book", book_id, before=before, after=after):
        return
    work.session.execute(update(AddressBook).where(AddressBook.id == book_id).values(**values))
    work.session.execute(delete(AddressBookGrant).where(AddressBookGrant.address_book_id == book_id))
    _write_grants(work, book_id, draft.grants)
    _tell(work, book_id)


def delete_book(work: Work, book_id: int) -> None:
    """Delete the book; its contacts stay, but go from phones at their next sync. Raises ``NotFound``."""
    work.actor.require(Permission.BOOKS_MANAGE)
    book = _locked(work, book_id)
    entries = select(AddressBookEntry.contact_id).where(AddressBookEntry.address_book_id == book_id)
    contacts = sorted(work.session.scalars(entries))
    withdraw(work, contacts, book_id=book_id)
    record_change(work, "address_book", book_id, before={"name": book.name, "count": len(contacts)}, after={})
    work.session.execute(delete(AddressBook).where(AddressBook.id == book_id))
    _tell(work, book_id)


def grants_of(work: Work, book_id: int) -> tuple[BookGrant, ...]:
    """Who was granted the book."""
    query = (
        select(AddressBookGrant.user_group_id, AddressBookGrant.sync_policy)
        .where(AddressBookGrant.address_book_id == book_id)
        .order_by(AddressBookGrant.user_group_id)
    )
    return tuple(BookGrant(group_id, SyncPolicy(policy)) for group_id, policy in work.session.execute(query))


def _checked(work: Work, draft: BookDraft, *, own_id: int | None) -> dict[str, str | int | bool]:
    problems: checks.Problems = {}
    name = checks.name(problems, draft.name, missing=_("A book needs a name."))
    same = select(AddressBook.id).where(func.lower(AddressBook.name) == name.lower(), AddressBook.id != (own_id or 0))
    if name and work.session.scalar(same.limit(1)) is not None:
        problems["name"] = _("Another book has this name.")
    database_id = checks.database(work, problems, draft.database_id)
    groups = {grant.user_group_id for grant in draft.grants}
    known = set(work.session.scalars(select(UserGroup.id).where(UserGroup.id.in_(groups))))
    if groups - known or len(groups) < len(draft.grants):
        problems["grants"] = _("There is no such group.")
    if problems:
        raise Invalid(problems)
    return {
        "name": name,
        "database_id": database_id,
        "everyone_sees": draft.everyone_sees,
        "sync_policy": draft.sync_policy.value,
    }


def _write_grants(work: Work, book_id: int, grants: Sequence[BookGrant]) -> None:
    for grant in grants:
        row = AddressBookGrant(
            address_book_id=book_id, user_group_id=grant.user_group_id, sync_policy=grant.sync_policy.value
        )
        work.session.add(row)
    work.session.flush()


def _locked(work: Work, book_id: int) -> AddressBook:
    book = work.session.get(AddressBook, book_id, with_for_update=True)
    if book is None:
        raise NotFound
    return book


def _told(grants: Sequence[BookGrant]) -> list[list[int | str]]:
    return sorted([grant.user_group_id, grant.sync_policy.value] for grant in grants)


def _tell(work: Work, book_id: int) -> None:
    emit(work, BookChanged(book_id))
    tell(work, "book", [book_id])

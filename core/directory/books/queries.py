"""Questions about address books, answered in frozen dataclasses."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, ScalarSelect, Select, case, func, select

from core.directory.books.models import (
    AddressBook,
    AddressBookEntry,
    AddressBookGrant,
    SyncedClient,
    SyncedClientCard,
)
from core.directory.books.service import BookGrant, SyncPolicy, grants_of
from core.directory.models import ContactDatabase
from core.directory.queries import Choice, ContactPage, list_contacts_of_book
from core.foundation.errors import NotFound
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.models import UserGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class BookRow:
    """A book in the list. ``client_count``: phones and programs that hold something of it."""

    id: int
    name: str
    count: int
    everyone_sees: bool
    sync_policy: SyncPolicy
    groups: Sequence[str]
    client_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookDetail:
    """A book with its rights and a page of its contacts."""

    id: int
    name: str
    database_id: int
    database_name: str
    everyone_sees: bool
    sync_policy: SyncPolicy
    grants: Sequence[BookGrant]
    client_count: int
    contacts: ContactPage


@dataclass(frozen=True, slots=True)
class ContactBook:
    """A book that a contact stands in, or might. ``holders``: clients that hold the contact's card from it."""

    book_id: int
    name: str
    is_in: bool
    holders: int


def books(work: Work) -> list[BookRow]:
    """The books that the actor sees, by name; two statements."""
    work.actor.require(Permission.CONTACTS_READ)
    groups = (
        select(AddressBookGrant.address_book_id, UserGroup.name)
        .join(UserGroup, UserGroup.id == AddressBookGrant.user_group_id)
        .order_by(UserGroup.name)
    )
    names: dict[int, list[str]] = {}
    for book_id, name in work.session.execute(groups):
        names.setdefault(book_id, []).append(name)
    count = _counted(select(func.count()).where(AddressBookEntry.address_book_id == AddressBook.id))
    query = select(AddressBook, count, _counted(_clients())).order_by(func.lower(AddressBook.name), AddressBook.id)
    return [
        BookRow(
            id=book.id,
            name=book.name,
            count=entries,
            everyone_sees=book.everyone_sees,
            sync_policy=SyncPolicy(book.sync_policy),
            groups=names.get(book.id, []),
            client_count=clients,
        )
        for book, entries, clients in work.session.execute(query)
    ]


def book_detail(work: Work, book_id: int, *, search: str = "", after: int | None = None) -> BookDetail:
    """A book's page; raises ``NotFound``."""
    work.actor.require(Permission.CONTACTS_READ)
    query = (
        select(AddressBook, ContactDatabase.name, _counted(_clients()))
        .outerjoin(ContactDatabase, ContactDatabase.id == AddressBook.database_id)
        .where(AddressBook.id == book_id)
    )
    row = work.session.execute(query).one_or_none()
    if row is None:
        raise NotFound
    book, database_name, clients = row
    return BookDetail(
        id=book.id,
        name=book.name,
        database_id=book.database_id,
        database_name=database_name or "",
        everyone_sees=book.everyone_sees,
        sync_policy=SyncPolicy(book.sync_policy),
        grants=grants_of(work, book_id),
        client_count=clients,
        contacts=list_contacts_of_book(work, book_id, search=search, after=after),
    )


def books_of_contact(work: Work, contact_id: int) -> list[ContactBook]:
    """Every book that the actor sees, with whether the contact stands in it."""
    work.actor.require(Permission.CONTACTS_READ)
    is_this = AddressBookEntry.contact_id == contact_id
    holders = _counted(
        _clients(SyncedClientCard.contact_id == contact_id, AddressBookEntry.href == SyncedClientCard.href)
    )
    is_in = case((AddressBookEntry.id.is_not(None), True), else_=False)
    query = (
        select(AddressBook.id, AddressBook.name, is_in, holders)
        .outerjoin(AddressBookEntry, (AddressBookEntry.address_book_id == AddressBook.id) & is_this)
        .order_by(func.lower(AddressBook.name), AddressBook.id)
    )
    return [ContactBook(*row) for row in work.session.execute(query)]


def user_group_choices(work: Work) -> list[Choice]:
    """The user groups that a book may be granted to; the hint names the group above."""
    work.actor.require(Permission.BOOKS_MANAGE)
    above = UserGroup.__table__.alias("above")
    query = select(UserGroup.id, UserGroup.name, above.c.name).outerjoin(above, above.c.id == UserGroup.parent_id)
    rows = work.session.execute(query.order_by(func.lower(UserGroup.name), UserGroup.id))
    return [Choice(group_id, name, parent or "") for group_id, name, parent in rows]


def _clients(*conditions: ColumnElement[bool]) -> Select[int]:
    """How many clients that are not revoked hold cards of the book."""
    return (
        select(func.count(SyncedClientCard.client_id.distinct()))
        .join(SyncedClient, SyncedClient.id == SyncedClientCard.client_id)
        .where(SyncedClientCard.address_book_id == AddressBook.id, SyncedClient.state != "revoked", *conditions)
    )


def _counted(query: Select[int]) -> ScalarSelect[int]:
    return query.correlate(AddressBook, AddressBookEntry).scalar_subquery()

"""Which contacts stand in which book, and that their cards follow the contacts.

Whoever withdraws or changes a contact reaches all books that it stands in, also unseen ones: the database's functions
``card_bump``, ``card_replace`` and ``card_withdraw`` see to that (migration 0006).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import ARRAY, BigInteger, cast, exists, func, insert, literal, null, select, update

from core.directory.books.cards.fields import CardFields, card_words
from core.directory.books.cards.lines import parse_card
from core.directory.books.cards.patching import new_card, patch_card
from core.directory.books.cards.versions import uid_of
from core.directory.books.contents import fields_of_change, fields_of_contacts
from core.directory.books.models import AddressBook, AddressBookEntry, ContactCard
from core.directory.events import BookChanged
from core.directory.models import Contact
from core.foundation.errors import NotFound
from core.foundation.history import record_change
from core.foundation.live import tell
from core.foundation.outbox import emit
from core.foundation.permissions import Permission
from core.foundation.statements import Statement
from core.foundation.unit_of_work import Work
from core.tenants.service import tenant_profile

BATCH: Final = 1000


def put_in_book(work: Work, book_id: int, contact_ids: Sequence[int]) -> int:
    """Let the contacts stand in the book; answers how many did not before. Raises ``NotFound``; emits ``BookChanged``.

    Contacts that the actor does not see are passed over.
    """
    work.actor.require(Permission.CONTACTS_WRITE)
    _require_book(work, book_id)
    here = exists().where(AddressBookEntry.contact_id == Contact.id, AddressBookEntry.address_book_id == book_id)
    query = select(Contact.id).where(Contact.id.in_(contact_ids), ~here).order_by(Contact.id)
    return _put(work, book_id, list(work.session.scalars(query)))


def put_database_in_book(work: Work, book_id: int, database_id: int) -> int:
    """Let all contacts of a database stand in the book; answers how many did not before."""
    work.actor.require(Permission.CONTACTS_WRITE)
    _require_book(work, book_id)
    here = exists().where(AddressBookEntry.contact_id == Contact.id, AddressBookEntry.address_book_id == book_id)
    query = select(Contact.id).where(Contact.database_id == database_id, ~here).order_by(Contact.id)
    return _put(work, book_id, list(work.session.scalars(query)))


def withdraw_from_book(work: Work, book_id: int, contact_ids: Sequence[int]) -> int:
    """Take the contacts out of the book: they go from each phone at its next sync (GD-12, GD-18).

    Answers how many there were. Raises ``NotFound``; emits ``BookChanged``.
    """
    work.actor.require(Permission.CONTACTS_WRITE)
    _require_book(work, book_id)
    query = select(AddressBookEntry.contact_id).where(
        AddressBookEntry.address_book_id == book_id, AddressBookEntry.contact_id.in_(contact_ids)
    )
    ids = sorted(work.session.scalars(query))
    if ids:
        withdraw(work, ids, book_id=book_id)
        note_membership(work, book_id, ids, is_in=False)
    return len(ids)


def withdraw(work: Work, contact_ids: Sequence[int], *, book_id: int | None) -> None:
    """Leave tombstones and delete the entries, in one book or in all; the caller has checked the permission."""
    _withdraw(work, contact_ids, book_id=book_id, gone=True)


def follow_contact(work: Work, contact_id: int, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Bring a change of a contact into its card, if it has one.

    A contact that moves into another database gets new addresses in its books, so that those who see it no more are
    told that it went.
    """
    query = select(ContactCard.body, ContactCard.id).where(ContactCard.contact_id == contact_id)
    card = work.session.execute(query.with_for_update()).one_or_none()
    if card is None:
        return
    old, new = fields_of_change(work, before, after)
    text = patch_card(card.body, old, new, home=tenant_profile(work).country)
    if text != card.body:
        replace_card(work, contact_id, text)
    if before["database_id"] != after["database_id"]:
        _withdraw(work, [contact_id], book_id=None, gone=False)


def tell_company_name(work: Work, company_id: int, name: str) -> None:
    """Let the cards of a company's people say its name."""
    query = (
        select(ContactCard.contact_id, ContactCard.body)
        .join(Contact, Contact.id == ContactCard.contact_id)
        .where(Contact.company_id == company_id)
        .order_by(ContactCard.contact_id)
    )
    nobody, home = CardFields(name=""), tenant_profile(work).country
    for contact_id, body in work.session.execute(query.with_for_update(of=ContactCard)).all():
        text = patch_card(body, nobody, replace(nobody, organization=name), home=home)
        if text != body:
            replace_card(work, contact_id, text)


@dataclass(frozen=True, slots=True)
class Holder:
    """A client that holds a card under an address of one of its books."""

    client_id: int
    book_id: int
    href: str


def replace_card(work: Work, contact_id: int, text: str, *, holder: Holder | None = None) -> int:
    """Store another text of a contact's card and answer the new version of its entries.

    What clients still hold of the old text is kept for merging; the ledger says that ``holder`` holds the new one.
    """
    lines = parse_card(text)
    values = {"contact": contact_id, "body": text, "uid": uid_of(lines), "words": card_words(lines)}
    statement, held = (_REPLACE, {}) if holder is None else (_PUT, asdict(holder))
    version: int = statement.one(work.session, values | held)[0]
    return version


def _put(work: Work, book_id: int, contact_ids: Sequence[int]) -> int:
    if not contact_ids:
        return 0
    for place in range(0, len(contact_ids), BATCH):
        _make_missing_cards(work, contact_ids[place : place + BATCH])
    version = work.session.scalar(select(func.card_tick()))
    href = func.gen_random_uuid().op("||")(".vcf")
    entries = select(literal(book_id), Contact.id, Contact.database_id, href, literal(version))
    columns = ["address_book_id", "contact_id", "database_id", "href", "version"]
    work.session.execute(insert(AddressBookEntry).from_select(columns, entries.where(Contact.id.in_(contact_ids))))
    _set_version(work, book_id, version)
    note_membership(work, book_id, contact_ids, is_in=True)
    return len(contact_ids)


def _make_missing_cards(work: Work, contact_ids: Sequence[int]) -> None:
    has_card = exists().where(ContactCard.contact_id == Contact.id)
    query = select(Contact.id, Contact.database_id).where(Contact.id.in_(contact_ids), ~has_card)
    missing = dict(work.session.execute(query).all())
    rows = []
    for contact_id, fields in fields_of_contacts(work, list(missing)).items():
        uid = str(uuid4())
        text = new_card(uid, fields)
        words = card_words(parse_card(text))
        rows.append(
            {
                "contact_id": contact_id,
                "database_id": missing[contact_id],
                "uid": uid,
                "body": text,
                "search_words": words,
            }
        )
    if rows:
        work.session.execute(insert(ContactCard), rows)


def _withdraw(work: Work, contact_ids: Sequence[int], *, book_id: int | None, gone: bool) -> None:
    ids = cast(list(contact_ids), ARRAY(BigInteger))
    book = cast(book_id if book_id is not None else null(), BigInteger)
    work.session.execute(select(func.card_withdraw(ids, book, gone)))


def _require_book(work: Work, book_id: int) -> None:
    if work.session.get(AddressBook, book_id) is None:
        raise NotFound


def _set_version(work: Work, book_id: int, version: int | None) -> None:
    work.session.execute(update(AddressBook).where(AddressBook.id == book_id).values(version=version))


def note_membership(work: Work, book_id: int, contact_ids: Sequence[int], *, is_in: bool) -> None:
    """The history of each contact, the event, and the open pages."""
    stands, does_not = {"book_id": book_id}, {"book_id": None}
    before, after = (does_not, stands) if is_in else (stands, does_not)
    for contact_id in contact_ids:
        record_change(work, "contact", contact_id, before=before, after=after)
    emit(work, BookChanged(book_id))
    tell(work, "book", [book_id])
    tell(work, "contact", list(contact_ids))


_REPLACE: Final = Statement("select card_replace(:contact, :body, :uid, :words)")

_PUT: Final = Statement("select card_put(:contact, :body, :uid, :words, :client_id, :book_id, :href)")

"""Cards that clients write: into the book, into the contact, merged with what others changed in the meantime.

The card is stored as it came. The contact takes what it has fields for and what it can use: a number that no network
has, or an address that is none, stands in the card alone and is shown with the contact (``card_extras``).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import select

from core.directory.books.cards.fields import CardFields, Extra, Way, card_words, extras, read_fields
from core.directory.books.cards.lines import BadCard, Line, parse_card
from core.directory.books.cards.merge import merge_cards
from core.directory.books.cards.versions import as_stored, uid_of
from core.directory.books.entries import Holder, note_membership, replace_card, withdraw
from core.directory.books.models import ContactCard
from core.directory.books.visits import PhoneBook, Visit
from core.directory.checks import LINE_CHARACTERS, MOST_ROWS, NOTE_CHARACTERS
from core.directory.drafts import CompanyDraft, ContactDraft, Reachable
from core.directory.service import change_contact_by_card, create_company, create_contact
from core.foundation.addresses import NotAnAddress, checked_address
from core.foundation.errors import Conflict, Forbidden, NotFound
from core.foundation.i18n import _
from core.foundation.permissions import Permission
from core.foundation.sorting import sort_key
from core.foundation.statements import Statement
from core.foundation.unit_of_work import Work
from core.tenants.service import tenant_profile

HREF_CHARACTERS: Final = 255
PLAIN: Final = ("name", "job_title", "street", "city", "postal_code", "country", "note")


class Stale(Conflict):
    """The card is not the one that the client meant (If-Match, If-None-Match); nothing was changed."""

    def __init__(self) -> None:
        super().__init__(_("Somebody else changed this card in the meantime."))


@dataclass(frozen=True, slots=True)
class Stored:
    """How a card was stored. ``is_as_sent``: byte for byte, so the client may keep its copy under ``etag``."""

    etag: str
    is_new: bool
    is_as_sent: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """What a client asks of the card that it writes over (RFC 9110, 13): an etag, ``*`` or nothing."""

    if_match: str | None = None
    if_none_match: str | None = None

    def refuses(self, etag: str | None) -> bool:
        """Whether a card with ``etag`` (None: there is none) is not what the client meant."""
        if self.if_none_match is not None and etag is not None and self.if_none_match in {"*", etag}:
            return True
        return self.if_match is not None and (etag is None or self.if_match not in {"*", etag})


ANY: Final = Condition()


def put_card(visit: Visit, book: PhoneBook, href: str, text: str, condition: Condition = ANY) -> Stored:
    """Store a client's card under ``href``.

    Raises ``Forbidden``, ``Stale``, ``BadCard``, ``NotFound`` if the merged book is all that there is. Emits
    ``ContactSaved``.
    """
    if not visit.may_write:
        raise Forbidden
    stored, lines = as_stored(text)
    home = tenant_profile(visit.work).country
    found = _locked(visit, book, href)
    if condition.refuses(f'"{found.version}"' if found else None):
        raise Stale
    if found is None:
        return _create(visit, book, href, stored, lines, is_as_sent=stored == text)
    return _change(visit, found, stored, is_as_sent=stored == text, home=home, condition=condition)


def delete_card(visit: Visit, book: PhoneBook, href: str, condition: Condition = ANY) -> None:
    """Take a contact out of the book, as its person on the phone did: the contact itself stays (GD-11).

    Raises ``Forbidden``, ``NotFound``, ``Stale``.
    """
    if not visit.may_write:
        raise Forbidden
    found = _locked(visit, book, href)
    if found is None:
        raise NotFound
    if condition.refuses(f'"{found.version}"'):
        raise Stale
    withdraw(visit.work, [found.contact_id], book_id=found.book_id)
    note_membership(visit.work, found.book_id, [found.contact_id], is_in=False)


def card_extras(work: Work, contact_id: int) -> Sequence[Extra]:
    """Numbers and addresses of the contact's card that the contact has no place for."""
    body = work.session.scalar(select(ContactCard.body).where(ContactCard.contact_id == contact_id))
    if body is None:
        return []
    home, lines = tenant_profile(work).country, parse_card(body)
    return extras(lines, _usable(read_fields(lines, home)), home)


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry as it is now, with its contact's card; locked."""

    book_id: int
    href: str
    version: int
    contact_id: int
    body: str
    base: str | None


def _locked(visit: Visit, book: PhoneBook, href: str) -> _Entry | None:
    """The entry under ``href``, locked with its contact, and the card that this client was last handed of it."""
    book_id, name = _place(book, href)
    if not any(other.id == book_id for other in visit.books):
        return None
    values = {"book_id": book_id, "href": name, "client_id": visit.client_id}
    row = _LOCK.one(visit.work.session, values)
    if row is None:
        return None
    base = row.body if row.served_version == row.card_version else row.base
    return _Entry(book_id, name, row.version, row.contact_id, row.body, base)


def _place(book: PhoneBook, href: str) -> tuple[int, str]:
    if book.id is not None:
        return book.id, href
    number, _dash, name = href.partition("-")
    return (int(number), name) if number.isdigit() and len(number) < 19 else (0, href)


def _create(visit: Visit, book: PhoneBook, href: str, text: str, lines: Sequence[Line], *, is_as_sent: bool) -> Stored:
    work = visit.work
    fields = read_fields(lines, tenant_profile(work).country)
    target = book if book.id is not None else next(iter(visit.books), None)
    if target is None or target.id is None:
        raise NotFound
    if len(href) > HREF_CHARACTERS:
        raise BadCard(f"The card's address is longer than {HREF_CHARACTERS} characters.")
    known, company_id = _usable(fields), _company(work, fields.organization, target.database_id)
    draft = ContactDraft(
        name=known.name,
        database_id=target.database_id,
        company_id=company_id,
        job_title=known.job_title,
        street=known.street,
        city=known.city,
        postal_code=known.postal_code,
        country=known.country,
        note=known.note,
        phones=_reachable(known.phones),
        emails=_reachable(known.emails),
    )
    seen = target.database_id if visit.sees_database(target.database_id) else None
    contact_id = create_contact(work, draft, known={"company_id": company_id, "database_id": seen})
    values = {"contact": contact_id, "database": target.database_id, "uid": uid_of(lines), "body": text}
    values |= {"words": card_words(lines), "book": target.id, "href": href, "client": visit.client_id}
    version = _ADD.one(work.session, values)[0]
    return Stored(f'"{version}"', is_new=True, is_as_sent=is_as_sent and book.id is not None)


def _change(visit: Visit, found: _Entry, text: str, *, is_as_sent: bool, home: str, condition: Condition) -> Stored:
    """Merge, store, and bring into the contact what differs between the old card and the new one."""
    is_sure = condition.if_match not in {None, "*"}
    base = found.body if is_sure or found.base is None else found.base
    merged = merge_cards(base, text, found.body)
    version = found.version
    holds = Holder(visit.client_id, found.book_id, found.href) if merged == text else None
    if merged != found.body:  # a client that does not hold it has what it sent, made from the older card
        version = replace_card(visit.work, found.contact_id, merged, holder=holds)
        before, after = (_usable(read_fields(parse_card(card), home)) for card in (found.body, merged))
        _bring_in(visit.work, found.contact_id, before, after)
    elif holds:
        _hold(visit, found.book_id, found.href, found.contact_id)
    return Stored(f'"{version}"', is_new=False, is_as_sent=is_as_sent and merged == text)


def _bring_in(work: Work, contact_id: int, before: CardFields, after: CardFields) -> None:
    """Change those fields of the contact that the card changed; the others stay, also if the card lacks them."""
    if before == after:
        return

    def revise(stored: ContactDraft) -> ContactDraft:
        changes: dict[str, Any] = {
            field: getattr(after, field) for field in PLAIN if getattr(before, field) != getattr(after, field)
        }
        if before.organization != after.organization:
            changes["company_id"] = _company(work, after.organization, stored.database_id)
        for field in ("phones", "emails"):
            old, new = dict(getattr(before, field)), dict(getattr(after, field))
            if old != new:
                changes[field] = _changed_ways(getattr(stored, field), old, new)
        return replace(stored, **changes)

    change_contact_by_card(work, contact_id, revise)


def _changed_ways(stored: Iterable[Reachable], old: dict[str, str], new: dict[str, str]) -> tuple[Reachable, ...]:
    kept = []
    for way in stored:
        key = next((value for value in old if value.lower() == way.value.lower()), None)
        if key is None or key in new:
            kept.append(Reachable(way.value, new[key] if key in new and new[key] != old[key or ""] else way.label))
    there = {way.value.lower() for way in kept}
    added = [Reachable(value, label) for value, label in new.items() if value not in old and value.lower() not in there]
    return tuple((*kept, *added)[:MOST_ROWS])


def _usable(fields: CardFields) -> CardFields:
    """What a contact can hold of it; the card keeps all."""
    line = LINE_CHARACTERS
    return replace(
        fields,
        name=_line(fields.name)[:line] or "?",
        organization=_line(fields.organization)[:line],
        job_title=_line(fields.job_title)[:line],
        street=_line(fields.street)[:line],
        city=_line(fields.city)[:line],
        postal_code=_line(fields.postal_code)[:line],
        note=fields.note[:NOTE_CHARACTERS],
        phones=fields.phones[:MOST_ROWS],
        emails=tuple((address, label) for address, label in fields.emails if _is_address(address))[:MOST_ROWS],
    )


def _line(value: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in value).split())


def _is_address(address: str) -> bool:
    try:
        return "." in checked_address(address).partition("@")[2]
    except NotAnAddress:
        return False


def _reachable(ways: Sequence[Way]) -> tuple[Reachable, ...]:
    return tuple(Reachable(value, label) for value, label in ways)


def _company(work: Work, name: str, database_id: int) -> int | None:
    """The company of that name: a visible one, else a new one if the actor may create it."""
    name = _line(name)[:LINE_CHARACTERS]
    if not name:
        return None
    key = sort_key(name, tenant_profile(work).locale)
    found = _COMPANY.one(work.session, {"key": key, "name": name})
    if found is None and work.actor.may(Permission.COMPANIES_WRITE):
        return create_company(work, CompanyDraft(name=name, database_id=database_id))
    found_id: int | None = found and found.id
    return found_id


def _hold(visit: Visit, book_id: int, href: str, contact_id: int) -> None:
    """The client holds what it has just written: the ledger says so."""
    values = {"client_id": visit.client_id, "book_id": book_id, "href": href, "contact_id": contact_id}
    _HOLD.rows(visit.work.session, values)


_LOCK: Final = Statement(
    """select e.version, e.contact_id, k.body, k.version as card_version, s.card_version as served_version,
        r.body as base
    from contact c
    join address_book_entry e on e.contact_id = c.id
    join contact_card k on k.contact_id = c.id
    left join synced_client_card s on s.client_id = :client_id and s.address_book_id = e.address_book_id
        and s.href = e.href
    left join card_revision r on r.contact_id = e.contact_id and r.version = s.card_version
    where e.address_book_id = :book_id and e.href = :href for update of c, e, k"""
)

_COMPANY: Final = Statement("select id from company where sort_key = :key and name = :name order by id limit 1")

_ADD: Final = Statement("select card_add(:contact, :database, :uid, :body, :words, :book, :href, :client)")

_HOLD: Final = Statement(
    """insert into synced_client_card (client_id, address_book_id, href, contact_id, card_version, served_at)
    select :client_id, :book_id, :href, k.contact_id, k.version, now() from contact_card k
    where k.contact_id = :contact_id
    on conflict (tenant_id, client_id, address_book_id, href) do update
        set contact_id = excluded.contact_id, card_version = excluded.card_version, served_at = excluded.served_at"""
)

"""What a synced client reads: listings, changes since a token, cards. And the ledger of what it was served.

Listings hold addresses and versions only. As soon as a card itself is handed out, ``synced_client_card`` says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Final

from core.directory.books.tokens import (
    InvalidToken,
    SyncPoint,
    is_wiped_token,
    read_sync_token,
    sync_token,
    wiped_token,
)
from core.directory.books.visits import PhoneBook, Visit
from core.foundation import clock
from core.foundation.read_log import READ, How, read_values
from core.foundation.statements import Statement

ONE: Final = "e.address_book_id = :book_id"
SEVERAL: Final = "e.address_book_id = any(:book_ids)"
"""In the merged book an address is ``<book>-<href>``; of a contact in several books the entry of the first counts."""

NAMED: Final = "e.href = any(:hrefs)"
LIKE: Final = (
    r"s.search_text like '%' || replace(replace(replace(app_fold(:n{number}), '\', '\\'), '%', '\%'), '_', '\_') || '%'"
)


@dataclass(frozen=True, slots=True)
class Listed:
    """An entry of a listing; ``etag`` is None for one that went."""

    href: str
    etag: str | None


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since a client's token, and its next one."""

    rows: Sequence[Listed]
    token: str


@dataclass(frozen=True, slots=True)
class Card:
    """A card as it is served. What follows ``changed_at`` names the entry in its own book, for the ledger."""

    href: str
    etag: str
    body: str
    changed_at: datetime
    book_id: int
    entry_href: str
    contact_id: int
    card_version: int


def listing(visit: Visit, book: PhoneBook) -> list[Listed]:
    """Every entry of the book; none while the client is being wiped, which is noted."""
    if visit.is_wiping:
        _WIPE_SERVED.rows(visit.work.session, {"client_id": visit.client_id, "now": clock.now()})
        return []
    rows = _listing(book).rows(visit.work.session, _scope(visit, book))
    found = [Listed(href, f'"{version}"') for href, version in rows]
    _note_served(visit, book, confirmed=None)
    return found


def present_token(visit: Visit, book: PhoneBook) -> str:
    """The token of the book as it is now."""
    if visit.is_wiping:
        return wiped_token(visit.client_id)
    point = SyncPoint(book.version, visit.scope(book))
    return sync_token(point, client_id=visit.client_id, collection=book.collection)


def changes_since(visit: Visit, book: PhoneBook, token: str) -> Changes:
    """What a client must be told that has ``token`` (empty: nothing yet). Raises ``InvalidToken``.

    A client that is being wiped is told that everything went, with a marked token: see ``note_wiped``.
    """
    if visit.is_wiping:
        return Changes(_everything_gone(visit, book), wiped_token(visit.client_id))
    if not token:
        return Changes(listing(visit, book), present_token(visit, book))
    point = read_sync_token(token, client_id=visit.client_id, collection=book.collection)
    if point.version > book.version:
        raise InvalidToken
    scope = visit.scope(book)
    rows = _delta(visit, book, point.version) if point.scope == scope else _view_changed(visit, book)
    _note_served(visit, book, confirmed=point.version)
    return Changes(rows, present_token(visit, book))


def cards(visit: Visit, book: PhoneBook, hrefs: Sequence[str]) -> list[Card]:
    """Those of the cards that are there, in no order; the ledger and the read log note it."""
    if visit.is_wiping or not hrefs:
        return []
    values = _scope(visit, book) | _reader(visit, How.DETAIL) | {"hrefs": list(hrefs)}
    return _as_cards(_noted_cards(is_merged=book.id is None).rows(visit.work.session, values))


def unnoted_cards(visit: Visit, book: PhoneBook, hrefs: Sequence[str] | None = None) -> list[Card]:
    """The named cards or all of the book, to look through; what is handed out of it wants ``note_handed_out``."""
    if visit.is_wiping:
        return []
    condition, values = ("true", {}) if hrefs is None else (NAMED, {"hrefs": list(hrefs)})
    return _read(visit, book, condition, values)


def cards_with(visit: Visit, book: PhoneBook, needles: Sequence[str], *, any_of: bool) -> list[Card]:
    """Cards whose names, numbers or addresses contain all (or any) of the needles, whatever their case and accents.

    A superset of what a filter on a property means, to look through; what is handed out of it wants
    ``note_handed_out``.
    """
    if visit.is_wiping:
        return []
    joiner = " or " if any_of else " and "
    likes = joiner.join(LIKE.format(number=number) for number in range(len(needles)))
    found = f"e.contact_id in (select s.id from contact_card_search s where {likes})"
    values = {f"n{number}": needle for number, needle in enumerate(needles)}
    return _read(visit, book, found, values)


def note_handed_out(visit: Visit, cards: Sequence[Card]) -> None:
    """Write into the ledger and the read log that these cards are handed out."""
    if not cards:
        return
    columns = {
        "books": [card.book_id for card in cards],
        "hrefs": [card.entry_href for card in cards],
        "contacts": [card.contact_id for card in cards],
        "versions": [card.card_version for card in cards],
    }
    _NOTE.rows(visit.work.session, _reader(visit, How.SEARCH) | columns)


def serve_again(visit: Visit, book: PhoneBook, href: str) -> None:
    """Let the card be told at every client's next sync: one may hold what was refused (ATTACKS 56)."""
    for card in _read(visit, book, NAMED, {"hrefs": [href]}):
        _BUMP.rows(visit.work.session, {"contact_id": card.contact_id})


def note_wiped(visit: Visit, token: str) -> bool:
    """Whether the client presents the marked token: then it was told that all is gone, and is revoked from now on."""
    if not visit.is_wiping or not is_wiped_token(token, visit.client_id):
        return False
    _WIPED.rows(visit.work.session, {"client_id": visit.client_id, "now": clock.now()})
    return True


def _listing(book: PhoneBook) -> Statement:
    return _LISTING if book.id is not None else _MERGED_LISTING


def _read(visit: Visit, book: PhoneBook, condition: str, values: dict[str, Any]) -> list[Card]:
    statement = _unnoted_cards(condition, is_merged=book.id is None)
    return _as_cards(statement.rows(visit.work.session, _scope(visit, book) | values))


@cache
def _noted_cards(*, is_merged: bool) -> Statement:
    return Statement(f"{NOTED.format(handed=_cards(NAMED, is_merged=is_merged))} select * from handed")


@lru_cache(maxsize=64)
def _unnoted_cards(condition: str, *, is_merged: bool) -> Statement:
    return Statement(_cards(condition, is_merged=is_merged))


def _cards(condition: str, *, is_merged: bool) -> str:
    """A query whose columns are those of ``Card``."""
    href, books = ("e.address_book_id || '-' || e.href", SEVERAL) if is_merged else ("e.href", ONE)
    return (
        f"select {href} as href, '\"' || e.version || '\"' as etag, k.body, k.updated_at, "
        "e.address_book_id as book_id, e.href as entry_href, e.contact_id, k.version as card_version "
        "from address_book_entry e join contact_card k on k.contact_id = e.contact_id "
        f"where {books} and {condition.replace('e.href', href)}"
    )


def _as_cards(rows: Iterable[Any]) -> list[Card]:
    return [Card(*row) for row in rows]


def _reader(visit: Visit, how: How) -> dict[str, Any]:
    return {"client_id": visit.client_id, "now": clock.now(), **read_values(visit.work, "contact", how=how)}


def _delta(visit: Visit, book: PhoneBook, since: int) -> list[Listed]:
    statement = _DELTA if book.id is not None else _MERGED_DELTA
    rows = statement.rows(visit.work.session, _scope(visit, book) | {"since": since})
    return [Listed(href, f'"{version}"' if version is not None else None) for href, version in rows]


def _view_changed(visit: Visit, book: PhoneBook) -> list[Listed]:
    """The user sees other databases or books than before: all that is seen now, and what was handed out and is not."""
    seen = [
        Listed(href, f'"{version}"') for href, version in _listing(book).rows(visit.work.session, _scope(visit, book))
    ]
    return [*seen, *_gone(visit, book, {row.href for row in seen})]


def _everything_gone(visit: Visit, book: PhoneBook) -> list[Listed]:
    _WIPE_SERVED.rows(visit.work.session, {"client_id": visit.client_id, "now": clock.now()})
    rows = _listing(book).rows(visit.work.session, _scope(visit, book))
    return [*(Listed(href, None) for href, _version in rows), *_gone(visit, book, set())]


def _gone(visit: Visit, book: PhoneBook, seen: set[str]) -> list[Listed]:
    """Addresses that the client was ever served or that left the book, but for those in ``seen``."""
    values = {"client_id": visit.client_id, "book_id": book.id}
    rows = _EVER.rows(visit.work.session, values)
    hrefs = (href if book.id is not None else f"{book_id}-{href}" for book_id, href in rows)
    return [Listed(href, None) for href in dict.fromkeys(hrefs) if href not in seen]


def _note_served(visit: Visit, book: PhoneBook, *, confirmed: int | None) -> None:
    values = {"client_id": visit.client_id, "book_id": book.id, "served": book.version, "now": clock.now()}
    _SERVED.rows(visit.work.session, values | {"confirmed": -1 if confirmed is None else confirmed})


def _scope(visit: Visit, book: PhoneBook) -> dict[str, Any]:
    return {"book_id": book.id} if book.id is not None else {"book_ids": [other.id for other in visit.books]}


_LISTING: Final = Statement(
    "select e.href, e.version from address_book_entry e where e.address_book_id = :book_id", is_long=True
)

_MERGED_LISTING: Final = Statement(
    """select distinct on (e.contact_id) e.address_book_id || '-' || e.href, e.version from address_book_entry e
    where e.address_book_id = any(:book_ids) order by e.contact_id, e.address_book_id""",
    is_long=True,
)

_DELTA: Final = Statement(
    """select e.href, e.version from address_book_entry e where e.address_book_id = :book_id and e.version > :since
    union all
    select t.href, null from card_tombstone t where t.address_book_id = :book_id and t.version > :since
        and not exists (select from address_book_entry e where e.address_book_id = :book_id and e.href = t.href)"""
)

_MERGED_DELTA: Final = Statement(
    """with changed as (
        select distinct e.contact_id from address_book_entry e
        where e.address_book_id = any(:book_ids) and e.version > :since
    ), entries as (
        select e.*, row_number() over (partition by e.contact_id order by e.address_book_id) as place
        from address_book_entry e join changed using (contact_id) where e.address_book_id = any(:book_ids)
    )
    select address_book_id || '-' || href, case when place = 1 then version end from entries
    union all
    select t.address_book_id || '-' || t.href, null from card_tombstone t
        where t.address_book_id = any(:book_ids) and t.version > :since
        and not exists (select from entries e where e.address_book_id = t.address_book_id and e.href = t.href)"""
)

_EVER: Final = Statement(
    """select address_book_id, href from synced_client_card
        where client_id = :client_id and (cast(:book_id as bigint) is null or address_book_id = :book_id)
    union
    select address_book_id, href from card_tombstone
        where cast(:book_id as bigint) is null or address_book_id = :book_id"""
)

NOTED: Final = f"""with handed as materialized ({{handed}}), ledger as (
        insert into synced_client_card as s (client_id, address_book_id, href, contact_id, card_version, served_at)
        select :client_id, book_id, entry_href, contact_id, card_version, :now from handed
        on conflict (tenant_id, client_id, address_book_id, href) do update
            set contact_id = excluded.contact_id, card_version = excluded.card_version, served_at = excluded.served_at
        where s.card_version <> excluded.card_version or s.contact_id is distinct from excluded.contact_id
            or s.served_at < excluded.served_at - interval '1 minute'
    ), noted as ({READ.format(ids="(select array_agg(contact_id) from handed)")} where exists (select from handed))"""
"""The cards that ``handed`` finds are handed out. Whoever asks again within a minute has it from the first time."""

_NOTE: Final = Statement(
    NOTED.format(
        handed="""select * from unnest(cast(:books as bigint[]), cast(:hrefs as text[]), cast(:contacts as bigint[]),
        cast(:versions as bigint[])) as r (book_id, entry_href, contact_id, card_version)"""
    )
    + " select 1"
)

_SERVED: Final = Statement(
    """insert into synced_client_book as b (client_id, address_book_id, served_version, served_at, confirmed_version)
    values (:client_id, :book_id, :served, :now, :confirmed)
    on conflict (tenant_id, client_id, address_book_id) do update set
        served_version = excluded.served_version, served_at = excluded.served_at,
        confirmed_version = greatest(b.confirmed_version, excluded.confirmed_version),
        confirmed_at = case when excluded.confirmed_version > b.confirmed_version then excluded.served_at
            else b.confirmed_at end
    where b.served_version <> excluded.served_version or b.confirmed_version < excluded.confirmed_version
        or b.served_at < excluded.served_at - interval '1 minute'"""
)

_BUMP: Final = Statement("select card_bump(:contact_id)")

_WIPE_SERVED: Final = Statement(
    "update synced_client set wipe_served_at = :now where id = :client_id and wipe_served_at is null"
)

_WIPED: Final = Statement(
    """update synced_client set state = 'revoked', wipe_confirmed_at = :now, revoked_at = :now,
        wipe_served_at = coalesce(wipe_served_at, :now) where id = :client_id and state = 'wiping'"""
)

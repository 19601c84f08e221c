"""REPORT: changes since a token (RFC 6578), named cards, and cards that fit a filter (RFC 6352, 8.6 and 8.7)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Final
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from carddav.answers import (
    CHALLENGE,
    OK,
    Answer,
    Refused,
    card_data,
    failed_condition,
    gone,
    multistatus,
    plain,
)
from carddav.filters import UnsupportedFilter, matches, needles
from carddav.requests import CR, D, Place, href_of
from core.directory.books import serving
from core.directory.books.cards.lines import parse_card
from core.directory.books.serving import Card
from core.directory.books.tokens import InvalidToken
from core.directory.books.visits import PhoneBook, Visit

ETAG: Final = f"{D}getetag"
DATA: Final = f"{CR}address-data"
TYPE: Final = f"{D}getcontenttype"
KIND: Final = f"{D}resourcetype"
MOST_HREFS: Final = 100_000


def answer_report(visit: Visit, book: PhoneBook, place: Place, base: str, request: Element, *, agent: str) -> Answer:
    """Answer the report that ``request`` asks for; raises ``Refused``."""
    reports: dict[str, Callable[[], Answer]] = {
        f"{D}sync-collection": lambda: _sync(visit, book, base, request, agent),
        f"{CR}addressbook-multiget": lambda: _multiget(visit, book, place, base, request),
        f"{CR}addressbook-query": lambda: _query(visit, book, base, request),
    }
    report = reports.get(request.tag)
    if report is None:
        raise Refused(failed_condition(HTTPStatus.FORBIDDEN, "D:supported-report"))
    return report()


def wanted_properties(request: Element) -> Sequence[str]:
    """The names of the properties that are asked for."""
    prop = request.find(f"{D}prop")
    return [element.tag for element in prop] if prop is not None else []


def entry_writer(wanted: Sequence[str], base: str) -> Callable[[str, str, str], str]:
    """A function from an entry's name, etag and card to its response; it knows what was asked for."""
    known = {
        ETAG: "<getetag>{etag}</getetag>",
        TYPE: "<getcontenttype>text/vcard; charset=utf-8</getcontenttype>",
        KIND: "<resourcetype/>",
        DATA: "<CR:address-data>{body}</CR:address-data>",
    }
    found = "".join(known[name] for name in wanted if name in known)
    missing = "".join(_empty(name) for name in dict.fromkeys(wanted) if name not in known)
    tail = f"<propstat><prop>{missing}</prop><status>HTTP/1.1 404 Not Found</status></propstat>" if missing else ""
    before, _, after = f"<propstat><prop>{found}</prop>{OK}{tail}</response>".partition("{etag}")
    if DATA not in wanted:
        return lambda href, etag, _body: f"<response><href>{base}{href}</href>{before}{etag if after else ''}{after}"
    return lambda href, etag, body: (
        f"<response><href>{base}{href}</href><propstat><prop>"
        + found.replace("{etag}", etag).replace("{body}", card_data(body))
        + f"</prop>{OK}{tail}</response>"
    )


def _empty(name: str) -> str:
    namespace, _, local = name[1:].partition("}") if name.startswith("{") else ("", "", name)
    return f'<x:{local} xmlns:x="{escape(namespace)}"/>' if namespace else f'<{local} xmlns=""/>'


def _sync(visit: Visit, book: PhoneBook, base: str, request: Element, agent: str) -> Answer:
    token = (request.findtext(f"{D}sync-token") or "").strip()
    if serving.note_wiped(visit, token):
        return replace(plain(HTTPStatus.UNAUTHORIZED, headers=CHALLENGE), is_kept=True)
    try:
        changes = serving.changes_since(visit, book, token)
    except InvalidToken as error:
        raise Refused(_invalid_token(agent)) from error
    wanted = wanted_properties(request)
    write = entry_writer(wanted, base)
    bodies: dict[str, str] = {}
    if DATA in wanted:
        hrefs = [row.href for row in changes.rows if row.etag is not None]
        bodies = {card.href: card.body for card in serving.cards(visit, book, hrefs)}
    rows = (
        gone(base + row.href) if row.etag is None else write(row.href, row.etag, bodies.get(row.href, ""))
        for row in changes.rows
    )
    return multistatus(rows, token=changes.token)


def _invalid_token(agent: str) -> Answer:
    """Thunderbird starts anew after a 400 only, everybody else after the precondition of RFC 6578, 3.2."""
    if "Thunderbird" in agent:
        return plain(HTTPStatus.BAD_REQUEST, "The sync token is not valid.")
    return failed_condition(HTTPStatus.FORBIDDEN, "D:valid-sync-token")


def _multiget(visit: Visit, book: PhoneBook, place: Place, base: str, request: Element) -> Answer:
    asked = [element.text or "" for element in request.findall(f"{D}href")][:MOST_HREFS]
    names = {text: href_of(text, place) for text in asked}
    found = {card.href: card for card in serving.cards(visit, book, [name for name in names.values() if name])}
    write = entry_writer(wanted_properties(request), base)
    return multistatus(_found_or_gone(names, found, base, write))


def _found_or_gone(
    names: dict[str, str | None], found: dict[str, Card], base: str, write: Callable[[str, str, str], str]
) -> Iterator[str]:
    for text, name in names.items():
        card = found.get(name or "")
        if card is not None:
            yield write(card.href, card.etag, card.body)
        else:
            yield gone(base + name if name else escape(text.strip()))


def _query(visit: Visit, book: PhoneBook, base: str, request: Element) -> Answer:
    filter_ = request.find(f"{CR}filter")
    if filter_ is None:
        raise Refused(plain(HTTPStatus.BAD_REQUEST, "The query has no filter."))
    try:
        fitting = [card for card in _candidates(visit, book, filter_) if matches(filter_, parse_card(card.body))]
    except UnsupportedFilter as error:
        raise Refused(failed_condition(HTTPStatus.FORBIDDEN, str(error))) from error
    limit = request.findtext(f"{CR}limit/{CR}nresults", "").strip()
    is_cut = limit.isdigit() and int(limit) < len(fitting)
    shown = fitting[: int(limit)] if is_cut else fitting
    wanted = wanted_properties(request)
    if DATA in wanted:
        serving.note_handed_out(visit, shown)
    write = entry_writer(wanted, base)
    rows = [write(card.href, card.etag, card.body) for card in shown]
    if is_cut:  # RFC 6352, 8.6.1
        cut = "<status>HTTP/1.1 507 Insufficient Storage</status>"
        rows.append(f"<response><href>{escape(base)}</href>{cut}</response>")
    return multistatus(rows)


def _candidates(visit: Visit, book: PhoneBook, filter_: Element) -> Sequence[Card]:
    wanted = needles(filter_)
    if wanted is None:
        return serving.unnoted_cards(visit, book)
    return serving.cards_with(visit, book, wanted.texts, any_of=wanted.any_of)

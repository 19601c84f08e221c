"""The HTTP methods. Radicale writes the answers to PROPFIND about homes and unusual properties; what phones ask all the
time is ours."""

import logging
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from radicale import config
from radicale.app import Application
from radicale.app.propfind import xml_propfind

from carddav.answers import CONTENT_TYPE, DAV_CLASSES, Answer, Refused, multistatus, plain
from carddav.reports import ETAG, KIND, TYPE, answer_report, entry_writer, wanted_properties
from carddav.requests import PREFIX, Place, read_card, read_xml
from carddav.storage import discover
from core.directory.books import serving
from core.directory.books.uploads import Condition, delete_card, put_card
from core.directory.books.visits import PhoneBook, Visit

ALLOWED: Final = "DELETE, GET, HEAD, OPTIONS, PROPFIND, PUT, REPORT"
LISTED: Final = frozenset({ETAG, TYPE, KIND})
"""What a listing tells without looking at cards."""

SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "auth": {"type": "none", "delay": 0},
    "rights": {"type": "authenticated"},
    "storage": {"type": "carddav.storage"},
    "web": {"type": "none"},
}

Environ = Mapping[str, Any]


def make_radicale() -> Application:
    """Radicale's application, whose parts we call; its log, which names people's addresses, stays silent."""
    logging.getLogger("radicale").setLevel(logging.CRITICAL)
    settings = config.load()
    settings.update(SETTINGS, "carddav", privileged=True)
    return Application(settings)


class Verbs:
    """Answers requests in an open visit; each method raises what core raises, or ``Refused``."""

    def __init__(self, radicale: Application) -> None:
        self.radicale = radicale
        self.by_name: dict[str, Callable[[Visit, Place, Environ], Answer]] = {
            "PROPFIND": self.propfind,
            "REPORT": self.report,
            "GET": self.get,
            "HEAD": self.get,
            "PUT": self.put,
            "DELETE": self.delete,
        }

    def answer(self, visit: Visit, place: Place, environ: Environ) -> Answer:
        """Answer a request for a place of this client's own."""
        if place.username not in {"", visit.username}:
            raise Refused(plain(HTTPStatus.NOT_FOUND))
        verb = self.by_name.get(environ["REQUEST_METHOD"])
        if verb is None:
            raise Refused(plain(HTTPStatus.FORBIDDEN, "Address books are made and changed in the web app."))
        return verb(visit, place, environ)

    def propfind(self, visit: Visit, place: Place, environ: Environ) -> Answer:
        """Properties of a place and, with depth 1, of what stands in it (RFC 4918, 9.1)."""
        depth = environ.get("HTTP_DEPTH", "0")
        if depth not in {"0", "1"}:
            raise Refused(plain(HTTPStatus.FORBIDDEN, "Ask with depth 0 or 1."))
        request = read_xml(environ)
        if place.collection and not place.href and depth == "1":
            book = _book(visit, place)
            wanted = wanted_properties(request) if request is not None else []
            if (wanted and LISTED.issuperset(wanted)) or visit.is_wiping:
                return self._listing(visit, place, book, request, wanted)
        return self._properties(visit, place, request, is_deep=depth == "1")

    def report(self, visit: Visit, place: Place, environ: Environ) -> Answer:
        """One of the reports on a book."""
        book = _book(visit, place)
        request = read_xml(environ)
        if request is None:
            raise Refused(plain(HTTPStatus.BAD_REQUEST, "The report has no body."))
        agent = environ.get("HTTP_USER_AGENT", "")
        return answer_report(visit, book, place, _base(place), request, agent=agent)

    def get(self, visit: Visit, place: Place, _environ: Environ) -> Answer:
        """A card, or a whole book as one file."""
        book = _book(visit, place)
        if place.href:
            found = serving.cards(visit, book, [place.href])
            if not found:
                raise Refused(plain(HTTPStatus.NOT_FOUND))
            headers = {"Content-Type": CONTENT_TYPE, "ETag": found[0].etag}
            return Answer(HTTPStatus.OK, found[0].body.encode(), headers)
        cards = serving.unnoted_cards(visit, book)
        serving.note_handed_out(visit, cards)
        return Answer(HTTPStatus.OK, "".join(card.body for card in cards).encode(), {"Content-Type": CONTENT_TYPE})

    def put(self, visit: Visit, place: Place, environ: Environ) -> Answer:
        """Store a card. The etag is told only if it stands for the very bytes that were sent (RFC 6352, 6.3.2.3)."""
        book = _book(visit, place)
        if not place.href:
            raise Refused(plain(HTTPStatus.FORBIDDEN, "A card needs an address of its own."))
        stored = put_card(visit, book, place.href, read_card(environ), _condition(environ))
        status = HTTPStatus.CREATED if stored.is_new else HTTPStatus.NO_CONTENT
        return Answer(status, headers={"ETag": stored.etag} if stored.is_as_sent else {})

    def delete(self, visit: Visit, place: Place, environ: Environ) -> Answer:
        """Take a card out of the book."""
        book = _book(visit, place)
        if not place.href:
            raise Refused(plain(HTTPStatus.FORBIDDEN, "Address books are deleted in the web app."))
        delete_card(visit, book, place.href, _condition(environ))
        return Answer(HTTPStatus.NO_CONTENT)

    def _listing(
        self, visit: Visit, place: Place, book: PhoneBook, request: Element | None, wanted: Sequence[str]
    ) -> Answer:
        """The book's own properties by Radicale, then its entries at full speed."""
        own = self._responses(visit, place, request, is_deep=False)
        write = entry_writer(wanted, _base(place))
        rows = (write(row.href, row.etag or "", "") for row in serving.listing(visit, book))
        return multistatus([*own, *rows])

    def _properties(self, visit: Visit, place: Place, request: Element | None, *, is_deep: bool) -> Answer:
        return multistatus(self._responses(visit, place, request, is_deep=is_deep))

    def _responses(self, visit: Visit, place: Place, request: Element | None, *, is_deep: bool) -> list[str]:
        found = list(discover(visit, place, is_deep=is_deep))
        if not found:
            raise Refused(plain(HTTPStatus.NOT_FOUND))
        letters = "rwl" if visit.may_write else "r"
        items = [(item, "w" if visit.may_write else "r", letters, "") for item in found]
        path = f"/{place.username}/" if place.username else "/"
        document = xml_propfind(
            self.radicale, PREFIX, path, request, items, visit.username, "utf-8", max_resource_size=0, shares={}
        )
        if document is None:
            raise Refused(plain(HTTPStatus.BAD_REQUEST))
        return [ElementTree.tostring(response, "unicode") for response in document]


def options() -> Answer:
    """What the server can do; needs no sign-in."""
    return Answer(HTTPStatus.OK, headers={"Allow": ALLOWED, "DAV": DAV_CLASSES})


def _book(visit: Visit, place: Place) -> PhoneBook:
    book = visit.book(place.collection) if place.collection else None
    if book is None:
        raise Refused(plain(HTTPStatus.NOT_FOUND))
    return book


def _base(place: Place) -> str:
    return f"{PREFIX}/{place.username}/{place.collection}/"


def _condition(environ: Environ) -> Condition:
    if_match, if_none_match = environ.get("HTTP_IF_MATCH"), environ.get("HTTP_IF_NONE_MATCH")
    return Condition(if_match and if_match.strip(), if_none_match and if_none_match.strip())

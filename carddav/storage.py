"""Radicale's view of our books: what its PROPFIND asks for. Cards are read and written by our own verbs alone."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from radicale import item, storage

from carddav.requests import Place
from core.directory.books import serving
from core.directory.books.visits import PhoneBook, Visit
from core.foundation import clock
from core.foundation.i18n import _, translate


class Home(storage.BaseCollection):
    """The root, or a client's own address, which is its principal and the home of its books at once."""

    def __init__(self, path: str) -> None:
        self._path = path

    @property
    def path(self) -> str:
        """Without slashes at its ends, as Radicale has it."""
        return self._path

    @property
    def etag(self) -> str:
        """A home does not change."""
        return '""'

    def get_meta(self, key: str | None = None) -> Any:
        """It has no properties of its own."""
        return {} if key is None else None


class Book(storage.BaseCollection):
    """An address book."""

    def __init__(self, visit: Visit, book: PhoneBook) -> None:
        self.visit = visit
        self.book = book

    @property
    def path(self) -> str:
        """Below the client's home."""
        return f"{self.visit.username}/{self.book.collection}"

    @property
    def etag(self) -> str:
        """The book's change tag; O(1), from its version."""
        wiping = "-wiped" if self.visit.is_wiping else ""
        return f'"{self.book.version}-{self.visit.scope(self.book)}{wiping}"'

    @property
    def last_modified(self) -> str:
        """The library wants one; the version above says it better."""
        return http_date(clock.now())

    def serialize(self, vcf_to_ics: bool = False, ShareActions: Any = None) -> str:  # noqa: ARG002, N803  # the library's
        """Nothing: how long the whole book is, nobody needs to know."""
        return ""

    def sync(self, old_token: str = "") -> tuple[str, Iterable[str]]:  # noqa: ARG002  # the library's signature
        """The present token; what changed is told by our own report."""
        return serving.present_token(self.visit, self.book), ()

    def get_meta(self, key: str | None = None) -> Any:
        """Its kind and its name."""
        found: Mapping[str, str] = {"tag": "VADDRESSBOOK", "D:displayname": self._name()}
        return found if key is None else found.get(key)

    def entries(self, hrefs: list[str] | None) -> Iterator["Entry"]:
        """The named entries or all of them, with their cards, of which Radicale tells properties only."""
        return (Entry(self, card) for card in serving.unnoted_cards(self.visit, self.book, hrefs))

    def _name(self) -> str:
        if self.book.id is not None:
            return self.book.name
        return translate(_("All contacts"), self.visit.work.actor.locale)


class Entry(item.Item):
    """A card in a book."""

    def __init__(self, book: Book, card: serving.Card) -> None:
        super().__init__(
            collection=book,
            href=card.href,
            text=card.body,
            etag=card.etag,
            last_modified=http_date(card.changed_at),
            name="VCARD",
            component_name="",
        )


def discover(visit: Visit, place: Place, *, is_deep: bool) -> Iterator[storage.BaseCollection | item.Item]:
    """What stands at a place, and if ``is_deep`` what stands in it; nothing if there is no such thing."""
    if not place.collection:
        yield Home(place.username)
        if is_deep and place.username:
            yield from (Book(visit, book) for book in visit.books)
        return
    book = visit.book(place.collection)
    if book is None:
        return
    if place.href:
        yield from Book(visit, book).entries([place.href])
        return
    yield Book(visit, book)
    if is_deep:
        yield from Book(visit, book).entries(None)


def http_date(at: datetime) -> str:
    """As HTTP writes a time (RFC 9110, 5.6.7)."""
    return format_datetime(at.astimezone(UTC), usegmt=True)


class Storage(storage.BaseStorage):
    """What Radicale is told to keep its collections in: it never asks, since ``discover`` finds them for it."""

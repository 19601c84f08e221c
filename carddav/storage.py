"""Radicale's view of our books: what its PROPFIND asks for. Cards are read and written by our own verbs alone."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from radicale import item, storage

from carddav.requests import Place
from core.directory.books import serving
from core.directory.books.visits import PhoneBook, Visit
from core.foundation.i18n import _, translate


class Home(storage.BaseCollection):
    """The root, or a client's own address, which is its principal and the home of its books at once."""

    def __init__(self, path: str) -> None:
        self._path = path

    @property
    def path(self) -> str:
        return self._path

    @property
    def etag(self) -> str:
        return '""'

    def get_meta(self, key: str | None = None) -> Any:
        return {} if key is None else None


class Book(storage.BaseCollection):
    """An address book."""

    def __init__(self, visit: Visit, book: PhoneBook) -> None:
        self.visit = visit
        self.book = book

    @property
    def path(self) -> str:
        return f"{self.visit.username}/{self.book.collection}"

    @property
    def etag(self) -> str:
        """The book's change tag; O(1), from its version."""
        wiping = "-wiped" if self.visit.is_wiping else ""
        return f'"{self.book.version}-{self.visit.scope(self.book)}{wiping}"'

    @property
    def last_modified(self) -> str:
        return ""

    def sync(self, old_token: str = "") -> tuple[str, Iterable[str]]:  # the library's signature
        return serving.present_token(self.visit, self.book), ()

    def get_meta(self, key: str | None = None) -> Any:
        found: Mapping[str, str] = {"tag": "VADDRESSBOOK", "D:displayname": self._name()}
        return found if key is None else found.get(key)

    def entries(self, hrefs: list[str] | None) -> Iterator["Entry"]:
        """The named entries or all of them, with their cards."""
        if hrefs is not None:
            found = serving.cards(self.visit, self.book, hrefs)
        else:
            found = serving.every_card(self.visit, self.book)
        return (Entry(self, card) for card in found)

    def _name(self) -> str:
        if self.book.id is not None:
            return self.book.name
        return translate(_("All contacts"), self.visit.work.actor.locale)


class Entry(item.Item):  # type: ignore[misc]  # the library has no types for it
    """A card in a book."""

    def __init__(self, book: Book, card: serving.Card) -> None:
        super().__init__(
            collection=book,
            href=card.href,
            text=card.body,
            etag=card.etag,
            last_modified="",
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


class Storage(storage.BaseStorage):
    """What Radicale is told to keep its collections in: it never asks, since ``discover`` finds them for it."""

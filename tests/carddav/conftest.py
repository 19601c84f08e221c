"""A book with three clients: Boris's phone, Anna's mail program, Vera's phone, which may only read."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from core.directory.books.clients import add_client
from core.directory.books.service import BookDraft, SyncPolicy, create_book
from core.foundation.unit_of_work import Work, unit_of_work
from tests.support.cast import Cast
from tests.support.dav import DavClient, client_of

CARD = (
    "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:jana-1\r\nFN:Jana Malá\r\nN:Malá;Jana;;;\r\nORG:Acme s.r.o.;Sales\r\n"
    "TEL;TYPE=CELL:601 123 456\r\nEMAIL;TYPE=INTERNET:jana@acme.example\r\nNOTE:one, two; three\r\n"
    "CATEGORIES:Customers,Prague\r\nitem1.URL:https://acme.example\r\nitem1.X-ABLABEL:Shop\r\nX-SPIN:7\r\nEND:VCARD\r\n"
)


@dataclass(frozen=True)
class Dav:
    """The book and its clients."""

    cast: Cast
    book: int
    boris: DavClient
    anna: DavClient
    vera: DavClient
    client_ids: dict[str, int]

    @contextmanager
    def work_as(self, name: str) -> Iterator[Work]:
        """A transaction of somebody of the cast, through the web."""
        with unit_of_work(self.cast.actor(name)) as work:
            yield work


def make_dav(cast: Cast) -> Dav:
    """A book in the phones' own address books, for everyone."""
    with unit_of_work(cast.actor("anna")) as work:
        draft = BookDraft(
            name="Close collaborators",
            database_id=cast.demo.open_database,
            everyone_sees=True,
            sync_policy=SyncPolicy.PHONE_BOOK,
        )
        book = create_book(work, draft)
    added = {}
    for name in ("boris", "anna", "vera"):
        with unit_of_work(cast.actor(name)) as work:
            added[name] = add_client(work, f"{name}'s phone")
    clients = {name: client_of(new, book) for name, new in added.items()}
    return Dav(cast, book, client_ids={name: new.id for name, new in added.items()}, **clients)


@pytest.fixture
def dav(cast: Cast, rolled_back: None) -> Dav:
    """The book; what its clients commit is a savepoint."""
    return make_dav(cast)


@pytest.fixture
def committed_dav(committed: Cast) -> Dav:
    """The book in a database where commits are real."""
    return make_dav(committed)


@pytest.fixture
def card() -> str:
    """A card with everything that servers like to lose."""
    return CARD

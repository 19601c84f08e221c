"""A whole client, Thunderbird, against the real server: set-up, edits both ways, withdrawal, wiping."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.directory.books.clients import my_clients, revoke_client
from core.directory.books.entries import withdraw_from_book
from core.directory.queries import contact_detail, list_contacts
from tests.carddav.conftest import Dav
from tests.carddav.test_changes import edit
from tests.support.dav_server import running_server
from tests.support.thunderbird import Thunderbird, running_thunderbird
from tests.support.waiting import wait_until


@pytest.fixture
def thunderbird(tmp_path: Path) -> Iterator[Thunderbird]:
    """Thunderbird with an empty profile."""
    if shutil.which("thunderbird") is None:
        pytest.skip("thunderbird is not installed")
    with running_thunderbird(tmp_path) as running:
        yield running


def names(dav: Dav) -> list[str]:
    """The contacts in the web app."""
    with dav.work_as("anna") as work:
        return sorted(row.name for row in list_contacts(work).rows)


def note_of(dav: Dav, contact: int) -> str:
    """The contact's note in the web app."""
    with dav.work_as("anna") as work:
        return contact_detail(work, contact).note


@pytest.mark.covers("GD-6", "GD-7", "GD-12", "GD-18")
def test_thunderbird_lives_through_it_all(committed_dav: Dav, thunderbird: Thunderbird, card: str) -> None:
    dav = committed_dav
    dav.boris.put("jana.vcf", card)
    with running_server() as url:
        books = thunderbird.find_books(f"{url}/", dav.anna.username, dav.anna.password)
        assert list(books) == ["Close collaborators"]
        book = books["Close collaborators"]
        wait_until(lambda: thunderbird.sync(book) == ["Jana Malá"])

        edit(dav, name="Jana Velká")
        assert thunderbird.sync(book) == ["Jana Velká"]

        thunderbird.change(book, "Jana Velká", note="from Thunderbird")
        with dav.work_as("anna") as work:
            (row,) = list_contacts(work).rows
        wait_until(lambda: note_of(dav, row.id) == "from Thunderbird")
        served = dav.boris.get("jana.vcf").text
        assert "X-SPIN:7" in served
        assert "CATEGORIES:Customers,Prague" in served

        thunderbird.create(book, card.replace("Jana", "Petr").replace("jana-1", "petr-1"))
        wait_until(lambda: names(dav) == ["Jana Velká", "Petr Malá"])
        thunderbird.delete(book, "Petr Malá")
        wait_until(lambda: thunderbird.sync(book) == ["Jana Velká"])
        assert names(dav) == ["Jana Velká", "Petr Malá"]

        with dav.work_as("anna") as work:
            withdraw_from_book(work, dav.book, [row.id])
        assert thunderbird.sync(book) == []

        dav.boris.put("hana.vcf", card.replace("Jana", "Hana").replace("jana-1", "hana-1"))
        assert thunderbird.sync(book) == ["Hana Malá"]
        with dav.work_as("anna") as work:
            revoke_client(work, dav.client_ids["anna"])
        assert thunderbird.sync(book) == []
        with pytest.raises(RuntimeError):
            thunderbird.sync(book)
        with dav.work_as("anna") as work:
            client = my_clients(work)[0]
            assert (client.state, client.wipe_confirmed_at is not None) == ("revoked", True)

"""A real client, vdirsyncer, against the real server: set-up, edits both ways, withdrawal, wiping."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.directory.books.clients import my_clients, revoke_client
from core.directory.books.entries import withdraw_from_book
from core.directory.queries import contact_detail, list_contacts
from tests.carddav.conftest import Dav
from tests.carddav.test_changes import edit
from tests.support.dav_server import running_server

CONFIGURATION = """
[general]
status_path = "{folder}/status"

[pair phone]
a = "local"
b = "server"
collections = ["from b"]
conflict_resolution = "b wins"

[storage local]
type = "filesystem"
path = "{folder}/cards"
fileext = ".vcf"

[storage server]
type = "carddav"
url = "{url}/"
username = "{username}"
password = "{password}"
"""


class Phone:
    """vdirsyncer with its folder of cards."""

    def __init__(self, folder: Path, dav: Dav, url: str) -> None:
        self.folder, self.book = folder, folder / "cards" / str(dav.book)
        text = CONFIGURATION.format(folder=folder, url=url, username=dav.boris.username, password=dav.boris.password)
        (folder / "config").write_text(text)

    def run(self, *arguments: str, answers: str = "") -> "subprocess.CompletedProcess[str]":
        """Run a command of vdirsyncer."""
        return subprocess.run(  # noqa: S603  # the test's own command
            [sys.executable, "-m", "vdirsyncer", "-c", str(self.folder / "config"), *arguments],
            input=answers,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def sync(self) -> None:
        """Synchronise, also if one side was emptied; everything must be well."""
        done = self.run("sync", "--force-delete")
        assert done.returncode == 0, done.stdout + done.stderr

    def cards(self) -> list[Path]:
        """The cards that the phone holds."""
        return sorted(self.book.glob("*.vcf"))


@pytest.fixture
def phone(committed_dav: Dav, tmp_path: Path) -> Iterator[Phone]:
    """Set up from the server's bare address."""
    with running_server() as url:
        found = Phone(tmp_path, committed_dav, url)
        done = found.run("discover", answers="y\n" * 10)
        assert done.returncode == 0, done.stdout + done.stderr
        yield found


@pytest.mark.covers("GD-6", "GD-7", "GD-12", "GD-18")
def test_a_real_client_lives_through_it_all(committed_dav: Dav, phone: Phone, card: str) -> None:
    dav = committed_dav
    phone.sync()
    (phone.book / "jana.vcf").write_bytes(card.encode())
    phone.sync()
    with dav.work_as("anna") as work:
        (row,) = list_contacts(work).rows
        assert row.name == "Jana Malá"

    edit(dav, note="from the web")
    phone.sync()
    (held,) = phone.cards()
    assert held.read_bytes().decode() == card.replace("NOTE:one, two; three", "NOTE:from the web")

    held.write_bytes(held.read_bytes().replace(b"601 123 456", b"602 123 456"))
    phone.sync()
    with dav.work_as("anna") as work:
        detail = contact_detail(work, row.id)
        assert [way.value for way in detail.phones] == ["+420602123456"]
        withdraw_from_book(work, dav.book, [row.id])

    phone.sync()
    assert phone.cards() == []

    (phone.book / "petr.vcf").write_bytes(card.replace("Jana", "Petr").replace("jana-1", "petr-1").encode())
    phone.sync()
    for other in phone.cards():
        other.unlink()
    (phone.book / "hana.vcf").write_bytes(card.replace("Jana", "Hana").replace("jana-1", "hana-1").encode())
    phone.sync()
    with dav.work_as("boris") as work:
        assert len(list_contacts(work).rows) == 3
        revoke_client(work, dav.client_ids["boris"])

    phone.sync()
    assert phone.cards() == []
    with dav.work_as("boris") as work:
        assert my_clients(work)[0].wipe_served_at is not None

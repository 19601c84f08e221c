"""Two CardDAV servers with the same cards: ours as it is installed, and a Radicale as it comes."""

import http.client
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from sqlalchemy import func, insert, select, update

from core.directory.books.cards.fields import CardFields, card_words, read_fields
from core.directory.books.cards.lines import Line, parse_card
from core.directory.books.clients import NewClient, add_client
from core.directory.books.models import AddressBook, AddressBookEntry, ContactCard
from core.directory.books.service import BookDraft, SyncPolicy, create_book
from core.directory.models import Contact, ContactEmail, ContactPhone
from core.directory.service import CompanyDraft, create_company
from core.foundation.sorting import sort_key
from core.foundation.unit_of_work import Work, unit_of_work
from deploy.local.places import ROOT
from deploy.local.postgres import Postgres, start_postgres
from tests.support.cast import create_cast
from tests.support.database import environment_for, migrate, using
from tests.support.ports import free_port
from tests.support.waiting import wait_until

DATABASE: Final = "bench"
BATCH: Final = 2000
READY_S: Final = 30.0

GIVEN: Final = ("Anna", "Béla", "Clara", "Dušan", "Emma", "Felix", "Greta", "Jiří", "Łukasz", "Søren", "Zoé", "Дмитрий")
FAMILY: Final = ("Müller", "Novák", "Kowalski", "Horváth", "O'Brien", "García", "Svoboda", "Žáková", "Иванов", "佐藤")
FIRMS: Final = ("Acme", "Globex", "Initech", "Umbrella", "Hooli", "Soylent", "Tyrell")


@dataclass(frozen=True, slots=True)
class Card:
    """A card of the benchmark; ``number`` stands in its name and address, and so in those of no other."""

    number: int
    uid: str
    text: str

    @property
    def href(self) -> str:
        """Its last part of the address."""
        return f"{self.uid}.vcf"


@dataclass(frozen=True, slots=True)
class Server:
    """A running server: where the book is, and who signs in."""

    label: str
    port: int
    base: str
    username: str
    password: str


def card(number: int) -> Card:
    """The same card for the same number, in what phones write of a business contact: about 700 bytes."""
    chance = random.Random(number)  # noqa: S311  # invented data
    uid = str(UUID(int=chance.getrandbits(128), version=4))
    given, family, firm = chance.choice(GIVEN), chance.choice(FAMILY), chance.choice(FIRMS)
    lines = (
        "BEGIN:VCARD", "VERSION:3.0", "PRODID:-//Benchmark//EN", f"UID:{uid}", f"FN:{given} {family} {number}",
        f"N:{family};{given};;;", f"ORG:{firm};Sales {number % 17}", "TITLE:Buyer",
        f"EMAIL;TYPE=INTERNET,WORK:person{number}@firm{number % 97}.example",
        f"TEL;TYPE=CELL:+420 60{number % 10} {number // 1000 % 1000:03d} {number % 1000:03d}",
        f"TEL;TYPE=WORK,VOICE:+420 22{number % 10} {number // 1000 % 1000:03d} {number % 1000:03d}",
        f"ADR;TYPE=WORK:;;Dlouhá {number % 200};Praha;;110 {number % 100:02d};Czechia",
        "CATEGORIES:Customer,Fair", f"URL:https://firm{number % 97}.example/people/{number}",
        "NOTE:Met at the fair\\, wants an offer; call back before\\nthe end of the quarter.",
        "item1.X-ABDATE;TYPE=pref:2014-05-01", "item1.X-ABLABEL:_$!<Anniversary>!$_", "REV:2026-01-01T00:00:00Z",
        "END:VCARD",
    )  # fmt: skip
    return Card(number, uid, "".join(f"{line}\r\n" for line in lines))


@contextmanager
def our_server(folder: Path, cards: Sequence[Card]) -> Iterator[Server]:
    """``python -m carddav`` on a PostgreSQL of its own that keeps what it commits, as installations run it."""
    with start_postgres(folder / "postgres", port=free_port(), settings={}) as postgres:
        postgres.create_database(DATABASE)
        environment = environment_for(postgres, DATABASE, folder) | {"CENTRALA_DAV_PORT": str(free_port())}
        migrate(environment["CENTRALA_OWNER_DATABASE_URL"])
        with using(environment):
            book_id, client = _fill(environment["CENTRALA_OWNER_DATABASE_URL"], cards)
        _settle(postgres)
        port = int(environment["CENTRALA_DAV_PORT"])
        with _running([sys.executable, "-m", "carddav"], port, environment, folder / "ours.log"):
            yield Server("Centrala", port, f"/dav/{client.username}/{book_id}/", client.username, client.password)


@contextmanager
def stock_server(folder: Path, cards: Sequence[Card]) -> Iterator[Server]:
    """Radicale with its own settings and its own storage. It is spared signing in, so no hash slows it down."""
    port, storage = free_port(), folder / "stock"
    book = storage / "collection-root" / "bench" / "book"
    book.mkdir(parents=True)
    (book / ".Radicale.props").write_text('{"tag": "VADDRESSBOOK"}')
    for one in cards:
        (book / one.href).write_bytes(one.text.encode())
    arguments = [
        sys.executable, "-m", "radicale", "--config", "", "--server-hosts", f"127.0.0.1:{port}",
        "--storage-filesystem-folder", str(storage), "--auth-type", "none", "--web-type", "none",
        "--logging-level", "critical",
    ]  # fmt: skip
    with _running(arguments, port, {}, folder / "stock.log"):
        yield Server("Radicale", port, "/bench/book/", "bench", "unused")


@contextmanager
def _running(arguments: Sequence[str], port: int, settings: Mapping[str, str], log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603  # our own command
            arguments,
            cwd=ROOT,
            env={**os.environ, **settings},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: process.poll() is not None or _answers(port), deadline_s=READY_S)
        if process.poll() is not None:
            raise SystemExit(f"{arguments[2]} ended: {log.read_text()}")
        yield
    finally:
        if process.poll() is not None:
            print(f"{arguments[2]} ended with {process.returncode}: {log.read_text()}", file=sys.stderr)
        process.terminate()
        process.wait(READY_S)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("OPTIONS", "/")
        connection.getresponse().read()
    except OSError:
        return False
    finally:
        connection.close()
    return True


def _fill(owner_url: str, cards: Sequence[Card]) -> tuple[int, NewClient]:
    """Write contacts, cards and entries straight into the tables; answers the book and a client of its owner."""
    cast = create_cast(owner_url)
    database_id = cast.demo.open_database
    with unit_of_work(cast.actor("anna")) as work:
        draft = BookDraft(name="All", database_id=database_id, everyone_sees=True, sync_policy=SyncPolicy.PHONE_BOOK)
        book_id = create_book(work, draft)
        firms = {name: create_company(work, CompanyDraft(name=name, database_id=database_id)) for name in FIRMS}
        version = work.session.scalar(select(func.card_tick())) or 0
        for place in range(0, len(cards), BATCH):
            _write(work, book_id, database_id, version, cards[place : place + BATCH], firms)
        work.session.execute(update(AddressBook).where(AddressBook.id == book_id).values(version=version))
        return book_id, add_client(work, "Benchmark")


def _write(
    work: Work, book_id: int, database_id: int, version: int, cards: Sequence[Card], firms: Mapping[str, int]
) -> None:
    lines = [parse_card(one.text) for one in cards]
    people = [read_fields(one, "CZ") for one in lines]
    rows = [_contact(person, database_id, firms[person.organization]) for person in people]
    returned = insert(Contact).returning(Contact.id, sort_by_parameter_order=True)
    ids = list(work.session.scalars(returned, rows))
    work.session.execute(insert(ContactPhone), list(_phones(ids, people)))
    work.session.execute(insert(ContactEmail), list(_emails(ids, people)))
    stored = zip(ids, cards, lines, strict=True)
    work.session.execute(insert(ContactCard), [_card(one, database_id, text, parsed) for one, text, parsed in stored])
    entry = {"address_book_id": book_id, "database_id": database_id, "version": version}
    entries = [{**entry, "contact_id": one, "href": text.href} for one, text in zip(ids, cards, strict=True)]
    work.session.execute(insert(AddressBookEntry), entries)


def _contact(person: CardFields, database_id: int, company_id: int) -> dict[str, object]:
    words = " ".join((person.name, person.organization, *(value for value, _ in (*person.phones, *person.emails))))
    return {
        "database_id": database_id,
        "name": person.name,
        "sort_key": sort_key(person.name, "en"),
        "company_id": company_id,
        "job_title": person.job_title,
        "street": person.street,
        "city": person.city,
        "postal_code": person.postal_code,
        "country": person.country,
        "note": person.note,
        "search_words": f" {words}",
    }


def _phones(ids: Sequence[int], people: Sequence[CardFields]) -> Iterator[dict[str, object]]:
    for contact_id, person in zip(ids, people, strict=True):
        for place, (number, label) in enumerate(person.phones):
            yield {"contact_id": contact_id, "number": number, "label": label, "position": place}


def _emails(ids: Sequence[int], people: Sequence[CardFields]) -> Iterator[dict[str, object]]:
    for contact_id, person in zip(ids, people, strict=True):
        for place, (address, label) in enumerate(person.emails):
            shown = {"address": address, "address_lower": address.lower(), "label": label}
            yield {"contact_id": contact_id, "position": place, **shown}


def _card(contact_id: int, database_id: int, one: Card, lines: Sequence[Line]) -> dict[str, object]:
    words = card_words(lines)
    owned = {"contact_id": contact_id, "database_id": database_id}
    return {**owned, "uid": one.uid, "body": one.text, "search_words": words}


def _settle(postgres: Postgres) -> None:
    """What autovacuum would do in a minute, so that it does not do it while we measure."""
    with postgres.superuser_connection(DATABASE) as connection:
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")

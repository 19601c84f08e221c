"""Fixtures for every test. The database of a worker is made once; a test's changes are rolled back."""

import ctypes
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import NullPool, create_engine

from core.foundation import clock, db
from core.foundation.actor import Door, system_actor
from core.foundation.unit_of_work import Work, unit_of_work
from deploy.local.postgres import Postgres
from tests.support.cast import Cast, create_cast
from tests.support.clients import signed_in_client
from tests.support.database import TEMPLATE, environment_for, migrate, using, worker_server

CORPORA = Path(__file__).resolve().parents[2] / "shared" / "corpora"

WorkAs = Callable[[str], AbstractContextManager[Work]]
ClientAs = Callable[[str], FlaskClient]


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections that leave this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and address[0] not in {"127.0.0.1", "::1", "localhost"}:
            raise OSError(f"tests do not leave this machine: {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(autouse=True)
def _running_clock() -> Iterator[None]:
    yield
    clock.release()


@pytest.fixture
def held_clock() -> datetime:
    """A moment at which the clock stands still."""
    moment = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    clock.hold(moment)
    return moment


@pytest.fixture(scope="session")
def server() -> Iterator[tuple[Postgres, Path]]:
    """This worker's PostgreSQL and its folder."""
    with worker_server() as running:
        yield running


@pytest.fixture(scope="session")
def cast(server: tuple[Postgres, Path]) -> Iterator[Cast]:
    """The cast, in this worker's database, which the settings name."""
    postgres, folder = server
    postgres.create_database(TEMPLATE)
    environment = environment_for(postgres, TEMPLATE, folder)
    migrate(environment["CENTRALA_OWNER_DATABASE_URL"])
    with using(environment):
        yield create_cast(environment["CENTRALA_OWNER_DATABASE_URL"])


@pytest.fixture
def rolled_back(cast: Cast) -> Iterator[None]:  # the database must stand
    """One outer transaction for the whole test; what the product commits is a savepoint in it."""
    with db.engine().connect() as connection, connection.begin() as transaction:
        with db.joined_to(connection):
            yield
        transaction.rollback()


@pytest.fixture
def work_as(cast: Cast, rolled_back: None) -> WorkAs:  # the transaction must be open
    """``with work_as("boris") as work``: a name of the cast, or ``system``, ``other system`` for the product itself."""

    def enter(name: str) -> AbstractContextManager[Work]:
        company = cast.other if name.startswith("other") else cast.demo
        is_system = name.endswith("system")
        return unit_of_work(system_actor(company.tenant_id, door=Door.JOB) if is_system else cast.actor(name))

    return enter


@pytest.fixture(scope="session")
def app(cast: Cast) -> Flask:  # the settings must name the database
    """The web app."""
    from tenant_app.app import create_app  # reads the settings, so it must not be imported before they stand

    return create_app()


@pytest.fixture
def client_as(app: Flask, cast: Cast, rolled_back: None) -> ClientAs:  # changes are rolled back
    """A signed-in test client of somebody of the cast; ``nobody`` is not signed in."""
    return lambda name: signed_in_client(app, cast, name)


@pytest.fixture
def committed(server: tuple[Postgres, Path], cast: Cast) -> Iterator[Cast]:
    """A database of this test's own, cloned from the cast's, where commits are real."""
    postgres, folder = server
    db.engine().dispose()
    name = "clone"
    postgres.drop_database(name)
    postgres.create_database(name, template=TEMPLATE)
    try:
        with using(environment_for(postgres, name, folder)):
            yield cast
    finally:
        postgres.drop_database(name)


@pytest.fixture(scope="session")
def corpora() -> Path:
    """Real mails and cards that are not part of the project."""
    if not CORPORA.is_dir():
        pytest.skip(f"no corpora beside the checkout ({CORPORA.name})")
    return CORPORA


@pytest.fixture(scope="session")
def superuser_engine(server: tuple[Postgres, Path], cast: Cast) -> Iterator[Any]:  # the database must stand
    """Connections that see everything, to look at what is really stored."""
    postgres, _folder = server
    engine = create_engine(postgres.url("postgres", TEMPLATE), poolclass=NullPool)  # what is connected is not cloned
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's path."""
    found = shutil.which("chromium")
    if found is None:
        pytest.skip("chromium is not installed")
    try:
        ctypes.CDLL("libatomic.so.1")
    except OSError:
        pytest.skip("libatomic1 is not installed, which the browser's driver needs")
    return found

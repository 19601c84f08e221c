"""An installation whose PostgreSQL and Valkey run elsewhere, set up as docs/operations.md says."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.places import free_port
from deploy.local.postgres import Postgres, start_postgres
from tests.support.database import FAST
from tests.support.stack import Stack, running_stack
from tests.support.valkey import RunningValkey, running_valkey

pytestmark = pytest.mark.xdist_group("up")


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    """A PostgreSQL that somebody else runs."""
    with tempfile.TemporaryDirectory(prefix="centrala-external-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with start_postgres(folder / "postgres", port=free_port(), settings=FAST) as server:
            server.create_database()
            yield server


@pytest.fixture(scope="module")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningValkey]:
    """A Valkey that somebody else runs."""
    with running_valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="module")
def stack(database: Postgres, queue: RunningValkey) -> Iterator[Stack]:
    """The product on both, with plain URLs as everybody writes them."""
    roles = {
        "DATABASE_URL": "centrala_app",
        "CENTRALA_OWNER_DATABASE_URL": "centrala_owner",
        "CENTRALA_RELAY_DATABASE_URL": "centrala_relay",
    }
    urls = {name: database.url(role).replace("+psycopg", "") for name, role in roles.items()}
    with running_stack(REDIS_URL=queue.url, **urls) as running:
        yield running


def test_everything_answers_and_no_server_of_ours_runs(stack: Stack) -> None:
    status = stack.command("status").stdout.decode()
    assert stack.health()[0] == 200
    assert "web" in status
    assert "postgres" not in status
    assert "valkey" not in status


def test_the_demo_companies_are_in_the_named_database(stack: Stack, database: Postgres) -> None:
    with database.superuser_connection("centrala") as connection:
        assert connection.execute("select count(*) from tenant").fetchone() == (2,)

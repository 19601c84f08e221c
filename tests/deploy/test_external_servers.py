"""An installation whose PostgreSQL and Valkey run elsewhere, set up as docs/operations.md says."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from psycopg import sql

from deploy.local.places import ROOT
from deploy.local.postgres import LOGIN_ROLES, OTHER_ROLES, Postgres, start_postgres
from tests.support.database import FAST
from tests.support.ports import free_port
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
            follow_the_manual(server)
            yield server


def follow_the_manual(server: Postgres) -> None:
    """Set the roles and the database up with the very statements of docs/operations.md."""
    manual = (ROOT / "docs" / "operations.md").read_text("utf-8")
    statements = manual.partition("```sql\n")[2].partition("```")[0]
    with server.superuser_connection("postgres") as connection:
        for role in (*LOGIN_ROLES, *OTHER_ROLES):
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(role)))
        for statement in statements.strip().splitlines():
            connection.execute(statement.encode())


@pytest.fixture(scope="module")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningValkey]:
    """A Valkey that somebody else runs."""
    with running_valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(scope="module")
def stack(database: Postgres, queue: RunningValkey) -> Iterator[Stack]:
    """The product on both."""
    users = {
        "DATABASE_URL": "centrala_app:two",
        "CENTRALA_OWNER_DATABASE_URL": "centrala_owner:one",
        "CENTRALA_RELAY_DATABASE_URL": "centrala_relay:three",
    }
    urls = {name: f"postgresql://{user}@127.0.0.1:{database.port}/centrala" for name, user in users.items()}
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

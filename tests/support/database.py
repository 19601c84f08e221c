"""One embedded PostgreSQL per test worker: a migrated template with the cast, and databases cloned from it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config

from core.foundation import blobs, db
from core.foundation.settings import settings
from deploy.local.places import ROOT
from deploy.local.postgres import Postgres, start_postgres
from tests.support.ports import free_port

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "shared_buffers": "64MB"}
TEMPLATE = "cast"


def environment_for(server: Postgres, database: str, folder: Path) -> dict[str, str]:
    """The settings of a test's process."""
    return {
        "DATABASE_URL": server.url("centrala_app", database),
        "CENTRALA_OWNER_DATABASE_URL": server.url("centrala_owner", database),
        "CENTRALA_RELAY_DATABASE_URL": server.url("centrala_relay", database),
        "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0",
        "CENTRALA_SECRET_KEY": "a key for tests, long enough to be one",
        "CENTRALA_BLOB_URL": (folder / "blobs").as_uri(),
        "CENTRALA_KEY_STORE_URL": (folder / "keys").as_uri(),
        "CENTRALA_RECORDINGS_FOLDER": str(folder / "recordings"),
        "CENTRALA_SMTP_PORT": str(free_port()),
        "CENTRALA_WEB_PORT": str(free_port()),
    }


@contextmanager
def worker_server(**more: str) -> Iterator[tuple[Postgres, Path]]:
    """This worker's server, in a folder that the server's account can enter; ``more`` are settings of PostgreSQL."""
    with tempfile.TemporaryDirectory(prefix="centrala-test-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with start_postgres(folder / "postgres", port=free_port(), settings={**FAST, **more}) as server:
            yield server, folder


def migrate(owner_url: str, revision: str = "head") -> None:
    """Bring a database up to ``revision``."""
    config = Config(str(ROOT / "migrations" / "alembic.ini"))
    config.set_main_option("sqlalchemy.url", owner_url.replace("%", "%%"))
    command.upgrade(config, revision)


@contextmanager
def using(environment: dict[str, str]) -> Iterator[None]:
    """Let the settings of this process be ``environment``, with fresh connections."""
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    _forget()
    try:
        yield
    finally:
        _forget()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _forget() -> None:
    for make in (db.engine, db.relay_engine):
        if make.cache_info().currsize:
            make().dispose()
            make.cache_clear()
    for cached in (settings, blobs.files, blobs.keys):
        cached.cache_clear()

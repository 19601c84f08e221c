"""A real Kamailio on ports of the test's own, with the database's views behind it."""

import hashlib
import os
import secrets
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from core.foundation.settings import Settings, load_settings
from deploy.local.kamailio import Kamailio
from deploy.local.places import ROOT
from deploy.local.postgres import Postgres
from tests.support.database import environment_for
from tests.support.ports import free_port
from tests.support.sip import Phone
from tests.support.waiting import wait_until

PORTS: Final = ("SIP_PORT", "SIPS_PORT", "SIP_WS_PORT", "SIP_EDGE_PORT", "GATEWAY_PORT")

DEMO: Final = "demo.localhost"
OTHER: Final = "other.localhost"
PASSWORD: Final = "correct horse"
PROVIDER: Final = "127.0.0.9"


@dataclass
class Edge:
    """A running edge: its process, its log, its database."""

    kamailio: Kamailio
    process: "subprocess.Popen[bytes]"
    log: Path
    database: "psycopg.Connection[Any]"
    realms: Mapping[str, str]
    provider_port: int = 5060

    @property
    def settings(self) -> Settings:
        """Its ports."""
        return self.kamailio.settings

    @property
    def port(self) -> int:
        """Where phones talk to it."""
        return self.settings.sip_port

    def add_device(self, device_id: int, user: str, password: str, *, tenant: str = DEMO, tenant_id: int) -> None:
        """A phone, on the company's only line."""
        ha1 = hashlib.md5(f"{user}:{self.realms[tenant]}:{password}".encode(), usedforsecurity=False).hexdigest()
        self.database.execute(
            "insert into phone_line (id, tenant_id, user_id, number) select %(tenant)s, %(tenant)s, min(id), '10' "
            "from user_account where tenant_id = %(tenant)s on conflict do nothing",
            {"tenant": tenant_id},
        )
        self.database.execute(
            "insert into device (id, tenant_id, line_id, kind, name, sip_username, ha1) "
            "values (%s, %s, %s, 'sip', 'Phone', %s, %s)",
            (device_id, tenant_id, tenant_id, user, ha1),
        )

    def add_trunk(self, trunk_id: int, number: str, *, tenant_id: int, host: str, port: int = 5060) -> None:
        """A provider's trunk over UDP, and one number that it brings."""
        self.database.execute(
            "insert into trunk (id, tenant_id, name, host, port) values (%s, %s, %s, %s, %s)",
            (trunk_id, tenant_id, f"Provider {trunk_id}", host, port),
        )
        self.database.execute(
            "insert into trunk_number (tenant_id, number, trunk_id) values (%s, %s, %s)", (tenant_id, number, trunk_id)
        )

    def as_kamailio(self) -> "psycopg.Connection[Any]":
        """A connection of the edge's own role."""
        url = self.settings.kamailio_database_url.replace("postgresql+psycopg://", "postgresql://")
        return psycopg.connect(url, autocommit=True)

    def kill(self) -> None:
        """End Kamailio's first process as ``kill -9`` does; returns when its guard has noticed."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGKILL)
        self.process.wait(10)

    def start(self) -> None:
        """Start it again after its end; returns when it answers."""
        self.process = _start(self.kamailio, self.log)
        wait_until(lambda: self.kamailio.answers)


def phone(edge: Edge, user: str, password: str = PASSWORD, domain: str = DEMO, **more: Any) -> Phone:
    """A phone at an address that no other one has, so that bans stay apart."""
    more.setdefault(
        "address", f"127.{1 + secrets.randbelow(250)}.{secrets.randbelow(250)}.{1 + secrets.randbelow(250)}"
    )
    return Phone(edge.port, user, password, domain, **more)


@contextmanager
def running_edge(server: Postgres, database: str, folder: Path, **settings: str) -> Iterator[Edge]:
    """An edge whose database is ``database``, with telephony's tables, until the block ends."""
    environment = environment_for(server, database, folder)
    environment["CENTRALA_KAMAILIO_DATABASE_URL"] = server.url("centrala_kamailio", database)
    environment |= {f"CENTRALA_{name}": str(free_port()) for name in PORTS} | settings
    with (
        tempfile.TemporaryDirectory(prefix="centrala-edge-") as name,
        server.superuser_connection(database) as connection,
    ):
        Path(name).chmod(0o755)
        kamailio = Kamailio(Path(name) / "kamailio", load_settings(environment))
        kamailio.prepare()
        log = Path(name) / "kamailio.log"
        realms = dict(
            connection.execute("select h.host, t.realm from tenant t join tenant_host h on h.tenant_id = t.id")
        )
        edge = Edge(kamailio, _start(kamailio, log), log, connection, realms)
        try:
            wait_until(lambda: kamailio.answers)
            yield edge
        finally:
            edge.process.send_signal(signal.SIGTERM)
            edge.process.wait(10)


def _start(kamailio: Kamailio, log: Path) -> "subprocess.Popen[bytes]":
    with log.open("ab") as output:
        return subprocess.Popen(kamailio.command(), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output)  # noqa: S603  # our own configuration

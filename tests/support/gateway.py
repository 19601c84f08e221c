"""The whole of telephony on ports of the test's own: database, edge, and a worker with the real engine."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import select

from core.calls.models import Call
from core.calls.queries import CallDetail, call_detail
from core.foundation.actor import Door, TenantId, system_actor
from core.foundation.unit_of_work import unit_of_work
from deploy.local.places import ROOT
from deploy.local.postgres import Postgres
from deploy.telephony.cache import python_path
from tests.support.cast import Cast, Company
from tests.support.database import environment_for, using
from tests.support.edge import PORTS, Edge, running_edge
from tests.support.ports import free_port
from tests.support.telephony import BORIS_OUTSIDE, Telephony, set_up
from tests.support.waiting import wait_until

OTHER_NUMBER: Final = "+420224811201"


@dataclass
class Gateway:
    """Running telephony of both companies."""

    edge: Edge
    environment: Mapping[str, str]
    demo: Telephony
    other: Telephony
    cast: Cast
    folder: Path
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def log(self) -> Path:
        """What the worker says."""
        return self.folder / "gateway.log"

    def start_worker(self) -> None:
        """Start worker 0; returns when the edge knows that it is there."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "telephony_gateway", "0"],
                cwd=ROOT,
                env={**os.environ, **self.environment, "PYTHONPATH": python_path()},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        wait_until(lambda: "AP" in str(self.edge.kamailio.ask("dispatcher.list")), deadline_s=20)

    def stop_worker(self, number: int = signal.SIGTERM) -> None:
        """Stop it; ``SIGKILL`` as a crash does."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(10)
            self.process = None

    def calls(self, tenant_id: TenantId | None = None) -> list[CallDetail]:
        """All calls of a company, oldest first."""
        actor = system_actor(tenant_id or self.cast.demo.tenant_id, door=Door.JOB)
        with unit_of_work(actor) as work:
            ids = work.session.scalars(select(Call.id).order_by(Call.id)).all()
            return [call_detail(work, call_id) for call_id in ids]

    def last_call(self) -> CallDetail:
        """The newest call of the demo company, as soon as it is over."""
        wait_until(lambda: any(call.call.state == "ended" for call in self.calls()[-1:]))
        return self.calls()[-1]


@contextmanager
def running_gateway(server: Postgres, folder: Path, cast: Cast, database: str, **settings: str) -> Iterator[Gateway]:
    """Telephony over a database of its own, until the block ends."""
    ports = {f"CENTRALA_{name}": str(free_port()) for name in PORTS}
    more = {**ports, "CENTRALA_RTP_PORT": str(free_sound_port()), **settings}
    environment = {**environment_for(server, database, folder), **more}
    environment["CENTRALA_KAMAILIO_DATABASE_URL"] = server.url("centrala_kamailio", database)
    with using(environment):
        demo, other = _set_up(cast.demo, BORIS_OUTSIDE), _set_up(cast.other, OTHER_NUMBER)
        with running_edge(server, database, folder, **more) as edge:
            gateway = Gateway(edge, environment, demo, other, cast, folder)
            gateway.start_worker()
            try:
                yield gateway
            finally:
                gateway.stop_worker()


def free_sound_port() -> int:
    """The first of 2,000 UDP ports that other test workers do not use."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return 40000 + 2000 * (worker % 8)


def _set_up(company: Company, number: str) -> Telephony:
    with unit_of_work(system_actor(company.tenant_id, door=Door.SETUP)) as work:
        return set_up(work, company, number=number)

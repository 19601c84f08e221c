"""A relay, a queue and a worker under a test's hands."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select

from core import worker
from core.foundation.actor import Door, system_actor
from core.foundation.jobs import Job, enqueue
from core.foundation.unit_of_work import unit_of_work
from core.identity.models import UserGroup
from deploy.local.places import ROOT
from tests.support.cast import Cast
from tests.support.valkey import RunningValkey
from tests.support.worker_jobs import RUNS


@dataclass(frozen=True)
class Bench:
    """One relay, one queue, and the demo tenant's actor."""

    cast: Cast
    valkey: RunningValkey
    relay: worker.Relay

    def work(self) -> Any:
        """A unit of work of the demo tenant's system."""
        return unit_of_work(system_actor(self.cast.demo.tenant_id, door=Door.JOB))

    def enqueue(self, name: str, **arguments: int | str) -> int:
        """Commit one job; answers its id."""
        with self.work() as work:
            enqueue(work, name, arguments)
        with self.work() as work:
            return int(work.session.scalar(select(func.max(Job.id))) or 0)

    def runs(self, name: str = RUNS) -> int:
        """How often a test job left its row."""
        with self.work() as work:
            return int(work.session.scalar(select(func.count()).where(UserGroup.name == name)) or 0)

    def job(self, job_id: int) -> Job | None:
        """The job's row as it is now."""
        with self.work() as work:
            found: Job | None = work.session.get(Job, job_id)
            return found

    def burst(self) -> None:
        """Run what is in the queue."""
        worker.make_worker("worker-t").work(burst=True, logging_level="WARNING")


@contextmanager
def worker_process(name: str) -> "Iterator[subprocess.Popen[bytes]]":
    """A worker process that knows the test jobs; killed at the end."""
    process = subprocess.Popen([sys.executable, "-m", "tests.support.worker_jobs", name], cwd=ROOT)  # noqa: S603  # our own module
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)

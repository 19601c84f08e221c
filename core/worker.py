"""Running what is due: the relay brings rows to the queue, workers run them.

``python -m core.worker relay`` claims due rows of all tenants and puts them into RQ's queue in Valkey; one process of
it is enough, several do no harm. ``python -m core.worker 1`` is the worker named ``worker-1``.

PostgreSQL holds the truth. A row stays until its job has finished, so Valkey may lose everything at any moment: the
relay notices the new server and hands all unfinished rows over again. A worker that was killed finds its own unfinished
rows when it starts.
"""

import os
import signal
import sys
import threading
from datetime import timedelta
from typing import Final

import psycopg
import redis
import structlog
from rq import Queue, SimpleWorker, get_current_job
from rq.serializers import JSONSerializer
from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from core.foundation import clock, db
from core.foundation.actor import Actor, Door, TenantId, system_actor
from core.foundation.errors import Unavailable
from core.foundation.heartbeat import start_heartbeat
from core.foundation.jobs import Job, registered
from core.foundation.log import configure_logs
from core.foundation.outbox import WAKE_CHANNEL, StoredEvent
from core.foundation.settings import settings
from core.foundation.unit_of_work import unit_of_work
from core.wiring import jobs_after

QUEUE_NAME: Final = "centrala"
RUN_JOB: Final = "core.worker.run_job"
BATCH: Final = 200
LEASE: Final = timedelta(minutes=10)
IDLE_S: Final = 2.0
JOB_TIMEOUT_S: Final = 300
MAX_ATTEMPTS: Final = 12
LONGEST_PAUSE: Final = timedelta(hours=1)

log = structlog.get_logger()


# The relay


class Relay:
    """Hands due rows over to the queue. Remembers which Valkey it spoke to, to notice when that one is gone."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.seen_server = ""

    def run(self, stopping: threading.Event) -> None:
        """Hand over until ``stopping``; outlives restarts of PostgreSQL and Valkey."""
        while not stopping.is_set():
            try:
                self._run_while_connected(stopping)
            except (psycopg.OperationalError, DBAPIError, redis.RedisError) as error:
                log.warning("relay_waits", error=type(error).__name__)
                stopping.wait(1.0)

    def _run_while_connected(self, stopping: threading.Event) -> None:
        url = settings().relay_database_url.replace("postgresql+psycopg://", "postgresql://")
        with psycopg.connect(url, autocommit=True) as listener:
            listener.execute(f"listen {WAKE_CHANNEL}")
            while not stopping.is_set():
                if self.hand_over() < BATCH:
                    next(listener.notifies(timeout=IDLE_S, stop_after=1), None)

    def hand_over(self) -> int:
        """Turn events into jobs and enqueue due jobs; answers how many jobs.

        Enqueues before the lease is committed: if that commit fails the job may run without a lease, which its own
        row's lock makes harmless.
        """
        server = str(self.queue.connection.info("server")["run_id"])
        with db.relay_engine().begin() as connection:
            _expand_events(connection)
            if server != self.seen_server:
                _release_unstarted(connection)
            claimed = _claim(connection)
            for job_id, tenant_id in claimed:
                self.queue.enqueue(RUN_JOB, tenant_id, job_id, job_timeout=JOB_TIMEOUT_S, result_ttl=0, failure_ttl=0)
        self.seen_server = server
        return len(claimed)


def make_queue() -> Queue:
    """RQ's queue in Valkey; jobs travel as JSON, never as pickles (ATTACK 53)."""
    return Queue(QUEUE_NAME, connection=redis.Redis.from_url(settings().redis_url), serializer=JSONSerializer)


def _expand_events(connection: Connection) -> None:
    batch = select(StoredEvent.id).order_by(StoredEvent.id).limit(BATCH).with_for_update(skip_locked=True)
    taken = delete(StoredEvent).where(StoredEvent.id.in_(batch))
    events = connection.execute(taken.returning(StoredEvent.tenant_id, StoredEvent.name, StoredEvent.payload)).all()
    rows = [
        {"tenant_id": tenant_id, "name": job_name, "arguments": payload, "due_at": clock.now()}
        for tenant_id, event_name, payload in events
        for job_name in jobs_after(event_name)
    ]
    if rows:
        connection.execute(insert(Job), rows)


def _claim(connection: Connection) -> list[tuple[int, int]]:
    now = clock.now()
    free = or_(Job.leased_until.is_(None), Job.leased_until < now)
    due = select(Job.id).where(Job.failed_at.is_(None), Job.due_at <= now, free).order_by(Job.due_at).limit(BATCH)
    claim = (
        update(Job)
        .where(Job.id.in_(due.with_for_update(skip_locked=True)))
        .values(leased_until=now + LEASE, running_by=None)
    )
    return [(job_id, tenant_id) for job_id, tenant_id in connection.execute(claim.returning(Job.id, Job.tenant_id))]


def _release_unstarted(connection: Connection) -> None:
    """Free every row that no worker has begun: the queue that held it may be gone."""
    connection.execute(update(Job).where(Job.failed_at.is_(None), Job.running_by.is_(None)).values(leased_until=None))


# The worker


def run_worker(name: str) -> None:
    """Run jobs until SIGTERM; first free the rows that a killed predecessor of this name had begun."""
    with db.relay_engine().begin() as connection:
        freed = update(Job).where(Job.running_by == name).values(leased_until=None, running_by=None)
        connection.execute(freed)
    queue = make_queue()
    worker = SimpleWorker([queue], connection=queue.connection, serializer=JSONSerializer, name=f"{name}.{os.getpid()}")
    worker.work(logging_level="WARNING")


def run_job(tenant_id: int, job_id: int) -> None:
    """Run one job row. A row of another tenant, one that is gone, or that a worker has begun, is left alone."""
    actor = system_actor(TenantId(tenant_id), door=Door.JOB)
    begun = _begin(actor, job_id)
    if begun is None:
        log.info("job_skipped", job_id=job_id, tenant_id=tenant_id)
        return
    name, arguments = begun
    try:
        registered[name](actor, **arguments)
    except Unavailable as error:
        _try_again(actor, job_id, error)
    except Exception as error:
        log.exception("job_failed", job=name, job_id=job_id, tenant_id=tenant_id)
        _try_again(actor, job_id, error)
    else:
        with unit_of_work(actor) as work:
            work.session.execute(delete(Job).where(Job.id == job_id))


def pause_after(attempts: int) -> timedelta:
    """How long to wait after the n-th failure: 1 s, doubled each time, at most an hour."""
    return min(timedelta(seconds=2 ** (attempts - 1)), LONGEST_PAUSE)


def _begin(actor: Actor, job_id: int) -> tuple[str, dict[str, int | str]] | None:
    with unit_of_work(actor) as work:
        row = work.session.get(Job, job_id, with_for_update={"skip_locked": True})
        if row is None or row.failed_at is not None or row.running_by is not None:
            return None
        row.running_by = _worker_name()
        row.attempts += 1
        return row.name, dict(row.arguments)


def _try_again(actor: Actor, job_id: int, error: Exception) -> None:
    with unit_of_work(actor) as work:
        row = work.session.get(Job, job_id, with_for_update=True)
        if row is None:
            return
        row.running_by, row.leased_until, row.last_error = None, None, type(error).__name__
        if row.attempts >= MAX_ATTEMPTS:
            row.failed_at = clock.now()
        else:
            row.due_at = clock.now() + pause_after(row.attempts)


def _worker_name() -> str:
    current = get_current_job()
    return str(current.worker_name).rpartition(".")[0] if current else "caller"


def main(role: str) -> None:
    """Be the relay, or the worker with this number, until SIGTERM."""
    configure_logs()
    if role == "relay":
        start_heartbeat("relay")
        stopping = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopping.set())
        Relay(make_queue()).run(stopping)
    else:
        start_heartbeat(f"worker-{role}")
        run_worker(f"worker-{role}")


if __name__ == "__main__":
    main(sys.argv[1])

"""Running what is due: the relay brings rows to the queue, workers run them.

``python -m core.worker relay`` claims due rows of all tenants and puts them into RQ's queue in Valkey; one process of
it is enough, several do no harm. ``python -m core.worker 1`` is the worker named ``worker-1``.

PostgreSQL holds the truth. A row stays until its job has finished, so Valkey may lose everything at any moment: the
relay notices that and hands over again whatever nobody has begun. What a killed worker had begun is freed by its
successor of the same name as it starts, else by the end of the lease.
"""

import secrets
import signal
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, TypeVar

import psycopg
import redis
import structlog
from rq import Queue, SimpleWorker
from rq.exceptions import DeserializationError
from rq.serializers import JSONSerializer
from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from core.foundation import clock, db
from core.foundation.actor import Actor, Door, TenantId, system_actor
from core.foundation.errors import Unavailable
from core.foundation.heartbeat import start_heartbeat
from core.foundation.jobs import Job, registered
from core.foundation.log import configure_logs
from core.foundation.outbox import WAKE_CHANNEL, StoredEvent
from core.foundation.settings import settings
from core.foundation.unit_of_work import unit_of_work
from core.wiring import jobs_after, wired_events

QUEUE_NAME: Final = "centrala"
RUN_JOB: Final = "core.worker.run_job"
MARK: Final = "centrala:mark"
FOREIGN_CALLS: Final = ["success_callback_name", "failure_callback_name", "stopped_callback_name", "webhooks"]
BATCH: Final = 200
LEASE: Final = timedelta(minutes=10)
IDLE_S: Final = 2.0
JOB_TIMEOUT_S: Final = 300
MAX_ATTEMPTS: Final = 12
LONGEST_PAUSE: Final = timedelta(hours=1)
ANSWER_S: Final = 10.0
DATABASE_IS_AWAY: Final = (OperationalError, InterfaceError, PoolTimeoutError)

T = TypeVar("T")

log = structlog.get_logger()

_own_name = ["caller"]


# The relay


class Relay:
    """Hands due rows over to the queue. Remembers which Valkey it spoke to, to notice when that one lost its memory."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.seen = ""

    def run(self, stopping: threading.Event) -> None:
        """Hand over until ``stopping``; outlives restarts of PostgreSQL and Valkey."""
        while not stopping.is_set():
            try:
                self._run_while_connected(stopping)
            except (psycopg.OperationalError, SQLAlchemyError, redis.RedisError) as error:
                log.warning("relay_waits", error=type(error).__name__)
                stopping.wait(1.0)

    def _run_while_connected(self, stopping: threading.Event) -> None:
        url = settings().relay_database_url.replace("postgresql+psycopg://", "postgresql://")
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as listener:
            listener.execute(f"listen {WAKE_CHANNEL}")
            while not stopping.is_set():
                if self.hand_over() < BATCH:
                    next(listener.notifies(timeout=IDLE_S, stop_after=1), None)

    def hand_over(self) -> int:
        """Turn events into jobs and enqueue due jobs; answers how much there was of what there was more of.

        The leases are committed before anything is enqueued: a worker that was faster would find the row locked.
        """
        memory = self._memory()
        with db.relay_engine().begin() as connection:
            expanded = _expand_events(connection)
            if memory != self.seen:
                _release_unstarted(connection)
            claimed = _claim(connection)
        self.seen = memory
        self._enqueue(claimed)
        return max(expanded, len(claimed))

    def _memory(self) -> str:
        """What changes when the server is another one, was started again, or was emptied."""
        valkey = self.queue.connection
        valkey.set(MARK, secrets.token_hex(8), nx=True)
        return f"{valkey.info('server')['run_id']} {valkey.get(MARK)!r}"

    def _enqueue(self, claimed: list[tuple[int, int]]) -> None:
        try:
            for job_id, tenant_id in claimed:
                self.queue.enqueue(RUN_JOB, tenant_id, job_id, job_timeout=JOB_TIMEOUT_S, result_ttl=0, failure_ttl=0)
        except redis.RedisError:
            self.seen = ""  # the next round frees what did not arrive
            raise


def make_queue() -> Queue:
    """RQ's queue in Valkey; jobs travel as JSON, never as pickles (ATTACK 53)."""
    return Queue(QUEUE_NAME, connection=_valkey(), serializer=JSONSerializer)


def _valkey() -> "redis.Redis":
    return redis.Redis.from_url(settings().redis_url, socket_timeout=ANSWER_S)


def _expand_events(connection: Connection) -> int:
    """Replace events by jobs. One that this release does not know waits for the release that does."""
    known = select(StoredEvent.id).where(StoredEvent.name.in_(wired_events()))
    batch = known.order_by(StoredEvent.id).limit(BATCH).with_for_update(skip_locked=True)
    taken = delete(StoredEvent).where(StoredEvent.id.in_(batch))
    events = connection.execute(taken.returning(StoredEvent.tenant_id, StoredEvent.name, StoredEvent.payload)).all()
    rows = [
        {"tenant_id": tenant_id, "name": job_name, "arguments": payload, "due_at": clock.now()}
        for tenant_id, event_name, payload in events
        for job_name in jobs_after(event_name)
    ]
    if rows:
        connection.execute(insert(Job), rows)
    return len(events)


def _claim(connection: Connection) -> list[tuple[int, int]]:
    """Lease due rows, oldest first; also those whose lease ended, since whoever had them is gone."""
    now = clock.now()
    free = or_(Job.leased_until.is_(None), Job.leased_until < now)
    due = select(Job.id).where(Job.failed_at.is_(None), Job.due_at <= now, free).order_by(Job.due_at).limit(BATCH)
    claim = (
        update(Job)
        .where(Job.id.in_(due.with_for_update(skip_locked=True)))
        .values(leased_until=now + LEASE, running_by=None)
    )
    claimed = connection.execute(claim.returning(Job.due_at, Job.id, Job.tenant_id))
    return [(job_id, tenant_id) for _due_at, job_id, tenant_id in sorted(claimed.all())]


def _release_unstarted(connection: Connection) -> None:
    """Free every row that no worker has begun: the queue that held it may be gone."""
    connection.execute(update(Job).where(Job.failed_at.is_(None), Job.running_by.is_(None)).values(leased_until=None))


# The worker


class OnlyOurJobs(SimpleWorker):
    """A worker that calls ``run_job`` and nothing else, whatever somebody put into the queue (ATTACK 53)."""

    def execute_job(self, job: Any, queue: Any) -> None:
        """Run the job, or remove what is none of ours."""
        if self._is_ours(job):
            super().execute_job(job, queue)
        else:
            log.error("queue_entry_refused")
            job.delete()

    def _is_ours(self, job: Any) -> bool:
        try:
            is_our_call = job.func_name == RUN_JOB
        except DeserializationError:
            return False
        return is_our_call and not any(self.connection.hmget(job.key, FOREIGN_CALLS))


def run_worker(name: str) -> None:
    """Run jobs until SIGTERM; first free the rows that a killed predecessor of this name had begun.

    It may also have taken one from the queue without having begun it. Nobody knows which, so all that nobody has begun
    are handed over again: a second delivery finds the job begun or done, and is skipped.
    """
    _own_name[:] = [name]
    with db.relay_engine().begin() as connection:
        freed = update(Job).where(Job.running_by == name).values(leased_until=None, running_by=None)
        connection.execute(freed)
        _release_unstarted(connection)
    make_worker(name).work(logging_level="WARNING")


def make_worker(name: str) -> OnlyOurJobs:
    """RQ's worker under a name of its own: RQ refuses one that a killed predecessor still seems to hold."""
    queue = make_queue()
    own = f"{name}.{secrets.token_hex(4)}"
    return OnlyOurJobs([queue], connection=queue.connection, serializer=JSONSerializer, name=own)


def run_job(tenant_id: int, job_id: int) -> None:
    """Run one job row. One of another tenant, one that is gone, begun, or not handed over, is left alone."""
    actor = system_actor(TenantId(tenant_id), door=Door.JOB)
    begun = _when_database_answers(lambda: _begin(actor, job_id))
    if begun is None:
        log.info("job_skipped", job_id=job_id, tenant_id=tenant_id)
        return
    name, arguments = begun
    try:
        registered[name](actor, **arguments)
    except (Unavailable, *DATABASE_IS_AWAY) as error:
        log.warning("job_waits", job=name, job_id=job_id, tenant_id=tenant_id, error=type(error).__name__)
        _fail(actor, job_id, error)
    except Exception as error:
        log.exception("job_failed", job=name, job_id=job_id, tenant_id=tenant_id)
        _fail(actor, job_id, error)
    else:
        _when_database_answers(lambda: _finish(actor, job_id))


def pause_after(attempts: int) -> timedelta:
    """How long to wait after the n-th failure: 1 s, doubled each time, at most an hour."""
    return min(timedelta(seconds=2 ** (attempts - 1)), LONGEST_PAUSE)


def _begin(actor: Actor, job_id: int) -> tuple[str, dict[str, int | str]] | None:
    with unit_of_work(actor) as work:
        row = work.session.get(Job, job_id, with_for_update=True)
        if row is None or row.failed_at is not None or row.running_by is not None or row.leased_until is None:
            return None
        row.running_by, row.leased_until = _own_name[-1], clock.now() + LEASE
        row.attempts += 1
        return row.name, dict(row.arguments)


def _finish(actor: Actor, job_id: int) -> None:
    with unit_of_work(actor) as work:
        work.session.execute(delete(Job).where(Job.id == job_id))


def _fail(actor: Actor, job_id: int, error: Exception) -> None:
    _when_database_answers(lambda: _try_again(actor, job_id, error))


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


def _when_database_answers(step: Callable[[], T]) -> T:
    """The step's answer; while the database is away a worker has nothing better to do than wait for it."""
    while True:
        try:
            return step()
        except DATABASE_IS_AWAY as error:
            log.warning("worker_waits", error=type(error).__name__)
            threading.Event().wait(1.0)


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
    # Under its own name, since RQ calls run_job there: as __main__ this would be a second module that knows no name.
    from core import worker  # noqa: PLW0406  # see above

    worker.main(sys.argv[1])

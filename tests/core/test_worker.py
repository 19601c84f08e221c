"""What is due runs at least once, whatever dies in between. All of it with real commits and a real Valkey."""

import json
import pickle
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from core import wiring, worker
from core.foundation import clock, db
from core.foundation.actor import Door, system_actor
from core.foundation.jobs import Job, enqueue
from core.foundation.outbox import StoredEvent, emit
from tests.support.cast import Cast
from tests.support.database import using
from tests.support.valkey import running_valkey
from tests.support.waiting import wait_until
from tests.support.worker_bench import Bench, worker_process


@dataclass(frozen=True)
class SomethingHappened:
    """An event that two test jobs follow."""

    name: ClassVar[str] = "tests.something_happened"
    thing_id: int


@pytest.fixture
def bench(committed: Cast, tmp_path: Path) -> Iterator[Bench]:
    """A bench on a database and a Valkey of this test's own."""
    with running_valkey(tmp_path / "valkey") as valkey, using({"REDIS_URL": valkey.url}):
        yield Bench(committed, valkey, worker.Relay(worker.make_queue()))


def test_a_job_runs_once_and_leaves_no_row(bench: Bench) -> None:
    job_id = bench.enqueue("tests.note")
    assert bench.relay.hand_over() == 1
    bench.burst()
    assert (bench.runs(), bench.job(job_id)) == (1, None)


def test_nothing_is_handed_over_before_it_is_due(bench: Bench) -> None:
    with bench.work() as work:
        enqueue(work, "tests.note", {}, due_at=clock.now() + timedelta(hours=1))
    assert bench.relay.hand_over() == 0
    clock.hold(clock.now() + timedelta(hours=2))
    assert bench.relay.hand_over() == 1


def test_a_job_of_a_rolled_back_transaction_never_runs(bench: Bench) -> None:
    with pytest.raises(RuntimeError), bench.work() as work:
        enqueue(work, "tests.note", {})
        raise RuntimeError
    assert bench.relay.hand_over() == 0


def test_the_lease_is_committed_before_the_queue_hears_of_the_job(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = bench.enqueue("tests.note")
    monkeypatch.setattr(bench.relay.queue, "enqueue", lambda _name, tenant, job, **_: worker.run_job(tenant, job))
    bench.relay.hand_over()
    assert (bench.runs(), bench.job(job_id)) == (1, None)


def test_jobs_are_handed_over_oldest_first(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [bench.enqueue("tests.note") for _ in range(5)]
    with bench.work() as work:
        work.session.execute(update(Job).where(Job.id == ids[0]).values(attempts=1))  # moves the row within the table
    seen: list[int] = []
    monkeypatch.setattr(bench.relay.queue, "enqueue", lambda _name, _tenant, job, **_: seen.append(job))
    bench.relay.hand_over()
    assert seen == ids


@pytest.mark.attack(4)
def test_a_job_under_the_wrong_tenant_does_nothing(bench: Bench) -> None:
    job_id = bench.enqueue("tests.note")
    with db.relay_engine().begin() as connection:
        connection.execute(update(Job).values(leased_until=clock.now() + worker.LEASE))
    worker.run_job(bench.cast.other.tenant_id, job_id)
    row = bench.job(job_id)
    assert row is not None
    assert (row.attempts, bench.runs()) == (0, 0)


def test_a_second_delivery_of_a_running_job_does_nothing(bench: Bench) -> None:
    job_id = bench.enqueue("tests.note")
    bench.relay.hand_over()
    with bench.work() as work:
        work.session.execute(update(Job).values(running_by="worker-2"))
    bench.burst()
    assert bench.runs() == 0
    assert bench.job(job_id) is not None


def test_a_second_delivery_does_not_shorten_the_pause_before_a_retry(bench: Bench) -> None:
    job_id = bench.enqueue("tests.refuse")
    bench.relay.hand_over()
    worker.run_job(bench.cast.demo.tenant_id, job_id)
    worker.run_job(bench.cast.demo.tenant_id, job_id)
    row = bench.job(job_id)
    assert row is not None
    assert row.attempts == 1


def test_an_unavailable_job_waits_longer_each_time(bench: Bench) -> None:
    job_id = bench.enqueue("tests.refuse")
    pauses = []
    for _ in range(4):
        clock.hold(clock.now() + timedelta(hours=1))
        bench.relay.hand_over()
        bench.burst()
        row = bench.job(job_id)
        assert row is not None
        pauses.append((row.due_at - clock.now()).total_seconds())
    assert pauses == [1, 2, 4, 8]
    assert worker.pause_after(12) == timedelta(seconds=2048)
    assert worker.pause_after(30) == timedelta(hours=1)


def test_a_job_that_always_fails_stays_as_failed(bench: Bench) -> None:
    job_id = bench.enqueue("tests.break")
    for _ in range(worker.MAX_ATTEMPTS):
        clock.hold(clock.now() + timedelta(hours=2))
        bench.relay.hand_over()
        worker.run_job(bench.cast.demo.tenant_id, job_id)
    row = bench.job(job_id)
    assert row is not None
    assert (row.attempts, row.failed_at, row.last_error) == (12, clock.now(), "ValueError")
    clock.hold(clock.now() + timedelta(days=1))
    assert bench.relay.hand_over() == 0


def test_a_job_that_this_release_does_not_know_is_tried_again(bench: Bench) -> None:
    job_id = bench.enqueue("tests.of_a_later_release")
    bench.relay.hand_over()
    bench.burst()
    row = bench.job(job_id)
    assert row is not None
    assert (row.attempts, row.last_error, row.failed_at) == (1, "KeyError", None)


def test_what_a_dead_worker_had_begun_runs_elsewhere_when_its_lease_ends(bench: Bench) -> None:
    bench.enqueue("tests.note")
    bench.relay.hand_over()
    bench.valkey.client().flushall()
    with bench.work() as work:
        work.session.execute(update(Job).values(running_by="worker-that-never-comes-back"))
    assert bench.relay.hand_over() == 0
    clock.hold(clock.now() + worker.LEASE + timedelta(seconds=1))
    assert bench.relay.hand_over() == 1
    bench.burst()
    assert bench.runs() == 1


def test_the_lease_begins_anew_when_a_worker_begins(bench: Bench) -> None:
    job_id = bench.enqueue("tests.refuse")
    bench.relay.hand_over()
    clock.hold(clock.now() + worker.LEASE - timedelta(seconds=1))
    worker._begin(system_actor(bench.cast.demo.tenant_id, door=Door.JOB), job_id)  # noqa: SLF001  # between its two steps
    clock.hold(clock.now() + timedelta(seconds=worker.JOB_TIMEOUT_S))
    assert bench.relay.hand_over() == 0


def test_a_worker_killed_in_a_job_is_followed_by_its_successor(bench: Bench, tmp_path: Path) -> None:
    signal_file = tmp_path / "go"
    bench.enqueue("tests.wait", for_file=str(signal_file))
    bench.relay.hand_over()
    with worker_process("7") as first:
        # A worker that starts has everything handed over again that nobody has begun.
        wait_until(lambda: bench.relay.hand_over() >= 0 and bench.runs("a job began") == 1, deadline_s=20)
        first.kill()
        first.wait(10)
    signal_file.touch()
    with worker_process("7"):
        wait_until(bench.relay.hand_over, deadline_s=20)
        wait_until(lambda: bench.runs() == 1, deadline_s=20)
    assert bench.runs("a job began") == 2


@pytest.mark.parametrize("loss", ["emptied", "killed and empty", "killed"])
def test_what_valkey_loses_is_handed_over_again(bench: Bench, loss: str) -> None:
    bench.enqueue("tests.note")
    bench.relay.hand_over()
    if loss == "emptied":
        bench.valkey.client().flushall()
    else:
        bench.valkey.kill()
        if loss == "killed and empty":
            for path in bench.valkey.valkey.folder.glob("appendonlydir/*"):
                path.unlink()
        bench.valkey.start()
    assert wait_until(bench.relay.hand_over) == 1
    bench.burst()
    assert bench.runs() == 1


def test_jobs_whose_handover_broke_off_are_handed_over_again(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.enqueue("tests.note")
    bench.relay.hand_over()
    bench.burst()
    bench.enqueue("tests.note")
    bench.valkey.kill()
    memory = bench.relay.seen
    with monkeypatch.context() as patched, pytest.raises(Exception, match="refused"):
        patched.setattr(bench.relay, "_memory", lambda: memory)  # it died right after it was asked
        bench.relay.hand_over()
    bench.valkey.start()
    assert bench.relay.hand_over() == 1
    bench.burst()
    assert bench.runs() == 2


def test_an_event_becomes_each_job_exactly_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(wiring.HANDLERS, SomethingHappened, ("tests.note", "tests.note"))
    with bench.work() as work:
        emit(work, SomethingHappened(thing_id=3))
    second = worker.Relay(worker.make_queue())
    for relay in (bench.relay, second, bench.relay):
        relay.hand_over()
    with bench.work() as work:
        assert work.session.scalars(select(Job.arguments)).all() == [{"thing_id": 3}, {"thing_id": 3}]
        assert work.session.scalar(select(func.count()).select_from(StoredEvent)) == 0
    bench.burst()
    assert bench.runs() == 2


def test_an_event_of_a_later_release_waits_and_holds_nothing_up(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with bench.work() as work:
        emit(work, SomethingHappened(thing_id=3))
    bench.enqueue("tests.note")
    assert bench.relay.hand_over() == 1
    monkeypatch.setitem(wiring.HANDLERS, SomethingHappened, ("tests.note",))
    assert bench.relay.hand_over() == 1


def test_the_relay_wakes_up_at_the_commit(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    stopping, handed = threading.Event(), threading.Event()
    monkeypatch.setattr(worker, "IDLE_S", 60.0)
    monkeypatch.setattr(bench.relay.queue, "enqueue", lambda *_a, **_k: handed.set())
    thread = threading.Thread(target=bench.relay.run, args=(stopping,))
    thread.start()
    try:
        wait_until(lambda: _listeners(bench) == 1)
        bench.enqueue("tests.note")
        assert handed.wait(5)
    finally:
        stopping.set()
        with bench.work() as work:
            enqueue(work, "tests.note", {})
        thread.join(10)


def _listeners(bench: Bench) -> int:
    query = text("select count(*) from pg_stat_activity where query like 'listen%' and datname = current_database()")
    with db.relay_engine().connect() as connection:
        return int(connection.scalar(query) or 0)


def test_a_job_waits_for_the_database_to_come_back(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = bench.enqueue("tests.note")
    bench.relay.hand_over()
    failures = iter([OperationalError("", {}, Exception()), OperationalError("", {}, Exception())])
    finish = worker._finish  # noqa: SLF001  # the step after which nobody asks again

    def flaky(*arguments: Any) -> None:
        if (error := next(failures, None)) is not None:
            raise error
        finish(*arguments)

    monkeypatch.setattr(worker, "_finish", flaky)
    bench.burst()
    assert (bench.runs(), bench.job(job_id)) == (1, None)


@pytest.mark.attack(53)
def test_jobs_travel_as_json(bench: Bench) -> None:
    job_id = bench.enqueue("tests.note")
    bench.relay.hand_over()
    (queued,) = bench.relay.queue.jobs
    assert json.loads(queued.data) == [worker.RUN_JOB, None, [bench.cast.demo.tenant_id, job_id], {}]


class Exploding:
    """Touches a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def _plant_pickle(bench: Bench, target: Path) -> None:
    planted = bench.relay.queue.enqueue(worker.RUN_JOB, 1, 1)
    bench.valkey.client().hset(planted.key, "data", pickle.dumps(("builtins.print", None, (Exploding(target),), {})))


def _plant_call(bench: Bench, target: Path) -> None:
    bench.relay.queue.enqueue("os.mkdir", str(target))


def _plant_callback(bench: Bench, _target: Path) -> None:
    planted = bench.relay.queue.enqueue(worker.RUN_JOB, 1, 1)
    bench.valkey.client().hset(planted.key, "success_callback_name", "os.mkdir")


@pytest.mark.attack(53)
@pytest.mark.parametrize("plant", [_plant_pickle, _plant_call, _plant_callback])
def test_what_somebody_planted_in_the_queue_is_refused(
    bench: Bench, tmp_path: Path, plant: Callable[[Bench, Path], None]
) -> None:
    plant(bench, tmp_path / "planted")
    bench.enqueue("tests.note")
    bench.relay.hand_over()
    with capture_logs() as logged:
        bench.burst()
    assert not (tmp_path / "planted").exists()
    assert [entry["event"] for entry in logged] == ["queue_entry_refused"]
    assert bench.runs() == 1


def test_postgres_restarts_and_the_relay_goes_on(bench: Bench) -> None:
    with ExitStack() as stack:
        stopping = threading.Event()
        thread = threading.Thread(target=bench.relay.run, args=(stopping,))
        thread.start()
        stack.callback(thread.join, 15)
        stack.callback(stopping.set)
        wait_until(lambda: _listeners(bench) == 1)
        _cut_connections(bench)
        bench.enqueue("tests.note")
        wait_until(lambda: bench.relay.queue.count == 1, deadline_s=15)


def _cut_connections(bench: Bench) -> None:
    """What a restart of the server does to everybody."""
    query = text(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where usename = 'centrala_relay' and pid <> pg_backend_pid()"
    )
    with db.relay_engine().connect() as connection:
        connection.execute(query)

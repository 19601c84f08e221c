"""Writing calls down: a few threads with the database, a call always on the same one, so that its facts stay in order.

A callback, and the loop that carries calls, never waits for the database. While it is away the facts wait here.
"""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy.exc import InterfaceError, NoResultFound, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from core.calls.causes import Cause, EndedBy
from core.calls.plans import RingPlan
from core.calls.service import (
    Ending,
    IncomingCall,
    begin_call,
    close_crashed,
    end_call,
    note_answered,
    note_leg_ended,
    note_ringing,
)
from core.foundation.actor import Actor, Door, TenantId, system_actor
from core.foundation.errors import CentralaError
from core.foundation.unit_of_work import Work, unit_of_work
from core.tenants.service import all_tenants
from telephony_gateway.signals import Invite, LegId

THREADS: Final = 4
PATIENCE_S: Final = 60
PAUSE_S: Final = 1.0
MOST_AT_ONCE: Final = 20
GATHER_S: Final = 0.003
"""What happens at once to a call comes within this time, and is cheaper to write down at once."""
DATABASE_IS_AWAY: Final = (OperationalError, InterfaceError, PoolTimeoutError)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Planned:
    """A call was written down, and what rings; ``plan`` is None if it could not be."""

    caller: LegId
    call_id: int
    plan: RingPlan | None
    is_forbidden: bool = False


Write = Callable[[Work, int], None]


@dataclass(frozen=True, slots=True)
class _Task:
    """Something to do for a call: by itself (``run``), or within a transaction with its neighbours (``write``).

    ``is_urgent`` has somebody waiting on the phone, and is not tried again.
    """

    caller: LegId
    run: Callable[[], None] | None = None
    write: Write | None = None
    is_urgent: bool = False


class Desk:
    """Takes down the calls of one worker. ``answers`` holds the plans, for the loop to fetch."""

    def __init__(self, worker: str) -> None:
        self.worker = worker
        self.answers: queue.SimpleQueue[Planned] = queue.SimpleQueue()
        self.waiting = 0
        self._calls: dict[LegId, tuple[Actor, int]] = {}
        self._tasks: list[queue.SimpleQueue[_Task | None]] = [queue.SimpleQueue() for _thread in range(THREADS)]
        self._threads = [
            threading.Thread(target=self._work, args=(tasks,), daemon=True, name="desk") for tasks in self._tasks
        ]
        for thread in self._threads:
            thread.start()

    def begin(self, caller: LegId, invite: Invite, *, at: datetime) -> None:
        """Write a new call down and plan it; the answer comes by ``answers``."""
        self.waiting += 1
        self._put(_Task(caller, lambda: self._begin(caller, invite, at), is_urgent=True))

    def fetch(self) -> list[Planned]:
        """The plans that are ready; never waits."""
        found = []
        while not self.answers.empty():
            found.append(self.answers.get())
        self.waiting -= len(found)
        return found

    def ringing(self, caller: LegId, device_id: int | None, *, at: datetime) -> None:
        """A device rings."""
        self._note(caller, lambda work, call_id: note_ringing(work, call_id, device_id, at=at))

    def leg_ended(self, caller: LegId, device_id: int | None, cause: Cause, status: int, *, at: datetime) -> None:
        """A device stopped ringing."""
        self._note(
            caller,
            lambda work, call_id: note_leg_ended(work, call_id, device_id, cause=cause, sip_status=status, at=at),
        )

    def answered(self, caller: LegId, device_id: int | None, stem: str | None, *, at: datetime) -> None:
        """Somebody answered; the call is recorded into the files of this stem, if into any."""
        self._note(caller, lambda work, call_id: note_answered(work, call_id, device_id, at=at, stem=stem))

    def ended(self, caller: LegId, cause: Cause, ended_by: EndedBy, status: int, *, at: datetime) -> None:
        """The call is over."""
        ending = Ending(cause=cause, ended_by=ended_by, at=at, sip_status=status)
        self._note(caller, lambda work, call_id: end_call(work, call_id, ending))

    def forget(self, caller: LegId) -> None:
        """Nothing more will be said of this call."""
        self._put(_Task(caller, lambda: self._forget(caller)))

    def close_predecessors(self, *, before: datetime) -> None:
        """Close what a worker of this name left open when it died."""
        self._put(_Task(0, lambda: self._close_predecessors(before)))

    def close(self, timeout_s: float) -> None:
        """Finish what is to be written down, within this time."""
        for tasks in self._tasks:
            tasks.put(None)
        for thread in self._threads:
            thread.join(timeout_s)

    def _put(self, task: _Task) -> None:
        self._tasks[task.caller % THREADS].put(task)

    def _note(self, caller: LegId, write: Write) -> None:
        self._put(_Task(caller, write=write))

    def _begin(self, caller: LegId, invite: Invite, at: datetime) -> None:
        planned = Planned(caller, 0, None)
        try:
            actor = system_actor(TenantId(invite.tenant_id), door=Door.SIP)
            incoming = IncomingCall(
                dialled=invite.dialled,
                worker=self.worker,
                sip_call_id=invite.sip_call_id,
                at=at,
                device_id=invite.device_id,
                trunk_id=invite.trunk_id,
                caller=invite.caller,
            )
            with unit_of_work(actor) as work:
                begun = begin_call(work, incoming)
            self._calls[caller] = (actor, begun.call_id)
            planned = Planned(caller, begun.call_id, begun.plan)
        except (CentralaError, NoResultFound):
            planned = Planned(caller, 0, None, is_forbidden=True)
        finally:
            self.answers.put(planned)

    def _forget(self, caller: LegId) -> None:
        self._calls.pop(caller, None)

    def _close_predecessors(self, before: datetime) -> None:
        for tenant_id in all_tenants():
            with unit_of_work(system_actor(tenant_id, door=Door.SIP)) as work:
                closed = close_crashed(work, self.worker, before=before)
            if closed:
                log.warning("calls_closed_as_crashed", tenant_id=tenant_id, call_ids=closed)

    def _work(self, tasks: "queue.SimpleQueue[_Task | None]") -> None:
        kept: _Task | None = None
        while (task := kept or tasks.get()) is not None:
            batch, kept, is_last = _batch(task, tasks)
            try:
                self._when_database_answers(batch)
            except Exception:
                log.exception("call_not_written_down", tasks=len(batch))
            if is_last:
                return

    def _when_database_answers(self, batch: list[_Task]) -> None:
        for _second in range(1 if batch[0].is_urgent else PATIENCE_S):
            try:
                return self._run(batch)
            except DATABASE_IS_AWAY as error:
                log.warning("desk_waits", error=type(error).__name__)
                if not batch[0].is_urgent:
                    threading.Event().wait(PAUSE_S)
        return None

    def _run(self, batch: list[_Task]) -> None:
        if batch[0].run is not None:
            return batch[0].run()
        if batch[0].caller not in self._calls:
            return None
        actor, call_id = self._calls[batch[0].caller]
        with unit_of_work(actor) as work:
            for task in batch:
                if task.write is not None:
                    task.write(work, call_id)
        return None


def _batch(first: _Task, tasks: "queue.SimpleQueue[_Task | None]") -> tuple[list[_Task], _Task | None, bool]:
    """What of the same call can be written in one transaction, the task after it, and whether there are no more."""
    batch = [first]
    if first.write is not None and tasks.empty():
        threading.Event().wait(GATHER_S)
    while first.write is not None and len(batch) < MOST_AT_ONCE and not tasks.empty():
        task = tasks.get()
        if task is None:
            return batch, None, True
        if task.write is None or task.caller != first.caller:
            return batch, task, False
        batch.append(task)
    return batch, None, False

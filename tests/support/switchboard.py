"""Calls in a running installation, told to core as the gateway tells them; no telephone is needed."""

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import select

from core.calls.causes import Cause, EndedBy
from core.calls.models import Device, TrunkNumber
from core.calls.recordings import files_of
from core.calls.service import (
    Ending,
    IncomingCall,
    begin_call,
    close_crashed,
    end_call,
    note_answered,
    note_ringing,
)
from core.foundation import clock
from core.foundation.actor import Door, system_actor
from core.foundation.unit_of_work import Work, unit_of_work
from core.tenants.service import tenant_of_host
from deploy.local.places import ROOT
from tests.support.database import using
from tests.support.sound import write_wav
from tests.support.stack import Stack

ASK: Final = (
    "import json, os; from deploy.local.places import installation; "
    "print(json.dumps(dict(installation(os.environ).environment)))"
)
BORIS: Final = "+420224811001"
WORKER: Final = "gateway-9"


@dataclass(frozen=True, slots=True)
class Ringing:
    """A call that rings at a phone; ``at`` is when everybody could know of it, in seconds since 1970."""

    call_id: int
    device_id: int
    at: float


class Switchboard:
    """Boris' line of the demo company."""

    def ring(self, caller: str) -> Ringing:
        """Somebody calls Boris."""
        with _work() as work:
            number = work.session.scalars(select(TrunkNumber).where(TrunkNumber.number == BORIS)).one()
            device = work.session.scalars(select(Device.id).where(Device.line_id == number.line_id)).first() or 0
            incoming = IncomingCall(
                dialled=BORIS,
                trunk_id=number.trunk_id,
                caller=caller,
                worker=WORKER,
                sip_call_id=secrets.token_hex(8),
                at=clock.now(),
            )
            call_id = begin_call(work, incoming).call_id
            note_ringing(work, call_id, device, at=clock.now())
        return Ringing(call_id, device, time.time())

    def answer(self, call: Ringing) -> None:
        """Boris picks up."""
        with _work() as work:
            note_answered(work, call.call_id, call.device_id, at=clock.now())

    def answer_recorded(self, call: Ringing, caller: Sequence[int], callee: Sequence[int]) -> None:
        """Boris picks up, and their sound is written as the gateway writes it; it is encoded once they hang up."""
        stem = f"test-{call.call_id}"
        for path, samples in zip(files_of(stem), (caller, callee), strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_wav(path, samples)
        with _work() as work:
            note_answered(work, call.call_id, call.device_id, at=clock.now(), stem=stem)

    def hang_up(self, call: Ringing, cause: Cause = Cause.ANSWERED) -> None:
        """The caller hangs up."""
        with _work() as work:
            ending = Ending(cause=cause, ended_by=EndedBy.CALLER, at=clock.now(), sip_status=200)
            end_call(work, call.call_id, ending)


@contextmanager
def switchboard_of(stack: Stack) -> Iterator[Switchboard]:
    """The switchboard of a running installation; inside the block this process uses its database."""
    answer = subprocess.run(  # noqa: S603  # our own code
        [sys.executable, "-c", ASK], cwd=ROOT, env=dict(stack.environment), capture_output=True, check=True, timeout=30
    )
    with using(json.loads(answer.stdout)):
        try:
            yield Switchboard()
        finally:
            _end_all()


def _end_all() -> None:
    with _work() as work:
        close_crashed(work, WORKER, before=clock.now() + timedelta(hours=1))


@contextmanager
def _work() -> Iterator[Work]:
    tenant = tenant_of_host("demo.localhost")
    assert tenant
    with unit_of_work(system_actor(tenant.id, door=Door.SIP)) as work:
        yield work

"""Calls of the last weeks: with customers, with strangers, among colleagues. None was recorded."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from core.calls.causes import Cause, EndedBy, answer_for
from core.calls.models import Device, TrunkNumber
from core.calls.service import (
    Ending,
    IncomingCall,
    begin_call,
    end_call,
    note_answered,
    note_leg_ended,
    note_ringing,
)
from core.foundation import clock
from core.foundation.actor import Door
from core.foundation.unit_of_work import Work, unit_of_work
from deploy.local.demo.companies import Scene
from deploy.local.demo.people import Person

CALLS: Final = 60
DAYS: Final = 21
KINDS: Final = {"in": 10, "missed": 4, "engaged": 1, "out": 6, "stranger": 2, "inside": 2}
STRANGER: Final = "+4207993{digits:05}"
WORKER: Final = "demo"


def play_calls(scene: Scene, people: Sequence[Person]) -> None:
    """Play them one after the other, the last one shortly before now."""
    places = sorted((scene.chance.random() ** 2 for _ in range(CALLS)), reverse=True)
    kinds = scene.chance.choices(list(KINDS), weights=list(KINDS.values()), k=CALLS)
    with unit_of_work(scene.tenant.product(Door.SETUP)) as work:
        lines = work.session.scalars(select(TrunkNumber).order_by(TrunkNumber.number)).all()[:2]
        for place, kind in zip(places, kinds, strict=True):
            at = scene.now - timedelta(minutes=20) - timedelta(days=DAYS) * place
            clock.hold(at)
            _play(work, scene, kind, scene.chance.choice(lines), scene.chance.choice(people).phone, at)


def _play(work: Work, scene: Scene, kind: str, line: TrunkNumber, phone: str, at: datetime) -> None:
    device_id = work.session.scalars(select(Device.id).where(Device.line_id == line.line_id)).one()
    if kind in {"out", "inside"}:
        incoming = _incoming(scene, at, dialled=phone if kind == "out" else "103", device_id=device_id)
    else:
        caller = STRANGER.format(digits=scene.chance.randrange(100_000)) if kind == "stranger" else phone
        incoming = _incoming(scene, at, dialled=line.number, caller=caller, trunk_id=line.trunk_id)
    begun = begin_call(work, incoming)
    if begun.plan.refusal is not None:
        return
    rung = begun.plan.legs[0].device_id
    note_ringing(work, begun.call_id, rung, at=at + timedelta(seconds=1))
    until = at + timedelta(seconds=scene.chance.randint(4, 25))
    if kind in {"missed", "engaged"}:
        _fail(work, begun.call_id, rung, Cause.ENGAGED if kind == "engaged" else Cause.NO_ANSWER, until)
        return
    note_answered(work, begun.call_id, rung, at=until)
    by = scene.chance.choice([EndedBy.CALLER, EndedBy.CALLEE])
    end = until + timedelta(seconds=scene.chance.randint(15, 420))
    end_call(work, begun.call_id, Ending(cause=Cause.ANSWERED, ended_by=by, at=end, sip_status=200))


def _fail(work: Work, call_id: int, device_id: int | None, cause: Cause, at: datetime) -> None:
    note_leg_ended(work, call_id, device_id, cause=cause, sip_status=answer_for(cause), at=at)
    end_call(work, call_id, Ending(cause=cause, ended_by=EndedBy.SYSTEM, at=at, sip_status=answer_for(cause)))


def _incoming(
    scene: Scene,
    at: datetime,
    *,
    dialled: str,
    caller: str = "",
    device_id: int | None = None,
    trunk_id: int | None = None,
) -> IncomingCall:
    return IncomingCall(
        dialled=dialled,
        caller=caller,
        worker=WORKER,
        sip_call_id=f"demo-{scene.chance.getrandbits(64):x}",
        at=at,
        device_id=device_id,
        trunk_id=trunk_id,
    )

"""What happens to a call, written down: it begins, rings, is answered, ends; and is paired with a contact.

The gateway calls all but ``pair_call``, as the product itself. Each function adds its event and derives the columns of
``call`` from it in the same transaction; what comes twice or too late changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog
from sqlalchemy import func, insert, select, update

from core.calls.causes import Cause, EndedBy, answer_for
from core.calls.dialling import plan_from_device, plan_from_trunk
from core.calls.events import CallEnded
from core.calls.matching import owner_of
from core.calls.models import Call, CallEvent, PhoneLine, Recording
from core.calls.plans import RingPlan
from core.directory.models import Contact
from core.foundation import clock
from core.foundation.errors import Forbidden, NotFound
from core.foundation.history import record_change
from core.foundation.i18n import Message, _, translate
from core.foundation.jobs import enqueue
from core.foundation.live import tell, tell_several
from core.foundation.outbox import emit
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.tenants.service import tenant_profile
from core.timeline.models import Activity
from core.timeline.service import ActivityDraft, record_activity

ENCODE_JOB: Final = "calls.encode_recording"
CALL_ID_CHARACTERS: Final = 255
WRITERS_PAUSE: Final = timedelta(seconds=1)
"""The engine finishes its files on a thread of its own."""

SUMMARIES: Final[Mapping[Cause, Message]] = {
    Cause.NO_ANSWER: _("Call without an answer"),
    Cause.ENGAGED: _("Call, engaged"),
    Cause.REJECTED: _("Call, rejected"),
    Cause.CANCELLED: _("Call, given up before an answer"),
    Cause.UNREACHABLE: _("Call, nobody reachable"),
    Cause.FORBIDDEN: _("Call, not allowed"),
    Cause.NOT_FOUND: _("Call, no such number"),
    Cause.CRASHED: _("Call, broken off by a fault"),
    Cause.FAILED: _("Call, failed"),
}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingCall:
    """An INVITE as the edge let it through: from one of the tenant's devices, or from its trunk.

    ``caller`` is the number that a trunk gives. ``worker`` names the process that carries the call.
    """

    dialled: str
    worker: str
    sip_call_id: str
    at: datetime
    device_id: int | None = None
    trunk_id: int | None = None
    caller: str = ""


@dataclass(frozen=True, slots=True)
class BegunCall:
    """A call that is written down, and what is to ring. A refused one has ended already."""

    call_id: int
    plan: RingPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a call ended."""

    cause: Cause
    ended_by: EndedBy
    at: datetime
    sip_status: int


def begin_call(work: Work, incoming: IncomingCall) -> BegunCall:
    """Decide what rings and write the call down, with an activity of its customer if exactly one has the number.

    Raises ``Forbidden`` for a device that is not the tenant's.
    """
    if (incoming.device_id is None) == (incoming.trunk_id is None):
        raise Forbidden
    if incoming.device_id is not None:
        plan = plan_from_device(work, incoming.device_id, incoming.dialled)
    else:
        plan = plan_from_trunk(work, incoming.dialled, incoming.caller)
    call = Call(
        direction=plan.direction,
        from_number=plan.from_number,
        to_number=plan.to_number,
        activity_id=_record_activity(work, plan, incoming.at),
        line_id=plan.line_id,
        caller_line_id=plan.caller_line_id,
        state="ringing",
        started_at=incoming.at,
        worker=incoming.worker,
        sip_call_id=incoming.sip_call_id[:CALL_ID_CHARACTERS],
    )
    work.session.add(call)
    work.session.flush()
    _add_event(work, call, "began", incoming.at, device_id=incoming.device_id, legs=len(plan.legs))
    if plan.refusal is None:
        _tell(work, call)
    else:
        answer = answer_for(plan.refusal)
        _end(work, call, Ending(cause=plan.refusal, ended_by=EndedBy.SYSTEM, at=incoming.at, sip_status=answer))
    return BegunCall(call.id, plan)


def note_ringing(work: Work, call_id: int, device_id: int | None, *, at: datetime) -> None:
    """A device rings."""
    if call := _live(work, call_id):
        _add_event(work, call, "ringing", at, device_id=device_id)


def note_leg_ended(
    work: Work, call_id: int, device_id: int | None, *, cause: Cause, sip_status: int, at: datetime
) -> None:
    """A device stopped ringing without having been the one that answered."""
    if call := _live(work, call_id):
        _add_event(work, call, "leg_ended", at, device_id=device_id, cause=cause.value, sip_status=sip_status)


def note_answered(work: Work, call_id: int, device_id: int | None, *, at: datetime, stem: str | None = None) -> None:
    """Somebody answered on this device; from now on the sound goes into two files named after ``stem``."""
    call = _live(work, call_id)
    if call is None or call.state != "ringing":
        return
    call.state, call.answered_at = "answered", at
    _add_event(work, call, "answered", at, device_id=device_id)
    if stem is not None:
        work.session.add(Recording(call_id=call_id, stem=stem))
        _add_event(work, call, "recorded", at)
    _tell(work, call)


def end_call(work: Work, call_id: int, ending: Ending) -> None:
    """The call is over; its recording is encoded next. Emits ``CallEnded``."""
    if call := _live(work, call_id):
        _end(work, call, ending)


def close_crashed(work: Work, worker: str, *, before: datetime) -> list[int]:
    """Close the calls that ``worker`` carried when it died, keeping their recordings; answers their ids."""
    query = select(Call).where(Call.worker == worker, Call.state != "ended", Call.started_at < before)
    calls = work.session.scalars(query.with_for_update()).all()
    for call in calls:
        ending = Ending(
            cause=Cause.CRASHED, ended_by=EndedBy.SYSTEM, at=clock.now(), sip_status=answer_for(Cause.CRASHED)
        )
        _end(work, call, ending)
    return [call.id for call in calls]


def pair_call(work: Work, call_id: int, contact_id: int) -> None:
    """Make the contact the customer of the call. Raises ``NotFound``."""
    work.actor.require(Permission.CALLS_MAKE)
    call, contact = work.session.get(Call, call_id), work.session.get(Contact, contact_id)
    activity = work.session.get(Activity, call.activity_id, with_for_update=True) if call else None
    if call is None or activity is None or contact is None:
        raise NotFound
    before = {"contact_id": activity.contact_id}
    activity.contact_id, activity.company_id = contact.id, contact.company_id
    record_change(work, "call", call_id, before=before, after={"contact_id": contact.id})
    _tell(work, call)
    if before["contact_id"]:
        tell(work, "contact", [before["contact_id"]])


def _record_activity(work: Work, plan: RingPlan, at: datetime) -> int:
    outside = {"in": plan.from_number, "out": plan.to_number}.get(plan.direction, "")
    owner = owner_of(work, outside)
    draft = ActivityDraft(
        kind="call",
        direction={"in": "in", "out": "out"}.get(plan.direction, "none"),
        summary=translate(_("Call"), tenant_profile(work).locale),
        occurred_at=at,
        contact_id=owner.contact_id,
        company_id=owner.company_id,
        user_id=plan.user_id,
    )
    return record_activity(work, draft)


def _live(work: Work, call_id: int) -> Call | None:
    """The call, locked, unless it has ended."""
    call = work.session.get(Call, call_id, with_for_update=True, populate_existing=True)
    if call is None or call.state == "ended":
        log.info("call_fact_too_late", call_id=call_id)
        return None
    return call


def _end(work: Work, call: Call, ending: Ending) -> None:
    call.state, call.ended_at = "ended", max(ending.at, call.answered_at or ending.at)
    call.cause, call.ended_by, call.sip_status = ending.cause.value, ending.ended_by.value, ending.sip_status
    _add_event(work, call, "ended", ending.at, cause=call.cause, ended_by=call.ended_by, sip_status=ending.sip_status)
    _summarise(work, call, ending)
    recorded = update(Recording).where(Recording.call_id == call.id, Recording.state == "recording")
    for recording_id in work.session.scalars(recorded.values(state="encoding").returning(Recording.id)):
        enqueue(work, ENCODE_JOB, {"recording_id": recording_id}, due_at=clock.now() + WRITERS_PAUSE)
    emit(work, CallEnded(call.id))
    _tell(work, call)


def _summarise(work: Work, call: Call, ending: Ending) -> None:
    summary = SUMMARIES.get(ending.cause)
    if summary is None:
        spoken_s = round((ending.at - (call.answered_at or ending.at)).total_seconds())
        summary = _("Call, %(minutes)d:%(seconds)s min", minutes=spoken_s // 60, seconds=f"{spoken_s % 60:02d}")
    words = translate(summary, tenant_profile(work).locale)
    work.session.execute(update(Activity).where(Activity.id == call.activity_id).values(summary=words))


def _add_event(
    work: Work, call: Call, kind: str, at: datetime, *, device_id: int | None = None, **detail: str | int
) -> None:
    row = {"call_id": call.id, "at": at, "kind": kind, "device_id": device_id, "detail": detail}
    work.session.execute(insert(CallEvent), row)


def _tell(work: Work, call: Call) -> None:
    """Wake those who look at the call or at its customer, and those whose line takes part (``my-call``)."""
    lines = [line_id for line_id in (call.line_id, call.caller_line_id) if line_id]
    users = select(func.array_agg(PhoneLine.user_id)).where(PhoneLine.id.in_(lines)).scalar_subquery()
    contact = select(Activity.contact_id).where(Activity.id == call.activity_id).scalar_subquery()
    user_ids, contact_id = work.session.execute(select(users, contact)).one()
    topics = {"call": [call.id]}
    if user_ids:
        topics["my-call"] = user_ids
    if contact_id:
        topics["contact"] = [contact_id]
    tell_several(work, topics)

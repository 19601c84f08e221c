"""Questions about calls, answered in frozen dataclasses: the log, one call, what rings for whom, its sound."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, and_, false, or_, select, tuple_
from sqlalchemy.orm import aliased

from core.calls.models import Call, CallEvent, Device, PhoneLine, Recording
from core.calls.people import ContactMatch, contacts_at
from core.calls.recordings import PEAKS
from core.directory.models import Company, Contact
from core.directory.phones import NotANumber, as_e164
from core.directory.queries import CONTACTS
from core.foundation.blobs import BlobId, read_blob
from core.foundation.errors import Forbidden, NotFound
from core.foundation.permissions import Permission
from core.foundation.read_log import How, record_read
from core.foundation.search import is_in_matches
from core.foundation.unit_of_work import Work
from core.identity.models import UserAccount
from core.tenants.service import tenant_profile
from core.timeline.models import Activity

PAGE: Final = 50
PART_OF_NUMBER: Final = re.compile(r"[+ ()/.-]*(?:[0-9][+ ()/.-]*){2,20}")
LIVE_CARDS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilters:
    """What a log is narrowed to. ``outcome`` is ``answered`` or ``missed``; ``number`` in E.164 or a line's.

    ``search`` is typed by people: a number as it is dialled here, a part of at least three digits, or a contact's name.
    """

    direction: str = ""
    outcome: str = ""
    user_id: int | None = None
    contact_id: int | None = None
    number: str = ""
    search: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRow:
    """One call as a line.

    ``user_name`` has the line that was called, of a call to the outside the one that calls; ``caller_user_name`` the
    line that calls. A contact that the actor cannot see is None. ``recording_state`` is None without a recording.
    """

    id: int
    direction: str
    from_number: str
    to_number: str
    state: str
    cause: str | None
    ended_by: str | None
    sip_status: int | None
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    line_number: str | None
    user_name: str | None
    caller_line_number: str | None
    caller_user_id: int | None
    caller_user_name: str | None
    activity_id: int
    contact_id: int | None
    contact_name: str | None
    company_id: int | None
    company_name: str | None
    ticket_id: int | None
    recording_state: str | None

    @property
    def outside_number(self) -> str:
        """The number outside that took part; empty for a call inside, or one that hides it."""
        return {"in": self.from_number, "out": self.to_number}.get(self.direction, "")

    @property
    def spoken_s(self) -> int:
        """How long they spoke, in seconds; 0 while they still do."""
        if self.answered_at is None or self.ended_at is None:
            return 0
        return round((self.ended_at - self.answered_at).total_seconds())


@dataclass(frozen=True, slots=True)
class CallPage:
    """A page of the log, newest first; ``after`` continues it."""

    rows: Sequence[CallRow]
    after: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEventRow:
    """One thing that happened; ``device_name`` is None for a device that is gone or a number outside."""

    at: datetime
    kind: str
    device_id: int | None
    device_name: str | None
    cause: str | None
    sip_status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingView:
    """A recording as the player shows it. ``caller_peaks`` and ``callee_peaks`` are values from 0 to 255."""

    state: str
    duration_ms: int
    caller_peaks: Sequence[int]
    callee_peaks: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallDetail:
    """A call with everything that its page shows."""

    call: CallRow
    events: Sequence[CallEventRow]
    recording: RecordingView | None
    matches: Sequence[ContactMatch]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCard:
    """A call that rings for somebody or that they are in.

    ``direction`` is ``in``, ``out`` or ``internal``; ``is_calling`` says that they made it. ``number`` is the other
    side's, empty if it hides it; ``colleague`` their name in a call inside.
    """

    call_id: int
    direction: str
    is_calling: bool
    number: str
    colleague: str | None
    contact_id: int | None
    ticket_id: int | None
    matches: Sequence[ContactMatch]
    state: str
    started_at: datetime
    answered_at: datetime | None
    line_number: str


def call_log(
    work: Work, filters: CallFilters | None = None, *, after: int | None = None, limit: int = PAGE
) -> CallPage:
    """A page of the calls that the actor sees; ``after`` is the last page's last id."""
    work.actor.require(Permission.CALLS_READ)
    query = _rows().where(*_conditions(work, filters or CallFilters())).order_by(Call.started_at.desc(), Call.id.desc())
    if after is not None:
        last = select(Call.started_at, Call.id).where(Call.id == after).subquery()
        query = query.where(tuple_(Call.started_at, Call.id) < select(last.c.started_at, last.c.id).scalar_subquery())
    found = [_row(row) for row in work.session.execute(query.limit(limit + 1)).mappings()]
    shown = found[:limit]
    record_read(work, "call", [row.id for row in shown], how=How.LIST)
    return CallPage(shown, shown[-1].id if len(found) > limit else None)


def calls_of_activities(work: Work, activity_ids: Sequence[int]) -> dict[int, CallRow]:
    """The calls behind activities that the actor was shown, by the activity's id."""
    if not activity_ids or not work.actor.may(Permission.CALLS_READ):
        return {}
    query = _rows().where(Call.activity_id.in_(activity_ids))
    return {row["activity_id"]: _row(row) for row in work.session.execute(query).mappings()}


def calls_of_ticket(work: Work, ticket_id: int) -> list[CallRow]:
    """The calls of a ticket, the oldest first."""
    if not work.actor.may(Permission.CALLS_READ):
        return []
    query = _rows().where(Activity.ticket_id == ticket_id).order_by(Call.started_at, Call.id)
    found = [_row(row) for row in work.session.execute(query).mappings()]
    record_read(work, "call", [row.id for row in found], how=How.LIST)
    return found


def call_detail(work: Work, call_id: int) -> CallDetail:
    """One call; raises ``NotFound``."""
    work.actor.require(Permission.CALLS_READ)
    found = work.session.execute(_rows().where(Call.id == call_id)).mappings().one_or_none()
    if found is None:
        raise NotFound
    row = _row(found)
    record_read(work, "call", [call_id], how=How.DETAIL)
    recording = work.session.scalar(select(Recording).where(Recording.call_id == call_id))
    return CallDetail(
        call=row,
        events=_events(work, call_id),
        recording=_recording_view(recording) if recording else None,
        matches=contacts_at(work, row.outside_number, paired=row.contact_id),
    )


def ringing_for(work: Work, user_id: int) -> list[CallCard]:
    """What rings for the user, or what they are in, newest first. Only one's own: the matches are the actor's."""
    work.actor.require(Permission.CALLS_READ)
    if user_id != work.actor.user_id:
        raise Forbidden
    called, calling = aliased(PhoneLine), aliased(PhoneLine)
    called_user, calling_user = aliased(UserAccount), aliased(UserAccount)
    query = (
        select(
            Call,
            called.number.label("called_number"),
            called_user.name.label("called_name"),
            calling.number.label("calling_number"),
            calling.user_id.label("calling_user_id"),
            calling_user.name.label("calling_name"),
            Activity.contact_id,
            Activity.ticket_id,
        )
        .outerjoin(called, called.id == Call.line_id)
        .outerjoin(calling, calling.id == Call.caller_line_id)
        .outerjoin(called_user, called_user.id == called.user_id)
        .outerjoin(calling_user, calling_user.id == calling.user_id)
        .outerjoin(Activity, Activity.id == Call.activity_id)
        .where(Call.state != "ended", or_(called.user_id == user_id, calling.user_id == user_id))
        .order_by(Call.started_at.desc(), Call.id.desc())
        .limit(LIVE_CARDS)
    )
    return [_card(work, row, user_id) for row in work.session.execute(query)]


def recording_stream(work: Work, call_id: int) -> bytes:
    """The call's sound, Opus in Ogg; raises ``NotFound`` if there is none, or not for the actor."""
    work.actor.require(Permission.RECORDINGS_PLAY)
    query = select(Recording).join(Call, Call.id == Recording.call_id).where(Call.id == call_id)
    recording = work.session.scalar(query.where(Recording.state == "ready"))
    if recording is None or recording.blob_id is None:
        raise NotFound
    record_read(work, "recording", [call_id], how=How.DETAIL)
    return read_blob(work, BlobId(recording.blob_id))


def _rows() -> Any:
    called, calling = aliased(PhoneLine), aliased(PhoneLine)
    called_user, calling_user = aliased(UserAccount), aliased(UserAccount)
    return (
        select(
            Call,
            called.number.label("line_number"),
            called_user.name.label("user_name"),
            calling.number.label("caller_line_number"),
            calling.user_id.label("caller_user_id"),
            calling_user.name.label("caller_user_name"),
            Call.activity_id.label("activity_id"),
            Activity.ticket_id.label("ticket_id"),
            Contact.id.label("contact_id"),
            Contact.name.label("contact_name"),
            Company.id.label("company_id"),
            Company.name.label("company_name"),
            Recording.state.label("recording_state"),
        )
        .outerjoin(called, called.id == Call.line_id)
        .outerjoin(calling, calling.id == Call.caller_line_id)
        .outerjoin(called_user, called_user.id == called.user_id)
        .outerjoin(calling_user, calling_user.id == calling.user_id)
        .outerjoin(Activity, Activity.id == Call.activity_id)
        .outerjoin(Contact, Contact.id == Activity.contact_id)
        .outerjoin(Company, Company.id == Activity.company_id)
        .outerjoin(Recording, Recording.call_id == Call.id)
    )


def _row(row: RowMapping) -> CallRow:
    call: Call = row["Call"]
    return CallRow(
        id=call.id,
        direction=call.direction,
        from_number=call.from_number,
        to_number=call.to_number,
        state=call.state,
        cause=call.cause,
        ended_by=call.ended_by,
        sip_status=call.sip_status,
        started_at=call.started_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        **{name: value for name, value in row.items() if name != "Call"},
    )


def _conditions(work: Work, filters: CallFilters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.direction:
        conditions.append(Call.direction == filters.direction)
    if filters.outcome == "answered":
        conditions.append(Call.answered_at.is_not(None))
    if filters.outcome == "missed":
        conditions.append(and_(Call.answered_at.is_(None), Call.state == "ended"))
    if filters.user_id is not None:
        lines = select(PhoneLine.id).where(PhoneLine.user_id == filters.user_id)
        conditions.append(or_(Call.line_id.in_(lines), Call.caller_line_id.in_(lines)))
    if filters.contact_id is not None:
        conditions.append(Activity.contact_id == filters.contact_id)
    if filters.number:
        conditions.append(or_(Call.from_number == filters.number, Call.to_number == filters.number))
    if filters.search:
        conditions.append(or_(_has_digits(work, filters.search), _is_with(work, filters.search)))
    return conditions


def _has_digits(work: Work, typed: str) -> ColumnElement[bool]:
    """Calls with a number that holds the digits; national and international writing find the same."""
    if not PART_OF_NUMBER.fullmatch(typed):
        return false()
    digits = "".join(sign for sign in typed if sign.isdigit())
    try:
        number = as_e164(typed, tenant_profile(work).country)
        return or_(Call.from_number == number, Call.to_number == number)
    except NotANumber:
        return or_(Call.from_number.contains(digits), Call.to_number.contains(digits))


def _is_with(work: Work, words: str) -> ColumnElement[bool]:
    """Calls with a contact whom the words find."""
    if not work.actor.may(Permission.CONTACTS_READ):
        return false()
    return is_in_matches(Contact.id, CONTACTS, words)


def _events(work: Work, call_id: int) -> list[CallEventRow]:
    query = (
        select(CallEvent, Device.name)
        .outerjoin(Device, Device.id == CallEvent.device_id)
        .where(CallEvent.call_id == call_id)
        .order_by(CallEvent.at, CallEvent.id)
    )
    return [
        CallEventRow(
            at=event.at,
            kind=event.kind,
            device_id=event.device_id,
            device_name=name,
            cause=event.detail.get("cause"),
            sip_status=event.detail.get("sip_status"),
        )
        for event, name in work.session.execute(query)
    ]


def _recording_view(recording: Recording) -> RecordingView:
    return RecordingView(
        state=recording.state,
        duration_ms=recording.duration_ms,
        caller_peaks=tuple(recording.peaks[:PEAKS]),
        callee_peaks=tuple(recording.peaks[PEAKS:]),
    )


def _card(work: Work, row: Any, user_id: int) -> CallCard:
    call: Call = row.Call
    is_calling = row.calling_user_id == user_id
    number = call.to_number if is_calling else call.from_number
    is_inside = call.direction == "internal"
    colleague = row.called_name if is_calling else row.calling_name
    return CallCard(
        call_id=call.id,
        direction=call.direction,
        is_calling=is_calling,
        number=number,
        colleague=colleague if is_inside else None,
        contact_id=row.contact_id,
        ticket_id=row.ticket_id,
        matches=() if is_inside else contacts_at(work, number, paired=row.contact_id),
        state=call.state,
        started_at=call.started_at,
        answered_at=call.answered_at,
        line_number=(row.calling_number if is_calling else row.called_number) or "",
    )

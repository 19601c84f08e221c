"""Calls from beginning to end: what is written down, who it belongs to, what is shown before answering."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from core.calls.causes import Cause, EndedBy
from core.calls.models import Call, CallEvent, Recording
from core.calls.queries import CallFilters, call_detail, call_log, recording_stream, ringing_for
from core.calls.service import (
    Ending,
    IncomingCall,
    begin_call,
    close_crashed,
    end_call,
    note_answered,
    note_leg_ended,
    note_ringing,
    pair_call,
)
from core.directory.drafts import ContactDraft, Reachable
from core.directory.service import create_contact
from core.foundation import clock
from core.foundation.errors import Forbidden, NotFound
from core.foundation.jobs import Job
from core.foundation.unit_of_work import Work
from core.timeline.models import Activity
from core.timeline.queries import activities_of_contact
from tests.conftest import WorkAs
from tests.support.cast import Cast
from tests.support.telephony import (
    BORIS_OUTSIDE,
    OUTSIDE,
    Telephony,
    call_from_line,
    call_from_outside,
    set_up,
)


@pytest.fixture
def telephony(work_as: WorkAs, cast: Cast) -> Telephony:
    with work_as("system") as work:
        return set_up(work, cast.demo)


def contact(work: Work, database_id: int, name: str = "Jana Malá", number: str = OUTSIDE) -> int:
    return create_contact(work, ContactDraft(name=name, database_id=database_id, phones=(Reachable(number),)))


def ending(cause: Cause = Cause.ANSWERED, ended_by: EndedBy = EndedBy.CALLER, sip_status: int = 200) -> Ending:
    return Ending(cause=cause, ended_by=ended_by, at=clock.now(), sip_status=sip_status)


def test_a_call_from_outside_is_an_activity_of_the_one_contact_with_the_number(
    work_as: WorkAs, cast: Cast, telephony: Telephony
) -> None:
    with work_as("system") as work:
        jana = contact(work, cast.demo.open_database)
        begun = call_from_outside(work, telephony)
    with work_as("boris") as work:
        [entry] = activities_of_contact(work, jana)
        detail = call_detail(work, begun.call_id)
    assert (entry.kind, entry.direction) == ("call", "in")
    assert (detail.call.contact_name, detail.call.from_number, detail.call.to_number) == (
        "Jana Malá",
        OUTSIDE,
        BORIS_OUTSIDE,
    )
    assert [leg.device_id for leg in begun.plan.legs] == [telephony.phones["101"].id]


def test_several_contacts_with_the_number_stay_several(work_as: WorkAs, cast: Cast, telephony: Telephony) -> None:
    with work_as("system") as work:
        ids = {contact(work, cast.demo.open_database, name) for name in ("Jana Malá", "Petr Malý")}
        begun = call_from_outside(work, telephony)
    with work_as("boris") as work:
        [card] = ringing_for(work, cast.demo.users["boris"])
        assert {match.id for match in card.matches} == ids
        assert card.contact_id is None
        pair_call(work, begun.call_id, min(ids))
    with work_as("boris") as work:
        assert call_detail(work, begun.call_id).call.contact_id == min(ids)


def test_a_number_that_nobody_has_matches_nobody(work_as: WorkAs, cast: Cast, telephony: Telephony) -> None:
    with work_as("system") as work:
        contact(work, cast.demo.open_database, number="+420601123457")
        call_from_outside(work, telephony)
    with work_as("boris") as work:
        [card] = ringing_for(work, cast.demo.users["boris"])
    assert (card.number, list(card.matches), card.contact_id) == (OUTSIDE, [], None)


@pytest.mark.attack(57)
def test_whoever_may_not_see_the_contact_sees_the_number_only(
    work_as: WorkAs, cast: Cast, telephony: Telephony
) -> None:
    with work_as("system") as work:
        hidden = contact(work, cast.demo.closed_database, "Chief")
        begun = call_from_outside(work, telephony)
    with work_as("boris") as work:
        [card] = ringing_for(work, cast.demo.users["boris"])
        detail = call_detail(work, begun.call_id)
        [row] = call_log(work).rows
        with pytest.raises(NotFound):
            pair_call(work, begun.call_id, hidden)
    assert (card.number, list(card.matches), card.contact_id) == (OUTSIDE, [], None)
    assert (detail.call.contact_name, list(detail.matches), row.contact_name) == (None, [], None)
    with work_as("anna") as work:
        assert call_detail(work, begun.call_id).call.contact_name == "Chief"


def test_nobody_asks_what_rings_for_somebody_else(work_as: WorkAs, cast: Cast, telephony: Telephony) -> None:
    with work_as("anna") as work, pytest.raises(Forbidden):
        ringing_for(work, cast.demo.users["boris"])


def test_events_tell_the_whole_call(work_as: WorkAs, telephony: Telephony) -> None:
    with work_as("system") as work:
        call_id = call_from_line(work, telephony, "102").call_id
        phone = telephony.phones["102"].id
        note_ringing(work, call_id, phone, at=clock.now())
        note_answered(work, call_id, phone, at=clock.now())
        end_call(work, call_id, ending(ended_by=EndedBy.CALLEE))
    with work_as("anna") as work:
        detail = call_detail(work, call_id)
    assert [event.kind for event in detail.events] == ["began", "ringing", "answered", "ended"]
    assert (detail.call.state, detail.call.cause, detail.call.ended_by) == ("ended", "answered", "callee")
    assert (detail.call.caller_line_number, detail.call.line_number) == ("101", "102")


def test_what_comes_after_the_end_changes_nothing(work_as: WorkAs, telephony: Telephony) -> None:
    with work_as("system") as work:
        call_id = call_from_line(work, telephony, "102").call_id
        end_call(work, call_id, ending(Cause.CANCELLED, sip_status=487))
        note_answered(work, call_id, None, at=clock.now())
        end_call(work, call_id, ending())
        call = work.session.get_one(Call, call_id)
        assert (call.cause, call.answered_at) == ("cancelled", None)
        kinds = work.session.scalars(select(CallEvent.kind).where(CallEvent.call_id == call_id)).all()
    assert sorted(kinds) == ["began", "ended"]


def test_the_summary_says_what_became_of_it(work_as: WorkAs, telephony: Telephony) -> None:
    with work_as("system") as work:
        call_id = call_from_line(work, telephony, "102").call_id
        start = clock.now()
        note_answered(work, call_id, None, at=start)
        end = Ending(cause=Cause.ANSWERED, ended_by=EndedBy.CALLER, at=start + timedelta(seconds=125), sip_status=200)
        end_call(work, call_id, end)
        call = work.session.get_one(Call, call_id)
        assert work.session.get_one(Activity, call.activity_id).summary == "Call, 2:05 min"


def test_a_refused_call_is_over_at_once(work_as: WorkAs, telephony: Telephony) -> None:
    with work_as("system") as work:
        begun = call_from_line(work, telephony, "777")
        call = work.session.get_one(Call, begun.call_id)
        assert (begun.plan.refusal, call.state, call.cause, call.sip_status) == (
            Cause.NOT_FOUND,
            "ended",
            "not_found",
            404,
        )


@pytest.mark.attack(48)
def test_a_device_of_another_company_makes_no_call(work_as: WorkAs, cast: Cast, telephony: Telephony) -> None:
    incoming = IncomingCall(
        dialled="102", device_id=telephony.phones["101"].id, worker="gateway-0", sip_call_id="x", at=clock.now()
    )
    with work_as("other system") as work, pytest.raises(Forbidden):
        begin_call(work, incoming)


def test_the_same_line_in_two_companies_never_crosses(work_as: WorkAs, cast: Cast, telephony: Telephony) -> None:
    with work_as("other system") as work:
        theirs = set_up(work, cast.other, number="+420224811201")
        begun = call_from_line(work, theirs, "102")
    assert [leg.device_id for leg in begun.plan.legs] == [theirs.phones["102"].id]
    with work_as("anna") as work:
        assert call_log(work).rows == []
        with pytest.raises(NotFound):
            call_detail(work, begun.call_id)


def test_ones_own_number_from_outside_leads_inside(work_as: WorkAs, telephony: Telephony) -> None:
    with work_as("system") as work:
        begun = call_from_line(work, telephony, BORIS_OUTSIDE, line="102")
    assert (begun.plan.direction, begun.plan.legs[0].device_id) == ("internal", telephony.phones["101"].id)


def test_a_call_inside_is_seen_by_both_and_by_nobody_else(work_as: WorkAs, cast: Cast, telephony: Telephony) -> None:
    with work_as("system") as work:
        begun = call_from_line(work, telephony, "102", line="103")
    with work_as("vera") as work:
        [card] = ringing_for(work, cast.demo.users["vera"])
    assert (card.is_calling, card.number, card.colleague) == (True, "102", "Anna Nováková")
    with work_as("anna") as work:
        [card] = ringing_for(work, cast.demo.users["anna"])
    assert (card.is_calling, card.number, card.colleague) == (False, "103", "Vera Nováková")
    with work_as("boris") as work, pytest.raises(NotFound):
        call_detail(work, begun.call_id)


def test_the_log_is_narrowed(work_as: WorkAs, cast: Cast, telephony: Telephony) -> None:
    with work_as("system") as work:
        missed = call_from_outside(work, telephony).call_id
        note_leg_ended(work, missed, None, cause=Cause.ENGAGED, sip_status=486, at=clock.now())
        end_call(work, missed, ending(Cause.ENGAGED, EndedBy.CALLEE, 486))
        spoken = call_from_line(work, telephony, "102").call_id
        note_answered(work, spoken, None, at=clock.now())
    with work_as("anna") as work:

        def ids(**filters: object) -> list[int]:
            return [row.id for row in call_log(work, CallFilters(**filters)).rows]  # type: ignore[arg-type]

        assert ids() == [spoken, missed]
        assert ids(outcome="missed") == [missed]
        assert ids(outcome="answered") == [spoken]
        assert ids(direction="in") == [missed]
        assert ids(search="601 123 456") == [missed]
        assert ids(search="nobody") == []
        assert ids(user_id=cast.demo.users["anna"]) == [spoken]


def test_the_log_continues_after_a_page(work_as: WorkAs, telephony: Telephony) -> None:
    with work_as("system") as work:
        made = [call_from_outside(work, telephony).call_id for _number in range(53)]
    with work_as("anna") as work:
        first = call_log(work)
        second = call_log(work, after=first.after)
    assert [row.id for row in (*first.rows, *second.rows)] == made[::-1]
    assert (len(first.rows), second.after) == (50, None)


def test_a_dead_workers_calls_are_closed_and_their_recordings_kept(work_as: WorkAs, telephony: Telephony) -> None:
    with work_as("system") as work:
        call_id = call_from_line(work, telephony, "102").call_id
        note_answered(work, call_id, None, at=clock.now(), stem="stem")
        later = clock.now() + timedelta(seconds=1)
        assert close_crashed(work, "gateway-1", before=later) == []
        assert close_crashed(work, "gateway-0", before=later) == [call_id]
        call = work.session.get_one(Call, call_id)
        recording = work.session.scalars(select(Recording)).one()
        job = work.session.scalars(select(Job).where(Job.name == "calls.encode_recording")).one()
    assert (call.cause, call.ended_by, recording.state) == ("crashed", "system", "encoding")
    assert job.arguments == {"recording_id": recording.id}


def test_events_can_neither_be_changed_nor_removed(work_as: WorkAs, telephony: Telephony) -> None:
    with work_as("system") as work:
        call_from_line(work, telephony, "102")
        for statement in ("update call_event set kind = 'ended'", "delete from call_event"):
            with pytest.raises(ProgrammingError, match="permission denied"), work.session.begin_nested():
                work.session.execute(text(statement))


@pytest.mark.attack(51)
@pytest.mark.parametrize(("name", "error"), [("vera", Forbidden), ("oleg", NotFound)])
def test_a_recording_is_played_to_the_entitled_only(
    work_as: WorkAs, telephony: Telephony, name: str, error: type[Exception]
) -> None:
    with work_as("system") as work:
        call_id = call_from_line(work, telephony, "102", line="103").call_id
        work.session.add(Recording(call_id=call_id, stem="stem"))
    with work_as(name) as work, pytest.raises(error):
        recording_stream(work, call_id)

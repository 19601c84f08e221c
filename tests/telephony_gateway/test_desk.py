"""Writing calls down beside the wire: plans come back, facts stay in order, a database that is away stops nobody."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Never

import pytest
from sqlalchemy.exc import OperationalError

from core.calls.causes import Cause, EndedBy
from core.calls.queries import call_detail
from core.calls.service import note_answered
from core.foundation import clock
from core.foundation.actor import Door, system_actor
from core.foundation.unit_of_work import unit_of_work
from telephony_gateway import desk as desk_module
from telephony_gateway.desk import Desk, Planned
from telephony_gateway.signals import Invite
from tests.support.cast import Cast
from tests.support.telephony import Telephony, set_up
from tests.support.waiting import wait_until


@pytest.fixture
def telephony(committed: Cast) -> Telephony:
    with unit_of_work(system_actor(committed.demo.tenant_id, door=Door.SETUP)) as work:
        return set_up(work, committed.demo)


@pytest.fixture
def desk(committed: Cast) -> Iterator[Desk]:
    desk = Desk("gateway-0")
    yield desk
    desk.close(5)


def invite(cast: Cast, telephony: Telephony) -> Invite:
    return Invite(
        tenant_id=cast.demo.tenant_id,
        device_id=telephony.phones["101"].id,
        dialled="102",
        caller="101",
        sip_call_id="x",
    )


def plan_for(desk: Desk, asked: Invite, *, caller: int = 1) -> Planned:
    desk.begin(caller, asked, at=clock.now())
    return wait_until(desk.fetch)[0]


def test_a_plan_comes_back(committed: Cast, telephony: Telephony, desk: Desk) -> None:
    planned = plan_for(desk, invite(committed, telephony))
    assert planned.plan is not None
    assert [leg.device_id for leg in planned.plan.legs] == [telephony.phones["102"].id]
    assert desk.waiting == 0


@pytest.mark.parametrize("change", [{"tenant_id": 999_999}, {"device_id": 999_999}])
def test_who_is_not_of_the_company_is_refused(
    committed: Cast, telephony: Telephony, desk: Desk, change: dict[str, int]
) -> None:
    planned = plan_for(desk, replace(invite(committed, telephony), **change))  # type: ignore[arg-type]  # ids only
    assert (planned.plan, planned.is_forbidden) == (None, True)


def test_facts_are_written_in_their_order(committed: Cast, telephony: Telephony, desk: Desk) -> None:
    planned = plan_for(desk, invite(committed, telephony))
    device = telephony.phones["102"].id
    desk.ringing(1, device, at=clock.now())
    desk.answered(1, device, None, at=clock.now())
    desk.ended(1, Cause.ANSWERED, EndedBy.CALLEE, 200, at=clock.now())
    desk.forget(1)
    desk.close(5)
    with unit_of_work(committed.actor("anna")) as work:
        detail = call_detail(work, planned.call_id)
    assert [event.kind for event in detail.events] == ["began", "ringing", "answered", "ended"]
    assert detail.call.cause == "answered"


def test_a_database_that_is_away_refuses_new_calls_at_once(
    committed: Cast, telephony: Telephony, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_arguments: object) -> Never:
        raise OperationalError("", None, Exception())

    monkeypatch.setattr(desk_module, "begin_call", away)
    planned = plan_for(desk, invite(committed, telephony))
    assert (planned.plan, planned.is_forbidden) == (None, False)


def test_a_fact_waits_for_the_database(
    committed: Cast, telephony: Telephony, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = plan_for(desk, invite(committed, telephony))
    attempts: list[int] = []

    def away_at_first(*arguments: object, **more: object) -> None:
        attempts.append(1)
        if len(attempts) == 1:
            raise OperationalError("", None, Exception())
        note_answered(*arguments, **more)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(desk_module, "PAUSE_S", 0.01)
    monkeypatch.setattr(desk_module, "note_answered", away_at_first)
    desk.answered(1, None, None, at=clock.now())
    desk.close(5)
    with unit_of_work(committed.actor("anna")) as work:
        assert call_detail(work, planned.call_id).call.state == "answered"


def test_a_successor_closes_what_its_predecessor_left(committed: Cast, telephony: Telephony, desk: Desk) -> None:
    planned = plan_for(desk, invite(committed, telephony))
    successor = Desk("gateway-0")
    successor.close_predecessors(before=clock.now())
    successor.close(5)
    with unit_of_work(committed.actor("anna")) as work:
        assert call_detail(work, planned.call_id).call.cause == "crashed"

"""Calls between real phones, through a real edge and a real engine: sound, causes, trunks, two companies, a crash."""

import json
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager

import psycopg
import pytest

from core.calls.jobs import encode_recording
from core.calls.lines import DeviceDraft, NewDevice, add_device, change_device
from core.calls.models import Recording
from core.calls.queries import recording_stream, ringing_for
from core.foundation.actor import Door, system_actor
from core.foundation.live import CHANNEL
from core.foundation.settings import settings
from core.foundation.unit_of_work import unit_of_work
from tests.support.baresip import Baresip, baresip
from tests.support.edge import DEMO, OTHER, phone
from tests.support.gateway import OTHER_NUMBER, Gateway
from tests.support.ringing import ringing
from tests.support.sip import Message, Phone, Worker, answer_to
from tests.support.sound import channels_of, share_with_tone
from tests.support.telephony import BORIS_OUTSIDE, OUTSIDE, PROVIDER, PROVIDER_PORT
from tests.support.waiting import wait_until

LOW_HZ, HIGH_HZ = 440, 1000
TALK_SAMPLES = 8000 * 2
WHOLE = 0.6
"""Of what was said: a machine that tests many things at once drops some of it before it comes to us."""


def softphone(gateway: Gateway, line: str, *, tone: int) -> AbstractContextManager[Baresip]:
    device = gateway.demo.phones[line]
    return baresip(gateway.edge.port, device.sip_username, str(device.password), DEMO, tone=tone)


def handset(gateway: Gateway, device: NewDevice, domain: str = DEMO) -> Phone:
    return phone(gateway.edge, device.sip_username, str(device.password), domain)


@contextmanager
def dialling(caller: Phone, number: str) -> Iterator["Future[Message]"]:
    """A call that is under way while the block runs; its final answer."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(caller.invite, number)


def spoken(*phones: Baresip) -> None:
    """Wait until everybody heard something for two seconds."""
    wait_until(lambda: all(len(one.heard[0]) > TALK_SAMPLES for one in phones), deadline_s=20)


@pytest.mark.covers("D-FAQ-4", "D-FAQ-6", "D-FAQ-12")
def test_101_calls_102_both_hear_the_other_and_it_is_recorded(gateway: Gateway) -> None:
    with (
        softphone(gateway, "101", tone=LOW_HZ) as boris,
        softphone(gateway, "102", tone=HIGH_HZ) as anna,
    ):
        boris.do("dial", f"sip:102@{DEMO}")
        spoken(boris, anna)
        boris.do("hangup")
        call = gateway.last_call()
        heard = [(one.heard[0][TALK_SAMPLES // 2 :], one.heard[1]) for one in (boris, anna)]
    assert share_with_tone(heard[0][0], HIGH_HZ, heard[0][1]) > WHOLE
    assert share_with_tone(heard[1][0], LOW_HZ, heard[1][1]) > WHOLE
    assert (call.call.cause, call.call.ended_by) == ("answered", "caller")
    left, right, rate = recorded(gateway, call.call.id)
    assert share_with_tone(left[TALK_SAMPLES // 2 : TALK_SAMPLES], LOW_HZ, rate) > WHOLE
    assert share_with_tone(right[TALK_SAMPLES // 2 : TALK_SAMPLES], HIGH_HZ, rate) > WHOLE
    assert abs(len(left) / rate - call.call.spoken_s) < 1.5


def recorded(gateway: Gateway, call_id: int) -> tuple[list[int], list[int], int]:
    """Both channels of a call's recording, after its job."""
    actor = system_actor(gateway.cast.demo.tenant_id, door=Door.JOB)
    with unit_of_work(actor) as work:
        recording_id = work.session.query(Recording.id).filter(Recording.call_id == call_id).scalar()
    encode_recording(actor, recording_id=recording_id)
    with unit_of_work(actor) as work:
        (left, right), rate = channels_of(recording_stream(work, call_id))
    return list(left), list(right), rate


@pytest.mark.parametrize(
    ("final", "heard", "cause", "ended_by"),
    [
        (486, 486, "engaged", "callee"),
        (600, 486, "engaged", "callee"),
        (603, 603, "rejected", "callee"),
        (480, 480, "unreachable", "system"),
        (302, 603, "rejected", "callee"),
        (401, 500, "failed", "system"),
        (488, 500, "failed", "system"),
    ],
)
def test_whatever_the_phone_says_the_caller_hears_why(
    gateway: Gateway, final: int, heard: int, cause: str, ended_by: str
) -> None:
    with ringing(handset(gateway, gateway.demo.phones["102"]), final=final):
        answer = handset(gateway, gateway.demo.phones["101"]).invite("102")
    call = gateway.last_call().call
    assert (answer.status, call.cause, call.ended_by) == (heard, cause, ended_by)


def test_a_phone_that_is_switched_off_is_unreachable(gateway: Gateway) -> None:
    answer = handset(gateway, gateway.demo.phones["101"]).invite("103")
    call = gateway.last_call()
    assert (answer.status, call.call.cause, call.events[1].sip_status) == (480, "unreachable", 480)


def test_a_line_that_nobody_has_is_not_found(gateway: Gateway) -> None:
    assert handset(gateway, gateway.demo.phones["101"]).invite("777").status == 404
    assert gateway.last_call().call.cause == "not_found"


@pytest.mark.attack(48)
def test_numbers_with_extra_charges_are_refused(gateway: Gateway) -> None:
    assert handset(gateway, gateway.demo.phones["101"]).invite("906123456").status == 403
    assert gateway.last_call().call.cause == "forbidden"


@pytest.mark.covers("D-FAQ-11")
def test_a_phone_rings_as_long_as_it_was_told(gateway: Gateway) -> None:
    device = gateway.demo.phones["102"]
    draft = DeviceDraft(kind="sip", name="Desk phone", ring_time_s=5)
    with unit_of_work(gateway.cast.actor("anna")) as work:
        change_device(work, device.id, draft)
    with (
        ringing(handset(gateway, device), final=None) as rings,
        softphone(gateway, "101", tone=LOW_HZ) as boris,
    ):
        boris.do("dial", f"sip:102@{DEMO}")
        wait_until(lambda: boris.said("480 Temporarily Unavailable"))
        assert rings.cancels
    call = gateway.last_call()
    rang_s = (call.call.ended_at - call.call.started_at).total_seconds() if call.call.ended_at else 0
    assert call.call.cause == "no_answer"
    assert 4.5 < rang_s < 6.5


def test_a_caller_who_gives_up_stops_the_ringing(gateway: Gateway) -> None:
    with (
        ringing(handset(gateway, gateway.demo.phones["102"]), final=None) as rings,
        softphone(gateway, "101", tone=LOW_HZ) as boris,
    ):
        boris.do("dial", f"sip:102@{DEMO}")
        wait_until(lambda: rings.invites)
        wait_until(lambda: boris.said("180 Ringing"))
        boris.do("hangup")
        wait_until(lambda: rings.cancels)
        call = gateway.last_call().call
    assert (call.cause, call.ended_by, call.sip_status) == ("cancelled", "caller", 487)


@pytest.mark.covers("D-FAQ-11", "D-FAQ-12")
def test_the_first_answer_wins_and_the_other_phone_stops(gateway: Gateway) -> None:
    with unit_of_work(gateway.cast.actor("anna")) as work:
        second = add_device(work, gateway.demo.lines["102"], DeviceDraft(kind="sip", name="Second"))
    with (
        ringing(handset(gateway, second), final=None) as rings,
        softphone(gateway, "102", tone=HIGH_HZ) as anna,
        softphone(gateway, "101", tone=LOW_HZ) as boris,
    ):
        boris.do("dial", f"sip:102@{DEMO}")
        spoken(boris, anna)
        wait_until(lambda: rings.cancels)
        assert "completed elsewhere" in rings.cancels[0]["reason"]
        anna.do("hangup")
        call = gateway.last_call()
    assert (call.call.cause, call.call.ended_by) == ("answered", "callee")
    assert [event.device_name for event in call.events if event.kind == "answered"] == ["Desk phone"]


def provider(gateway: Gateway) -> Phone:
    return Phone(gateway.edge.port, OUTSIDE, "", PROVIDER, address=PROVIDER, port=PROVIDER_PORT)


def test_a_call_from_outside_rings_the_line_of_its_number(gateway: Gateway) -> None:
    with ringing(handset(gateway, gateway.demo.phones["101"]), final=486) as rings:
        answer = provider(gateway).invite(BORIS_OUTSIDE)
    call = gateway.last_call().call
    assert (answer.status, call.direction, call.from_number, call.line_number) == (486, "in", OUTSIDE, "101")
    assert OUTSIDE in rings.invites[0]["from"]


def test_a_call_outside_leaves_by_the_trunk_with_the_lines_number(gateway: Gateway) -> None:
    with ringing(provider(gateway), final=486, registers=False) as rings:
        answer = handset(gateway, gateway.demo.phones["101"]).invite("601123456")
    call = gateway.last_call().call
    assert (answer.status, call.direction, call.to_number, call.cause) == (486, "out", OUTSIDE, "engaged")
    assert rings.invites[0].uri.startswith(f"sip:{OUTSIDE}@{PROVIDER}")
    assert BORIS_OUTSIDE in rings.invites[0]["from"]


def test_the_same_line_in_two_companies_never_crosses(gateway: Gateway) -> None:
    with (
        ringing(handset(gateway, gateway.demo.phones["102"]), final=486) as ours,
        ringing(handset(gateway, gateway.other.phones["102"], OTHER), final=603) as theirs,
    ):
        caller = handset(gateway, gateway.other.phones["101"], OTHER)
        assert caller.invite("102").status == 603
        assert (len(ours.invites), len(theirs.invites)) == (0, 1)
    assert gateway.calls(gateway.cast.other.tenant_id)[-1].call.cause == "rejected"
    assert OTHER_NUMBER not in str(gateway.calls())


def test_the_card_is_there_before_anybody_answers(gateway: Gateway) -> None:
    url = settings().database_url.replace("postgresql+psycopg://", "postgresql://")
    boris = gateway.cast.actor("boris")
    with (
        ringing(handset(gateway, gateway.demo.phones["101"]), final=None) as rings,
        psycopg.connect(url, autocommit=True) as listener,
    ):
        listener.execute(f"listen {CHANNEL}")
        with dialling(provider(gateway), BORIS_OUTSIDE):
            told = [json.loads(notice.payload) for notice in listener.notifies(timeout=3, stop_after=2)]
            with unit_of_work(boris) as work:
                [card] = ringing_for(work, boris.user_id or 0)
            wait_until(lambda: rings.invites)
            rings.final = 486
            rings.phone.write(answer_to(rings.invites[-1], 486, tag=rings.phone.user))
    assert {"call", "my-call"} <= {message["topic"] for message in told}
    assert (card.state, card.number, card.line_number) == ("ringing", OUTSIDE, "101")


def test_nobody_calls_past_the_edge(gateway: Gateway) -> None:
    """An INVITE straight to the worker, as another program on this machine could send it."""
    intruder = Worker(0, gateway.edge.settings.gateway_port)
    answer = intruder.call("sip:102@x", f"X-Tenant: {gateway.cast.demo.tenant_id}", "X-Device: 1")
    assert answer.status == 403


def test_a_killed_worker_leaves_its_calls_closed_and_recorded(gateway: Gateway) -> None:
    with (
        softphone(gateway, "101", tone=LOW_HZ) as boris,
        softphone(gateway, "102", tone=HIGH_HZ) as anna,
    ):
        boris.do("dial", f"sip:102@{DEMO}")
        spoken(boris, anna)
        gateway.stop_worker(signal.SIGKILL)
        gateway.start_worker()
        call = gateway.last_call()
    assert (call.call.cause, call.call.ended_by) == ("crashed", "system")
    left, right, rate = recorded(gateway, call.call.id)
    assert share_with_tone(left[TALK_SAMPLES // 2 :], LOW_HZ, rate) > WHOLE
    assert share_with_tone(right[TALK_SAMPLES // 2 :], HIGH_HZ, rate) > WHOLE


def test_a_worker_that_is_told_to_stop_ends_its_calls(gateway: Gateway) -> None:
    with (
        softphone(gateway, "101", tone=LOW_HZ) as boris,
        softphone(gateway, "102", tone=HIGH_HZ) as anna,
    ):
        boris.do("dial", f"sip:102@{DEMO}")
        spoken(boris, anna)
        gateway.stop_worker()
        call = gateway.last_call().call
        gateway.start_worker()
    assert (call.cause, call.ended_by) == ("answered", "system")

"""One call as a state machine: who rings when, who wins, what the caller hears, how it ends."""

import pytest

from core.calls.causes import Cause, EndedBy
from core.calls.plans import Leg, RingPlan
from telephony_gateway.switchboard import (
    AnswerCaller,
    Command,
    Connect,
    Dial,
    EndCaller,
    Finish,
    HangUp,
    NoteAnswered,
    NoteLegEnded,
    NoteRinging,
    Switchboard,
    TellCaller,
)


def leg(device_id: int, *, delay_s: int = 0, ring_s: int = 30) -> Leg:
    return Leg(device_id=device_id, uri=f"sip:{device_id}@realm", caller="101", delay_s=delay_s, ring_s=ring_s)


def plan(*legs: Leg, refusal: Cause | None = None) -> RingPlan:
    return RingPlan(
        direction="internal", from_number="101", to_number="102", domain="realm", legs=legs, refusal=refusal
    )


def ringing(*legs: Leg) -> Switchboard:
    """A call whose first legs ring."""
    board = Switchboard()
    board.planned(plan(*legs), 0.0)
    return board


def dialled(commands: list[Command]) -> list[int]:
    return [command.index for command in commands if isinstance(command, Dial)]


def test_legs_without_delay_ring_at_once() -> None:
    board = Switchboard()
    assert dialled(board.planned(plan(leg(1), leg(2), leg(3, delay_s=10)), 0.0)) == [0, 1]
    assert board.ticked(9.9) == []
    assert dialled(board.ticked(10.0)) == [2]


def test_the_caller_hears_ringing_once() -> None:
    board = ringing(leg(1), leg(2))
    assert board.progressed(0, 180, has_sound=False) == [NoteRinging(1), TellCaller(180)]
    assert board.progressed(1, 180, has_sound=False) == [NoteRinging(2)]
    assert board.progressed(1, 180, has_sound=False) == []


def test_sound_before_the_answer_is_passed_on_from_a_single_leg() -> None:
    board = ringing(leg(1))
    commands = board.progressed(0, 183, has_sound=True)
    assert commands == [NoteRinging(1), TellCaller(183), Connect(0, is_recorded=False)]


@pytest.mark.parametrize(("status", "has_sound", "legs"), [(183, False, 1), (183, True, 2), (181, False, 1)])
def test_sound_is_never_promised_where_there_is_none(status: int, has_sound: bool, legs: int) -> None:
    board = ringing(*(leg(number) for number in range(legs)))
    assert board.progressed(0, status, has_sound=has_sound)[1:] == [TellCaller(180)]


def test_the_first_answer_wins_and_the_others_stop() -> None:
    board = ringing(leg(1), leg(2), leg(3, delay_s=10))
    assert board.answered(1) == [
        AnswerCaller(),
        Connect(1, is_recorded=True),
        NoteAnswered(2),
        HangUp(0, is_elsewhere=True),
    ]
    assert board.ticked(20.0) == []


def test_who_answers_second_is_sent_away() -> None:
    board = ringing(leg(1), leg(2))
    board.answered(0)
    assert board.answered(1) == [HangUp(1, is_elsewhere=True)]
    assert board.leg_ended(1, 200, 1.0) == []


def test_a_leg_rings_as_long_as_it_was_told() -> None:
    board = ringing(leg(1, ring_s=5), leg(2, ring_s=20))
    assert board.ticked(4.9) == []
    assert board.ticked(5.0) == [HangUp(0), NoteLegEnded(1, Cause.NO_ANSWER, 487)]
    assert board.leg_ended(0, 487, 5.1) == []
    assert board.ticked(20.0)[-2:] == [EndCaller(480), Finish(Cause.NO_ANSWER, EndedBy.SYSTEM, 480)]


def test_the_next_leg_need_not_wait_when_nothing_rings() -> None:
    board = ringing(leg(1), leg(2, delay_s=15), leg(3, delay_s=20))
    commands = board.leg_ended(0, 480, 2.0)
    assert commands[0] == NoteLegEnded(1, Cause.UNREACHABLE, 480)
    assert dialled(commands) == [1]
    assert dialled(board.ticked(6.9)) == []
    assert dialled(board.ticked(7.0)) == [2]


@pytest.mark.parametrize(
    ("statuses", "told", "cause", "by"),
    [
        ([486], 486, Cause.ENGAGED, EndedBy.CALLEE),
        ([480], 480, Cause.UNREACHABLE, EndedBy.SYSTEM),
        ([404], 404, Cause.NOT_FOUND, EndedBy.SYSTEM),
        ([407], 500, Cause.FAILED, EndedBy.SYSTEM),
        ([503], 500, Cause.FAILED, EndedBy.SYSTEM),
        ([480, 486], 486, Cause.ENGAGED, EndedBy.CALLEE),
        ([486, 480], 486, Cause.ENGAGED, EndedBy.CALLEE),
        ([408, 500], 480, Cause.UNREACHABLE, EndedBy.SYSTEM),
    ],
)
def test_when_all_have_said_no_the_strongest_counts(statuses: list[int], told: int, cause: Cause, by: EndedBy) -> None:
    board = ringing(*(leg(number) for number in range(len(statuses))))
    commands = [command for index, status in enumerate(statuses) for command in board.leg_ended(index, status, 1.0)]
    assert commands[-2:] == [EndCaller(told), Finish(cause, by, told)]


def test_whoever_declines_for_the_person_ends_all_ringing() -> None:
    board = ringing(leg(1), leg(2), leg(3, delay_s=10))
    assert board.leg_ended(0, 603, 1.0) == [
        NoteLegEnded(1, Cause.REJECTED, 603),
        HangUp(1),
        EndCaller(603),
        Finish(Cause.REJECTED, EndedBy.CALLEE, 603),
    ]


def test_a_caller_who_gives_up_stops_all_ringing() -> None:
    board = ringing(leg(1), leg(2))
    assert board.caller_ended(487) == [HangUp(0), HangUp(1), Finish(Cause.CANCELLED, EndedBy.CALLER, 487)]
    assert board.leg_ended(0, 487, 1.0) == []
    assert board.answered(1) == [HangUp(1, is_elsewhere=True)]


def test_a_caller_who_gives_up_before_the_plan_is_there_rings_nobody() -> None:
    board = Switchboard()
    assert board.caller_ended(487) == [Finish(Cause.CANCELLED, EndedBy.CALLER, 487)]
    assert board.planned(plan(leg(1)), 0.0) == []


@pytest.mark.parametrize("who", ["caller", "callee"])
def test_either_side_ends_a_conversation(who: str) -> None:
    board = ringing(leg(1))
    board.answered(0)
    if who == "caller":
        assert board.caller_ended(200) == [HangUp(0), Finish(Cause.ANSWERED, EndedBy.CALLER, 200)]
    else:
        assert board.leg_ended(0, 200, 1.0) == [EndCaller(200), Finish(Cause.ANSWERED, EndedBy.CALLEE, 200)]
        assert board.caller_ended(200) == []


def test_a_refused_call_only_tells_the_caller() -> None:
    assert Switchboard().planned(plan(refusal=Cause.FORBIDDEN), 0.0) == [EndCaller(403)]


def test_a_process_that_ends_ends_its_calls() -> None:
    talking = ringing(leg(1))
    talking.answered(0)
    assert talking.stopped() == [HangUp(0), EndCaller(200), Finish(Cause.ANSWERED, EndedBy.SYSTEM, 200)]
    assert ringing(leg(1)).stopped() == [HangUp(0), EndCaller(500), Finish(Cause.FAILED, EndedBy.SYSTEM, 500)]
    assert talking.stopped() == []

"""SIP statuses, causes, and what the caller is answered."""

import pytest

from core.calls.causes import Cause, answer_for, cause_of, ends_all, strongest


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        (200, Cause.ANSWERED),
        (302, Cause.REJECTED),
        (401, Cause.FAILED),
        (403, Cause.FORBIDDEN),
        (404, Cause.NOT_FOUND),
        (407, Cause.FAILED),
        (408, Cause.UNREACHABLE),
        (410, Cause.NOT_FOUND),
        (480, Cause.UNREACHABLE),
        (484, Cause.NOT_FOUND),
        (486, Cause.ENGAGED),
        (487, Cause.CANCELLED),
        (488, Cause.FAILED),
        (500, Cause.FAILED),
        (503, Cause.FAILED),
        (600, Cause.ENGAGED),
        (603, Cause.REJECTED),
        (604, Cause.NOT_FOUND),
        (608, Cause.REJECTED),
        (699, Cause.FAILED),
    ],
)
def test_a_status_means_a_cause(status: int, cause: Cause) -> None:
    assert cause_of(status) is cause


@pytest.mark.parametrize(
    ("cause", "status"),
    [
        (Cause.NO_ANSWER, 480),
        (Cause.ENGAGED, 486),
        (Cause.REJECTED, 603),
        (Cause.CANCELLED, 487),
        (Cause.UNREACHABLE, 480),
        (Cause.FORBIDDEN, 403),
        (Cause.NOT_FOUND, 404),
    ],
)
def test_the_caller_is_told_why(cause: Cause, status: int) -> None:
    assert answer_for(cause) == status


def test_no_challenge_is_passed_on() -> None:
    assert {answer_for(cause_of(status)) for status in range(200, 700)}.isdisjoint({401, 407})


@pytest.mark.parametrize(
    ("causes", "strongest_cause"),
    [
        ([], Cause.UNREACHABLE),
        ([Cause.UNREACHABLE, Cause.NO_ANSWER], Cause.NO_ANSWER),
        ([Cause.NO_ANSWER, Cause.ENGAGED], Cause.ENGAGED),
        ([Cause.REJECTED, Cause.ENGAGED, Cause.NO_ANSWER], Cause.REJECTED),
        ([Cause.FAILED, Cause.UNREACHABLE], Cause.UNREACHABLE),
        ([Cause.NOT_FOUND, Cause.FAILED], Cause.NOT_FOUND),
        ([Cause.FAILED], Cause.FAILED),
        ([Cause.CANCELLED], Cause.FAILED),
    ],
)
def test_of_several_legs_the_strongest_counts(causes: list[Cause], strongest_cause: Cause) -> None:
    assert strongest(causes) is strongest_cause


def test_only_a_global_failure_speaks_for_the_person() -> None:
    assert [status for status in (486, 480, 503, 600, 603) if ends_all(status)] == [600, 603]

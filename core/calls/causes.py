"""Why calls end: SIP statuses in, causes out, and what the caller is answered. Pure.

Statuses are those of RFC 3261 (21) and RFC 8197 (607, 608). A caller is never answered 401 or 407: those are between us
and the one who challenged.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final


class Cause(StrEnum):
    """Why a call, or the ringing of one device, ended. Stored by value."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    ENGAGED = "engaged"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    UNREACHABLE = "unreachable"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CRASHED = "crashed"
    FAILED = "failed"


class EndedBy(StrEnum):
    """Who ended a call; the system when nobody did."""

    CALLER = "caller"
    CALLEE = "callee"
    SYSTEM = "system"


CAUSES: Final[Mapping[int, Cause]] = {
    302: Cause.REJECTED,  # forwarding is decided here, not by a device that could send calls anywhere
    403: Cause.FORBIDDEN,
    404: Cause.NOT_FOUND,
    408: Cause.UNREACHABLE,
    410: Cause.NOT_FOUND,
    416: Cause.NOT_FOUND,
    430: Cause.UNREACHABLE,
    433: Cause.REJECTED,
    480: Cause.UNREACHABLE,
    484: Cause.NOT_FOUND,
    485: Cause.NOT_FOUND,
    486: Cause.ENGAGED,
    487: Cause.CANCELLED,
    600: Cause.ENGAGED,
    603: Cause.REJECTED,
    604: Cause.NOT_FOUND,
    607: Cause.REJECTED,
    608: Cause.REJECTED,
}
ANSWERS: Final[Mapping[Cause, int]] = {
    Cause.ANSWERED: 200,
    Cause.NO_ANSWER: 480,
    Cause.ENGAGED: 486,
    Cause.REJECTED: 603,
    Cause.CANCELLED: 487,
    Cause.UNREACHABLE: 480,
    Cause.FORBIDDEN: 403,
    Cause.NOT_FOUND: 404,
    Cause.CRASHED: 500,
    Cause.FAILED: 500,
}
STRONGEST_FIRST: Final = (
    Cause.REJECTED, Cause.ENGAGED, Cause.NO_ANSWER, Cause.UNREACHABLE, Cause.FORBIDDEN, Cause.NOT_FOUND, Cause.FAILED,
)  # fmt: skip
"""What says more of the person comes before what says more of the network."""


def cause_of(status: int) -> Cause:
    """What a device's or a trunk's final status means."""
    if 200 <= status < 300:
        return Cause.ANSWERED
    return CAUSES.get(status, Cause.REJECTED if 300 <= status < 400 else Cause.FAILED)


def ends_all(status: int) -> bool:
    """Whether the status speaks for the person and not for one device (6xx; RFC 3261, 16.7)."""
    return status >= 600


def strongest(causes: Iterable[Cause]) -> Cause:
    """What became of a call none of whose legs was answered; a call without legs is unreachable."""
    found = set(causes)
    return next((cause for cause in STRONGEST_FIRST if cause in found), Cause.FAILED if found else Cause.UNREACHABLE)


def answer_for(cause: Cause) -> int:
    """The SIP status that tells the caller."""
    return ANSWERS[cause]

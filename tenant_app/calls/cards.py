"""The card of a call: who it may be and what is open with them, from its ringing until it is over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from core.calls.people import ContactMatch
from core.calls.queries import CallCard, CallDetail, call_detail, ringing_for
from core.foundation import clock
from core.foundation.unit_of_work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """What the card shows. ``person`` is whom the call belongs to, or the only one who has the number.

    ``choices`` are those to pick from if several have it. ``number`` is the other side's, empty if it hides it;
    ``colleague`` their name in a call inside. ``now`` is the server's clock, for the running time.
    """

    call_id: int
    direction: str
    is_calling: bool
    number: str
    colleague: str | None
    line_number: str
    state: str
    started_at: datetime
    answered_at: datetime | None
    spoken_s: int
    cause: str | None
    ended_by: str | None
    ticket_id: int | None
    person: ContactMatch | None
    choices: Sequence[ContactMatch]
    now: datetime


def live_cards(work: Work) -> list[Card]:
    """What rings for the viewer, or what they are in, newest first."""
    return [_of_live(card) for card in ringing_for(work, work.actor.user_id or 0)]


def card_of(work: Work, call_id: int) -> Card:
    """One call's card, whatever became of it; raises ``NotFound``."""
    live = next((card for card in ringing_for(work, work.actor.user_id or 0) if card.call_id == call_id), None)
    return _of_live(live) if live else _of_detail(call_detail(work, call_id), user_id=work.actor.user_id)


def _of_live(card: CallCard) -> Card:
    person, choices = _whose(card.matches, card.contact_id)
    return Card(
        call_id=card.call_id,
        direction=card.direction,
        is_calling=card.is_calling,
        number=card.number,
        colleague=card.colleague,
        line_number=card.line_number,
        state=card.state,
        started_at=card.started_at,
        answered_at=card.answered_at,
        spoken_s=0,
        cause=None,
        ended_by=None,
        ticket_id=card.ticket_id,
        person=person,
        choices=choices,
        now=clock.now(),
    )


def _of_detail(found: CallDetail, *, user_id: int | None) -> Card:
    call = found.call
    is_calling = call.direction == "out" or (call.direction == "internal" and call.caller_user_id == user_id)
    person, choices = _whose(found.matches, call.contact_id)
    colleague = call.user_name if is_calling else call.caller_user_name
    return Card(
        call_id=call.id,
        direction=call.direction,
        is_calling=is_calling,
        number=call.to_number if is_calling else call.from_number,
        colleague=colleague if call.direction == "internal" else None,
        line_number=(call.caller_line_number if is_calling else call.line_number) or "",
        state=call.state,
        started_at=call.started_at,
        answered_at=call.answered_at,
        spoken_s=call.spoken_s,
        cause=call.cause,
        ended_by=call.ended_by,
        ticket_id=call.ticket_id,
        person=person,
        choices=choices,
        now=clock.now(),
    )


def _whose(
    matches: Sequence[ContactMatch], contact_id: int | None
) -> tuple[ContactMatch | None, Sequence[ContactMatch]]:
    """Whose call it is, and who else it may be."""
    paired = next((match for match in matches if match.id == contact_id), None)
    if paired is not None:
        return paired, ()
    return (matches[0], ()) if len(matches) == 1 else (None, matches)

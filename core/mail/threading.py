"""Which ticket a mail belongs to: a pure decision over facts that the caller has looked up."""

import re
from dataclasses import dataclass
from typing import Final

SUBJECT_TAG: Final = re.compile(r"\[#(\d{1,18})\]", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadingFacts:
    """What is known of a mail, as ids of tickets.

    Attributes:
        recipient_ticket: ticket of a signed recipient address, already verified.
        answered_ticket: ticket of a Message-ID of ours that it answers or reports, already verified.
        quoted_ticket: ticket with a message that it answers, whoever wrote that, if the sender takes part in it.
        tagged_ticket: ticket whose number stands in the subject, if the sender takes part in it.
    """

    recipient_ticket: int | None
    answered_ticket: int | None
    quoted_ticket: int | None
    tagged_ticket: int | None


def ticket_to_join(facts: ThreadingFacts) -> int | None:
    """The ticket to join, None for a new one.

    A signature proves that the writer has a mail of ours; everything else can be guessed or forged, and counts only
    from somebody who already takes part (ATTACKS 7, 8).
    """
    ranked = (facts.recipient_ticket, facts.answered_ticket, facts.quoted_ticket, facts.tagged_ticket)
    return next((ticket for ticket in ranked if ticket is not None), None)


def number_in_subject(subject: str) -> int | None:
    """The ticket number of the subject's tag ``[#17]``."""
    found = SUBJECT_TAG.search(subject)
    return int(found[1]) if found else None

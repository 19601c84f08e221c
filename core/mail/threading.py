"""Which ticket a mail belongs to: a pure decision over facts that the caller has looked up."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

SUBJECT_TAG: Final = re.compile(r"\[#(\d{1,18})\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadingFacts:
    """What is known of a mail.

    Attributes:
        recipient_ticket: ticket of a signed recipient address, already verified.
        answered_ticket: ticket of a Message-ID of ours that it answers, already verified.
        quoted_ticket: ticket that holds a message which it answers, whoever wrote that.
        tagged_ticket: ticket whose number stands in the subject.
        takes_part_in: ids of those tickets among the above in which the sender takes part.
    """

    recipient_ticket: int | None
    answered_ticket: int | None
    quoted_ticket: int | None
    tagged_ticket: int | None
    takes_part_in: Collection[int]


def ticket_to_join(facts: ThreadingFacts) -> int | None:
    """The ticket to join, None for a new one.

    A signature proves that the writer has a mail of ours; everything else can be guessed or forged, and counts only
    from somebody who already takes part (ATTACKS 7, 8).
    """
    for proven in (facts.recipient_ticket, facts.answered_ticket):
        if proven is not None:
            return proven
    for guessed in (facts.quoted_ticket, facts.tagged_ticket):
        if guessed is not None and guessed in facts.takes_part_in:
            return guessed
    return None


def number_in_subject(subject: str) -> int | None:
    """The ticket number of the subject's tag ``[#17]``."""
    found = SUBJECT_TAG.search(subject)
    return int(found[1]) if found else None

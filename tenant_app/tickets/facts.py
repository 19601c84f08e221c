"""What stands beside a conversation: the ticket, what it can be changed to, and who the customer may be."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.directory.queries import Choice as Person
from core.directory.queries import contact_choices
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.service import Colleague, colleagues
from core.tickets.queries import (
    Choice,
    TicketDetail,
    category_choices,
    contacts_with_requester,
    ticket_detail,
)
from tenant_app.typed import as_needle


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFacts:
    """The ticket with its choices; ``candidates`` are contacts that it could be paired with, found by ``needle``."""

    ticket: TicketDetail
    categories: Sequence[Choice]
    owners: Sequence[Colleague]
    candidates: Sequence[Person | Choice]
    needle: str


def ticket_facts(work: Work, ticket_id: int, *, needle: str | None) -> TicketFacts:
    """Everything beside the conversation. Without ``needle`` those who have the requester's address are offered."""
    ticket = ticket_detail(work, ticket_id)
    may_change = work.actor.may(Permission.TICKETS_WRITE)
    wanted = as_needle(needle)
    return TicketFacts(
        ticket=ticket,
        categories=category_choices(work) if may_change else (),
        owners=colleagues(work) if may_change else (),
        candidates=_candidates(work, ticket, wanted) if may_change else (),
        needle=wanted,
    )


def _candidates(work: Work, ticket: TicketDetail, needle: str) -> Sequence[Person | Choice]:
    has_contact = ticket.contact_id is not None or ticket.contact_is_hidden
    if has_contact or not work.actor.may(Permission.CONTACTS_READ):
        return ()
    return contact_choices(work, needle) if needle else contacts_with_requester(work, ticket.requester)

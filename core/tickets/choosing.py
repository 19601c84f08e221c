"""Tickets as one picks them: by words, by number, or by ids that somebody remembers."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, select

from core.directory.models import Contact
from core.directory.queries import Choice
from core.foundation.permissions import Permission
from core.foundation.read_log import How, record_read
from core.foundation.unit_of_work import Work
from core.tickets.models import Ticket
from core.tickets.queries import TicketFilter, TicketRow, list_tickets

NUMBER_DIGITS: Final = 9


def ticket_choices(work: Work, search: str, limit: int) -> list[Choice]:
    """The tickets that the words find, newest activity first; a bare number finds its ticket before all others."""
    exact: Sequence[TicketRow] = ()
    if search.isascii() and search.isdigit() and len(search) <= NUMBER_DIGITS:
        exact = list_tickets(work, TicketFilter(search=f"#{search}"), limit=1).rows
    found = [*exact, *list_tickets(work, TicketFilter(search=search), limit=limit).rows]
    shown = {row.id: _choice(row.id, row.number, row.title, row.contact_name or row.requester) for row in found}
    return list(shown.values())[:limit]


def tickets_by_id(work: Work, ids: Sequence[int]) -> list[Choice]:
    """Those tickets of ``ids`` that exist for the actor."""
    work.actor.require(Permission.TICKETS_READ)
    query = (
        select(Ticket.id, Ticket.number, Ticket.title, func.coalesce(Contact.name, Ticket.requester))
        .outerjoin(Contact, Contact.id == Ticket.contact_id)
        .where(Ticket.id.in_(ids))
    )
    found = [_choice(*row) for row in work.session.execute(query)]
    record_read(work, "ticket", [choice.id for choice in found], how=How.LIST)
    return found


def _choice(ticket_id: int, number: int, title: str, customer: str) -> Choice:
    return Choice(ticket_id, f"#{number} {title}", customer)

"""Tickets as one picks them: by words, by number, or by ids that somebody remembers."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Select, func, select

from core.directory.models import Contact
from core.directory.queries import Choice
from core.foundation.permissions import Permission
from core.foundation.read_log import How, record_read
from core.foundation.search import is_in_first_matches
from core.foundation.unit_of_work import Work
from core.tickets.models import Ticket
from core.tickets.queries import NEWEST_FIRST, SEARCH

NUMBER_DIGITS: Final = 9
CANDIDATES: Final = 1_000


def ticket_choices(work: Work, search: str, limit: int) -> list[Choice]:
    """The tickets that the words find, newest activity first; a bare number finds its ticket before all others."""
    work.actor.require(Permission.TICKETS_READ)
    matches = is_in_first_matches(NEWEST_FIRST, Ticket.search_text, SEARCH, search, enough=limit, cap=CANDIDATES)
    query = _choices().where(matches).order_by(*NEWEST_FIRST.of(NEWEST_FIRST.columns)).limit(limit)
    found = _read(work, query, how=How.SEARCH)
    if search.isascii() and search.isdigit() and len(search) <= NUMBER_DIGITS:
        found = _read(work, _choices().where(Ticket.number == int(search)), how=How.SEARCH) + found
    return list(dict.fromkeys(found))[:limit]


def tickets_by_id(work: Work, ids: Sequence[int]) -> list[Choice]:
    """Those tickets of ``ids`` that exist for the actor."""
    work.actor.require(Permission.TICKETS_READ)
    return _read(work, _choices().where(Ticket.id.in_(ids)), how=How.LIST)


def _choices() -> Select[int, int, str, str]:
    customer = func.coalesce(Contact.name, Ticket.requester)
    return select(Ticket.id, Ticket.number, Ticket.title, customer).outerjoin(Contact, Contact.id == Ticket.contact_id)


def _read(work: Work, query: Select[int, int, str, str], *, how: How) -> list[Choice]:
    rows = work.session.execute(query)
    found = [Choice(ticket_id, f"#{number} {title}", customer) for ticket_id, number, title, customer in rows]
    record_read(work, "ticket", [choice.id for choice in found], how=how)
    return found

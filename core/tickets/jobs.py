"""What follows for tickets when their customer changes."""

from sqlalchemy import ColumnElement, select

from core.foundation.actor import Actor
from core.foundation.jobs import job
from core.foundation.live import tell
from core.foundation.unit_of_work import unit_of_work
from core.tickets.models import Ticket
from core.tickets.service import refresh_search


@job("tickets.refresh_words_of_contact")
def refresh_words_of_contact(actor: Actor, *, contact_id: int) -> None:
    """Let search find a contact's tickets by the present name."""
    _refresh(actor, Ticket.contact_id == contact_id)


@job("tickets.refresh_words_of_company")
def refresh_words_of_company(actor: Actor, *, company_id: int) -> None:
    """Let search find a company's tickets by the present name."""
    _refresh(actor, Ticket.company_id == company_id)


@job("tickets.refresh_missing_words")
def refresh_missing_words(actor: Actor, *, contact_id: int) -> None:
    """Give tickets words again whose contact was deleted: the database took away those that named the contact."""
    del contact_id  # its tickets know it no more
    _refresh(actor, Ticket.search_words == "")


def _refresh(actor: Actor, condition: ColumnElement[bool]) -> None:
    with unit_of_work(actor) as work:
        tickets = work.session.scalars(select(Ticket).where(condition)).all()
        for ticket in tickets:
            refresh_search(work, ticket)
        if tickets:
            tell(work, "ticket", [ticket.id for ticket in tickets])

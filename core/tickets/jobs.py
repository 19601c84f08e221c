"""What follows for tickets when their customer changes."""

from typing import Final

from sqlalchemy import ColumnElement, or_, select

from core.directory.models import Company, Contact
from core.foundation.actor import Actor
from core.foundation.jobs import job
from core.foundation.live import tell
from core.foundation.unit_of_work import unit_of_work
from core.tickets.models import Ticket
from core.tickets.service import refresh_search

BATCH: Final = 500
"""Tickets per transaction where many may follow."""


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


@job("tickets.refresh_words_of_database")
def refresh_words_of_database(actor: Actor, *, database_id: int) -> None:
    """Let search find tickets by names of a database only while everybody sees these (ATTACK 57)."""
    with unit_of_work(actor) as work:
        contacts = select(Contact.id).where(Contact.database_id == database_id)
        companies = select(Company.id).where(Company.database_id == database_id)
        query = select(Ticket.id).where(or_(Ticket.contact_id.in_(contacts), Ticket.company_id.in_(companies)))
        ids = list(work.session.scalars(query.order_by(Ticket.id)))
    for start in range(0, len(ids), BATCH):
        _refresh(actor, Ticket.id.in_(ids[start : start + BATCH]))


def _refresh(actor: Actor, condition: ColumnElement[bool]) -> None:
    with unit_of_work(actor) as work:
        tickets = work.session.scalars(select(Ticket).where(condition).order_by(Ticket.id).with_for_update()).all()
        for ticket in tickets:
            refresh_search(work, ticket)
        if tickets:
            tell(work, "ticket", [ticket.id for ticket in tickets])

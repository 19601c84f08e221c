"""What follows a change of the directory."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Final

from sqlalchemy import ColumnElement, select

from core.directory.books.entries import tell_company_name
from core.directory.models import Company, Contact, ContactEmail, ContactPhone
from core.directory.words import with_company, words_of_contact
from core.foundation.actor import Actor
from core.foundation.jobs import job
from core.foundation.live import tell
from core.foundation.unit_of_work import Work, unit_of_work

BATCH: Final = 500
"""Contacts per transaction where many may follow."""


@job("directory.refresh_words")
def refresh_words(actor: Actor, *, company_id: int) -> None:
    """Let search find the people of a company by its present name, also those in databases that few see."""
    with unit_of_work(actor) as work:
        _refresh(work, Contact.company_id == company_id)


@job("directory.refresh_words_of_database")
def refresh_words_of_database(actor: Actor, *, database_id: int) -> None:
    """Let search find people elsewhere by the companies of a database only while everybody sees these (ATTACK 57)."""
    with unit_of_work(actor) as work:
        companies = select(Company.id).where(Company.database_id == database_id)
        query = select(Contact.id).where(Contact.company_id.in_(companies), Contact.database_id != database_id)
        ids = list(work.session.scalars(query.order_by(Contact.id)))
    for start in range(0, len(ids), BATCH):
        with unit_of_work(actor) as work:
            _refresh(work, Contact.id.in_(ids[start : start + BATCH]))


@job("directory.refresh_cards")
def refresh_cards(actor: Actor, *, company_id: int) -> None:
    """Let the cards of a company's people say its present name."""
    with unit_of_work(actor) as work:
        company = work.session.get(Company, company_id)
        if company is not None:
            tell_company_name(work, company_id, company.name)


def _refresh(work: Work, condition: ColumnElement[bool]) -> None:
    """Write the words of these contacts. Those that somebody is saving are waited for."""
    people = work.session.scalars(select(Contact).where(condition).order_by(Contact.id).with_for_update()).all()
    ids = [contact.id for contact in people]
    phones = _ways(work, ContactPhone.number, ContactPhone.contact_id, ids)
    emails = _ways(work, ContactEmail.address, ContactEmail.contact_id, ids)
    for contact in people:
        ways = phones.get(contact.id, ()), emails.get(contact.id, ())
        contact.search_words = with_company(words_of_contact(contact.name, contact.city, *ways), contact)
    if people:
        tell(work, "contact", ids)


def _ways(work: Work, value: Any, owner: Any, ids: Sequence[int]) -> dict[int, list[str]]:
    query = select(owner, value).where(owner.in_(ids)).order_by(owner, value.class_.position)
    rows = groupby(work.session.execute(query), key=lambda row: row[0])
    return {contact_id: [text for _id, text in ways] for contact_id, ways in rows}

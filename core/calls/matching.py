"""Whose number it is: contacts and companies with exactly this number, as far as the actor sees them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from core.directory.models import CompanyPhone, Contact, ContactPhone
from core.foundation.unit_of_work import Work


@dataclass(frozen=True, slots=True)
class Owner:
    """Who a number belongs to for certain: None where nobody has it, or more than one."""

    contact_id: int | None
    company_id: int | None


def contacts_with(work: Work, number: str) -> Sequence[int]:
    """The ids of all contacts with this number in E.164; none for a number that is hidden or a line's."""
    if not number.startswith("+"):
        return []
    query = select(ContactPhone.contact_id).where(ContactPhone.number == number).distinct()
    return work.session.scalars(query.order_by(ContactPhone.contact_id)).all()


def owner_of(work: Work, number: str) -> Owner:
    """The one contact with this number and their company, else the one company with it."""
    contacts = contacts_with(work, number)
    if len(contacts) == 1:
        company_id = work.session.scalar(select(Contact.company_id).where(Contact.id == contacts[0]))
        return Owner(contacts[0], company_id)
    if contacts or not number.startswith("+"):
        return Owner(None, None)
    companies = work.session.scalars(
        select(CompanyPhone.company_id).where(CompanyPhone.number == number).distinct().limit(2)
    ).all()
    return Owner(None, companies[0] if len(companies) == 1 else None)

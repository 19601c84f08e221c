"""Names of people and companies whose ids somebody remembers, as far as the actor may see them still."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select

from core.directory.models import Company, Contact
from core.directory.queries import Choice
from core.foundation.permissions import Permission
from core.foundation.read_log import How, record_read
from core.foundation.unit_of_work import Work


def contacts_by_id(work: Work, ids: Sequence[int]) -> list[Choice]:
    """Those people of ``ids`` who exist for the actor, with their company."""
    work.actor.require(Permission.CONTACTS_READ)
    query = (
        select(Contact.id, Contact.name, func.coalesce(Company.name, ""))
        .outerjoin(Company, Company.id == Contact.company_id)
        .where(Contact.id.in_(ids))
    )
    return _choices(work, "contact", query)


def companies_by_id(work: Work, ids: Sequence[int]) -> list[Choice]:
    """Those companies of ``ids`` that exist for the actor, with their city."""
    work.actor.require(Permission.COMPANIES_READ)
    return _choices(work, "company", select(Company.id, Company.name, Company.city).where(Company.id.in_(ids)))


def _choices(work: Work, kind: str, query: Select[*tuple[Any, ...]]) -> list[Choice]:
    found = [Choice(*row) for row in work.session.execute(query)]
    record_read(work, kind, [choice.id for choice in found], how=How.LIST)
    return found

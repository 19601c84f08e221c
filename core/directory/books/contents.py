"""A contact's fields in the form that cards are compared in."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import select

from core.directory.books.cards.fields import CardFields, Way
from core.directory.models import Company, Contact, ContactEmail, ContactPhone
from core.foundation.unit_of_work import Work

PLAIN = ("name", "job_title", "street", "city", "postal_code", "country", "note")


def fields_of_change(work: Work, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[CardFields, CardFields]:
    """A contact before and after a change, from the service's values. A company that stays is left out of both."""
    companies = {values.get("company_id") for values in (before, after)}
    names = _company_names(work, companies - {None}) if len(companies) > 1 else {}
    return _fields(before, names), _fields(after, names)


def fields_of_contacts(work: Work, contact_ids: Sequence[int]) -> dict[int, CardFields]:
    """The contacts that the actor sees, by id."""
    query = (
        select(Contact.id, *(getattr(Contact, name) for name in PLAIN), Company.name.label("organization"))
        .outerjoin(Company, Company.id == Contact.company_id)
        .where(Contact.id.in_(contact_ids))
    )
    phones = _ways(work, ContactPhone.contact_id, ContactPhone.number, contact_ids)
    emails = _ways(work, ContactEmail.contact_id, ContactEmail.address, contact_ids)
    found = {}
    for row in work.session.execute(query).mappings():
        plain = {name: row[name] for name in PLAIN}
        found[row["id"]] = CardFields(
            **plain,
            organization=row["organization"] or "",
            phones=phones.get(row["id"], ()),
            emails=emails.get(row["id"], ()),
        )
    return found


def _fields(values: Mapping[str, Any], companies: Mapping[int, str]) -> CardFields:
    plain = {name: values.get(name, "") for name in PLAIN}
    phones, emails = (tuple((value, label) for value, label in values.get(name, ())) for name in ("phones", "emails"))
    organization = companies.get(values.get("company_id") or 0, "")
    return CardFields(**plain, organization=organization, phones=phones, emails=emails)


def _company_names(work: Work, ids: Iterable[Any]) -> dict[int, str]:
    query = select(Company.id, Company.name).where(Company.id.in_(list(ids)))
    return dict(work.session.execute(query).all())


def _ways(work: Work, owner: Any, value: Any, ids: Sequence[int]) -> dict[int, tuple[Way, ...]]:
    query = select(owner, value, owner.class_.label).where(owner.in_(ids)).order_by(owner, owner.class_.position)
    rows = groupby(work.session.execute(query), key=lambda row: row[0])
    return {contact_id: tuple((text, label) for _id, text, label in ways) for contact_id, ways in rows}

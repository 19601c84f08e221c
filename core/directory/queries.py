"""Questions about contacts and companies, answered in frozen dataclasses. Numbers are in E.164."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, TableClause, and_, func, literal, select, true, tuple_
from sqlalchemy.types import BigInteger

from core.directory.books.models import AddressBookEntry
from core.directory.changes import ChangeEntry, Way, newest_changes
from core.directory.models import (
    Company,
    CompanyEmail,
    CompanyPhone,
    Contact,
    ContactDatabase,
    ContactEmail,
    ContactPhone,
)
from core.foundation.errors import NotFound
from core.foundation.permissions import Permission
from core.foundation.read_log import How, record_read
from core.foundation.search import (
    COUNT_CAP,
    Order,
    everything_of,
    find,
    is_in_first_matches,
    is_in_matches,
    search_view,
)
from core.foundation.unit_of_work import Work
from core.identity.models import UserAccount

CONTACTS: Final = search_view("contact")
COMPANIES: Final = search_view("company")
CHOICES: Final = 20
CANDIDATES: Final = 1_000
"""Of so many hits a picker offers the first; whoever types on has fewer."""

Model = type[Contact] | type[Company]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactRow:
    """One person in a list, with the first number and address."""

    id: int
    name: str
    job_title: str
    company_id: int | None
    company_name: str | None
    phone: str | None
    email: str | None
    owner_id: int | None
    owner_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyRow:
    """One company in a list, with the first number and address, and how many contacts work there."""

    id: int
    name: str
    city: str
    phone: str | None
    email: str | None
    owner_id: int | None
    owner_name: str | None
    contact_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPage:
    """A page of people in alphabetical order; ``after`` continues it. ``count`` stops at 10,000."""

    rows: Sequence[ContactRow]
    after: int | None
    count: int
    count_is_capped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyPage:
    """A page of companies in alphabetical order; ``after`` continues it. ``count`` stops at 10,000."""

    rows: Sequence[CompanyRow]
    after: int | None
    count: int
    count_is_capped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactDetail:
    """A person with everything that their page and form show. A company that the actor cannot see is None."""

    id: int
    version: int
    name: str
    job_title: str
    company_id: int | None
    company_name: str | None
    database_id: int
    database_name: str
    owner_id: int | None
    owner_name: str | None
    street: str
    city: str
    postal_code: str
    country: str
    note: str
    phones: Sequence[Way]
    emails: Sequence[Way]
    created_at: datetime
    updated_at: datetime
    changes: Sequence[ChangeEntry]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyDetail:
    """A company with everything that its page and form show; ``contacts`` are the first of its people."""

    id: int
    version: int
    name: str
    registration_number: str
    vat_number: str
    website: str
    database_id: int
    database_name: str
    owner_id: int | None
    owner_name: str | None
    street: str
    city: str
    postal_code: str
    country: str
    note: str
    phones: Sequence[Way]
    emails: Sequence[Way]
    created_at: datetime
    updated_at: datetime
    changes: Sequence[ChangeEntry]
    contacts: Sequence[ContactRow]
    contact_count: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a picker; ``hint`` tells namesakes apart."""

    id: int
    name: str
    hint: str = ""


def list_contacts(work: Work, *, search: str = "", after: int | None = None, limit: int = 50) -> ContactPage:
    """A page of people; ``after`` is the last page's last id. Two statements, one more notes the look."""
    work.actor.require(Permission.CONTACTS_READ)
    found = find(work, CONTACTS, search, everything=everything_of(Contact.id))
    query = found.narrowed(
        _contact_rows(), _alphabetical(Contact), Contact.search_text, _behind(Contact, after), limit=limit + 1
    )
    return _contact_page(work, query, found.count, limit=limit, search=search)


def list_contacts_of_book(
    work: Work, book_id: int, *, search: str = "", after: int | None = None, limit: int = 50
) -> ContactPage:
    """A page of the people who stand in an address book."""
    work.actor.require(Permission.CONTACTS_READ)
    here = select(AddressBookEntry.contact_id).where(AddressBookEntry.address_book_id == book_id)
    condition = and_(Contact.id.in_(here), is_in_matches(Contact.id, CONTACTS, search))
    count = select(func.count()).select_from(select(Contact.id).where(condition).limit(COUNT_CAP + 1).subquery())
    query = _contact_rows().where(condition, _behind(Contact, after)).order_by(Contact.sort_key, Contact.id)
    return _contact_page(work, query.limit(limit + 1), work.session.scalar(count) or 0, limit=limit, search=search)


def _contact_page(work: Work, query: Select[*tuple[Any, ...]], count: int, *, limit: int, search: str) -> ContactPage:
    rows = [ContactRow(**row) for row in work.session.execute(query).mappings()]
    shown = rows[:limit]
    _note_rows(work, "contact", shown, search)
    return ContactPage(
        rows=shown,
        after=shown[-1].id if len(rows) > limit else None,
        count=min(count, COUNT_CAP),
        count_is_capped=count > COUNT_CAP,
    )


def list_companies(work: Work, *, search: str = "", after: int | None = None, limit: int = 50) -> CompanyPage:
    """A page of companies; ``after`` is the last page's last id. Two statements, one more notes the look."""
    work.actor.require(Permission.COMPANIES_READ)
    found = find(work, COMPANIES, search, everything=everything_of(Company.id))
    query = found.narrowed(
        _company_rows(), _alphabetical(Company), Company.search_text, _behind(Company, after), limit=limit + 1
    )
    rows = [CompanyRow(**row) for row in work.session.execute(query).mappings()]
    shown = rows[:limit]
    _note_rows(work, "company", shown, search)
    return CompanyPage(
        rows=shown,
        after=shown[-1].id if len(rows) > limit else None,
        count=min(found.count, COUNT_CAP),
        count_is_capped=found.count > COUNT_CAP,
    )


def contact_detail(work: Work, contact_id: int) -> ContactDetail:
    """A person's page with the newest changes; raises ``NotFound``."""
    work.actor.require(Permission.CONTACTS_READ)
    query = _with_names(select(Contact, Company.name), Contact)
    query = query.outerjoin(Company, Company.id == Contact.company_id).where(Contact.id == contact_id)
    row = work.session.execute(query).one_or_none()
    if row is None:
        raise NotFound
    contact, company_name, database_name, owner_name = row
    record_read(work, "contact", [contact.id], how=How.DETAIL)
    return ContactDetail(
        **_common(contact),
        job_title=contact.job_title,
        company_id=contact.company_id if company_name else None,
        company_name=company_name,
        database_name=database_name,
        owner_name=owner_name,
        phones=_ways(work, ContactPhone.number, ContactPhone.contact_id, contact.id),
        emails=_ways(work, ContactEmail.address, ContactEmail.contact_id, contact.id),
        changes=newest_changes(work, "contact", contact.id),
    )


def company_detail(work: Work, company_id: int) -> CompanyDetail:
    """A company's page with its people and the newest changes; raises ``NotFound``."""
    work.actor.require(Permission.COMPANIES_READ)
    query = _with_names(select(Company), Company).where(Company.id == company_id)
    row = work.session.execute(query).one_or_none()
    if row is None:
        raise NotFound
    company, database_name, owner_name = row
    record_read(work, "company", [company.id], how=How.DETAIL)
    contacts, contact_count = _contacts_of(work, company.id)
    return CompanyDetail(
        **_common(company),
        registration_number=company.registration_number,
        vat_number=company.vat_number,
        website=company.website,
        database_name=database_name,
        owner_name=owner_name,
        phones=_ways(work, CompanyPhone.number, CompanyPhone.company_id, company.id),
        emails=_ways(work, CompanyEmail.address, CompanyEmail.company_id, company.id),
        changes=newest_changes(work, "company", company.id),
        contacts=contacts,
        contact_count=contact_count,
    )


def database_choices(work: Work) -> list[Choice]:
    """The contact databases that the actor sees, by name."""
    query = select(ContactDatabase.id, ContactDatabase.name).order_by(ContactDatabase.name)
    return [Choice(database_id, name) for database_id, name in work.session.execute(query)]


def company_choices(work: Work, search: str, limit: int = CHOICES) -> list[Choice]:
    """The first companies that the words find, with the city."""
    work.actor.require(Permission.COMPANIES_READ)
    query = select(Company.id, Company.name, Company.city)
    return _choices(work, "company", query, Company, COMPANIES, search, limit)


def company_choice(work: Work, company_id: int) -> Choice | None:
    """One company as a choice; None if the actor sees no such company."""
    work.actor.require(Permission.COMPANIES_READ)
    row = work.session.execute(select(Company.id, Company.name, Company.city).where(Company.id == company_id)).first()
    if row is None:
        return None
    record_read(work, "company", [row.id], how=How.LIST)
    return Choice(row.id, row.name, row.city)


def contact_choices(work: Work, search: str, limit: int = CHOICES) -> list[Choice]:
    """The first people whom the words find, with company or e-mail."""
    work.actor.require(Permission.CONTACTS_READ)
    hint = func.coalesce(Company.name, _first(ContactEmail.address, ContactEmail.contact_id == Contact.id), "")
    query = select(Contact.id, Contact.name, hint).outerjoin(Company, Company.id == Contact.company_id)
    return _choices(work, "contact", query, Contact, CONTACTS, search, limit)


def _choices(
    work: Work, kind: str, query: Select[*tuple[Any, ...]], model: Model, view: TableClause, search: str, limit: int
) -> list[Choice]:
    order = _alphabetical(model)
    matches = is_in_first_matches(order, model.search_text, view, search, enough=limit, cap=CANDIDATES)
    query = query.where(matches).order_by(*order.of(order.columns)).limit(limit)
    found = [Choice(*row) for row in work.session.execute(query)]
    record_read(work, kind, [choice.id for choice in found], how=How.SEARCH)
    return found


def _contact_rows() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Contact.id,
            Contact.name,
            Contact.job_title,
            Company.id.label("company_id"),
            Company.name.label("company_name"),
            _first(ContactPhone.number, ContactPhone.contact_id == Contact.id).label("phone"),
            _first(ContactEmail.address, ContactEmail.contact_id == Contact.id).label("email"),
            Contact.owner_id,
            UserAccount.name.label("owner_name"),
        )
        .outerjoin(Company, Company.id == Contact.company_id)
        .outerjoin(UserAccount, UserAccount.id == Contact.owner_id)
    )


def _company_rows() -> Select[*tuple[Any, ...]]:
    people = select(func.count()).where(Contact.company_id == Company.id).correlate(Company).scalar_subquery()
    return select(
        Company.id,
        Company.name,
        Company.city,
        _first(CompanyPhone.number, CompanyPhone.company_id == Company.id).label("phone"),
        _first(CompanyEmail.address, CompanyEmail.company_id == Company.id).label("email"),
        Company.owner_id,
        UserAccount.name.label("owner_name"),
        people.label("contact_count"),
    ).outerjoin(UserAccount, UserAccount.id == Company.owner_id)


def _first(value: Any, is_of_row: ColumnElement[bool]) -> Any:
    return select(value).where(is_of_row).order_by(value.class_.position).limit(1).scalar_subquery()


def _alphabetical(model: Model) -> Order:
    return Order((model.sort_key, model.id))


def _behind(model: Model, after: int | None) -> ColumnElement[bool]:
    """Behind row ``after`` in alphabetical order; a page's address carries an id, so that no name stands in logs."""
    if after is None:
        return true()
    last = model.__table__.alias("last")
    key = select(last.c.sort_key).where(last.c.id == after).scalar_subquery()
    return tuple_(model.sort_key, model.id) > tuple_(key, literal(after, BigInteger))


def _note_rows(work: Work, kind: str, rows: Sequence[ContactRow] | Sequence[CompanyRow], search: str) -> None:
    record_read(work, kind, [row.id for row in rows], how=How.SEARCH if search.strip() else How.LIST)


def _contacts_of(work: Work, company_id: int) -> tuple[list[ContactRow], int]:
    if not work.actor.may(Permission.CONTACTS_READ):
        return [], 0
    query = (
        _contact_rows().where(Contact.company_id == company_id).order_by(Contact.sort_key, Contact.id).limit(CHOICES)
    )
    rows = [ContactRow(**row) for row in work.session.execute(query.limit(CHOICES)).mappings()]
    record_read(work, "contact", [row.id for row in rows], how=How.LIST)
    if len(rows) < CHOICES:
        return rows, len(rows)
    return rows, work.session.scalar(select(func.count()).where(Contact.company_id == company_id)) or 0


def _with_names(query: Select[*tuple[Any, ...]], model: Model) -> Select[*tuple[Any, ...]]:
    return (
        query.add_columns(ContactDatabase.name, UserAccount.name)
        .join_from(model, ContactDatabase, ContactDatabase.id == model.database_id)
        .outerjoin(UserAccount, UserAccount.id == model.owner_id)
    )


def _common(row: Contact | Company) -> dict[str, Any]:
    fields = ("id", "version", "name", "database_id", "owner_id", "street", "city", "postal_code", "country", "note")
    return {field: getattr(row, field) for field in (*fields, "created_at", "updated_at")}


def _ways(work: Work, value: Any, owner: Any, row_id: int) -> list[Way]:
    model = value.class_
    query = select(value, model.label).where(owner == row_id).order_by(model.position)
    return [Way(text, label) for text, label in work.session.execute(query)]

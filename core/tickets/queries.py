"""Questions about tickets, answered in frozen dataclasses."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Select, func, literal, select, tuple_

from core.directory.models import Company, Contact, ContactEmail
from core.foundation.errors import NotFound
from core.foundation.permissions import Permission
from core.foundation.read_log import How, record_read
from core.foundation.search import COUNT_CAP, Found, Order, contains, everything_of, find, search_view
from core.foundation.unit_of_work import Work
from core.identity.models import UserAccount
from core.tickets.models import Ticket, TicketCategory
from core.timeline.models import Queue

CANDIDATES: Final = 20

SEARCH: Final = search_view("ticket")
NEWEST_FIRST: Final = Order((Ticket.last_activity_at, Ticket.id), descending=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFilter:
    """Which tickets. ``status`` is one of the table's or None for all; ``owner`` is ``me``, ``none``, somebody's id or
    None."""

    status: str | None = None
    owner: str | int | None = None
    search: str = ""
    contact_id: int | None = None
    company_id: int | None = None


@dataclass(frozen=True, slots=True)
class TicketKey:
    """Where a page of tickets ended."""

    last_activity_at: datetime
    ticket_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRow:
    """One ticket in a list."""

    id: int
    number: int
    title: str
    status: str
    category: str
    requester: str
    contact_id: int | None
    contact_name: str | None
    company_name: str | None
    owner_id: int | None
    owner_name: str | None
    last_activity_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPage:
    """A page of tickets, newest activity first. ``count`` stops at 10,000."""

    rows: Sequence[TicketRow]
    next_key: TicketKey | None
    count: int

    @property
    def count_is_capped(self) -> bool:
        """Whether there are more than ``count``."""
        return self.count >= COUNT_CAP


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketDetail:
    """A ticket's header. ``contact_is_hidden``: it has a contact that the actor may not see."""

    id: int
    number: int
    title: str
    status: str
    version: int
    requester: str
    category_id: int
    category: str
    queue: str | None
    queue_id: int | None
    contact_id: int | None
    contact_name: str | None
    contact_is_hidden: bool
    company_id: int | None
    company_name: str | None
    owner_id: int | None
    owner_name: str | None
    created_at: datetime
    last_activity_at: datetime


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a select; ``hint`` tells namesakes apart."""

    id: int
    name: str
    hint: str = ""


def list_tickets(work: Work, wanted: TicketFilter, *, after: TicketKey | None = None, limit: int = 50) -> TicketPage:
    """A page of tickets; two statements, one more for words, one more notes the look."""
    work.actor.require(Permission.TICKETS_READ)
    found, conditions = _found(work, wanted), _conditions(work, wanted)
    place = [] if after is None else [_behind(after)]
    query = found.narrowed(_rows(), NEWEST_FIRST, Ticket.search_text, *conditions, *place, limit=limit + 1)
    read = [_as_row(row) for row in work.session.execute(query)]
    rows = read[:limit]
    record_read(work, "ticket", [row.id for row in rows], how=How.SEARCH if wanted.search else How.LIST)
    return TicketPage(
        rows=rows,
        next_key=TicketKey(rows[-1].last_activity_at, rows[-1].id) if len(read) > limit else None,
        count=_count(work, found, conditions),
    )


def count_tickets(work: Work, wanted: TicketFilter) -> int:
    """How many tickets there are, up to 10,000."""
    work.actor.require(Permission.TICKETS_READ)
    return _count(work, _found(work, wanted), _conditions(work, wanted))


def ticket_detail(work: Work, ticket_id: int) -> TicketDetail:
    """A ticket's header; raises ``NotFound``."""
    work.actor.require(Permission.TICKETS_READ)
    query = (
        select(
            Ticket,
            TicketCategory.name,
            Queue.name,
            Contact.name,
            Company.name,
            UserAccount.name,
        )
        .join(TicketCategory, TicketCategory.id == Ticket.category_id)
        .outerjoin(Queue, Queue.id == Ticket.queue_id)
        .outerjoin(Contact, Contact.id == Ticket.contact_id)
        .outerjoin(Company, Company.id == Ticket.company_id)
        .outerjoin(UserAccount, UserAccount.id == Ticket.owner_id)
        .where(Ticket.id == ticket_id)
    )
    row = work.session.execute(query).one_or_none()
    if row is None:
        raise NotFound
    ticket, category, queue, contact, company, owner = row
    record_read(work, "ticket", [ticket.id], how=How.DETAIL)
    return TicketDetail(
        id=ticket.id,
        number=ticket.number,
        title=ticket.title,
        status=ticket.status,
        version=ticket.version,
        requester=ticket.requester,
        category_id=ticket.category_id,
        category=category,
        queue=queue,
        queue_id=ticket.queue_id,
        contact_id=ticket.contact_id if contact else None,
        contact_name=contact,
        contact_is_hidden=ticket.contact_id is not None and contact is None,
        company_id=ticket.company_id if company else None,
        company_name=company,
        owner_id=ticket.owner_id,
        owner_name=owner,
        created_at=ticket.created_at,
        last_activity_at=ticket.last_activity_at,
    )


def contacts_with_requester(work: Work, requester: str) -> list[Choice]:
    """The first contacts who have the requester's address, each with its company."""
    work.actor.require(Permission.CONTACTS_READ)
    query = (
        select(Contact.id, Contact.name, func.coalesce(Company.name, ""))
        .outerjoin(Company, Company.id == Contact.company_id)
        .where(Contact.id.in_(select(ContactEmail.contact_id).where(ContactEmail.address_lower == requester.lower())))
        .order_by(Contact.sort_key, Contact.id)
        .limit(CANDIDATES)
    )
    found = [Choice(*row) for row in work.session.execute(query)] if requester else []
    record_read(work, "contact", [choice.id for choice in found], how=How.LIST)
    return found


def category_choices(work: Work) -> list[Choice]:
    """The categories that the actor may see."""
    query = select(TicketCategory.id, TicketCategory.name).order_by(TicketCategory.name)
    return [Choice(category_id, name) for category_id, name in work.session.execute(query)]


def _behind(key: TicketKey) -> ColumnElement[bool]:
    last = tuple_(literal(key.last_activity_at), literal(key.ticket_id, BigInteger))
    return tuple_(Ticket.last_activity_at, Ticket.id) < last


def _rows() -> Select[*tuple[Any, ...]]:
    return (
        select(
            Ticket.id,
            Ticket.number,
            Ticket.title,
            Ticket.status,
            TicketCategory.name.label("category"),
            Ticket.requester,
            Ticket.contact_id,
            Contact.name.label("contact_name"),
            Company.name.label("company_name"),
            Ticket.owner_id,
            UserAccount.name.label("owner_name"),
            Ticket.last_activity_at,
        )
        .join(TicketCategory, TicketCategory.id == Ticket.category_id)
        .outerjoin(Contact, Contact.id == Ticket.contact_id)
        .outerjoin(Company, Company.id == Ticket.company_id)
        .outerjoin(UserAccount, UserAccount.id == Ticket.owner_id)
    )


def _as_row(row: Any) -> TicketRow:
    return TicketRow(**row._mapping)  # noqa: SLF001  # SQLAlchemy's documented name


def _conditions(work: Work, wanted: TicketFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.status is not None:
        conditions.append(Ticket.status == wanted.status)
    if wanted.owner == "me":
        conditions.append(Ticket.owner_id == work.actor.user_id)
    elif wanted.owner == "none":
        conditions.append(Ticket.owner_id.is_(None))
    elif wanted.owner is not None:
        conditions.append(Ticket.owner_id == wanted.owner)
    if wanted.contact_id is not None:
        conditions.append(Ticket.contact_id == wanted.contact_id)
    if wanted.company_id is not None:
        conditions.append(Ticket.company_id == wanted.company_id)
    number = number_in(wanted.search)
    if number is not None:
        conditions.append(Ticket.number == literal(number, BigInteger))
    return conditions


def number_in(needle: str) -> int | None:
    """The number of the one ticket that is meant: ``#17``."""
    typed = needle.strip()
    bare = typed.removeprefix("#")
    return int(bare) if typed != bare and bare.isascii() and bare.isdigit() and len(bare) < 18 else None


def _found(work: Work, wanted: TicketFilter) -> Found:
    """What the words find; without words, or with a ticket's number, nothing is looked up."""
    if not wanted.search.strip() or number_in(wanted.search) is not None:
        return Found((), SEARCH, 0)
    return find(work, SEARCH, wanted.search, everything=everything_of(Ticket.id))


def _count(work: Work, found: Found, conditions: Sequence[ColumnElement[bool]]) -> int:
    if found.words and (not conditions or not found.count):
        return min(found.count, COUNT_CAP)
    rows = select(literal(1)).select_from(Ticket).where(*conditions)
    if found.is_frequent:
        rows = rows.where(*contains(Ticket.search_text, found.words))
    elif found.words:
        rows = rows.where(Ticket.id.in_(found.hits()))
    return work.session.scalar(select(func.count()).select_from(rows.limit(COUNT_CAP).subquery())) or 0

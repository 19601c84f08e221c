"""Who has the number that calls: what one wants to know before answering, as far as the actor may see it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from core.calls.matching import contacts_with
from core.calls.models import Call
from core.directory.models import Company, Contact, ContactEmail
from core.foundation.permissions import Permission
from core.foundation.read_log import How, record_read
from core.foundation.unit_of_work import Work
from core.tickets.models import Ticket
from core.timeline.models import Activity

OPEN_TICKETS: Final = 3
LAST_ACTIVITIES: Final = 3
MOST_MATCHES: Final = 8


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """A ticket of a contact that is not closed."""

    id: int
    number: int
    title: str


@dataclass(frozen=True, slots=True)
class LastActivity:
    """What happened lately with a contact."""

    kind: str
    direction: str
    summary: str
    occurred_at: datetime
    ticket_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactMatch:
    """A contact who has the number, as far as the actor may see them. ``email`` is their first address, or empty."""

    id: int
    name: str
    job_title: str
    company: str | None
    email: str
    open_tickets: Sequence[OpenTicket]
    last_activities: Sequence[LastActivity]


def contacts_at(work: Work, number: str, *, paired: int | None = None) -> list[ContactMatch]:
    """Contacts with the number, by name, with what one wants to know before answering.

    ``paired`` is whom somebody chose: they stand among them though their number is another.
    """
    if not work.actor.may(Permission.CONTACTS_READ):
        return []
    candidates = [*contacts_with(work, number), *([paired] if paired else [])]
    addresses = select(ContactEmail.address).where(ContactEmail.contact_id == Contact.id).correlate(Contact)
    email = addresses.order_by(ContactEmail.position, ContactEmail.id).limit(1).scalar_subquery()
    query = (
        select(Contact.id, Contact.name, Contact.job_title, Company.name.label("company"), email.label("email"))
        .outerjoin(Company, Company.id == Contact.company_id)
        .where(Contact.id.in_(candidates))
        .order_by(Contact.sort_key, Contact.id)
        .limit(MOST_MATCHES)
    )
    found = work.session.execute(query).all()
    ids = [row.id for row in found]
    record_read(work, "contact", ids, how=How.DETAIL)
    tickets, activities = _open_tickets(work, ids), _last_activities(work, ids)
    return [
        ContactMatch(
            id=row.id,
            name=row.name,
            job_title=row.job_title,
            company=row.company,
            email=row.email or "",
            open_tickets=tickets.get(row.id, ()),
            last_activities=activities.get(row.id, ()),
        )
        for row in found
    ]


def _open_tickets(work: Work, contact_ids: Sequence[int]) -> dict[int, list[OpenTicket]]:
    if not contact_ids or not work.actor.may(Permission.TICKETS_READ):
        return {}
    place = func.row_number().over(partition_by=Ticket.contact_id, order_by=Ticket.last_activity_at.desc())
    ranked = (
        select(Ticket.contact_id, Ticket.id, Ticket.number, Ticket.title, place.label("place"))
        .where(Ticket.contact_id.in_(contact_ids), Ticket.status != "closed")
        .subquery()
    )
    found: dict[int, list[OpenTicket]] = {}
    for row in work.session.execute(select(ranked).where(ranked.c.place <= OPEN_TICKETS).order_by(ranked.c.place)):
        found.setdefault(row.contact_id, []).append(OpenTicket(row.id, row.number, row.title))
    return found


def _last_activities(work: Work, contact_ids: Sequence[int]) -> dict[int, list[LastActivity]]:
    if not contact_ids:
        return {}
    place = func.row_number().over(partition_by=Activity.contact_id, order_by=Activity.occurred_at.desc())
    seen = Activity.ticket_id.is_(None) if not work.actor.may(Permission.TICKETS_READ) else Activity.id.is_not(None)
    live = select(Call.activity_id).where(Call.state != "ended")
    ranked = (
        select(
            Activity.contact_id,
            Activity.kind,
            Activity.direction,
            Activity.summary,
            Activity.occurred_at,
            Activity.ticket_id,
            place.label("place"),
        )
        .where(Activity.contact_id.in_(contact_ids), seen, Activity.id.not_in(live))
        .subquery()
    )
    found: dict[int, list[LastActivity]] = {}
    query = select(ranked).where(ranked.c.place <= LAST_ACTIVITIES).order_by(ranked.c.place)
    for row in work.session.execute(query):
        found.setdefault(row.contact_id, []).append(
            LastActivity(row.kind, row.direction, row.summary, row.occurred_at, row.ticket_id)
        )
    return found

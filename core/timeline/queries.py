"""What happened with a customer, newest first. One statement a page, one more notes the look."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, union

from core.directory.models import Contact
from core.foundation.permissions import Permission
from core.foundation.read_log import How, record_read
from core.foundation.unit_of_work import Work
from core.identity.models import UserAccount
from core.timeline.models import Activity, Attachment

PAGE: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One activity as a line: which channel, which way, when, with whom, by which colleague."""

    id: int
    kind: str
    direction: str
    summary: str
    occurred_at: datetime
    ticket_id: int | None
    user_name: str | None
    contact_id: int | None = None
    contact_name: str | None = None
    file_count: int = 0


def activities_of_contact(work: Work, contact_id: int) -> list[TimelineEntry]:
    """The newest activities with a contact."""
    work.actor.require(Permission.CONTACTS_READ)
    return _newest(work, _ids(work, Activity.contact_id == contact_id))


def activities_of_company(work: Work, company_id: int) -> list[TimelineEntry]:
    """The newest activities with a company and with the people who work there now."""
    work.actor.require(Permission.COMPANIES_READ)
    people = select(Contact.id).where(Contact.company_id == company_id)
    with_company = _ids(work, Activity.company_id == company_id).subquery()
    with_people = _ids(work, Activity.contact_id.in_(people)).subquery()
    return _newest(work, union(select(with_company.c.id), select(with_people.c.id)))


def _ids(work: Work, condition: ColumnElement[bool]) -> Select[int]:
    """The newest ids; activities of tickets only for those who may read tickets."""
    may_all = literal(work.actor.may(Permission.TICKETS_READ))
    return (
        select(Activity.id).where(condition, or_(may_all, Activity.ticket_id.is_(None))).order_by(*_order()).limit(PAGE)
    )


def _newest(work: Work, ids: Any) -> list[TimelineEntry]:
    files = select(func.count()).where(Attachment.activity_id == Activity.id, ~Attachment.is_inline)
    query = (
        select(
            Activity.id,
            Activity.kind,
            Activity.direction,
            Activity.summary,
            Activity.occurred_at,
            Activity.ticket_id,
            UserAccount.name.label("user_name"),
            Contact.id.label("contact_id"),
            Contact.name.label("contact_name"),
            files.correlate(Activity).scalar_subquery().label("file_count"),
        )
        .outerjoin(UserAccount, UserAccount.id == Activity.user_id)
        .outerjoin(Contact, Contact.id == Activity.contact_id)
        .where(Activity.id.in_(ids))
        .order_by(*_order())
        .limit(PAGE)
    )
    entries = [TimelineEntry(**row) for row in work.session.execute(query).mappings()]
    record_read(work, "activity", [entry.id for entry in entries], how=How.LIST)
    return entries


def _order() -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    return Activity.occurred_at.desc(), Activity.id.desc()

"""What happened with a customer, newest first. One statement a page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, select

from core.foundation.unit_of_work import Work
from core.identity.models import UserAccount
from core.timeline.models import Activity

PAGE: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineEntry:
    """One activity as a line: which channel, which way, when, by which colleague."""

    id: int
    kind: str
    direction: str
    summary: str
    occurred_at: datetime
    ticket_id: int | None
    user_name: str | None


def activities_of_contact(work: Work, contact_id: int) -> list[TimelineEntry]:
    """The newest activities with a contact; the page that asks has noted the look at the contact."""
    return _newest(work, Activity.contact_id == contact_id)


def activities_of_company(work: Work, company_id: int) -> list[TimelineEntry]:
    """The newest activities with a company and its people."""
    return _newest(work, Activity.company_id == company_id)


def _newest(work: Work, condition: ColumnElement[bool]) -> list[TimelineEntry]:
    query = (
        select(Activity, UserAccount.name)
        .outerjoin(UserAccount, UserAccount.id == Activity.user_id)
        .where(condition)
        .order_by(Activity.occurred_at.desc(), Activity.id.desc())
        .limit(PAGE)
    )
    return [
        TimelineEntry(
            id=activity.id,
            kind=activity.kind,
            direction=activity.direction,
            summary=activity.summary,
            occurred_at=activity.occurred_at,
            ticket_id=activity.ticket_id,
            user_name=user_name,
        )
        for activity, user_name in work.session.execute(query)
    ]

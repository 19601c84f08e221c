"""What a user is shown of their notifications."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, or_, select, tuple_

from core.calls.models import Call
from core.directory.models import Contact
from core.foundation.i18n import Message
from core.foundation.permissions import Permission
from core.foundation.read_log import How, record_read
from core.foundation.unit_of_work import Work
from core.notifications.choices import offered_kinds
from core.notifications.kinds import Kind, title
from core.notifications.models import Notification
from core.tickets.models import Ticket
from core.timeline.models import Activity

MOST_COUNTED: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRow:
    """One notification. ``about`` names the ticket, or is empty; ``caller`` and ``number`` say who called.

    ``path`` leads to what it is about.
    """

    id: int
    kind: str
    title: Message
    about: str
    caller: str
    number: str
    path: str
    happened_at: datetime
    is_read: bool


@dataclass(frozen=True, slots=True)
class NotificationKey:
    """Where a page of notifications ended."""

    happened_at: datetime
    notification_id: int


@dataclass(frozen=True, slots=True)
class NotificationPage:
    """A page of notifications, newest first."""

    rows: Sequence[NotificationRow]
    next_key: NotificationKey | None


def unread_count(work: Work) -> int:
    """How many notifications the actor has not read; 100 stands for as many or more."""
    some = select(Notification.id).where(*mine(work), Notification.in_app, Notification.read_at.is_(None))
    counted = select(func.count()).select_from(some.limit(MOST_COUNTED).subquery())
    return work.session.scalars(counted).one()


def list_notifications(work: Work, *, after: NotificationKey | None = None, limit: int) -> NotificationPage:
    """The actor's notifications in the app, newest first. Calls' contacts are noted as read."""
    query = _shown(work).where(Notification.in_app)
    if after is not None:
        place = tuple_(Notification.happened_at, Notification.id)
        query = query.where(place < tuple_(after.happened_at, after.notification_id))
    query = query.order_by(Notification.happened_at.desc(), Notification.id.desc()).limit(limit + 1)
    found = work.session.execute(query).all()
    rows = found[:limit]
    record_read(work, "contact", [row.contact_id for row in rows if row.contact_id], how=How.LIST)
    last = rows[-1][0] if len(found) > limit else None
    return NotificationPage(
        [_as_row(row) for row in rows], NotificationKey(last.happened_at, last.id) if last else None
    )


def find_notification(work: Work, notification_id: int) -> NotificationRow | None:
    """One of the actor's; None if it is gone, or if what it is about may not be seen any more."""
    row = work.session.execute(_shown(work).where(Notification.id == notification_id)).one_or_none()
    return _as_row(row) if row else None


def unread_for_mail(work: Work) -> list[NotificationRow]:
    """What waits to be mailed to the actor and is still unread, oldest first."""
    waiting = _shown(work).where(Notification.mail_wanted, Notification.read_at.is_(None))
    return [_as_row(row) for row in work.session.execute(waiting.order_by(Notification.happened_at, Notification.id))]


def mine(work: Work) -> tuple[ColumnElement[bool], ...]:
    """That a notification is the actor's, and of a kind that they may get. Policies hide what they may not see."""
    kinds = [kind.value for kind in offered_kinds(work)]
    return (Notification.user_id == work.actor.user_id, Notification.kind.in_(kinds))


def _shown(work: Work) -> Select[*tuple[Any, ...]]:
    contacts_are_shown = work.actor.may(Permission.CONTACTS_READ)
    return (
        select(
            Notification, Ticket.number, Ticket.title, Call.from_number, Contact.id.label("contact_id"), Contact.name
        )
        .outerjoin(Ticket, Ticket.id == Notification.ticket_id)
        .outerjoin(Call, Call.id == Notification.call_id)
        .outerjoin(Activity, Activity.id == Call.activity_id)
        .outerjoin(Contact, (Contact.id == Activity.contact_id) & contacts_are_shown)
        .where(*mine(work))
        .where(or_(Notification.ticket_id.is_(None), Ticket.id.is_not(None)))
    )


def _as_row(row: Any) -> NotificationRow:
    found: Notification = row[0]
    return NotificationRow(
        id=found.id,
        kind=found.kind,
        title=title(found.kind, found.detail, found.count),
        about=f"#{row.number} {row.title}" if row.number is not None else "",
        caller=row.name or "",
        number=row.from_number or "",
        path=_path(found),
        happened_at=found.happened_at,
        is_read=found.read_at is not None,
    )


def _path(found: Notification) -> str:
    if found.ticket_id is not None:
        is_mail = found.kind in {Kind.CUSTOMER_ANSWERED, Kind.COLLEAGUE_ANSWERED, Kind.MAIL_FAILED}
        return f"/tickets/{found.ticket_id}" + (f"#mail-{found.source_id}" if is_mail else "")
    return f"/calls/{found.call_id}" if found.call_id is not None else "/security/"

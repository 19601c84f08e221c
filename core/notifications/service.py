"""Reading notifications, and removing what is old."""

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import CursorResult, delete, or_, select, update

from core.foundation import clock
from core.foundation.errors import NotFound
from core.foundation.live import tell
from core.foundation.unit_of_work import Work
from core.identity.models import UserAccount
from core.notifications.choosing import TOPIC, clear_later
from core.notifications.kinds import Kind
from core.notifications.models import Notification
from core.notifications.queries import NotificationRow, find_notification

KEPT: Final = timedelta(days=90)


def read_notification(work: Work, notification_id: int) -> NotificationRow:
    """Mark one of the actor's as read; answers it. Raises ``NotFound``."""
    found = find_notification(work, notification_id)
    if found is None:
        raise NotFound
    _mark(work, Notification.id == notification_id)
    return found


def read_all(work: Work) -> None:
    """Mark all of the actor's as read."""
    _mark(work)


def read_about_ticket(work: Work, ticket_id: int) -> None:
    """The actor looks at the ticket: what was to be told of it needs no telling any more."""
    _mark(work, Notification.ticket_id == ticket_id)


def read_about_call(work: Work, call_id: int) -> None:
    """The actor looks at the call."""
    _mark(work, Notification.call_id == call_id)


def read_about_browsers(work: Work) -> None:
    """The actor knows the browsers that are signed in."""
    _mark(work, Notification.kind == Kind.NEW_BROWSER.value)


def remove_old(work: Work) -> int:
    """Remove what is older than ninety days, or of users who are gone; answers how much. Plans the next round if
    anything is left. Called as the product, which alone sees what others are told."""
    gone = select(UserAccount.id).where(UserAccount.deleted_at.is_not(None))
    is_old = or_(Notification.happened_at < clock.now() - KEPT, Notification.user_id.in_(gone))
    old = delete(Notification).where(is_old)
    removed: CursorResult[Any] = work.session.execute(old)  # type: ignore[assignment]  # what a DELETE answers
    if work.session.scalar(select(Notification.id).limit(1)) is not None:
        clear_later(work)
    return removed.rowcount


def _mark(work: Work, *conditions: Any) -> None:
    if work.actor.is_viewing:  # an owner who looks at the app as a group does reads nothing by that
        return
    unread = (Notification.user_id == work.actor.user_id, Notification.read_at.is_(None), *conditions)
    marked = update(Notification).where(*unread).values(read_at=clock.now(), mail_wanted=False)
    if work.session.scalars(marked.returning(Notification.id)).all() and work.actor.user_id is not None:
        tell(work, TOPIC, [work.actor.user_id])

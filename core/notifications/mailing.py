"""Unread notifications in one mail: what happened and where, never what was written."""

from typing import Final

from sqlalchemy import select, update

from core.foundation import clock
from core.foundation.i18n import Message, _, translate
from core.foundation.unit_of_work import Work
from core.identity.models import UserAccount
from core.identity.naming import shown_address
from core.mail.models import MailAddress
from core.mail.notices import Notice, queue_notice
from core.notifications.choices import my_choices
from core.notifications.kinds import Channel, Kind
from core.notifications.models import Notification
from core.notifications.queries import NotificationRow, unread_for_mail
from core.tenants.service import primary_url

MOST_LINES: Final = 20
SETTINGS_PATH: Final = "/notifications/settings"


def mail_digest(work: Work) -> bool:
    """Mail the actor what they have not read and want by mail; answers whether a mail leaves.

    Called as the reader, so that what they may not see any more is left out. None goes to an address that the product
    takes mail for: it would come back as a ticket, and be told again.
    """
    user = work.session.get_one(UserAccount, work.actor.user_id)
    choices = my_choices(work)
    waiting = unread_for_mail(work)
    rows = [row for row in waiting if Channel.MAIL in choices[Kind(row.kind)]]
    done = update(Notification).where(Notification.id.in_([row.id for row in waiting]))
    work.session.execute(done.values(mail_wanted=False, mailed_at=clock.now()))
    takes_mail = select(MailAddress.id).where(MailAddress.address == user.email)
    if not rows or not shown_address(user.email) or work.session.scalar(takes_mail) is not None:
        return False
    queue_notice(work, _notice(user, rows, primary_url(work)))
    return True


def _notice(user: UserAccount, rows: list[NotificationRow], url: str) -> Notice:
    lines = [f"{_line(row, user.locale)}\n{url}/notifications/{row.id}" for row in rows[-MOST_LINES:]]
    more = [f"{url}/notifications/"] if len(rows) > MOST_LINES else []
    chosen = _("What comes by e-mail, you choose here: %(url)s", url=f"{url}{SETTINGS_PATH}")
    return Notice(
        email=user.email,
        name=user.name,
        locale=user.locale,
        subject=_subject(rows, user.locale),
        paragraphs=(*lines, *more, chosen),
    )


def _subject(rows: list[NotificationRow], locale: str) -> Message:
    if len(rows) > 1:
        return _("Unread notifications: %(count)s", count=len(rows))
    return Message("%(line)s", {"line": _line(rows[0], locale)})


def _line(row: NotificationRow, locale: str) -> str:
    """What happened; of a call neither the number nor the name."""
    said = translate(row.title, locale)
    return f"{said}: {row.about}" if row.about else said

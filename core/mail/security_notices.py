"""Mails about what happened to a user's own way in: whoever did not do it themselves has to learn of it elsewhere."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from sqlalchemy import select

from core.foundation import clock
from core.foundation.i18n import Message, _, translate
from core.foundation.unit_of_work import Work
from core.identity.agents import browser_name
from core.identity.models import SignInSession, UserAccount
from core.identity.recovery import make_reset_link
from core.identity.recovery_codes import codes_left
from core.mail.notices import Notice, queue_notice
from core.tenants.service import primary_url, tenant_profile

SECURITY_PATH: Final = "/security/"
FORGOTTEN_PATH: Final = "/sign-in/forgotten"
RESET_PATH: Final = "/reset/"

SECOND_FACTOR: Final[Mapping[str, tuple[Message, Message]]] = {
    "app_on": (
        _("Second factor turned on"),
        _("Whoever signs in as you is asked for a code of your app after the password."),
    ),
    "app_moved": (
        _("Second factor moved to another app"),
        _("The codes of another app are asked for now; those of the earlier one work no more."),
    ),
    "app_off": (
        _("The codes of your app are off"),
        _("The codes of your app are not asked for any more; your passkeys are."),
    ),
    "passkey_added": (
        _("New passkey"),
        _("A passkey was added to your account: it lets in whoever has the device and can unlock it."),
    ),
    "passkey_removed": (_("A passkey was deleted"), _("One of your passkeys was deleted. It lets nobody in any more.")),
    "passkey_refused": (
        _("A passkey was refused"),
        _("One of your passkeys counts its uses wrongly, as a copy would. It was refused; delete it and make another."),
    ),
    "codes_new": (
        _("New recovery codes"),
        _("Ten new recovery codes were made for you; the earlier ones work no more."),
    ),
    "recovery_used": (
        _("A recovery code was used"),
        _("One of your recovery codes was used in place of the app's code. It works no more."),
    ),
    "turned_off": (_("Second factor turned off"), _("Your password alone lets you in now.")),
    "removed": (
        _("Your second factor was removed"),
        _("A colleague who manages users removed your second factor and signed you out everywhere."),
    ),
}
"""What happened: a mail's subject and what it says, by the code that the event carries."""


def tell_of_browser(work: Work, session_id: int) -> bool:
    """Tell the user, once, that a new browser signed in as them; answers whether a mail leaves.

    None does for a session that has ended since: its user ended it, and so knows.
    """
    query = (
        select(SignInSession, UserAccount)
        .join(UserAccount, UserAccount.id == SignInSession.user_id)
        .where(SignInSession.id == session_id, SignInSession.told_at.is_(None), ~UserAccount.is_blocked)
        .with_for_update(of=SignInSession)
    )
    found = work.session.execute(query).one_or_none()
    if found is None:
        return False
    session, user = found
    session.told_at = clock.now()
    name = translate(browser_name(session.browser), user.locale)
    tenant = tenant_profile(work)
    _queue(
        work,
        user,
        _("New sign-in to %(company)s", company=tenant.name),
        _("Somebody signed in as you with a browser that was not seen before."),
        _("Browser: %(browser)s", browser=name),
        _("Network: %(network)s", network=session.network or "–"),
        _("Time: %(time)s", time=_time(session.created_at, user.locale, tenant.time_zone)),
        _("If it was you, there is nothing to do. If not, sign that browser out and change your password here:"),
        f"{primary_url(work)}{SECURITY_PATH}",
    )
    return True


def tell_of_password(work: Work, user_id: int) -> None:
    """Tell the user that their password was changed: to whoever did not do it, it is the only sign."""
    user = work.session.get(UserAccount, user_id)
    if user is None or user.is_blocked:
        return
    _queue(
        work,
        user,
        _("Your password was changed"),
        _("Your password for %(company)s was changed.", company=tenant_profile(work).name),
        _("If it was you, there is nothing to do. If not, choose another one here at once:"),
        f"{primary_url(work)}{FORGOTTEN_PATH}",
    )


def tell_of_second_factor(work: Work, user_id: int, change: str) -> None:
    """Tell the user what happened to their second factor; ``change`` is a key of ``SECOND_FACTOR``."""
    user = work.session.get(UserAccount, user_id)
    if user is None or user.is_blocked:
        return
    subject, sentence = SECOND_FACTOR[change]
    left = (_("Recovery codes left: %(count)d", count=codes_left(work, user_id)),) if change == "recovery_used" else ()
    _queue(
        work,
        user,
        subject,
        _("Your account at %(company)s, %(email)s:", company=tenant_profile(work).name, email=user.email),
        sentence,
        *left,
        _("If you know of it, there is nothing to do. If not, change your password and look at your sign-ins at once:"),
        f"{primary_url(work)}{SECURITY_PATH}",
    )


def mail_reset_link(work: Work, user_id: int) -> None:
    """Mail the user a link to a new password, if they may have one (``make_reset_link``)."""
    token = make_reset_link(work, user_id)
    if token is None:
        return
    _queue(
        work,
        work.session.get_one(UserAccount, user_id),
        _("A new password for %(company)s", company=tenant_profile(work).name),
        _("Somebody, most likely you, asked for a new password. Choose it here:"),
        f"{primary_url(work)}{RESET_PATH}{token}",
        _("The link works once, for one hour. If you did not ask for it, do nothing: your password stays as it is."),
    )


def _queue(work: Work, user: UserAccount, subject: Message, *paragraphs: Message | str) -> None:
    notice = Notice(email=user.email, name=user.name, locale=user.locale, subject=subject, paragraphs=paragraphs)
    queue_notice(work, notice)


def _time(at: datetime, locale: str, time_zone: str) -> str:
    return format_datetime(at, "long", tzinfo=ZoneInfo(time_zone), locale=locale)

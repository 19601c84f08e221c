"""Mails about what happened to a user's own way in: whoever did not do it themselves has to learn of it elsewhere."""

from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from sqlalchemy import select

from core.foundation import clock
from core.foundation.i18n import _, translate
from core.foundation.unit_of_work import Work
from core.identity.agents import browser_name
from core.identity.models import SignInSession, UserAccount
from core.mail.notices import Notice, queue_notice
from core.tenants.service import primary_url, tenant_profile

SECURITY_PATH = "/security/"


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
    notice = Notice(
        email=user.email,
        name=user.name,
        locale=user.locale,
        subject=_("New sign-in to %(company)s", company=tenant.name),
        paragraphs=(
            _("Somebody signed in as you with a browser that was not seen before."),
            _("Browser: %(browser)s", browser=name),
            _("Network: %(network)s", network=session.network or "–"),
            _("Time: %(time)s", time=_time(session.created_at, user.locale, tenant.time_zone)),
            _("If it was you, there is nothing to do. If not, sign that browser out and change your password here:"),
            f"{primary_url(work)}{SECURITY_PATH}",
        ),
    )
    queue_notice(work, notice)
    return True


def _time(at: datetime, locale: str, time_zone: str) -> str:
    return format_datetime(at, "long", tzinfo=ZoneInfo(time_zone), locale=locale)

"""Mails that tell users of what happened to their own way in."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import delete, select, update

from core.foundation import clock
from core.foundation.actor import Door, system_actor
from core.foundation.outbox import StoredEvent
from core.foundation.unit_of_work import Work
from core.identity.events import BrowserSeen
from core.identity.models import SignInSession, UserAccount
from core.identity.second_factor import CHANGES
from core.identity.sessions import Browser, new_browser_token, open_session
from core.mail.jobs import tell_of_changed_factor, tell_of_new_browser
from core.mail.models import OutboundMail
from core.mail.queries import outbox_mail
from core.mail.sending import send_outbound
from tests.conftest import WorkAs
from tests.support.cast import Cast
from tests.support.factors import give_app

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def enter(work: Work, user_id: int) -> None:
    """Sign in with a browser of its own."""
    open_session(work, user_id, Browser(agent=FIREFOX, address="198.51.100.7", token=new_browser_token()))


def told(work: Work) -> list[int]:
    """The sessions that the event named."""
    events = work.session.scalars(select(StoredEvent.payload).where(StoredEvent.name == BrowserSeen.name))
    return [int(payload["session_id"]) for payload in events]


def mails(work: Work) -> list[int]:
    """What waits in the outbox."""
    return list(work.session.scalars(select(OutboundMail.id)))


def test_a_new_browser_is_told_by_mail_once_and_in_ones_language(work_as: WorkAs, cast: Cast) -> None:
    vera, actor = cast.demo.users["vera"], system_actor(cast.demo.tenant_id, door=Door.JOB)
    clock.hold(datetime(2026, 7, 2, 9, 30, tzinfo=UTC))
    with work_as("system") as work:
        work.session.execute(update(UserAccount).where(UserAccount.id == vera).values(locale="en"))
        enter(work, vera)
        assert told(work) == []  # the first browser of all is no news
        enter(work, vera)
        (session_id,) = told(work)
    for _again in range(2):
        tell_of_new_browser(actor, session_id=session_id)
    with work_as("system") as work:
        (mail_id,) = mails(work)
    send_outbound(actor, mail_id)  # no outgoing server: it is held, and shown
    with work_as("anna") as work:
        mail = outbox_mail(work, mail_id)
    assert list(mail.row.recipients) == ["vera@demo.localhost"]
    assert "Firefox on Linux" in mail.text
    assert "198.51.100.0/24" in mail.text
    assert "11:30:00" in mail.text  # the company stands in Prague
    assert "http://demo.localhost" in mail.text
    assert "198.51.100.7" not in mail.text


@pytest.mark.parametrize("change", ["ended", "blocked"])
def test_nobody_is_told_of_what_is_over(work_as: WorkAs, cast: Cast, change: str) -> None:
    vera = cast.demo.users["vera"]
    with work_as("system") as work:
        enter(work, vera)
        enter(work, vera)
        (session_id,) = told(work)
        if change == "ended":
            work.session.execute(delete(SignInSession).where(SignInSession.id == session_id))
        else:
            work.session.execute(update(UserAccount).where(UserAccount.id == vera).values(is_blocked=True))
    tell_of_new_browser(system_actor(cast.demo.tenant_id, door=Door.JOB), session_id=session_id)
    with work_as("system") as work:
        assert mails(work) == []


@pytest.mark.covers("P-18")
@pytest.mark.parametrize("change", CHANGES)
def test_whatever_happens_to_the_second_factor_is_told_by_mail(work_as: WorkAs, cast: Cast, change: str) -> None:
    vera, actor = cast.demo.users["vera"], system_actor(cast.demo.tenant_id, door=Door.JOB)
    with work_as("vera") as work:
        app = give_app(work)
    tell_of_changed_factor(actor, user_id=vera, change=change)
    with work_as("system") as work:
        (mail_id,) = mails(work)
    send_outbound(actor, mail_id)
    with work_as("anna") as work:
        mail = outbox_mail(work, mail_id)
    assert list(mail.row.recipients) == ["vera@demo.localhost"]
    assert "http://demo.localhost" in mail.text
    assert "/security/" in mail.text
    assert ("Recovery codes left: 10" in mail.text) == (change == "recovery_used")
    assert app.secret not in mail.text
    assert not [code for code in app.recovery_codes if code in mail.text]

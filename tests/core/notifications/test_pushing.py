"""Web push against a push service of the tests' own, which verifies signatures and decrypts as a browser does."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from core.foundation import clock, outgoing
from core.foundation.actor import Door, system_actor
from core.foundation.errors import Forbidden, Invalid, NotFound
from core.foundation.settings import settings
from core.identity.models import SignInSession
from core.identity.sessions import end_session, end_sessions
from core.identity.sign_in import sign_out
from core.notifications.choices import choose
from core.notifications.jobs import push_to
from core.notifications.keys import public_key
from core.notifications.models import Notification, PushKey, PushSubscription
from core.notifications.service import read_all
from core.notifications.subscriptions import BrowserKeys, my_browsers, subscribe, unsubscribe
from core.people.leaving import block_person
from core.tickets.service import TicketDraft, TicketPatch, change_ticket, open_ticket
from tests.conftest import WorkAs
from tests.support.cast import Cast
from tests.support.news import run_news, signed_in_session
from tests.support.push import Browser, PushService, coded, nobody_listens, push_service

HOUR = timedelta(hours=1)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[PushService]:
    """A push service on loopback, which the development's setting allows."""
    monkeypatch.setattr(outgoing, "settings", lambda: replace(settings(), private_destinations=True))
    with push_service() as running:
        yield running


def take_pushes(work_as: WorkAs, cast: Cast, browser: Browser, name: str = "boris") -> tuple[str, int]:
    """Let somebody's browser take pushes; answers the token and the id of its sign-in."""
    with work_as("system") as work:
        token, session_id = signed_in_session(work, cast.demo.users[name])
    with work_as(name) as work:
        subscribe(work, browser.keys, token=token)
    return token, session_id


def give_ticket(work_as: WorkAs, cast: Cast, title: str = "Printer") -> int:
    """Anna makes a ticket Boris'."""
    with work_as("anna") as work:
        ticket_id = open_ticket(work, TicketDraft(title=title, category_id=cast.demo.open_category)).id
        change_ticket(work, ticket_id, TicketPatch(owner_id=cast.demo.users["boris"]), version=1)
    return ticket_id


@pytest.mark.covers("P-4")
def test_a_push_is_signed_and_readable_by_its_browser_alone(work_as: WorkAs, cast: Cast, service: PushService) -> None:
    browser, other = service.browser("one"), service.browser("two")
    take_pushes(work_as, cast, browser)
    take_pushes(work_as, cast, other)
    give_ticket(work_as, cast, "Printer for Jana Malá")
    run_news(cast.demo.tenant_id)
    assert sorted(push.path for push in service.received) == ["/one", "/two"]
    received = next(push for push in service.received if push.path == "/one")
    said = browser.opened(received.body)
    with work_as("system") as work:
        notification_id = work.session.scalars(select(Notification.id)).one()
        key = public_key(work)
    assert said["title"] == "A ticket is yours now"
    assert said["body"].endswith("Printer for Jana Malá")
    assert said["url"] == f"/notifications/{notification_id}"
    assert b"Jana" not in received.body
    with pytest.raises(Exception, match=r".*"):
        other.opened(received.body)
    claims, signer = received.claims()
    assert signer == key
    assert claims["aud"] == service.url
    assert claims["sub"] == "mailto:support@demo.localhost"
    assert 0 < claims["exp"] - clock.now().timestamp() <= 24 * 3600
    assert received.headers["content-encoding"] == "aes128gcm"
    assert int(received.headers["ttl"]) > 0
    assert len(received.headers["topic"]) <= 32


@pytest.mark.covers("P-4")
def test_ten_changes_are_one_push_until_an_hour_has_passed(work_as: WorkAs, cast: Cast, service: PushService) -> None:
    take_pushes(work_as, cast, service.browser("one"))
    ticket_id = give_ticket(work_as, cast)
    run_news(cast.demo.tenant_id)
    _give_again(work_as, cast, ticket_id)
    assert len(service.received) == 1
    clock.hold(clock.now() + HOUR + timedelta(minutes=1))
    _give_again(work_as, cast, ticket_id)
    assert len(service.received) == 2


def _give_again(work_as: WorkAs, cast: Cast, ticket_id: int) -> None:
    with work_as("anna") as work:
        for owner in ("anna", "boris"):
            version = work.session.scalar(text("select version from ticket where id = :id"), {"id": ticket_id}) or 0
            change_ticket(work, ticket_id, TicketPatch(owner_id=cast.demo.users[owner]), version=version)
    run_news(cast.demo.tenant_id)


@pytest.mark.covers("P-4")
@pytest.mark.parametrize("status", [404, 410])
def test_a_browser_that_is_gone_is_forgotten(work_as: WorkAs, cast: Cast, service: PushService, status: int) -> None:
    token, _session = take_pushes(work_as, cast, service.browser("one"))
    service.statuses = [status]
    give_ticket(work_as, cast)
    run_news(cast.demo.tenant_id)
    with work_as("boris") as work:
        assert my_browsers(work, token) == []


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_service_that_cannot_now_is_asked_again(
    work_as: WorkAs, cast: Cast, service: PushService, status: int
) -> None:
    token, _session = take_pushes(work_as, cast, service.browser("one"))
    service.statuses = [status, status]
    give_ticket(work_as, cast)
    assert run_news(cast.demo.tenant_id).count("notifications.push_to") == 1
    run_news(cast.demo.tenant_id)
    assert len(service.received) == 1  # not at once
    run_news(cast.demo.tenant_id, until=timedelta(seconds=31))
    run_news(cast.demo.tenant_id, until=timedelta(seconds=61))
    assert len(service.received) == 3
    with work_as("boris") as work:
        assert my_browsers(work, token)[0].delivered_at is not None
    run_news(cast.demo.tenant_id, until=HOUR)
    assert len(service.received) == 3


def test_it_is_not_asked_for_ever(work_as: WorkAs, cast: Cast, service: PushService) -> None:
    take_pushes(work_as, cast, Browser(endpoint=nobody_listens()))
    give_ticket(work_as, cast)
    tried = [run_news(cast.demo.tenant_id, until=3 * HOUR).count("notifications.push_to") for _round in range(14)]
    assert sum(tried) == 10
    assert tried[-1] == 0


def test_a_push_is_not_told_of_what_was_read_meanwhile(work_as: WorkAs, cast: Cast, service: PushService) -> None:
    take_pushes(work_as, cast, service.browser("one"))
    service.statuses = [503]
    give_ticket(work_as, cast)
    run_news(cast.demo.tenant_id)
    with work_as("boris") as work:
        read_all(work)
    run_news(cast.demo.tenant_id, until=HOUR)
    assert len(service.received) == 1


@pytest.mark.attack(57)
@pytest.mark.covers("P-4")
@pytest.mark.parametrize("change", ["category", "choice"])
def test_a_push_looks_again_at_what_its_reader_may_see(
    work_as: WorkAs, cast: Cast, service: PushService, change: str
) -> None:
    take_pushes(work_as, cast, service.browser("one"))
    service.statuses = [503]
    ticket_id = give_ticket(work_as, cast)
    run_news(cast.demo.tenant_id)
    if change == "category":
        with work_as("anna") as work:
            change_ticket(work, ticket_id, TicketPatch(category_id=cast.demo.closed_category), version=2)
    else:
        with work_as("boris") as work:
            choose(work, {"ticket_assigned": ["app", "mail"]})
    run_news(cast.demo.tenant_id, until=HOUR)
    assert len(service.received) == 1


@pytest.mark.covers("P-4")
@pytest.mark.parametrize("ending", ["sign out", "ended", "everywhere", "blocked", "expired"])
def test_a_browser_that_is_signed_out_gets_nothing(
    work_as: WorkAs, cast: Cast, service: PushService, ending: str
) -> None:
    token, session_id = take_pushes(work_as, cast, service.browser("one"))
    boris = cast.demo.users["boris"]
    with work_as("anna" if ending == "blocked" else "boris") as work:
        if ending == "sign out":
            sign_out(work, token)
        elif ending == "ended":
            end_session(work, session_id)
        elif ending == "everywhere":
            end_sessions(work, boris)
        elif ending == "blocked":
            block_person(work, boris)
        else:
            passed = update(SignInSession).where(SignInSession.id == session_id)
            work.session.execute(passed.values(expires_at=clock.now() - HOUR))
    with work_as("system") as work:
        left = work.session.scalars(select(PushSubscription.id)).all()
        assert bool(left) == (ending == "expired")
        work.session.execute(text("update user_account set is_blocked = false"))
    give_ticket(work_as, cast)
    run_news(cast.demo.tenant_id)
    assert service.received == []


def test_a_job_with_another_users_browser_sends_nothing(work_as: WorkAs, cast: Cast, service: PushService) -> None:
    take_pushes(work_as, cast, service.browser("vera"), "vera")
    give_ticket(work_as, cast)
    run_news(cast.demo.tenant_id)
    with work_as("system") as work:
        notification_id = work.session.scalars(select(Notification.id)).one()
        subscription_id = work.session.scalars(select(PushSubscription.id)).one()
    product = system_actor(cast.demo.tenant_id, door=Door.JOB)
    for name in ("boris", "vera"):
        push_to(
            product,
            notification_id=notification_id,
            user_id=cast.demo.users[name],
            subscription_id=subscription_id,
            attempt=1,
        )
    assert service.received == []


# Subscriptions


def test_whoever_uses_a_browser_next_takes_it_over(work_as: WorkAs, cast: Cast, service: PushService) -> None:
    browser = service.browser("shared")
    boris, _session = take_pushes(work_as, cast, browser)
    vera, _session = take_pushes(work_as, cast, browser, "vera")
    with work_as("boris") as work:
        assert my_browsers(work, boris) == []
    with work_as("vera") as work:
        assert [row.is_this for row in my_browsers(work, vera)] == [True]
    give_ticket(work_as, cast)
    run_news(cast.demo.tenant_id)
    assert service.received == []


@pytest.mark.attack(1)
def test_only_ones_own_browser_is_switched_off(work_as: WorkAs, cast: Cast, service: PushService) -> None:
    token, _session = take_pushes(work_as, cast, service.browser("one"))
    with work_as("boris") as work:
        (row,) = my_browsers(work, token)
    for name in ("anna", "oleg"):
        with work_as(name) as work, pytest.raises(NotFound):
            unsubscribe(work, row.id)
    with work_as("vera") as work, pytest.raises(Forbidden):
        subscribe(work, service.browser("two").keys, token=token)  # with somebody else's sign-in
    with work_as("boris") as work:
        unsubscribe(work, row.id)
        assert my_browsers(work, token) == []


@pytest.mark.attack(38)
@pytest.mark.parametrize(
    "change",
    [
        {"endpoint": "http://push.example/x"},
        {"endpoint": "https://"},
        {"endpoint": "https://user:word@push.example/x"},
        {"endpoint": "https://push.example/" + "x" * 3000},
        {"endpoint": "https://push.example:99999/x"},
        {"endpoint": "file:///etc/passwd"},
        {"endpoint": "https://push.example/\nX: y"},
        {"endpoint": ""},
        {"p256dh": "abc"},
        {"p256dh": coded(b"\x04" + bytes(64))},
        {"p256dh": "é"},
        {"auth": "short"},
        {"auth": ""},
    ],
)
def test_what_no_browser_sends_is_refused(work_as: WorkAs, cast: Cast, change: dict[str, str]) -> None:
    keys: BrowserKeys = replace(Browser(endpoint="https://push.example/x").keys, **change)
    with work_as("system") as work:
        token, _session = signed_in_session(work, cast.demo.users["boris"])
    with work_as("boris") as work:
        with pytest.raises(Invalid):
            subscribe(work, keys, token=token)
        assert my_browsers(work, token) == []


def test_the_companys_key_is_made_once_and_sealed(work_as: WorkAs) -> None:
    with work_as("boris") as work:
        first = public_key(work)
    with work_as("anna") as work:
        assert public_key(work) == first
        stored = work.session.scalars(select(PushKey)).one()
        assert b"\x02\x01\x01\x04\x20" not in stored.sealed_private_key  # as PKCS#8 has it in plain
    with work_as("oleg") as work:
        assert public_key(work) != first


@pytest.mark.attack(38)
def test_an_address_that_leads_inside_is_never_asked(work_as: WorkAs, cast: Cast) -> None:
    with push_service() as inside:
        port = inside.url.rpartition(":")[2]
        take_pushes(work_as, cast, Browser(endpoint=f"https://127.0.0.1:{port}/one"))
        give_ticket(work_as, cast)
        run_news(cast.demo.tenant_id)
        assert inside.received == []
    with work_as("system") as work:
        assert work.session.scalars(select(PushSubscription.id)).all() == []

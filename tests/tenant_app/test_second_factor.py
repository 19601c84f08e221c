"""Setting up a second factor on the page of one's security, and giving it at the door."""

import html
import re
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from core.foundation import clock
from core.foundation.actor import Door, system_actor
from core.foundation.unit_of_work import unit_of_work
from core.identity.links import LinkKind, make_link
from core.identity.models import SecondStep, SignInAttempt, SignInSession, UserAccount
from core.identity.second_factor import WRONG_CODE
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import PASSWORD, Cast
from tests.support.clients import form_token, signed_in_client
from tests.support.factors import App, give_app, shown_code, wait_a_step
from tests.tenant_app.test_sign_in import words

BORIS = {"email": "boris@demo.localhost", "password": PASSWORD}
PATH = "/security/second-factor/"


@pytest.fixture
def app_of_boris(work_as: WorkAs) -> App:
    """Boris has a second factor."""
    with work_as("boris") as work:
        return give_app(work)


def secret_on(page: str) -> str:
    """The key that a page shows to type."""
    found = re.search(r'id="key"[^>]*>\s*([A-Z2-7 ]+)</textarea>', page)
    assert found, page
    return found[1]


def codes_on(page: str) -> list[str]:
    """The recovery codes that a page shows."""
    found = re.search(r'id="recovery-codes"[^>]*>\s*([a-z2-9\s-]+)</textarea>', page)
    assert found, page
    return found[1].split()


def password_given(client_as: ClientAs, wanted: str = "") -> FlaskClient:
    """A browser that has given Boris's right password and nothing more."""
    client = client_as("nobody")
    answer = client.post("/sign-in", query_string={"next": wanted} if wanted else {}, data=BORIS)
    assert answer.location.startswith("/sign-in/code?next="), answer.location
    client.token = form_token(client.get(answer.location).text)  # type: ignore[attr-defined]  # our own client
    return client


def give(client: FlaskClient, code: str, **more: Any) -> Any:
    """Type a code at the door."""
    return client.post("/sign-in/code", data={"code": code}, **more)


@pytest.mark.covers("P-18")
def test_an_app_is_set_up_with_the_password_and_its_first_code(client_as: ClientAs) -> None:
    client = client_as("boris")
    assert 'href="/security/second-factor/"' in client.get("/security/").text
    assert client.post(PATH, data={"current_password": PASSWORD}).location == f"{PATH}app"
    page = client.get(f"{PATH}app")
    assert page.headers["Cache-Control"] == "no-store"
    assert '<svg class="qr-code"' in page.text
    assert "issuer=Demo" in html.unescape(page.text)
    secret = secret_on(page.text)
    wrong = client.post(f"{PATH}app", data={"code": "000000"})
    assert wrong.status_code == 422
    assert "This is not the app" in wrong.text
    assert secret_on(wrong.text) == secret
    assert client.post(f"{PATH}app", data={"code": shown_code(secret)}).location == f"{PATH}codes"
    shown = client.get(f"{PATH}codes")
    assert shown.headers["Cache-Control"] == "no-store"
    codes = codes_on(shown.text)
    assert len(codes) == 10
    download = re.search(r'href="data:text/plain;charset=utf-8,([^"]+)"', shown.text)
    assert download is not None
    text = unquote(download[1])
    assert "boris@demo.localhost" in text
    assert [line for line in text.splitlines() if line in codes] == codes
    again = client.get(f"{PATH}codes")
    assert again.status_code == 410
    assert codes[0] not in again.text
    state = client.get("/security/").text
    assert "10 left" in state
    assert codes[0] not in state
    assert secret.replace(" ", "") not in state


def test_the_password_is_asked_before_a_secret_is_made(client_as: ClientAs) -> None:
    client = client_as("boris")
    answer = client.post(PATH, data={"current_password": "wrong"})
    assert answer.status_code == 422
    assert "This is not your password." in answer.text
    assert client.get(f"{PATH}app").location == PATH


@pytest.mark.covers("P-18")
@pytest.mark.attack(29)
def test_the_code_is_asked_for_after_the_password(client_as: ClientAs, app_of_boris: App) -> None:
    client = password_given(client_as, "/gallery?theme=dark")
    for path in ("/", "/gallery", "/security/", "/live"):
        assert client.get(path).location.startswith("/sign-in?next="), path
    wrong = give(client, "123123", query_string={"next": "/gallery"})
    assert (wrong.status_code, "This code does not work." in wrong.text) == (422, True)
    assert client.get("/gallery").status_code == 303
    answer = give(client, app_of_boris.code(), query_string={"next": "/gallery?theme=dark"})
    assert answer.location == "/gallery?theme=dark"
    assert client.get("/gallery").status_code == 200
    for target in ("//evil.example", "/\\evil.example", "https://evil.example"):
        wait_a_step()
        client = password_given(client_as, target)
        assert give(client, app_of_boris.code(), query_string={"next": target}).location == "/"


def test_a_browser_is_known_after_both_steps_only(client_as: ClientAs, app_of_boris: App) -> None:
    client = password_given(client_as)
    assert client.get_cookie("centrala_browser", domain="demo.localhost", path="/sign-in") is None
    give(client, app_of_boris.code())
    assert client.get_cookie("centrala_browser", domain="demo.localhost", path="/sign-in") is not None


@pytest.mark.covers("P-18")
@pytest.mark.attack(33)
def test_wrong_used_and_old_codes_read_the_same(client_as: ClientAs, app_of_boris: App) -> None:
    used, recovery = app_of_boris.code(), app_of_boris.recovery_codes[0]
    assert give(password_given(client_as), used).status_code == 303
    assert give(password_given(client_as), recovery).status_code == 303
    client = password_given(client_as)
    answers = [give(client, code) for code in ("123123", used, recovery, app_of_boris.code(steps=-3), "")]
    assert {(answer.status_code, words(answer.text)) for answer in answers} == {(422, words(answers[0].text))}
    assert str(WRONG_CODE) in answers[0].text


@pytest.mark.covers("P-18")
def test_the_half_signed_in_browser_holds_nothing_that_names_a_user(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, app_of_boris: App
) -> None:
    client = password_given(client_as)
    with client.session_transaction(base_url="http://demo.localhost") as session:
        kept = dict(session)
    assert "_user_id" not in kept
    assert str(cast.demo.users["boris"]) not in [str(value) for value in kept.values()]
    with work_as("system") as work:
        stored = work.session.scalars(select(SecondStep)).one()
        assert kept["second_step"].encode() not in stored.token_sha256
        assert work.session.scalar(select(func.count()).select_from(SignInSession)) == 0
    forger = client_as("nobody")
    with forger.session_transaction(base_url="http://demo.localhost") as session:
        session["second_step"] = str(cast.demo.users["boris"])
    assert give(forger, app_of_boris.code()).location.startswith("/sign-in?next=")


@pytest.mark.covers("P-18")
def test_a_step_ends_after_ten_minutes_and_with_its_use(client_as: ClientAs, app_of_boris: App) -> None:
    client = password_given(client_as)
    with client.session_transaction(base_url="http://demo.localhost") as session:
        token = session["second_step"]
    clock.hold(clock.now() + timedelta(minutes=10))
    late = give(client, app_of_boris.code())
    assert late.location == "/sign-in?next=%2F"
    assert "took too long" in client.get(late.location).text
    client = password_given(client_as)
    with client.session_transaction(base_url="http://demo.localhost") as session:
        token = session["second_step"]
    give(client, app_of_boris.code())
    thief = client_as("nobody")
    with thief.session_transaction(base_url="http://demo.localhost") as session:
        session["second_step"] = token
    assert give(thief, app_of_boris.recovery_codes[0]).location.startswith("/sign-in?next=")
    assert thief.get("/gallery").status_code == 303


@pytest.mark.attack(54)
def test_somebody_blocked_between_the_steps_stays_out(client_as: ClientAs, work_as: WorkAs, app_of_boris: App) -> None:
    client = password_given(client_as)
    with work_as("system") as work:
        work.session.execute(update(UserAccount).where(UserAccount.email == BORIS["email"]).values(is_blocked=True))
    assert give(client, app_of_boris.code()).location.startswith("/sign-in?next=")


@pytest.mark.attack(46)
def test_codes_are_throttled_like_passwords(app: Flask, committed: Cast) -> None:
    with unit_of_work(committed.actor("boris")) as work:
        factor = give_app(work)
    client = password_given(lambda name: signed_in_client(app, committed, name))
    for _ in range(10):
        assert give(client, "123123").status_code == 422
    answer = give(client, factor.code())
    assert answer.status_code == 429
    assert "Too many attempts" in answer.text
    with unit_of_work(system_actor(committed.demo.tenant_id, door=Door.SETUP)) as work:
        assert work.session.scalar(select(func.count()).select_from(SignInAttempt)) == 20


@pytest.mark.attack(34)
def test_the_form_needs_its_token(client_as: ClientAs, app_of_boris: App) -> None:
    client = password_given(client_as)
    answer = client.post("/sign-in/code", data={"code": app_of_boris.code(), "csrf_token": "forged"})
    assert answer.status_code == 403
    assert give(client, app_of_boris.code()).status_code == 303


@pytest.mark.covers("P-18")
def test_a_reset_password_does_not_spare_the_second_factor(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, app_of_boris: App
) -> None:
    with work_as("system") as work:
        token = make_link(work, LinkKind.RESET, cast.demo.users["boris"])
    client = client_as("nobody")
    new = {"password": "Another-2-password!", "password_again": "Another-2-password!"}
    assert client.post(f"/reset/{token}", data=new).location == "/sign-in"
    client = client_as("nobody")
    answer = client.post("/sign-in", data={**BORIS, "password": new["password"]})
    assert answer.location.startswith("/sign-in/code")
    assert client.get("/gallery").status_code == 303


@pytest.mark.covers("P-18")
def test_what_concerns_the_factor_asks_for_password_and_code(client_as: ClientAs, work_as: WorkAs) -> None:
    client = client_as("boris")
    with work_as("boris") as work:
        factor = give_app(work)
    for page in ("", "codes/new", "off"):
        assert client.get(f"{PATH}{page}").status_code == 200
        wrong = client.post(f"{PATH}{page}", data={"current_password": "x", "code": factor.code()})
        assert (wrong.status_code, "This is not your password." in wrong.text) == (422, True)
        wrong = client.post(f"{PATH}{page}", data={"current_password": PASSWORD, "code": "123123"})
        assert (wrong.status_code, "This code does not work." in wrong.text) == (422, True)
    proof = {"current_password": PASSWORD, "code": factor.code()}
    assert client.post(f"{PATH}codes/new", data=proof).location == f"{PATH}codes"
    codes = codes_on(client.get(f"{PATH}codes").text)
    assert not set(codes) & set(factor.recovery_codes)
    assert client.post(f"{PATH}off", data=proof).status_code == 422  # the code was used
    assert client.post(f"{PATH}off", data={**proof, "code": codes[0]}).location == "/security/"
    assert client_as("nobody").post("/sign-in", data=BORIS).location == "/"


def test_few_recovery_codes_are_told(client_as: ClientAs, work_as: WorkAs) -> None:
    client = client_as("boris")
    with work_as("boris") as work:
        factor = give_app(work)
    assert "recovery codes are left" not in client.get("/security/").text
    for code in factor.recovery_codes[:7]:
        give(password_given(client_as), code)
    assert "3 recovery codes are left." in client.get("/security/").text
    for code in factor.recovery_codes[7:]:
        give(password_given(client_as), code)
    assert "No recovery code is left." in client.get("/security/").text


def test_recovery_codes_of_somebody_else_are_not_shown(client_as: ClientAs, work_as: WorkAs) -> None:
    client, other = client_as("boris"), client_as("vera")
    client.post(PATH, data={"current_password": PASSWORD})
    secret = secret_on(client.get(f"{PATH}app").text)
    client.post(f"{PATH}app", data={"code": shown_code(secret)})
    with client.session_transaction(base_url="http://demo.localhost") as session:
        sealed = session["recovery_codes"]
    with other.session_transaction(base_url="http://demo.localhost") as session:
        session["recovery_codes"] = sealed
    assert other.get(f"{PATH}codes").status_code == 410

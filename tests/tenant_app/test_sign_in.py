"""Signing in and out in the browser, and what an attacker tries at that door."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from core.foundation.actor import Door, system_actor
from core.foundation.unit_of_work import unit_of_work
from core.identity.models import SignInAttempt, SignInSession, UserAccount
from tenant_app.paths import local_path
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import PASSWORD, Cast
from tests.support.clients import signed_in_client

BORIS = {"email": "boris@demo.localhost", "password": PASSWORD}
PRIVATE_PAGE = "/gallery"


def words(page: str) -> str:
    """The page without its tokens and whatever was typed."""
    return re.sub(r'(content|value)="[^"]*"', "", page)


def test_the_form_leads_to_where_one_wanted(client_as: ClientAs) -> None:
    client = client_as("nobody")
    sent_away = client.get("/gallery?theme=dark")
    assert sent_away.location == "/sign-in?next=%2Fgallery%3Ftheme%3Ddark"
    assert client.post(sent_away.location, data=BORIS).location == "/gallery?theme=dark"
    assert client.get(PRIVATE_PAGE).status_code == 200


def test_a_fragment_leaves_its_page_which_may_hold_what_was_typed(client_as: ClientAs) -> None:
    answer = client_as("nobody").get("/gallery", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers.get("HX-Redirect")) == (401, None)


def test_a_form_sent_after_the_session_ended_leads_to_sign_in_and_back(client_as: ClientAs, cast: Cast) -> None:
    sent_from = f"{cast.demo.base_url}/mail/new?to=x"
    ended = {"csrf_token": "of the session before"}
    answer = client_as("nobody").post("/mail/new", data=ended, headers={"Referer": sent_from})
    assert answer.status_code == 401
    assert "Your session has ended" in answer.text
    assert 'href="/sign-in?next=%2Fmail%2Fnew%3Fto%3Dx"' in answer.text


@pytest.mark.attack(29)
def test_a_form_from_elsewhere_leads_back_to_the_start_page(client_as: ClientAs) -> None:
    answer = client_as("nobody").post(
        "/mail/new", data={"csrf_token": ""}, headers={"Referer": "http://x.example/trap"}
    )
    assert answer.status_code == 401
    assert 'href="/sign-in?next=%2F"' in answer.text
    assert "trap" not in answer.text


def test_a_sign_in_form_that_grew_old_is_no_longer_valid(client_as: ClientAs) -> None:
    answer = client_as("nobody").post("/sign-in", data={**BORIS, "csrf_token": "old"})
    assert answer.status_code == 403
    assert "no longer valid" in answer.text


def test_a_refusal_keeps_the_email_and_not_the_password(client_as: ClientAs) -> None:
    answer = client_as("nobody").post("/sign-in", data={**BORIS, "password": "Wrong-1-password"})
    assert answer.status_code == 422
    assert BORIS["email"] in answer.text
    assert "Wrong-1-password" not in answer.text


@pytest.mark.parametrize("form", [{"email": "", "password": "x"}, {"email": "x", "password": ""}, {}])
def test_an_empty_field_is_named(client_as: ClientAs, form: dict[str, str]) -> None:
    answer = client_as("nobody").post("/sign-in", data=form)
    assert answer.status_code == 422
    assert "Enter your" in answer.text


@pytest.mark.parametrize(
    "text",
    ["\x00", "x" * 5000, "’ or 1=1 --", "%00", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")],
)
def test_strange_input_is_a_refusal_and_no_crash(client_as: ClientAs, text: str) -> None:
    client = client_as("nobody")
    assert client.post("/sign-in", data={"email": text, "password": "x"}).status_code == 422
    assert client.post("/sign-in", data={"email": "x@y.example", "password": text}).status_code == 422


@pytest.mark.attack(33)
def test_wording_tells_nobody_who_exists(client_as: ClientAs) -> None:
    client = client_as("nobody")
    wrong = client.post("/sign-in", data={**BORIS, "password": "wrong"})
    unknown = client.post("/sign-in", data={"email": "nobody@demo.localhost", "password": "wrong"})
    assert (wrong.status_code, words(wrong.text)) == (unknown.status_code, words(unknown.text))


@pytest.mark.attack(33, 54)
def test_a_blocked_user_reads_the_same_words(client_as: ClientAs, work_as: WorkAs) -> None:
    client = client_as("nobody")
    wrong = client.post("/sign-in", data={**BORIS, "password": "wrong"})
    with work_as("system") as work:
        work.session.execute(update(UserAccount).where(UserAccount.email == BORIS["email"]).values(is_blocked=True))
    blocked = client.post("/sign-in", data=BORIS)
    assert (wrong.status_code, words(wrong.text)) == (blocked.status_code, words(blocked.text))


@pytest.mark.attack(54)
def test_a_blocked_users_open_browser_is_signed_out_at_once(client_as: ClientAs, work_as: WorkAs) -> None:
    client = client_as("boris")
    assert client.get(PRIVATE_PAGE).status_code == 200
    with work_as("system") as work:
        work.session.execute(update(UserAccount).where(UserAccount.email == BORIS["email"]).values(is_blocked=True))
    assert client.get(PRIVATE_PAGE).status_code == 303


@pytest.mark.attack(46)
def test_a_failure_is_stored_although_the_answer_is_an_error(app: Flask, committed: Cast) -> None:
    client = signed_in_client(app, committed, "nobody")
    for _ in range(10):
        assert client.post("/sign-in", data={**BORIS, "password": "wrong"}).status_code == 422
    with unit_of_work(system_actor(committed.demo.tenant_id, door=Door.SETUP)) as work:
        assert work.session.scalar(select(func.count()).select_from(SignInAttempt)) == 20
    throttled = client.post("/sign-in", data=BORIS)
    assert throttled.status_code == 429
    assert "Too many attempts" in throttled.text


def test_signing_out_ends_the_session_in_the_database(client_as: ClientAs, work_as: WorkAs) -> None:
    client = client_as("boris")
    stolen = client.get_cookie("centrala", domain="demo.localhost")
    assert stolen is not None
    assert client.post("/sign-out").location == "/sign-in"
    with work_as("system") as work:
        assert work.session.scalars(select(SignInSession.id)).all() == []
    client.set_cookie("centrala", stolen.value, domain="demo.localhost")
    assert client.get(PRIVATE_PAGE).status_code == 303


def test_signing_in_changes_the_session(client_as: ClientAs) -> None:
    client = client_as("nobody")
    client.get("/sign-in")
    before = client.get_cookie("centrala", domain="demo.localhost")
    client.post("/sign-in", data=BORIS)
    after = client.get_cookie("centrala", domain="demo.localhost")
    assert before is not None
    assert after is not None
    assert before.value != after.value


def test_the_cookie_is_for_this_host_and_for_no_script(client_as: ClientAs) -> None:
    headers = client_as("nobody").post("/sign-in", data=BORIS).headers.getlist("Set-Cookie")
    assert {header.partition("=")[0] for header in headers} == {"centrala", "centrala_browser"}
    for header in headers:
        parts = {part.strip().lower() for part in header.split(";")[1:]}
        assert {"httponly", "samesite=lax"} <= parts
        assert ("path=/" if header.startswith("centrala=") else "path=/sign-in") in parts
        assert not any(part.startswith("domain") for part in parts)


def test_behind_tls_the_cookie_travels_encrypted_only(
    app: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_as("nobody")
    monkeypatch.setitem(app.config, "SESSION_COOKIE_SECURE", True)
    headers = client.post("/sign-in", data=BORIS).headers.getlist("Set-Cookie")
    assert len(headers) == 2
    assert all("; Secure" in header for header in headers)


@pytest.mark.attack(1)
def test_a_cookie_of_one_company_is_worthless_in_another(client_as: ClientAs, cast: Cast) -> None:
    client = client_as("anna")
    cookie = client.get_cookie("centrala", domain=cast.demo.host)
    assert cookie is not None
    client.set_cookie("centrala", cookie.value, domain=cast.other.host)
    assert client.get(PRIVATE_PAGE, base_url=cast.other.base_url).status_code == 303


@pytest.mark.parametrize("cookie", ["", "x", ".", "eyJfdXNlcl9pZCI6IjEifQ.Z0.forged", "é", "a" * 4000])
def test_a_forged_cookie_opens_nothing(client_as: ClientAs, cookie: str) -> None:
    client = client_as("nobody")
    assert client.get(PRIVATE_PAGE, headers={"Cookie": f"centrala={cookie}"}).status_code == 303


def test_a_well_signed_session_with_a_guessed_token_opens_nothing(app: Flask, client_as: ClientAs) -> None:
    client = client_as("nobody")
    for token in ("1", "\x00", "x" * 43, None):
        with client.session_transaction(base_url="http://demo.localhost") as session:
            session["_user_id"] = token
        assert client.get(PRIVATE_PAGE).status_code == 303, token


@pytest.mark.attack(29)
@pytest.mark.parametrize(
    "target",
    ["//evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "javascript:alert(1)",
     "/\t/evil.example", "///evil.example", "/%0d%0aX: y", " //evil.example", "/\n//evil.example", "@evil.example"],
)  # fmt: skip
def test_next_leads_nowhere_else(app: Flask, client_as: ClientAs, target: str) -> None:
    location = client_as("nobody").post("/sign-in", query_string={"next": target}, data=BORIS).location
    assert location.startswith("/")
    assert not location.startswith(("//", "/\\"))
    assert local_path(target) == "/" or target.startswith("/%0d")


def test_a_signed_in_viewer_is_not_asked_again(client_as: ClientAs) -> None:
    assert client_as("anna").get("/sign-in?next=/gallery").location == "/gallery"


def test_the_form_speaks_the_browsers_language(client_as: ClientAs) -> None:
    client: FlaskClient = client_as("nobody")
    assert '<html lang="cs"' in client.get("/sign-in", headers={"Accept-Language": "cs-CZ,cs;q=0.9"}).text
    assert '<html lang="en"' in client.get("/sign-in", headers={"Accept-Language": "de"}).text


@pytest.mark.attack(35)
def test_headers_that_claim_a_sign_in_are_ignored(client_as: ClientAs) -> None:
    names = ("Remote-User", "X-Remote-User", "X-Forwarded-User", "X-Forwarded-Email", "X-Auth-Request-Email", "X-Email")
    headers = dict.fromkeys(names, "anna@demo.localhost")
    environ = {"REMOTE_USER": "anna@demo.localhost"}
    assert client_as("nobody").get("/contacts/", headers=headers, environ_overrides=environ).status_code == 303

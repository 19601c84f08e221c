"""The page of one's own security."""

import re

import pytest
from flask import Flask
from sqlalchemy import func, select

from core.foundation.actor import Door, system_actor
from core.foundation.unit_of_work import unit_of_work
from core.identity.models import SignInAttempt
from tests.conftest import ClientAs
from tests.support.cast import PASSWORD, Cast
from tests.support.clients import signed_in_client
from tests.support.news import run_news

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
NEW = {"current_password": PASSWORD, "password": "Another-2-password!", "password_again": "Another-2-password!"}
BORIS = {"email": "boris@demo.localhost", "password": PASSWORD}


def test_the_page_names_this_browser_and_the_others(client_as: ClientAs) -> None:
    client_as("nobody").post("/sign-in", data=BORIS, headers={"User-Agent": FIREFOX})
    page = client_as("boris").get("/security/").text
    assert "Firefox on Linux" in page
    assert page.count(">This browser<") == 1


def test_a_strange_browser_is_shown_as_it_calls_itself(client_as: ClientAs) -> None:
    client_as("nobody").post("/sign-in", data=BORIS, headers={"User-Agent": "<b>odd</b>"})
    page = client_as("boris").get("/security/").text
    assert "&lt;b&gt;odd&lt;/b&gt;" in page
    assert "<b>odd" not in page


def test_a_new_browser_is_told_on_every_page_of_the_others(client_as: ClientAs) -> None:
    known = client_as("boris")
    assert "not seen before" not in known.get("/contacts/").text
    strange = client_as("nobody")
    strange.post("/sign-in", data=BORIS, headers={"User-Agent": FIREFOX})
    assert "not seen before" in known.get("/contacts/").text
    assert "not seen before" in known.get("/security/notice").text
    assert "not seen before" not in strange.get("/contacts/").text
    page = known.get("/security/").text
    assert "Was this you? Firefox on Linux" in page
    session_id = re.findall(r"/security/sessions/(\d+)/end", page)[0]
    answer = known.post(f"/security/sessions/{session_id}/end")
    assert answer.location == "/security/#password-title"
    assert "change it now" in known.get("/security/").text
    assert strange.get("/contacts/").status_code == 303


def test_a_browser_that_signed_in_before_is_no_news(client_as: ClientAs) -> None:
    first, second = client_as("boris"), client_as("boris")
    first.post("/security/sessions/accept")
    second.post("/sign-out")
    second.token = client_as("nobody").token  # type: ignore[attr-defined]  # our own client
    again = second.get("/sign-in").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', again)
    assert token is not None
    assert second.post("/sign-in", data={**BORIS, "csrf_token": token[1]}).status_code == 303
    assert "not seen before" not in first.get("/contacts/").text


def test_everywhere_else_is_signed_out(client_as: ClientAs) -> None:
    mine, other = client_as("boris"), client_as("boris")
    assert mine.post("/security/sessions/end-others").status_code == 303
    assert "Signed out in 1 other browser." in mine.get("/security/").text
    assert other.get("/security/").status_code == 303


@pytest.mark.covers("TC-26")
def test_a_password_is_changed_by_who_knows_the_present_one(client_as: ClientAs) -> None:
    mine, other = client_as("boris"), client_as("boris")
    assert mine.post("/security/password", data=NEW).status_code == 303
    assert "Your password is changed. Signed out in 1 other browser." in mine.get("/security/").text
    assert other.get("/security/").status_code == 303
    assert client_as("nobody").post("/sign-in", data=BORIS).status_code == 422
    assert client_as("nobody").post("/sign-in", data={**BORIS, "password": NEW["password"]}).status_code == 303


@pytest.mark.covers("TC-26")
@pytest.mark.parametrize(
    ("change", "sentences"),
    [
        ({"current_password": "wrong"}, ["This is not your password."]),
        ({"password": "short", "password_again": "short"}, ["at least 8 characters"]),
        ({"password_again": "other"}, ["This is not the same as above."]),
        ({"current_password": "", "password": "x"}, ["This is not your password.", "at least 8 characters"]),
    ],
)
def test_every_problem_is_named_at_its_field(client_as: ClientAs, change: dict[str, str], sentences: list[str]) -> None:
    answer = client_as("boris").post("/security/password", data={**NEW, **change})
    assert answer.status_code == 422
    for sentence in sentences:
        assert sentence in answer.text
    assert "Another-2-password!" not in answer.text
    assert client_as("nobody").post("/sign-in", data=BORIS).status_code == 303


@pytest.mark.attack(46)
def test_guessing_the_present_password_is_throttled(app: Flask, committed: Cast) -> None:
    client = signed_in_client(app, committed, "boris")
    for _ in range(10):
        assert client.post("/security/password", data={**NEW, "current_password": "x"}).status_code == 422
    answer = client.post("/security/password", data=NEW)
    assert answer.status_code == 429
    assert "Too many attempts" in answer.text
    with unit_of_work(system_actor(committed.demo.tenant_id, door=Door.SETUP)) as work:
        assert work.session.scalar(select(func.count()).select_from(SignInAttempt)) == 20


def test_the_user_menu_leads_there(client_as: ClientAs) -> None:
    assert 'href="/security/"' in client_as("vera").get("/").text


def test_saying_that_it_was_me_reads_what_was_told_of_it(client_as: ClientAs, cast: Cast) -> None:
    known = client_as("boris")
    client_as("nobody").post("/sign-in", data=BORIS, headers={"User-Agent": FIREFOX})
    client_as("nobody").post("/sign-in", data=BORIS, headers={"User-Agent": FIREFOX})
    run_news(cast.demo.tenant_id)
    latest = known.get("/notifications/latest").text
    assert "New browsers signed in as you (" in latest
    assert latest.count("is-unread") == 1
    known.post("/security/sessions/accept")
    assert "is-unread" not in known.get("/notifications/latest").text

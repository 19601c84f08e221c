"""Passkeys on the page of one's security and at the door."""

import html
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from core.foundation.actor import Door, system_actor
from core.foundation.unit_of_work import unit_of_work
from core.identity.models import Passkey, PasskeyChallenge, SignInAttempt, SignInSession
from core.identity.security_policy import ask_of_all
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import PASSWORD, Cast
from tests.support.clients import form_token, signed_in_client
from tests.support.factors import give_app
from tests.support.passkey import Authenticator
from tests.tenant_app.test_second_factor import codes_on

BORIS = {"email": "boris@demo.localhost", "password": PASSWORD}
PATH = "/security/passkeys/"


def options_on(page: str) -> str:
    """What a page tells the browser of the passkey to make."""
    found = re.search(r'data-passkey-options="([^"]+)"', page)
    assert found, page
    return html.unescape(found[1])


def make_passkey(client: FlaskClient, device: Authenticator, name: str = "Laptop", **form: Any) -> Any:
    """Go through the pages that add a passkey; answers the last one's answer."""
    assert client.post(f"{PATH}new", data={"current_password": PASSWORD}).location == f"{PATH}create"
    answer = device.made(options_on(client.get(f"{PATH}create").text))
    return client.post(f"{PATH}create", data={"credential": answer, "name": name, **form})


def enter(client: FlaskClient, device: Authenticator, *, path: str = "/sign-in/passkey", wanted: str = "") -> Any:
    """Answer a challenge at the door."""
    options = client.post(f"{path}/options").text
    query = {"next": wanted} if wanted else {}
    return client.post(path, query_string=query, data={"credential": device.signed(options)})


@pytest.fixture
def device(client_as: ClientAs) -> Authenticator:
    """Boris's device with his passkey, which he made while signed in."""
    made = Authenticator()
    assert make_passkey(client_as("boris"), made).location == "/security/second-factor/codes"
    return made


@pytest.mark.covers("P-18")
def test_a_passkey_is_added_renamed_and_deleted(client_as: ClientAs, work_as: WorkAs) -> None:
    client, device = client_as("boris"), Authenticator()
    assert 'href="/security/passkeys/new"' in client.get("/security/").text
    answer = client.post(f"{PATH}new", data={"current_password": "wrong"})
    assert (answer.status_code, "This is not your password." in answer.text) == (422, True)
    assert client.get(f"{PATH}create").location == f"{PATH}new"
    client.post(f"{PATH}new", data={"current_password": PASSWORD})
    made = device.made(options_on(client.get(f"{PATH}create").text))
    nameless = client.post(f"{PATH}create", data={"credential": made, "name": "  "})
    assert (nameless.status_code, "Give it a name" in nameless.text) == (422, True)
    onward = client.post(f"{PATH}create", data={"credential": made, "name": "<b>Laptop"}).location
    assert len(codes_on(client.get(onward).text)) == 10
    page = client.get("/security/").text
    assert "&lt;b&gt;Laptop" in page
    assert "never used" in page
    assert make_passkey(client, Authenticator(), "Phone").location == "/security/"
    with work_as("system") as work:
        first, second = work.session.scalars(select(Passkey.id).order_by(Passkey.id))
    assert client.get(f"{PATH}{first}/rename").status_code == 200
    assert client.post(f"{PATH}{first}/rename", data={"name": ""}).status_code == 422
    assert client.post(f"{PATH}{first}/rename", data={"name": "Old laptop"}).location == "/security/"
    assert "Old laptop" in client.get("/security/").text
    assert "last second factor" not in client.get(f"{PATH}{first}/delete").text
    assert client.post(f"{PATH}{first}/delete", data={"current_password": "x"}).status_code == 422
    assert client.post(f"{PATH}{first}/delete", data={"current_password": PASSWORD}).location == "/security/"
    last = client.get(f"{PATH}{second}/delete").text
    assert "last second factor" in last
    assert "10 recovery codes work no more." in last
    other = client_as("anna")
    for path in (f"{PATH}{second}/rename", f"{PATH}{second}/delete"):
        assert other.get(path).status_code == 404
        assert other.post(path, data={"name": "x", "current_password": PASSWORD}).status_code == 404


def test_a_passkey_that_does_not_hold_is_not_kept(client_as: ClientAs, work_as: WorkAs) -> None:
    client = client_as("boris")
    answer = make_passkey(client, Authenticator(origin="http://evil.example"))
    assert answer.location == f"{PATH}new"
    assert "could not be made" in client.get(answer.location).text
    assert client.get(f"{PATH}create").location == f"{PATH}new"  # the challenge is used up
    with work_as("system") as work:
        assert work.session.scalar(select(func.count()).select_from(Passkey)) == 0
        assert work.session.scalar(select(func.count()).select_from(PasskeyChallenge)) == 0


@pytest.mark.covers("P-18")
@pytest.mark.attack(29)
def test_a_passkey_alone_signs_in(client_as: ClientAs, device: Authenticator) -> None:
    client = client_as("nobody")
    assert 'data-passkey-ask="/sign-in/passkey/options"' in client.get("/sign-in?next=/gallery").text
    assert enter(client, device, wanted="/gallery").location == "/gallery"
    assert client.get("/gallery").status_code == 200
    assert client.get_cookie("centrala_browser", domain="demo.localhost", path="/sign-in") is not None
    assert enter(client_as("nobody"), device, wanted="//evil.example").location == "/"


@pytest.mark.covers("P-18")
def test_after_the_password_the_passkey_is_asked_for(client_as: ClientAs, device: Authenticator) -> None:
    client = client_as("nobody")
    sent = client.post("/sign-in", data=BORIS).location
    assert sent.startswith("/sign-in/code?next=")
    page = client.get(sent).text
    client.token = form_token(page)  # type: ignore[attr-defined]  # our own client
    assert "Use a passkey" in page
    assert "type the code" not in page
    assert enter(client, Authenticator(), path="/sign-in/code/passkey").location.startswith("/sign-in/code")
    assert client.get("/gallery").status_code == 303
    assert enter(client, device, path="/sign-in/code/passkey", wanted="/gallery").location == "/gallery"
    assert client.get("/gallery").status_code == 200


@pytest.mark.covers("P-18")
@pytest.mark.attack(33)
def test_what_does_not_hold_reads_the_same(client_as: ClientAs, device: Authenticator, work_as: WorkAs) -> None:
    said = set()
    for wrong in (Authenticator(), Authenticator(credential_id=device.credential_id, handle=device.handle)):
        client = client_as("nobody")
        said.add(client.get(enter(client, wrong).location).text.count("This passkey does not let you in."))
        assert client.get("/gallery").status_code == 303
    client = client_as("nobody")
    client.post("/sign-in/passkey/options")
    answer = client.post("/sign-in/passkey", data={"credential": "nonsense"})
    said.add(client.get(answer.location).text.count("This passkey does not let you in."))
    unasked = client_as("nobody")
    answer = unasked.post("/sign-in/passkey", data={"credential": "nonsense"})
    said.add(unasked.get(answer.location).text.count("This passkey does not let you in."))
    assert said == {1}
    with work_as("system") as work:
        assert work.session.scalar(select(func.count()).select_from(SignInSession)) == 1  # in which it was made


@pytest.mark.covers("P-18")
def test_a_challenge_belongs_to_the_browser_that_asked(client_as: ClientAs, device: Authenticator) -> None:
    asking, thief = client_as("nobody"), client_as("nobody")
    answer = {"credential": device.signed(asking.post("/sign-in/passkey/options").text)}
    assert thief.post("/sign-in/passkey", data=answer).location == "/sign-in?next=%2F"
    assert asking.post("/sign-in/passkey", data=answer).location == "/"
    again = client_as("nobody")
    again.post("/sign-in/passkey/options")
    assert again.post("/sign-in/passkey", data=answer).location == "/sign-in?next=%2F"


@pytest.mark.attack(46)
def test_guessing_is_throttled(app: Flask, committed: Cast) -> None:
    client = signed_in_client(app, committed, "nobody")
    for _ in range(10):
        client.post("/sign-in/passkey/options")
        client.post("/sign-in/passkey", data={"credential": "{}"})
    client.post("/sign-in/passkey/options")
    answer = client.post("/sign-in/passkey", data={"credential": "{}"})
    assert "Too many attempts" in client.get(answer.location).text
    with unit_of_work(system_actor(committed.demo.tenant_id, door=Door.SETUP)) as work:
        assert work.session.scalar(select(func.count()).select_from(SignInAttempt)) == 20


@pytest.mark.covers("P-18")
def test_a_company_that_asks_for_passkeys_leads_there(client_as: ClientAs, work_as: WorkAs) -> None:
    with work_as("boris") as work:
        give_app(work)
    with work_as("anna") as work:
        ask_of_all(work, "passkey")
    client = client_as("nobody")
    client.post("/sign-in", data={**BORIS, "email": "vera@demo.localhost"})
    client.token = form_token(client.get("/security/second-factor/").text)  # type: ignore[attr-defined]  # our own client
    sent = client.get("/gallery").location
    page = client.get(sent).text
    assert "/security/passkeys/new?next=/gallery" in page
    assert 'action="/sign-out"' in page
    onward = client.post(f"{PATH}new?next=/gallery").location
    assert onward == f"{PATH}create?next=/gallery"
    answer = Authenticator().made(options_on(client.get(onward).text))
    onward = client.post(onward, data={"credential": answer, "name": "Phone"}).location
    assert 'href="/gallery"' in client.get(onward).text
    assert client.get("/gallery").status_code == 200


@pytest.mark.covers("P-18")
def test_a_lost_device_is_removed_with_the_rest(client_as: ClientAs, cast: Cast, device: Authenticator) -> None:
    anna, url = client_as("anna"), f"/people/{cast.demo.users['boris']}"
    page = anna.get(url).text
    assert "1 passkey is deleted." in page
    assert "10 recovery codes work no more." in page
    anna.post(f"{url}/second-factor/remove")
    client = client_as("nobody")
    assert enter(client, device).location.startswith("/sign-in?")
    assert client.post("/sign-in", data=BORIS).location == "/"

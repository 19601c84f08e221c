"""A company that asks everybody for a second factor, and what managers do about colleagues' ones."""

import pytest
from flask import Flask
from sqlalchemy import select

from core.foundation import clock
from core.foundation.history import Change
from core.foundation.outbox import StoredEvent
from core.identity.events import SecondFactorChanged
from core.identity.links import LinkKind, make_link
from core.identity.models import UserAccount
from core.identity.security_policy import ask_of_all
from tenant_app.account.second_factor import JUST_NOW
from tenant_app.pages import access_of
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import PASSWORD, Cast
from tests.support.factors import App, give_app, shown_code
from tests.support.fingerprint import fingerprint
from tests.tenant_app.test_second_factor import codes_on, secret_on

BORIS = {"email": "boris@demo.localhost", "password": PASSWORD}
PATH = "/security/second-factor/"
ON_THE_WAY = {
    "SecondFactor.begin",
    "SecondFactor.make",
    "SecondFactor.app",
    "SecondFactor.confirm",
    "SecondFactor.codes",
    "Passkeys.add",
    "Passkeys.begin",
    "Passkeys.create",
    "Passkeys.new",
    "SignIn.leave",
}
"""All that can be done by somebody who must set up a second factor."""


@pytest.fixture
def asked(work_as: WorkAs) -> None:
    """The company asks everybody for a second factor."""
    with work_as("anna") as work:
        ask_of_all(work, "required")


def requests(app: Flask) -> list[tuple[str, str, str]]:
    """Every endpoint that is not open to everybody: its name, a method, and an address of it."""
    adapter = app.url_map.bind("demo.localhost")
    found = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if access_of(view) in {"public", None}:
            continue
        values = {name: "x" if name in {"token", "kind"} else 1 for name in rule.arguments}
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        found += [(rule.endpoint, method, adapter.build(rule.endpoint, values, method=method)) for method in methods]
    return found


@pytest.mark.covers("P-18")
def test_nothing_else_can_be_done_before_one_is_set_up(
    app: Flask, client_as: ClientAs, cast: Cast, work_as: WorkAs
) -> None:
    client = client_as("anna")  # signed in before, and owner at that
    with work_as("anna") as work:
        ask_of_all(work, "required")
    before, refused = fingerprint(cast), 0
    for endpoint, method, path in requests(app):
        if endpoint in ON_THE_WAY:
            continue
        answer = client.open(path, method=method, data={"csrf_token": client.token})  # type: ignore[attr-defined]  # our own client
        if method == "GET":
            assert (answer.status_code, answer.location[: len(PATH)]) == (303, PATH), endpoint
        else:
            assert answer.status_code == 403, endpoint
        fragment = client.open(path, method=method, data={"csrf_token": client.token}, headers={"HX-Request": "true"})  # type: ignore[attr-defined]  # our own client
        assert fragment.status_code == 403, endpoint
        refused += 1
    assert refused > 100
    assert fingerprint(cast) == before
    assert {endpoint for endpoint, _method, _path in requests(app)} >= ON_THE_WAY
    assert client.post("/sign-out").location == "/sign-in"


@pytest.mark.covers("P-18")
@pytest.mark.attack(29)
def test_whoever_has_none_sets_one_up_and_goes_on_where_they_wanted(client_as: ClientAs, asked: None) -> None:
    client = client_as("nobody")
    assert client.post("/sign-in", query_string={"next": "/gallery?theme=dark"}, data=BORIS).location.startswith("/gal")
    sent = client.get("/gallery?theme=dark").location
    assert sent == f"{PATH}?next=%2Fgallery%3Ftheme%3Ddark"
    page = client.get(sent)
    assert "Your company asks everybody" in page.text
    assert "current_password" not in page.text  # it was given a moment ago
    client.token = page.text.split('name="csrf_token" value="')[1].split('"')[0]  # type: ignore[attr-defined]  # our own client
    onward = client.post(sent).location
    secret = secret_on(client.get(onward).text)
    onward = client.post(onward, data={"code": shown_code(secret)}).location
    shown = client.get(onward).text
    assert len(codes_on(shown)) == 10
    assert 'href="/gallery?theme=dark"' in shown
    assert client.get("/gallery").status_code == 200
    assert client.get("/security/second-factor/off").location == "/security/"
    away = client.get(f"{PATH}?next=//evil.example").text
    assert "evil.example" not in away.replace("next=//evil.example", "")


def test_an_open_browser_is_asked_for_the_password_too(client_as: ClientAs, work_as: WorkAs) -> None:
    client = client_as("boris")
    with work_as("anna") as work:
        ask_of_all(work, "required")
    clock.hold(clock.now() + JUST_NOW)
    assert "current_password" in client.get(PATH).text
    assert client.post(PATH).status_code == 422
    assert client.post(PATH, data={"current_password": PASSWORD}).location == f"{PATH}app"


@pytest.mark.covers("P-18")
def test_an_invitation_leads_to_the_set_up(client_as: ClientAs, work_as: WorkAs, cast: Cast, asked: None) -> None:
    with work_as("system") as work:
        work.session.get_one(UserAccount, cast.demo.users["vera"]).password_hash = None
        token = make_link(work, LinkKind.INVITATION, cast.demo.users["vera"])
    client = client_as("nobody")
    new = {"password": "Another-2-password!", "password_again": "Another-2-password!"}
    assert client.post(f"/welcome/{token}", data=new).location == "/"
    assert client.get("/").location == f"{PATH}?next=%2F"


@pytest.mark.covers("P-18")
def test_the_company_sees_who_has_none_before_it_asks(client_as: ClientAs, work_as: WorkAs) -> None:
    client = client_as("anna")
    with work_as("anna") as work:
        give_app(work)
    page = client.get("/settings/second-factor/").text
    assert "2 people would have to set one up" in page
    assert "Boris Nováková" in page
    assert "Vera Nováková" in page
    assert client.post("/settings/second-factor/", data={"second_factor": "nonsense"}).status_code == 422
    assert client.post("/settings/second-factor/", data={"second_factor": "required"}).status_code == 303
    assert "2 people have to set one up" in client.get("/settings/second-factor/").text
    assert client.get("/gallery").status_code == 200
    with work_as("system") as work:
        changes = work.session.scalars(select(Change.fields).where(Change.subject_kind == "company_settings")).all()
    assert changes == [{"second_factor": ["optional", "required"]}]
    log = client.get("/settings/audit/").text
    assert "Asked of everybody" in log


# Somebody lost the phone


@pytest.fixture
def app_of_boris(work_as: WorkAs) -> App:
    """Boris has a second factor."""
    with work_as("boris") as work:
        return give_app(work)


@pytest.mark.covers("P-18")
def test_a_manager_removes_the_factor_of_who_lost_the_phone(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    boris, url = client_as("boris"), f"/people/{cast.demo.users['boris']}"
    with work_as("boris") as work:
        give_app(work)
    anna = client_as("anna")
    page = anna.get(url).text
    assert "App with codes" in page
    assert "Their app and 10 recovery codes work no more." in page
    assert "1 browser is signed out at once." in page
    assert anna.post(f"{url}/second-factor/remove").location == url
    assert "signs in with the password alone now" in anna.get(url).text
    assert boris.get("/gallery").status_code == 303
    assert client_as("nobody").post("/sign-in", data=BORIS).location == "/"
    with work_as("system") as work:
        told = work.session.scalars(select(StoredEvent.payload).where(StoredEvent.name == SecondFactorChanged.name))
        assert [payload["change"] for payload in told] == ["app_on", "removed"]
        changes = (
            select(Change.fields, Change.user_id).where(Change.fields.has_key("second_factor")).order_by(Change.id)
        )
        fields, by = work.session.execute(changes).all()[-1]
    assert (fields["second_factor"], by) == ([True, False], cast.demo.users["anna"])
    assert "has no second factor" in anna.post(f"{url}/second-factor/remove", follow_redirects=True).text


def test_nobody_removes_their_own_factor_there(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    anna, url = client_as("anna"), f"/people/{cast.demo.users['anna']}"
    with work_as("anna") as work:
        give_app(work)
    assert "Remove the second factor" not in anna.get(url).text
    anna.post(f"{url}/second-factor/remove")
    assert "cannot do this to yourself" in anna.get(url).text
    assert client_as("nobody").post("/sign-in", data={**BORIS, "email": "anna@demo.localhost"}).location != "/"


def test_whoever_may_not_manage_people_removes_none(client_as: ClientAs, cast: Cast, app_of_boris: App) -> None:
    boris = cast.demo.users["boris"]
    clients = {name: client_as(name) for name in ("vera", "oleg")}
    before = fingerprint(cast)
    assert clients["vera"].post(f"/people/{boris}/second-factor/remove").status_code == 403
    assert clients["oleg"].post(f"/people/{boris}/second-factor/remove").status_code == 404
    assert fingerprint(cast) == before

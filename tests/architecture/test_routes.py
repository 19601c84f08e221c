"""Every route and what it answers to Anna (owner), Boris (agent), Vera (may read), Oleg (another company), nobody.

Oleg asks for the ids of Anna's company: what he gets stands in the fourth column, and is 404 wherever an id leads.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from flask import Flask, before_render_template
from flask.testing import FlaskClient

from tenant_app.headers import POLICY
from tenant_app.live import views as live
from tenant_app.live.hub import Hub
from tests.architecture.settings_routes import NOTIFICATIONS, SETTINGS
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import PASSWORD, Cast
from tests.support.fingerprint import fingerprint
from tests.support.things import Things, create_things

PEOPLE = ("anna", "boris", "vera", "oleg", "nobody")
NO_FORM: Mapping[str, object] = {}


class Route(NamedTuple):
    """One line: method and rule, the answers in the order of ``PEOPLE``, and the form that makes Anna succeed."""

    method: str
    rule: str
    answers: tuple[int, int, int, int, int]
    form: Mapping[str, object] = NO_FORM
    query: str = ""

    def url(self, things: Things) -> str:
        """The address with the ids of the demo company."""
        known = asdict(things)
        url = self.rule
        for part in (
            "team",
            "contact",
            "company",
            "ticket",
            "activity",
            "attachment",
            "outbound",
            "book",
            "client",
            "call",
            "line",
            "device",
            "trunk",
            "number",
            "session",
            "group",
            "user",
            "spare",
            "notification",
            "subscription",
            "provider",
        ):
            for name in (f"<int:{part}_id>", f"<int:{part}>"):
                url = url.replace(name, str(known[part]))
        url = url.replace("<int:link_id>", str(known["linked"]))
        url = url.replace("<int:passkey_id>", str(things.session))  # nobody's: whoever has one is asked for it
        url = url.replace("<token>", "forged").replace("<kind>", "databases").replace("<name>", "contacts")
        url = url.replace("<int:thing_id>", str(things.database))
        assert "<" not in url, f"no thing for {url}"
        return url + self.query


NEW_PASSWORD = {"current_password": PASSWORD, "password": "New-2-password!", "password_again": "New-2-password!"}
DATABASE = {"name": "Clients", "audience": "everyone"}
CONTACT = {"name": "Petra Nová", "version": 1, "database_id": "{database}"}
COMPANY = {"name": "Nová s.r.o.", "version": 1, "database_id": "{database}"}
BOOK = {"name": "Suppliers", "database_id": "{database}", "audience": "everyone", "sync_policy": "phone_book"}
DEVICE = {"kind": "sip", "name": "Softphone", "ring_delay_s": 0, "ring_time_s": 30}
TRUNK = {"name": "Second", "host": "sip.provider.example", "port": 5060, "transport": "udp"}
GROUP = {"name": "Field sales", "permissions": "contacts.read", "go": "save"}
PERSON = {
    "name": "Eva Malá", "email": "eva@demo.localhost", "way": "invitation", "kind": "call_centre", "locale": "en",
    "permission_group_id": "{group}", "number": "230",
}  # fmt: skip
PEOPLE_TABLE = {"table": "name,email\nEva,eva@demo.localhost", "permission_group_id": "{group}", "go": "invite"}
MAIL = {"to": "jana@customer.example", "subject": "Printer", "text": "Which one?", "copies": "", "sender": "{sender}"}

ROUTES = (
    Route("GET", "/", (200, 200, 200, 200, 303)),
    Route("GET", "/health", (503, 503, 503, 503, 503)),
    Route("GET", "/metrics", (200, 200, 200, 200, 200)),
    Route("GET", "/theme.css", (200, 200, 200, 200, 200)),
    Route("GET", "/gallery", (200, 200, 200, 200, 303)),
    Route("GET", "/live", (200, 200, 200, 200, 303)),
    Route("GET", "/search", (200, 200, 200, 200, 303), query="?q=printer"),
    Route("GET", "/palette", (200, 200, 200, 200, 303), query="?q=printer"),
    Route("GET", "/sign-in", (303, 303, 303, 303, 200)),
    Route("POST", "/sign-in", (422, 422, 422, 422, 422), {"email": "anna@demo.localhost", "password": "wrong"}),
    Route("GET", "/sign-in/forgotten", (200, 200, 200, 200, 200)),
    Route("POST", "/sign-in/forgotten", (200, 200, 200, 200, 200), {"email": "jana@customer.example"}),
    Route("GET", "/sign-in/code", (303, 303, 303, 303, 303)),
    Route("POST", "/sign-in/code", (303, 303, 303, 303, 303), {"code": "123456"}),
    Route("POST", "/sign-in/passkey/options", (200, 200, 200, 200, 200)),
    Route("POST", "/sign-in/passkey", (303, 303, 303, 303, 303), {"credential": "{{}}"}),
    Route("POST", "/sign-in/code/passkey/options", (404, 404, 404, 404, 404)),
    Route("POST", "/sign-in/code/passkey", (303, 303, 303, 303, 303), {"credential": "{{}}"}),
    Route("GET", "/reset/<token>", (410, 410, 410, 410, 410)),
    Route("POST", "/reset/<token>", (410, 410, 410, 410, 410), NEW_PASSWORD),
    Route("GET", "/welcome/<token>", (410, 410, 410, 410, 410)),
    Route("POST", "/welcome/<token>", (410, 410, 410, 410, 410), NEW_PASSWORD),
    Route("GET", "/sign-in/with/<int:provider_id>", (303, 303, 303, 404, 503)),
    Route("GET", "/sign-in/openid", (410, 410, 410, 410, 410)),
    Route("POST", "/sign-out", (303, 303, 303, 303, 303)),
    Route("POST", "/first-steps", (303, 403, 403, 303, 303), {"shown": "1"}),
    Route("POST", "/preferences/theme", (303, 303, 303, 303, 303), {"theme": "dark"}),
    Route("POST", "/preferences/lists/<name>", (303, 303, 303, 303, 303), {"reset": "1"}),
    Route("POST", "/preferences/language", (303, 303, 303, 303, 303), {"locale": "cs"}),
    Route("GET", "/security/", (200, 200, 200, 200, 303)),
    Route("GET", "/security/notice", (200, 200, 200, 200, 303)),
    Route("POST", "/security/sessions/<int:session_id>/end", (303, 404, 404, 404, 303)),
    Route("POST", "/security/sessions/end-others", (303, 303, 303, 303, 303)),
    Route("POST", "/security/sessions/accept", (303, 303, 303, 303, 303)),
    Route("POST", "/security/password", (303, 303, 303, 303, 303), NEW_PASSWORD),
    Route("GET", "/contacts/", (200, 200, 200, 200, 303)),
    Route("GET", "/contacts/new", (200, 200, 403, 200, 303)),
    Route("POST", "/contacts/new", (303, 303, 403, 422, 303), CONTACT),
    Route("GET", "/contacts/<int:contact_id>", (200, 200, 200, 404, 303)),
    Route("GET", "/contacts/<int:contact_id>/edit", (200, 200, 403, 404, 303)),
    Route("POST", "/contacts/<int:contact_id>/edit", (303, 303, 403, 404, 303), CONTACT),
    Route("POST", "/contacts/<int:contact_id>/delete", (303, 303, 403, 404, 303), {"version": 1}),
    Route("POST", "/contacts/<int:contact_id>/books", (303, 303, 403, 404, 303), {"book_id": "{book}"}),
    Route("GET", "/books/", (200, 200, 200, 200, 303)),
    Route("GET", "/books/new", (200, 200, 403, 200, 303)),
    Route("POST", "/books/new", (303, 303, 403, 422, 303), BOOK),
    Route("GET", "/books/<int:book_id>", (200, 200, 200, 404, 303)),
    Route("GET", "/books/<int:book_id>/edit", (200, 200, 403, 404, 303)),
    Route("POST", "/books/<int:book_id>/edit", (303, 303, 403, 404, 303), BOOK),
    Route("POST", "/books/<int:book_id>/delete", (303, 303, 403, 404, 303)),
    Route("GET", "/books/<int:book_id>/add", (200, 200, 403, 404, 303)),
    Route("POST", "/books/<int:book_id>/contacts", (303, 303, 403, 404, 303), {"withdraw": "{contact}"}),
    Route("GET", "/settings/user-groups/", (200, 403, 403, 200, 303)),
    Route("GET", "/settings/user-groups/new", (200, 403, 403, 200, 303)),
    Route("POST", "/settings/user-groups/new", (303, 403, 403, 422, 303), {"name": "Paris", "parent_id": "{team}"}),
    Route("POST", "/settings/user-groups/move", (303, 403, 403, 404, 303), {"group_id": "{team}", "parent_id": ""}),
    Route("GET", "/settings/user-groups/<int:team_id>", (200, 403, 403, 404, 303)),
    Route("GET", "/settings/user-groups/<int:team_id>/edit", (200, 403, 403, 404, 303)),
    Route("POST", "/settings/user-groups/<int:team_id>/edit", (303, 403, 403, 404, 303), {"name": "Paris"}),
    Route("POST", "/settings/user-groups/<int:team_id>/delete", (303, 403, 403, 404, 303)),
    Route("GET", "/settings/visibility/", (200, 403, 403, 200, 303)),
    Route("GET", "/settings/visibility/<kind>/", (200, 403, 403, 200, 303)),
    Route("GET", "/settings/visibility/<kind>/new", (200, 403, 403, 200, 303)),
    Route("POST", "/settings/visibility/<kind>/new", (303, 403, 403, 303, 303), {"name": "Partners"}),
    Route("GET", "/settings/visibility/<kind>/<int:thing_id>", (200, 403, 403, 404, 303)),
    Route("POST", "/settings/visibility/<kind>/<int:thing_id>", (303, 403, 403, 404, 303), DATABASE),
    Route("POST", "/settings/visibility/<kind>/<int:thing_id>/delete", (303, 403, 403, 404, 303)),
    Route("GET", "/contacts/<int:contact_id>/who-sees", (200, 200, 200, 404, 303)),
    Route("GET", "/companies/<int:company_id>/who-sees", (200, 200, 200, 404, 303)),
    Route("GET", "/tickets/<int:ticket_id>/who-sees", (200, 200, 200, 404, 303)),
    Route("GET", "/books/<int:book_id>/who-sees", (200, 200, 200, 404, 303)),
    Route("GET", "/synced/", (200, 200, 200, 200, 303)),
    Route("GET", "/synced/all", (200, 403, 403, 200, 303)),
    Route("GET", "/synced/new", (200, 200, 200, 200, 303)),
    Route("POST", "/synced/new", (303, 303, 303, 303, 303), {"name": "iPhone"}),
    Route("GET", "/synced/<int:client_id>/ready", (410, 404, 404, 404, 303)),
    Route("POST", "/synced/<int:client_id>/revoke", (303, 404, 404, 404, 303)),
    Route("GET", "/synced/profile/<token>", (410, 410, 410, 410, 410)),
    Route("POST", "/synced/profile/<token>", (410, 410, 410, 410, 410), {"kind": "apple"}),
    Route("GET", "/.well-known/carddav", (301, 301, 301, 301, 301)),
    Route("PROPFIND", "/.well-known/carddav", (301, 301, 301, 301, 301)),
    Route("GET", "/companies/", (200, 200, 200, 200, 303)),
    Route("GET", "/companies/choices", (200, 200, 200, 200, 303), query="?q=pap"),
    Route("GET", "/companies/new", (200, 200, 403, 200, 303)),
    Route("POST", "/companies/new", (303, 303, 403, 422, 303), COMPANY),
    Route("GET", "/companies/<int:company_id>", (200, 200, 200, 404, 303)),
    Route("GET", "/companies/<int:company_id>/edit", (200, 200, 403, 404, 303)),
    Route("POST", "/companies/<int:company_id>/edit", (303, 303, 403, 404, 303), COMPANY),
    Route("GET", "/tickets/", (200, 200, 200, 200, 303)),
    Route("GET", "/tickets/<int:ticket_id>", (200, 200, 200, 404, 303)),
    Route("POST", "/tickets/<int:ticket_id>/reply", (303, 303, 403, 404, 303), MAIL),
    Route("POST", "/tickets/<int:ticket_id>/change", (303, 303, 403, 404, 303), {"status": "closed", "version": 1}),
    Route("POST", "/tickets/<int:ticket_id>/take", (303, 303, 403, 404, 303)),
    Route("POST", "/tickets/<int:ticket_id>/pair", (303, 303, 403, 404, 303), {"contact_id": "{contact}"}),
    Route("GET", "/calls/", (200, 200, 200, 200, 303)),
    Route("GET", "/calls/card", (200, 200, 200, 200, 303)),
    Route("GET", "/calls/<int:call_id>", (200, 200, 200, 404, 303)),
    Route("GET", "/calls/<int:call_id>/card", (200, 200, 200, 404, 303)),
    Route("GET", "/calls/<int:call_id>/player", (200, 200, 403, 404, 303)),
    Route("GET", "/calls/<int:call_id>/recording", (200, 200, 403, 404, 303)),
    Route("POST", "/calls/<int:call_id>/pair", (303, 303, 403, 404, 303), {"contact_id": "{contact}"}),
    Route("POST", "/calls/<int:call_id>/ticket", (303, 303, 403, 404, 303)),
    Route("GET", "/lines/", (200, 403, 403, 200, 303)),
    Route("GET", "/lines/mine", (200, 200, 403, 200, 303)),
    Route("GET", "/lines/new", (200, 403, 403, 200, 303)),
    Route("POST", "/lines/new", (303, 403, 403, 404, 303), {"user_id": "{user}", "number": "230"}),
    Route("GET", "/lines/<int:line_id>", (200, 403, 403, 404, 303)),
    Route("GET", "/lines/<int:line_id>/edit", (200, 403, 403, 404, 303)),
    Route("POST", "/lines/<int:line_id>/edit", (303, 403, 403, 404, 303), {"number": "230"}),
    Route("POST", "/lines/<int:line_id>/remove", (303, 403, 403, 404, 303)),
    Route("GET", "/lines/<int:line_id>/devices/new", (200, 200, 403, 404, 303)),
    Route("POST", "/lines/<int:line_id>/devices/new", (303, 303, 403, 404, 303), DEVICE),
    Route("GET", "/lines/devices/<int:device_id>/edit", (200, 200, 403, 404, 303)),
    Route("POST", "/lines/devices/<int:device_id>/edit", (303, 303, 403, 404, 303), DEVICE),
    Route("POST", "/lines/devices/<int:device_id>/switch", (303, 303, 403, 404, 303), {"on": 0}),
    Route("POST", "/lines/devices/<int:device_id>/password", (303, 303, 403, 404, 303)),
    Route("GET", "/lines/devices/<int:device_id>/ready", (410, 410, 403, 404, 303)),
    Route("POST", "/lines/devices/<int:device_id>/remove", (303, 303, 403, 404, 303)),
    Route("GET", "/lines/setup/<token>", (410, 410, 410, 410, 410)),
    Route("GET", "/lines/spare", (200, 403, 403, 200, 303)),
    Route("POST", "/lines/devices/<int:device_id>/release", (303, 403, 403, 404, 303)),
    Route("POST", "/lines/spare/<int:spare_id>/give", (303, 403, 403, 404, 303), {"line_id": "{line}"}),
    Route("POST", "/lines/spare/<int:spare_id>/remove", (303, 403, 403, 404, 303)),
    Route("GET", "/lines/trunks", (200, 403, 403, 200, 303)),
    Route("GET", "/lines/trunks/new", (200, 403, 403, 200, 303)),
    Route("POST", "/lines/trunks/new", (303, 403, 403, 303, 303), TRUNK),
    Route("GET", "/lines/trunks/<int:trunk_id>/edit", (200, 403, 403, 404, 303)),
    Route("POST", "/lines/trunks/<int:trunk_id>/edit", (303, 403, 403, 404, 303), TRUNK),
    Route("POST", "/lines/trunks/<int:trunk_id>/remove", (303, 403, 403, 404, 303)),
    Route("POST", "/lines/trunks/<int:trunk_id>/numbers", (303, 403, 403, 404, 303), {"number": "224 811 199"}),
    Route("POST", "/lines/numbers/<int:number_id>/route", (303, 403, 403, 404, 303), {"line_id": "{line}"}),
    Route("POST", "/lines/numbers/<int:number_id>/remove", (303, 403, 403, 404, 303)),
    Route("GET", "/people/", (200, 403, 403, 200, 303)),
    Route("GET", "/people/new", (200, 403, 403, 200, 303)),
    Route("POST", "/people/new", (303, 403, 403, 422, 303), PERSON),
    Route("GET", "/people/invite", (200, 403, 403, 200, 303)),
    Route("POST", "/people/invite", (303, 403, 403, 422, 303), PEOPLE_TABLE),
    Route("GET", "/people/<int:user_id>", (200, 403, 403, 404, 303)),
    Route("GET", "/people/<int:user_id>/edit", (200, 403, 403, 404, 303)),
    Route("POST", "/people/<int:user_id>/edit", (303, 403, 403, 404, 303), {**PERSON, "number": "103"}),
    Route("POST", "/people/<int:user_id>/block", (303, 403, 403, 404, 303)),
    Route("POST", "/people/<int:user_id>/unblock", (303, 403, 403, 404, 303)),
    Route("POST", "/people/<int:user_id>/delete", (303, 403, 403, 404, 303)),
    Route("POST", "/people/<int:user_id>/invite", (303, 403, 403, 404, 303)),
    Route("POST", "/people/<int:user_id>/withdraw", (303, 403, 403, 404, 303)),
    *(Route(*line) for line in (*SETTINGS, *NOTIFICATIONS)),
    Route("POST", "/people/<int:user_id>/second-factor/remove", (303, 403, 403, 404, 303)),
    Route("POST", "/settings/permission-groups/new", (303, 403, 403, 422, 303), GROUP | {"users": "{user}"}),
    Route("POST", "/settings/permission-groups/<int:group_id>/edit", (303, 403, 403, 404, 303), GROUP),
    Route("GET", "/mail/new", (200, 200, 403, 200, 303)),
    Route("POST", "/mail/new", (303, 303, 403, 303, 303), MAIL),
    Route("GET", "/outbox/", (200, 200, 200, 200, 303)),
    Route("GET", "/outbox/<int:outbound_id>", (200, 200, 200, 404, 303)),
    Route("POST", "/outbox/<int:outbound_id>/resend", (303, 303, 403, 404, 303)),
    Route("GET", "/mail/<int:activity_id>/body", (200, 200, 200, 404, 303)),
    Route("GET", "/mail/<int:activity_id>/raw", (200, 200, 200, 404, 303)),
    Route("GET", "/attachments/<int:attachment_id>", (200, 200, 200, 404, 303)),
)
TABLE = {(route.method, route.rule): route for route in ROUTES}
UNMEASURED = {("GET", "/static/<path:filename>")}
OWN_POLICY = {"/mail/<int:activity_id>/body", "/mail/<int:activity_id>/raw", "/attachments/<int:attachment_id>"}
COUNTED = {"/sign-in", "/sign-in/forgotten", "/sign-in/passkey/options", "/sign-in/with/<int:provider_id>"}
"""What leaves a row, whoever asks: an attempt, or a challenge."""
LINES = [
    pytest.param(route, person, id=f"{route.method} {route.rule} {person}") for route in ROUTES for person in PEOPLE
]
POSTS = [pytest.param(route, id=route.rule) for route in ROUTES if route.method == "POST"]


@pytest.fixture(autouse=True)
def _quiet_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    """No listener of this process stays connected to the database that others clone."""
    made = Hub()
    monkeypatch.setattr(live, "hub", lambda: made)


@pytest.fixture
def things(work_as: WorkAs, cast: Cast) -> Things:
    """One of everything in the demo company."""
    with work_as("system") as work:
        return create_things(work, cast.demo)


def rules(app: Flask) -> set[tuple[str, str]]:
    """Every method and rule that the app answers to."""
    return {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def ask(client: FlaskClient, route: Route, things: Things, **more: Any) -> Any:
    """Send the route's request. A stream is asked for its headers only."""
    form = {
        name: str(value).format(**asdict(things), sender="") if isinstance(value, str) else value
        for name, value in route.form.items()
    }
    if route.method == "POST":
        return client.post(route.url(things), data=form, **more)
    return client.open(route.url(things), method=route.method, buffered=route.rule != "/live", **more)


def test_every_route_stands_in_the_table(app: Flask) -> None:
    assert rules(app) - UNMEASURED == TABLE.keys()


@pytest.mark.parametrize(("route", "person"), LINES)
@pytest.mark.attack(1, 6)
def test_a_route_answers_each_person_as_the_table_says(
    client_as: ClientAs, cast: Cast, things: Things, route: Route, person: str
) -> None:
    client = client_as(person)
    before = fingerprint(cast)
    answer = ask(client, route, things)
    try:
        assert answer.status_code == route.answers[PEOPLE.index(person)], answer.location
        is_attempt = route.rule in COUNTED
        if not is_attempt and (answer.status_code >= 400 or person == "nobody"):
            assert fingerprint(cast) == before
        if answer.status_code == 200 and route.rule in OWN_POLICY:
            assert "sandbox" in answer.headers["Content-Security-Policy"]
        else:
            assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Cache-Control" in answer.headers
    finally:
        answer.close()


@pytest.mark.parametrize("route", POSTS)
@pytest.mark.attack(34)
def test_a_form_without_its_token_is_refused(client_as: ClientAs, cast: Cast, things: Things, route: Route) -> None:
    client = client_as("anna")
    before = fingerprint(cast)
    assert ask(client, route._replace(form={**route.form, "csrf_token": "forged"}), things).status_code == 403
    client.token = ""  # type: ignore[attr-defined]  # our own client
    assert ask(client, route, things).status_code == 403
    assert fingerprint(cast) == before


@pytest.mark.parametrize("person", ["boris", "vera"])
@pytest.mark.attack(57)
def test_what_is_granted_to_others_is_not_there(client_as: ClientAs, things: Things, person: str) -> None:
    client = client_as(person)
    for path in (f"/contacts/{things.hidden_contact}", f"/tickets/{things.hidden_ticket}"):
        assert client.get(path).status_code == 404
    for path in (
        "/contacts/",
        "/tickets/?status=all",
        "/search?q=chief",
        "/search?q=suit",
        "/companies/",
        "/palette?q=chief",
        "/palette?q=suit",
    ):
        assert not {"Chief", "Law suit"} & {word for word in ("Chief", "Law suit") if word in client.get(path).text}


@pytest.mark.attack(1)
def test_an_address_with_an_id_is_not_found_in_another_company() -> None:
    assert [route.rule for route in ROUTES if "<int:" in route.rule and route.answers[3] != 404] == []


# Templates


@pytest.fixture
def rendered(app: Flask) -> Iterator[set[str]]:
    """The files of the templates that are rendered in the test."""
    files: set[str] = set()

    def note(_app: Flask, template: Any, **_context: Any) -> None:
        files.add(str(template.filename))

    with before_render_template.connected_to(note, app):
        yield files


def test_only_our_own_templates_are_rendered(
    app: Flask, client_as: ClientAs, things: Things, rendered: set[str]
) -> None:
    client = client_as("anna")
    for route in ROUTES:
        if route.method == "GET" and route.rule != "/live":
            ask(client, route, things)
    client.get("/no/such/page")
    ours = Path(app.root_path) / "templates"
    assert len(rendered) > 8
    assert {file for file in rendered if not Path(file).is_relative_to(ours)} == set()
    kept = (app.jinja_env.cache or {}).values()
    assert all(Path(str(found.filename)).is_relative_to(ours) for found in kept)


def test_the_frameworks_templates_cannot_be_reached(app: Flask) -> None:
    assert {name for name in app.jinja_env.list_templates() if name.startswith("appbuilder")} == set()
    assert not any(
        rule.rule.startswith(("/static/appbuilder", "/lang", "/users", "/roles")) for rule in app.url_map.iter_rules()
    )

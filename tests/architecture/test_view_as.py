"""Whoever looks at the app as a permission group may what the group's people may, over the table of all routes."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from core.identity.models import PermissionGroup, UserAccount
from tests.architecture.test_routes import PEOPLE, ROUTES, Route, _quiet_hub, ask
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast
from tests.support.clients import form_token
from tests.support.fingerprint import fingerprint
from tests.support.things import Things, create_things

__all__ = ["_quiet_hub"]

OWN = re.compile(r"/lines/(<int:line_id>/devices/new|devices/<int:device_id>/(edit|ready))")
"""What Boris may because the line is his: for others' lines another permission is asked for."""
ALLOWED = {"/view-as/end", "/sign-out"}


@pytest.fixture
def things(work_as: WorkAs, cast: Cast) -> Things:
    """One of everything in the demo company."""
    with work_as("system") as work:
        return create_things(work, cast.demo)


def viewing_as(client_as: ClientAs, work_as: WorkAs, cast: Cast, name: str) -> FlaskClient:
    """Anna's browser, which looks at the app as the group of somebody."""
    with work_as("system") as work:
        query = select(UserAccount.permission_group_id).where(UserAccount.id == cast.demo.users[name])
        group_id = work.session.scalars(query).one()
    client = client_as("anna")
    assert client.post(f"/settings/permission-groups/{group_id}/view").location == "/"
    client.token = form_token(client.get("/gallery").text)  # type: ignore[attr-defined]  # our own client
    return client


@pytest.mark.covers("TC-8")
@pytest.mark.parametrize("name", ["boris", "vera"])
def test_every_page_answers_as_to_the_groups_people(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, things: Things, name: str
) -> None:
    client, place = viewing_as(client_as, work_as, cast, name), PEOPLE.index(name)
    wrong = {}
    for route in _pages():
        answer = ask(client, route, things)
        expected = route.answers[place]
        if expected == 404:  # what is Anna's own stays hers
            expected = route.answers[0]
        elif OWN.fullmatch(route.rule) and name == "boris":
            expected = 404
        if answer.status_code != expected:
            wrong[route.rule] = (answer.status_code, expected)
        answer.close()
    assert wrong == {}


@pytest.mark.parametrize("name", ["boris", "vera"])
def test_nothing_that_is_sent_changes_anything(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, things: Things, name: str
) -> None:
    client = viewing_as(client_as, work_as, cast, name)
    before = fingerprint(cast)
    wrong = {}
    for route in ROUTES:
        if route.method == "POST" and route.rule not in ALLOWED:
            answer = ask(client, route, things)
            if answer.status_code != 403 or "so nothing was changed. End the view first." not in answer.text:
                wrong[route.rule] = answer.status_code
    assert wrong == {}
    assert fingerprint(cast) == before


@pytest.mark.parametrize("name", ["boris", "vera"])
@pytest.mark.parametrize("page", ["/gallery", "/palette", "/settings/", "/search?q=jana"])
def test_what_leads_further_is_the_groups(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, things: Things, name: str, page: str
) -> None:
    links = re.compile(r'href="(/[^"#]*)"')
    own = set(links.findall(client_as(name).get(page).text))
    seen = set(links.findall(viewing_as(client_as, work_as, cast, name).get(page).text))
    assert seen == own


def test_a_search_finds_no_kind_that_the_group_may_not_see(
    client_as: ClientAs, work_as: WorkAs, things: Things
) -> None:
    client = client_as("anna")
    assert f"/tickets/{things.ticket}" in client.get("/search?q=printer").text
    with work_as("system") as work:
        group_id = work.session.scalars(select(PermissionGroup.id).where(PermissionGroup.name == "Reception")).one()
    client.post(f"/settings/permission-groups/{group_id}/view")
    for page in ("/search?q=printer", "/palette?q=printer"):
        assert f"/tickets/{things.ticket}" not in client.get(page).text
    assert f"/contacts/{things.contact}" in client.get("/search?q=jana").text


def _pages() -> list[Route]:
    return [route for route in ROUTES if route.method == "GET" and route.rule not in {"/live", "/health"}]

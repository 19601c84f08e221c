"""Looking at the app as a permission group: begun by an owner, ended by a press, by signing out or by time."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select, update

from core.foundation import clock
from core.foundation.history import Change
from core.foundation.permissions import Permission
from core.identity.models import PermissionGroup, SignInSession, UserAccount
from core.identity.service import create_permission_group
from core.identity.viewing import LASTS
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast
from tests.support.clients import form_token

GROUPS = "/settings/permission-groups/"
NOTICE = "You see Centrala as somebody of the group “Reception” does"


@pytest.fixture
def reception(work_as: WorkAs) -> int:
    """A group that may see contacts, and nothing else."""
    with work_as("system") as work:
        return create_permission_group(work, "Reception", permissions={Permission.CONTACTS_READ})


@pytest.fixture
def anna(client_as: ClientAs, reception: int) -> FlaskClient:
    """Anna's browser, which looks at the app as the group."""
    client = client_as("anna")
    assert client.post(f"{GROUPS}{reception}/view").location == "/"
    client.token = form_token(client.get("/").text)  # type: ignore[attr-defined]  # our own client
    return client


def told(work_as: WorkAs) -> list[list[str | None]]:
    """What the history says of it, oldest first."""
    with work_as("system") as work:
        changes = work.session.scalars(select(Change).where(Change.subject_kind == "user").order_by(Change.id))
        return [change.fields["viewed_as"] for change in changes if "viewed_as" in change.fields]


def test_every_page_says_so_and_the_press_ends_it(anna: FlaskClient, reception: int, work_as: WorkAs) -> None:
    for page in ("/", "/contacts/", "/security/"):
        assert NOTICE in anna.get(page).text
    refused = anna.get("/tickets/")
    assert refused.status_code == 403
    assert NOTICE in refused.text
    assert anna.post("/view-as/end").location == f"{GROUPS}{reception}"
    assert NOTICE not in anna.get("/").text
    assert anna.get("/tickets/").status_code == 200
    assert told(work_as) == [[None, "Reception"], ["Reception", None]]


def test_the_log_names_who_did_it(anna: FlaskClient, work_as: WorkAs, cast: Cast) -> None:
    anna.post("/view-as/end")
    with work_as("system") as work:
        query = select(Change.user_id).where(Change.fields.has_key("viewed_as"))
        assert set(work.session.scalars(query)) == {cast.demo.users["anna"]}
    assert "Looks at the app as" in anna.get("/settings/audit/").text


def test_nothing_can_be_changed_meanwhile(anna: FlaskClient, work_as: WorkAs, cast: Cast) -> None:
    answer = anna.post("/contacts/new", data={"name": "Petra", "database_id": cast.demo.open_database})
    assert answer.status_code == 403
    assert "so nothing was changed. End the view first." in answer.text
    assert anna.post("/preferences/theme", data={"theme": "dark"}).status_code == 403
    assert anna.post("/no/such/page").status_code == 403


def test_it_ends_after_half_an_hour(anna: FlaskClient, work_as: WorkAs) -> None:
    clock.hold(clock.now() + LASTS - timedelta(seconds=5))
    assert anna.get("/tickets/").status_code == 403
    clock.hold(clock.now() + timedelta(seconds=6))
    assert anna.get("/tickets/").status_code == 200
    assert anna.get("/tickets/").status_code == 200
    assert told(work_as) == [[None, "Reception"], ["Reception", None]]


def test_it_ends_with_the_session(anna: FlaskClient, client_as: ClientAs, work_as: WorkAs) -> None:
    assert anna.post("/sign-out").status_code == 303
    assert client_as("anna").get("/tickets/").status_code == 200
    assert told(work_as) == [[None, "Reception"], ["Reception", None]]


def test_other_browsers_and_people_notice_nothing(anna: FlaskClient, client_as: ClientAs) -> None:
    assert client_as("anna").get("/tickets/").status_code == 200
    assert client_as("boris").get("/tickets/").status_code == 200


def test_only_an_owner_looks_so(client_as: ClientAs, work_as: WorkAs, reception: int, cast: Cast) -> None:
    with work_as("system") as work:
        manager = create_permission_group(work, "Managers", permissions={Permission.PEOPLE_MANAGE})
        moved = update(UserAccount).where(UserAccount.id == cast.demo.users["boris"])
        work.session.execute(moved.values(permission_group_id=manager))
    client = client_as("boris")
    assert "View as this group" not in client.get(f"{GROUPS}{reception}").text
    assert client.post(f"{GROUPS}{reception}/view").status_code == 403


def test_an_owner_who_is_one_no_more_gets_nothing_by_it(
    client_as: ClientAs, work_as: WorkAs, reception: int, cast: Cast
) -> None:
    """The group that is looked at must never give more than one has."""
    with work_as("system") as work:
        mighty = create_permission_group(work, "Mighty", permissions=frozenset(Permission))
        owners = work.session.scalars(select(PermissionGroup.id).where(PermissionGroup.is_owner)).one()
        second = update(UserAccount).where(UserAccount.id == cast.demo.users["boris"])
        work.session.execute(second.values(permission_group_id=owners))
    client = client_as("boris")
    assert client.post(f"{GROUPS}{mighty}/view").status_code == 303
    assert client.get("/people/").status_code == 200
    with work_as("system") as work:
        work.session.execute(second.values(permission_group_id=reception))
    assert client.get("/people/").status_code == 403
    with work_as("system") as work:
        assert work.session.scalars(select(SignInSession.viewed_group_id)).all() == [None]


def test_what_only_owners_see_is_hidden_from_a_group_that_may_everything_else(
    client_as: ClientAs, work_as: WorkAs
) -> None:
    with work_as("system") as work:
        mighty = create_permission_group(work, "Mighty", permissions=frozenset(Permission))
    client = client_as("anna")
    client.post(f"{GROUPS}{mighty}/view")
    assert "Only an owner creates and changes the groups." in client.get(GROUPS).text
    assert client.get(f"{GROUPS}new").status_code == 403


def test_the_owners_group_is_not_looked_at(client_as: ClientAs, work_as: WorkAs) -> None:
    with work_as("system") as work:
        owners = work.session.scalars(select(PermissionGroup.id).where(PermissionGroup.is_owner)).one()
    client = client_as("anna")
    assert "View as this group" not in client.get(f"{GROUPS}{owners}").text
    assert client.post(f"{GROUPS}{owners}/view").location == f"{GROUPS}{owners}"
    assert client.get("/tickets/").status_code == 200


def test_a_group_that_is_deleted_is_looked_at_no_more(anna: FlaskClient, work_as: WorkAs, reception: int) -> None:
    with work_as("system") as work:
        work.session.execute(delete(PermissionGroup).where(PermissionGroup.id == reception))
    assert anna.get("/tickets/").status_code == 200

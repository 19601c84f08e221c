"""The pages of permission groups: a form in steps, a page, two groups side by side, and who may do what there."""

import re
from html import unescape

import pytest
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from core.foundation.history import Change
from core.foundation.permissions import CATALOGUE, Permission
from core.identity.models import PermissionGrant, PermissionGroup, UserAccount
from core.identity.service import create_permission_group
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import AGENT, READER, Cast

BASE = "/settings/permission-groups/"


def group_id(work_as: WorkAs, name: str) -> int:
    """The demo company's group of this name."""
    with work_as("system") as work:
        return work.session.scalars(select(PermissionGroup.id).where(PermissionGroup.name == name)).one()


def names(work_as: WorkAs) -> set[str]:
    """The demo company's groups."""
    with work_as("system") as work:
        return set(work.session.scalars(select(PermissionGroup.name)))


def held(work_as: WorkAs, name: str) -> set[str]:
    """What the group allows."""
    with work_as("system") as work:
        query = select(PermissionGrant.permission).join(
            PermissionGroup, PermissionGroup.id == PermissionGrant.permission_group_id
        )
        return set(work.session.scalars(query.where(PermissionGroup.name == name)))


def group_of(work_as: WorkAs, user_id: int) -> int:
    """The group that the user is in."""
    with work_as("system") as work:
        return work.session.get_one(UserAccount, user_id, populate_existing=True).permission_group_id


def hidden(page: str) -> MultiDict[str, str]:
    """What a step's form carries along without showing it, but for its token."""
    form = page.split('<form class="form wizard"')[1].split("</form>")[0]
    pairs = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
    return MultiDict((name, unescape(value)) for name, value in pairs if name != "csrf_token")


def words(page: str) -> str:
    """What the page says, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def lets_manage_people(work_as: WorkAs, cast: Cast) -> None:
    """Vera may manage people, and is no owner."""
    with work_as("system") as work:
        group = create_permission_group(work, "Human resources", permissions={Permission.PEOPLE_MANAGE})
        work.session.get_one(UserAccount, cast.demo.users["vera"]).permission_group_id = group


# The form in steps


@pytest.mark.covers("TC-5", "TC-6", "TC-7")
def test_a_group_is_made_by_name_then_permissions_then_people(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    anna, vera = client_as("anna"), cast.demo.users["vera"]
    form = hidden(anna.get(f"{BASE}new").text)
    assert form["step"] == "name"
    page = anna.post(f"{BASE}new", data={**form, "name": "Field sales", "go": "next"})
    form = hidden(page.text)
    assert (page.status_code, form["step"], form["name"]) == (200, "permissions", "Field sales")
    page = anna.post(f"{BASE}new", data={**form, "permissions": ["contacts.read", "calls.make"], "go": "next"})
    form = hidden(page.text)
    assert (form["step"], set(form.getlist("permissions"))) == ("users", {"contacts.read", "calls.make"})
    typed = {**form.to_dict(flat=False), "users": [str(vera)]}
    page = anna.post(f"{BASE}new", data={**typed, "go": "next"})
    said = words(page.text)
    assert "1 person moves into “Field sales”" in said
    assert "1 person leaves “Readers”" in said
    assert "Field sales" not in names(work_as)
    form = hidden(page.text)
    answer = anna.post(f"{BASE}new", data={**form.to_dict(flat=False), "go": "save"})
    made = group_id(work_as, "Field sales")
    assert (answer.status_code, answer.location) == (303, f"{BASE}{made}")
    assert held(work_as, "Field sales") == {"contacts.read", "calls.make"}
    assert group_of(work_as, vera) == made
    assert "Field sales" in anna.get(BASE).text


@pytest.mark.covers("TC-5")
def test_the_permissions_are_grouped_with_plain_explanations(client_as: ClientAs) -> None:
    page = client_as("anna").post(f"{BASE}new", data={"step": "name", "name": "Sales", "go": "next"})
    said = words(page.text)
    for module in CATALOGUE:
        assert str(module.name) in said
        for entry in module.permissions:
            assert f'name="permissions" value="{entry.permission}"' in page.text
            assert str(entry.explanation) in said
    assert page.text.index("Access: what opens") < page.text.index("Rights: what can be done")


def test_going_back_loses_nothing(client_as: ClientAs, cast: Cast) -> None:
    anna, vera = client_as("anna"), str(cast.demo.users["vera"])
    typed = {"name": "Sales", "permissions": ["contacts.read"], "users": [vera], "step": "summary", "go": "name"}
    form = hidden(anna.post(f"{BASE}new", data=typed).text)
    assert (form["step"], form.getlist("permissions"), form.getlist("users")) == ("name", ["contacts.read"], [vera])
    page = anna.post(f"{BASE}new", data={**typed, "go": "permissions"}).text
    assert re.search(r'value="contacts.read" checked', page)
    page = anna.post(f"{BASE}new", data={**typed, "go": "users"}).text
    assert re.search(rf'value="{vera}" checked', page)


@pytest.mark.parametrize(
    ("typed", "step", "sentence"),
    [
        ({"name": "  ", "step": "name", "go": "next"}, "name", "A group needs a name."),
        ({"name": "readers", "step": "name", "go": "next"}, "name", "Another group has this name."),
        ({"name": "x" * 81, "step": "name", "go": "summary"}, "name", "at most 80 characters"),
        ({"name": "Sales", "step": "permissions", "go": "next"}, "permissions", "Choose at least one permission"),
        ({"name": "", "permissions": "calls.make", "step": "summary", "go": "save"}, "name", "A group needs a name."),
        (
            {"name": "Sales", "permissions": "calls.make", "users": "999999", "step": "summary", "go": "save"},
            "users",
            "There is no such user.",
        ),
        (
            {"name": "Sales", "permissions": "calls.make", "users": "one", "step": "summary", "go": "save"},
            "users",
            "There is no such user.",
        ),
    ],
)
def test_what_cannot_be_is_refused_at_its_step(
    client_as: ClientAs, work_as: WorkAs, typed: dict[str, str], step: str, sentence: str
) -> None:
    before = names(work_as)
    answer = client_as("anna").post(f"{BASE}new", data=typed)
    assert (answer.status_code, hidden(answer.text)["step"]) == (422, step)
    assert sentence in words(answer.text)
    assert f'name="name" value="{typed["name"]}"' in answer.text or f'value="{typed["name"]}" id="name"' in answer.text
    assert names(work_as) == before


@pytest.mark.attack(28)
def test_a_permission_that_does_not_exist_is_not_stored(client_as: ClientAs, work_as: WorkAs) -> None:
    typed = {"name": "Sales", "permissions": ["calls.make", "everything.do"], "is_owner": "1", "go": "save"}
    assert client_as("anna").post(f"{BASE}new", data=typed).status_code == 303
    assert held(work_as, "Sales") == {"calls.make"}
    with work_as("system") as work:
        assert not work.session.get_one(PermissionGroup, group_id(work_as, "Sales")).is_owner


@pytest.mark.covers("TC-7")
def test_a_change_says_what_it_takes_from_how_many_before_it_is_stored(client_as: ClientAs, work_as: WorkAs) -> None:
    anna, readers = client_as("anna"), group_id(work_as, "Readers")
    form = hidden(anna.get(f"{BASE}{readers}/edit?step=permissions").text)
    kept = [*sorted(READER - {Permission.CONTACTS_READ}), "tickets.write"]
    page = anna.post(f"{BASE}{readers}/edit", data={**form, "permissions": kept, "go": "summary"})
    said = words(page.text)
    assert "1 permission is taken away 1 person in the group loses it with their next click. See contacts" in said
    assert "1 permission is given 1 person in the group gets it at once. Work on tickets" in said
    assert held(work_as, "Readers") == READER
    answer = anna.post(f"{BASE}{readers}/edit", data={**hidden(page.text).to_dict(flat=False), "go": "save"})
    assert answer.status_code == 303
    assert held(work_as, "Readers") == set(kept)
    assert client_as("vera").get("/contacts/").status_code == 403
    with work_as("system") as work:
        query = select(Change).where(Change.subject_kind == "permission_group", Change.subject_id == readers)
        change = work.session.scalars(query.order_by(Change.id.desc())).first()
        assert change is not None
        assert change.fields["permissions"] == [sorted(READER), sorted(kept)]


def test_two_owners_do_not_overwrite_each_other_unseen(client_as: ClientAs, work_as: WorkAs) -> None:
    anna, readers = client_as("anna"), group_id(work_as, "Readers")
    slow = hidden(anna.get(f"{BASE}{readers}/edit").text).to_dict(flat=False)
    fast = {**slow, "name": "Readers", "permissions": ["calls.read"], "go": "save"}
    assert anna.post(f"{BASE}{readers}/edit", data=fast).status_code == 303
    page = anna.post(f"{BASE}{readers}/edit", data={**slow, "name": "Viewers", "go": "save"})
    assert page.status_code == 409
    assert "A colleague changed this group in the meantime." in page.text
    assert names(work_as) >= {"Readers"}
    again = {**hidden(page.text).to_dict(flat=False), "go": "save"}
    assert anna.post(f"{BASE}{readers}/edit", data=again).status_code == 303
    assert held(work_as, "Viewers") == READER


def test_a_copy_begins_with_the_same_permissions(client_as: ClientAs, work_as: WorkAs) -> None:
    page = client_as("anna").get(f"{BASE}new?like={group_id(work_as, 'Agents')}").text
    assert set(hidden(page).getlist("permissions")) == AGENT


def test_the_owners_group_takes_people_and_nothing_else(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    anna, owners, boris = client_as("anna"), group_id(work_as, "Owners"), cast.demo.users["boris"]
    assert hidden(anna.get(f"{BASE}{owners}/edit?step=permissions").text)["step"] == "users"
    typed = {"name": "Bosses", "permissions": "calls.make", "users": boris, "step": "summary", "go": "save"}
    assert anna.post(f"{BASE}{owners}/edit", data=typed).status_code == 303
    assert group_of(work_as, boris) == owners
    assert "Owners" in names(work_as)
    assert client_as("boris").get(f"{BASE}new").status_code == 200


# Its page, and deleting


@pytest.mark.covers("TC-8")
def test_a_groups_page_tells_who_is_in_it_and_what_it_allows(client_as: ClientAs, work_as: WorkAs) -> None:
    said = words(client_as("anna").get(f"{BASE}{group_id(work_as, 'Readers')}").text)
    assert "People 1 Add people" in said
    assert "Vera Nováková" in said
    assert f"Permissions {len(READER)}" in said
    assert "See contacts Opens the list of contacts" in said
    assert "Manage people Manages users" not in said


@pytest.mark.covers("TC-9")
def test_a_group_with_people_is_not_deleted_and_the_dialog_names_them(client_as: ClientAs, work_as: WorkAs) -> None:
    anna, readers = client_as("anna"), group_id(work_as, "Readers")
    page = anna.get(f"{BASE}{readers}").text
    dialog = words(page.split('id="group-delete"')[1].split("</dialog>")[0])
    assert "1 person is in this group." in dialog
    assert "Vera Nováková" in dialog
    assert f'action="{BASE}{readers}/delete"' not in page
    answer = anna.post(f"{BASE}{readers}/delete")
    assert answer.location == f"{BASE}{readers}"
    assert "Nothing was deleted: people are in this group (1)." in anna.get(answer.location).text
    assert "Readers" in names(work_as)


@pytest.mark.covers("TC-9")
def test_an_empty_group_is_deleted_after_its_consequences_were_named(client_as: ClientAs, work_as: WorkAs) -> None:
    with work_as("system") as work:
        group = create_permission_group(work, "Reception", permissions={Permission.CALLS_READ})
    anna = client_as("anna")
    dialog = words(anna.get(f"{BASE}{group}").text.split('id="group-delete"')[1].split("</dialog>")[0])
    assert "nobody loses a permission" in dialog
    assert "1 permission is gone" in dialog
    assert anna.post(f"{BASE}{group}/delete").location == BASE
    assert "Reception" not in names(work_as)
    assert anna.get(f"{BASE}{group}").status_code == 404


# Side by side


def test_two_groups_stand_side_by_side_by_what_differs(client_as: ClientAs, work_as: WorkAs) -> None:
    url = f"{BASE}compare?first={group_id(work_as, 'Agents')}&second={group_id(work_as, 'Readers')}"
    page = client_as("anna").get(url).text
    table = words(page.split('<table class="compare">')[1].split("</table>")[0])
    assert f"They differ in {len(AGENT - READER)} permissions." in words(page)
    assert "Change contacts" in table
    assert "See contacts" not in table
    everything = client_as("anna").get(f"{url}&all=1").text
    assert "See contacts" in words(everything.split('<table class="compare">')[1])


@pytest.mark.parametrize("query", ["", "?first=1", "?first=x&second=", "?first=999999&second=999999"])
def test_nothing_is_compared_before_two_groups_are_chosen(client_as: ClientAs, query: str) -> None:
    answer = client_as("anna").get(f"{BASE}compare{query}")
    assert (answer.status_code, "Choose two groups" in answer.text) in {(200, True), (404, False)}


# Who may


@pytest.mark.covers("TC-10")
def test_only_an_owner_creates_and_changes_groups_others_look(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    lets_manage_people(work_as, cast)
    vera, agents = client_as("vera"), group_id(work_as, "Agents")
    listed = vera.get(BASE).text
    assert "Only an owner creates and changes the groups." in listed
    assert f"{BASE}new" not in listed
    shown = vera.get(f"{BASE}{agents}").text
    assert f"{BASE}{agents}/edit" not in shown
    assert "group-delete" not in shown
    assert vera.get(f"{BASE}compare").status_code == 200
    before = names(work_as)
    form = {"name": "Mine", "permissions": "people.manage", "go": "save"}
    for answer in (
        vera.get(f"{BASE}new"),
        vera.post(f"{BASE}new", data=form),
        vera.get(f"{BASE}{agents}/edit"),
        vera.post(f"{BASE}{agents}/edit", data=form),
        vera.post(f"{BASE}{agents}/delete"),
    ):
        assert answer.status_code == 403
    assert names(work_as) == before


@pytest.mark.attack(2)
def test_a_user_of_another_company_does_not_move(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    theirs = cast.other.users["vera"]
    typed = {"name": "Sales", "permissions": "calls.make", "users": theirs, "step": "users", "go": "save"}
    answer = client_as("anna").post(f"{BASE}new", data=typed)
    assert (answer.status_code, "There is no such user." in answer.text) == (422, True)
    assert "Sales" not in names(work_as)

"""The pages of user groups: the tree, a group with its people and what they see, moves that say what follows."""

import re
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from core.directory.drafts import ContactDraft
from core.directory.service import create_contact
from core.foundation.permissions import Permission
from core.identity.models import PermissionGroup, UserAccount, UserGroup, UserGroupMember
from core.identity.service import create_permission_group
from core.identity.user_groups import create_user_group, set_groups_of_user, user_groups
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast

BASE = "/settings/user-groups/"
ROW = re.compile(r'data-tree-item="(\d+)" data-parent="(\d*)"')


def words(page: str) -> str:
    """What the page says, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def id_of(work_as: WorkAs, name: str) -> int:
    """The demo company's group of this name."""
    with work_as("system") as work:
        return work.session.scalars(select(UserGroup.id).where(UserGroup.name == name)).one()


def tree(work_as: WorkAs) -> list[str]:
    """The tree as text: a dash for every step below a root."""
    with work_as("system") as work:
        work.session.expire_all()
        return ["-" * node.depth + node.name for node in user_groups(work)]


def branches(work_as: WorkAs) -> dict[str, int]:
    """Foreign branches with three countries; the groups by name."""
    with work_as("system") as work:
        parent = create_user_group(work, "Foreign branches")
        for country in ("France", "Germany", "USA"):
            create_user_group(work, country, parent_id=parent)
        return {node.name: node.id for node in user_groups(work)}


def put(work_as: WorkAs, cast: Cast, name: str, group: str) -> None:
    """Let somebody belong to the group."""
    group_id = id_of(work_as, group)
    with work_as("system") as work:
        set_groups_of_user(work, cast.demo.users[name], [group_id])


def move(client: FlaskClient, group_id: int, parent_id: object = "", before_id: object = "", **more: str) -> Any:
    """Send what dragging sends."""
    form = {"group_id": group_id, "parent_id": parent_id, "before_id": before_id, **more}
    return client.post(f"{BASE}move", data=form)


def lets_manage_people(work_as: WorkAs, cast: Cast, name: str) -> None:
    """Somebody may manage people and see contacts, and is no owner."""
    with work_as("system") as work:
        held = {Permission.PEOPLE_MANAGE, Permission.CONTACTS_READ}
        group = create_permission_group(work, "Human resources", permissions=held)
        work.session.get_one(UserAccount, cast.demo.users[name]).permission_group_id = group


# Making and changing


@pytest.mark.covers("TC-11", "TC-13")
def test_a_group_and_its_subgroups_are_made(client_as: ClientAs, work_as: WorkAs) -> None:
    anna = client_as("anna")
    assert anna.post(f"{BASE}new", data={"name": "Foreign  branches", "parent_id": ""}).location == BASE
    parent = id_of(work_as, "Foreign branches")
    pencil = anna.get(f"{BASE}{parent}/edit").text
    assert f"{BASE}new?parent_id={parent}" in pencil
    assert f'<option value="{parent}" selected>' in anna.get(f"{BASE}new?parent_id={parent}").text
    for country in ("France", "USA"):
        anna.post(f"{BASE}new", data={"name": country, "parent_id": parent})
    assert tree(work_as)[-3:] == ["Foreign branches", "-France", "-USA"]
    page = anna.get(BASE).text
    assert ROW.findall(page)[-2:] == [(str(id_of(work_as, name)), str(parent)) for name in ("France", "USA")]


@pytest.mark.covers("TC-12")
def test_a_group_is_opened_and_edited_from_its_row(client_as: ClientAs, work_as: WorkAs) -> None:
    anna, known = client_as("anna"), branches(work_as)
    row = anna.get(BASE).text.split(f'id="group-{known["Foreign branches"]}"')[1].split("</li>")[0]
    for link in (f"{BASE}{known['Foreign branches']}", f"{BASE}{known['Foreign branches']}/edit"):
        assert f'href="{link}"' in row
    shown = words(anna.get(f"{BASE}{known['Foreign branches']}").text)
    assert "Subgroups 3" in shown
    assert "France empty Germany empty USA empty" in shown
    answer = anna.post(f"{BASE}{known['USA']}/edit", data={"name": "Canada", "parent_id": known["Foreign branches"]})
    assert answer.status_code == 303
    assert tree(work_as)[-1] == "-Canada"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": " ", "parent_id": ""}, "A group needs a name."),
        ({"name": "board", "parent_id": ""}, "There is a group of this name in the same place."),
        ({"name": "x" * 81, "parent_id": ""}, "A name has at most 80 characters."),
        ({"name": "Kept", "parent_id": "999999"}, "There is no such group."),
        ({"name": "Kept", "parent_id": "one"}, "There is no such group."),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(
    client_as: ClientAs, work_as: WorkAs, typed: dict[str, str], sentence: str
) -> None:
    anna, before, lawyers = client_as("anna"), tree(work_as), id_of(work_as, "Lawyers")
    for path in ("new", f"{lawyers}/edit"):
        answer = anna.post(f"{BASE}{path}", data=typed)
        assert (answer.status_code, sentence in words(answer.text)) == (422, True)
        assert f'value="{typed["name"]}"' in answer.text
    assert tree(work_as) == before


# Its page


@pytest.mark.covers("TC-16", "TC-17")
def test_position_is_permanent_and_everybodys_others_are_optional(
    client_as: ClientAs, work_as: WorkAs, cast: Cast
) -> None:
    anna, position = client_as("anna"), id_of(work_as, "Position")
    page = anna.get(f"{BASE}{position}").text
    assert "Every user belongs to it or to a group below it" in words(page)
    assert "People 3" in words(page)
    assert "group-delete" not in page
    assert f"{BASE}{position}/edit" not in page
    assert f'id="grip-{position}"' not in anna.get(BASE).text
    assert "permanent" in words(move(anna, position, id_of(work_as, "Board")).text)
    anna.post(f"{BASE}{position}/delete")
    assert anna.post(f"{BASE}{position}/edit", data={"name": "Job", "parent_id": ""}).status_code == 409
    assert tree(work_as)[0] == "Position"
    put(work_as, cast, "boris", "Board")
    with work_as("system") as work:
        query = select(UserGroupMember.user_group_id).where(UserGroupMember.user_id == cast.demo.users["boris"])
        assert set(work.session.scalars(query)) == {position, id_of(work_as, "Board")}


@pytest.mark.covers("GD-3")
def test_a_groups_page_tells_what_belonging_to_it_lets_people_see(
    client_as: ClientAs, work_as: WorkAs, cast: Cast
) -> None:
    with work_as("system") as work:
        board = next(node.id for node in user_groups(work) if node.name == "Board")
        deputies = create_user_group(work, "Deputies", parent_id=board)
        create_contact(work, ContactDraft(name="Chief", database_id=cast.demo.closed_database))
    anna = client_as("anna")
    assert "Database “Board” 1 contact" in words(anna.get(f"{BASE}{board}").text)
    assert "Database “Board” 1 contact · granted to Board, above" in words(anna.get(f"{BASE}{deputies}").text)
    lawyers = words(anna.get(f"{BASE}{id_of(work_as, 'Lawyers')}").text)
    assert "Category “Legal”" in lawyers
    assert "Board" not in lawyers


@pytest.mark.attack(57)
def test_who_manages_people_does_not_learn_of_what_they_do_not_see(
    client_as: ClientAs, work_as: WorkAs, cast: Cast
) -> None:
    lets_manage_people(work_as, cast, "vera")
    board = id_of(work_as, "Board")
    put(work_as, cast, "boris", "Board")
    page = words(client_as("vera").get(f"{BASE}{board}").text)
    assert "Database “Board”" not in page
    assert "Only what you see yourself is listed." in page
    assert "Database “Board”" in words(client_as("anna").get(f"{BASE}{board}").text)


@pytest.mark.covers("TC-18")
def test_a_group_is_deleted_only_when_empty_and_the_dialog_names_who_is_in_it(
    client_as: ClientAs, work_as: WorkAs, cast: Cast
) -> None:
    anna, known = client_as("anna"), branches(work_as)
    put(work_as, cast, "boris", "USA")
    usa = anna.get(f"{BASE}{known['USA']}").text.split('id="group-delete"')[1]
    assert "1 person belongs to it." in words(usa)
    assert "Boris Nováková" in words(usa)
    above = words(anna.get(f"{BASE}{known['Foreign branches']}").text.split('id="group-delete"')[1])
    assert "3 groups stand below it." in above
    assert "France" in above
    for name, sentence in (("USA", "people are in this group (1)"), ("Foreign branches", "groups below it (3)")):
        answer = anna.post(f"{BASE}{known[name]}/delete")
        assert sentence in anna.get(answer.location).text
    board = anna.get(f"{BASE}{known['Board']}").text.split('id="group-delete"')[1]
    assert "Nobody is in it, so nobody sees less. 1 grant goes with it." in words(board)
    for name in ("France", "Board"):
        assert anna.post(f"{BASE}{known[name]}/delete").location == BASE
    assert not {"-France", "Board"} & set(tree(work_as))


# Moving


def test_a_group_is_put_elsewhere_by_what_dragging_sends(client_as: ClientAs, work_as: WorkAs) -> None:
    anna, known = client_as("anna"), branches(work_as)
    assert move(anna, known["USA"], known["Foreign branches"], known["France"]).location == BASE
    assert tree(work_as)[-3:] == ["-USA", "-France", "-Germany"]
    move(anna, known["Germany"], known["USA"])
    assert tree(work_as)[-3:] == ["-USA", "--Germany", "-France"]
    move(anna, known["USA"], "", known["Board"])
    assert tree(work_as)[:3] == ["Position", "USA", "-Germany"]


def test_the_menu_moves_a_group_by_one_step_without_scripts(client_as: ClientAs, work_as: WorkAs) -> None:
    anna, known = client_as("anna"), branches(work_as)
    for text, expected in (
        ("Move down", ["-Germany", "-France", "-USA"]),
        ("Move up", ["-France", "-Germany", "-USA"]),
    ):
        row = anna.get(BASE).text.split(f'id="tree-menu-{known["France"]}"')[1].split("</li>")[0]
        form = next(part for part in row.split("<form")[1:] if text in part)
        values = dict(re.findall(r'name="(group_id|parent_id|before_id)" value="(\d*)"', form))
        assert anna.post(f"{BASE}move", data=values).status_code == 303
        assert tree(work_as)[-3:] == expected


@pytest.mark.covers("P-3")
@pytest.mark.attack(57)
def test_before_a_move_lets_people_see_more_or_less_it_says_who_and_what(
    client_as: ClientAs, work_as: WorkAs, cast: Cast
) -> None:
    anna, known = client_as("anna"), branches(work_as)
    put(work_as, cast, "boris", "USA")
    before = tree(work_as)
    page = move(anna, known["USA"], known["Board"]).text
    dialog = page.split('id="tree-question"')[1].split("</dialog>")[0]
    assert "Database “Board”: 1 person sees it from now on: Boris Nováková." in words(dialog)
    assert tree(work_as) == before
    confirmed = re.search(r'name="confirmed" value="(\w+)"', dialog)
    assert confirmed
    assert "tree-question" in move(anna, known["USA"], known["Board"], confirmed="forged").text
    assert tree(work_as) == before
    assert move(anna, known["USA"], known["Board"], confirmed=confirmed[1]).status_code == 303
    assert "-USA" in tree(work_as)[1:3]
    form = {"name": "USA", "parent_id": known["Foreign branches"]}
    asked = anna.post(f"{BASE}{known['USA']}/edit", data=form).text
    assert "1 person no longer sees it: Boris Nováková." in words(asked.split('id="form-question"')[1])
    confirmed = re.search(r'name="confirmed" value="(\w+)"', asked)
    assert confirmed
    assert anna.post(f"{BASE}{known['USA']}/edit", data={**form, "confirmed": confirmed[1]}).status_code == 303
    assert tree(work_as)[-1] == "-USA"


@pytest.mark.parametrize(
    ("group", "parent", "sentence"),
    [
        ("Foreign branches", "USA", "A group cannot stand below itself."),
        ("USA", "nowhere", "There is no such group."),
    ],
)
def test_a_move_that_cannot_be_changes_nothing(
    client_as: ClientAs, work_as: WorkAs, group: str, parent: str, sentence: str
) -> None:
    known = branches(work_as)
    before = tree(work_as)
    answer = move(client_as("anna"), known[group], known.get(parent, 2**40))
    assert (answer.status_code, sentence in words(answer.text)) == (422, True)
    assert tree(work_as) == before


# Who may


@pytest.mark.attack(57)
def test_who_manages_people_cannot_put_themselves_where_more_is_seen(
    client_as: ClientAs, work_as: WorkAs, cast: Cast
) -> None:
    known = branches(work_as)
    lets_manage_people(work_as, cast, "vera")
    put(work_as, cast, "vera", "USA")
    vera, before = client_as("vera"), tree(work_as)
    for group in ("USA", "Foreign branches"):
        answer = move(vera, known[group], known["Board"])
        assert answer.status_code == 422
        assert "You belong to this group yourself: only an owner can put it elsewhere." in words(answer.text)
    assert tree(work_as) == before
    assert move(vera, known["USA"], known["Foreign branches"], known["France"]).status_code == 303
    assert move(vera, known["Germany"], "").status_code == 303


@pytest.mark.attack(2)
def test_another_companys_group_is_not_found(client_as: ClientAs, work_as: WorkAs) -> None:
    with work_as("other system") as work:
        theirs = work.session.scalars(select(UserGroup.id).where(UserGroup.name == "Board")).one()
    anna, before = client_as("anna"), tree(work_as)
    assert move(anna, theirs).status_code == 404
    answer = move(anna, id_of(work_as, "Board"), theirs)
    assert (answer.status_code, "There is no such group." in answer.text) == (422, True)
    assert tree(work_as) == before


# Belonging to a group


@pytest.mark.covers("TC-14", "TC-15")
def test_a_new_group_stands_on_everybodys_form_where_alone_people_join_it(
    client_as: ClientAs, work_as: WorkAs, cast: Cast
) -> None:
    anna, boris = client_as("anna"), cast.demo.users["boris"]
    anna.post(f"{BASE}new", data={"name": "Night shift", "parent_id": ""})
    group = id_of(work_as, "Night shift")
    assert re.search(rf'name="groups" value="{group}"', anna.get(f"/people/{boris}/edit").text)
    for path in (f"{BASE}{group}", f"{BASE}{group}/edit"):
        assert "Boris" not in anna.get(path).text
        assert 'name="groups"' not in anna.get(path).text
    with work_as("system") as work:
        user = work.session.get_one(UserAccount, boris)
        form = {"name": user.name, "email": user.email, "permission_group_id": user.permission_group_id}
    form |= {"kind": "call_centre", "locale": "en", "groups": group}
    assert anna.post(f"/people/{boris}/edit", data=form).status_code == 303
    assert "People 1" in words(anna.get(f"{BASE}{group}").text)
    assert f'href="/people/{boris}"' in anna.get(f"{BASE}{group}").text
    assert anna.post(f"/people/{boris}/edit", data={**form, "groups": ""}).status_code == 303
    assert "People 0" in words(anna.get(f"{BASE}{group}").text)


def test_people_lead_to_their_own_pages_for_whoever_may_open_these(
    client_as: ClientAs, work_as: WorkAs, cast: Cast
) -> None:
    put(work_as, cast, "boris", "Board")
    link, board = f'href="/people/{cast.demo.users["boris"]}"', f"{BASE}{id_of(work_as, 'Board')}"
    with work_as("system") as work:
        agents = work.session.scalars(select(PermissionGroup.id).where(PermissionGroup.name == "Agents")).one()
    for path in (board, f"/settings/permission-groups/{agents}"):
        assert link in client_as("anna").get(path).text
    lets_manage_people(work_as, cast, "vera")
    page = client_as("vera").get(board).text
    assert ("Boris" in page, link in page) == (True, False)

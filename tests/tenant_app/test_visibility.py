"""The pages of who sees what: each list, each form with what follows, and "Who can see this?"."""

import re
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient

from core.directory.drafts import ContactDraft
from core.directory.service import create_contact
from core.foundation.permissions import Permission
from core.identity.models import UserAccount
from core.identity.service import create_permission_group
from core.identity.user_groups import create_user_group, set_groups_of_user, user_groups
from core.visibility.kinds import Kind
from core.visibility.queries import ThingRow, things
from core.visibility.service import ThingDraft, change_thing
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast
from tests.support.things import Things, create_things

BASE = "/settings/visibility/"
CONFIRMED = re.compile(r'name="confirmed" value="(\w+)"')


def words(page: str) -> str:
    """What the page says, without its tags."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def row_of(work_as: WorkAs, kind: Kind, name: str) -> ThingRow:
    """The demo company's thing of this name, as the product sees it."""
    with work_as("anna") as work:
        work.session.expire_all()
        return next(row for row in things(work, kind) if row.name == name)


def group_of(work_as: WorkAs, name: str) -> int:
    """The demo company's user group of this name."""
    with work_as("system") as work:
        return next(node.id for node in user_groups(work) if node.name == name)


def belongs(work_as: WorkAs, cast: Cast, name: str, group: str) -> None:
    """Let somebody belong to a user group."""
    group_id = group_of(work_as, group)
    with work_as("system") as work:
        set_groups_of_user(work, cast.demo.users[name], [group_id])


def lets_manage_people(work_as: WorkAs, cast: Cast) -> None:
    """Vera may manage people and see contacts, and is no owner."""
    with work_as("system") as work:
        held = {Permission.PEOPLE_MANAGE, Permission.CONTACTS_READ}
        group = create_permission_group(work, "Human resources", permissions=held)
        work.session.get_one(UserAccount, cast.demo.users["vera"]).permission_group_id = group


def dialog(page: str, name: str) -> str:
    """What a dialog says."""
    return words(page.split(f'id="{name}"')[1].split("</dialog>")[0])


@pytest.fixture
def stored(work_as: WorkAs, cast: Cast) -> Things:
    """One of everything."""
    with work_as("system") as work:
        return create_things(work, cast.demo)


# The lists


@pytest.mark.covers("P-3")
def test_each_list_tells_who_sees_what_and_how_much_is_in_it(client_as: ClientAs, stored: Things) -> None:
    anna = client_as("anna")
    databases = words(anna.get(BASE).text)
    assert "Board Board 1 1 contact" in databases
    assert "Customers Everyone 3 1 contact, 1 company" in databases
    assert "Legal Lawyers 1 1 ticket" in words(anna.get(f"{BASE}categories/").text)
    assert "Support Everyone 3" in words(anna.get(f"{BASE}queues/").text)
    assert "Partners Everyone 3 1 contact" in words(anna.get(f"{BASE}books/").text)
    assert anna.get(f"{BASE}forms/").status_code == 404


@pytest.mark.attack(57)
def test_who_manages_people_looks_at_what_they_see_and_changes_nothing(
    client_as: ClientAs, work_as: WorkAs, cast: Cast
) -> None:
    lets_manage_people(work_as, cast)
    vera = client_as("vera")
    listed = vera.get(BASE).text
    assert "Customers" in listed
    assert "Board" not in words(listed.split('id="things"')[1])
    assert "Only an owner changes it." in listed
    assert f"{BASE}databases/new" not in listed
    opened, closed = cast.demo.open_database, cast.demo.closed_database
    for answer, status in (
        (vera.get(f"{BASE}databases/new"), 403),
        (vera.post(f"{BASE}databases/new", data={"name": "Mine", "audience": "everyone"}), 403),
        (vera.get(f"{BASE}databases/{opened}"), 403),
        (vera.post(f"{BASE}databases/{opened}", data={"name": "Mine", "audience": "everyone"}), 403),
        (vera.get(f"{BASE}databases/{closed}"), 404),
        (vera.post(f"{BASE}databases/{closed}", data={"name": "Mine", "audience": "everyone"}), 404),
        (vera.post(f"{BASE}databases/{closed}/delete"), 403),
    ):
        assert answer.status_code == status
    assert row_of(work_as, Kind.DATABASE, "Board").groups


# Granting and withdrawing


@pytest.mark.covers("P-3", "GD-3")
@pytest.mark.attack(57)
def test_a_database_is_closed_only_after_its_consequences_were_named_and_confirmed(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, stored: Things
) -> None:
    anna, board = client_as("anna"), group_of(work_as, "Board")
    belongs(work_as, cast, "vera", "Board")
    url = f"{BASE}databases/{cast.demo.open_database}"
    form = {"name": "Customers", "audience": "groups", f"group-{board}": "1"}
    asked = anna.post(url, data=form)
    said = dialog(asked.text, "thing-question")
    assert "Database “Customers” (1 contact, 1 company): 1 person no longer sees it: Boris Nováková." in said
    assert row_of(work_as, Kind.DATABASE, "Customers").everyone_sees
    assert "thing-question" in anna.post(url, data={**form, "confirmed": "forged"}).text
    confirmed = CONFIRMED.search(asked.text)
    assert confirmed
    belongs(work_as, cast, "boris", "Board")  # meanwhile nobody loses anything any more
    belongs(work_as, cast, "vera", "Lawyers")
    again = anna.post(url, data={**form, "confirmed": confirmed[1]})
    assert "1 person no longer sees it: Vera Nováková." in dialog(again.text, "thing-question")
    confirmed = CONFIRMED.search(again.text)
    assert confirmed
    assert anna.post(url, data={**form, "confirmed": confirmed[1]}).status_code == 303
    assert dict(row_of(work_as, Kind.DATABASE, "Customers").groups) == {board: "Board"}
    assert client_as("boris").get(f"/contacts/{stored.contact}").status_code == 200
    vera = client_as("vera")
    assert vera.get(f"/contacts/{stored.contact}").status_code == 404
    assert "Jana" not in vera.get("/contacts/").text + vera.get("/search?q=jana").text


@pytest.mark.covers("P-3")
@pytest.mark.parametrize(("kind", "closed"), [("databases", "Board"), ("categories", "Legal"), ("queues", "Phones")])
def test_granting_says_who_sees_it_from_now_on(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, kind: str, closed: str
) -> None:
    anna = client_as("anna")
    if kind == "queues":
        anna.post(f"{BASE}queues/new", data={"name": closed, "audience": "groups", "channel": "call"})
    with work_as("system") as work:
        team = create_user_group(work, "Deputies", parent_id=next(it.id for it in user_groups(work) if it.is_position))
        set_groups_of_user(work, cast.demo.users["vera"], [team])
    row = row_of(work_as, Kind(kind), closed)
    url = f"{BASE}{kind}/{row.id}"
    form = {"name": closed, "audience": "groups", f"group-{team}": "1"} | {f"group-{held}": "1" for held in row.groups}
    asked = anna.post(url, data=form)
    assert "1 person sees it from now on: Vera Nováková." in dialog(asked.text, "thing-question")
    confirmed = CONFIRMED.search(asked.text)
    assert confirmed
    sent = dict(re.findall(r'name="(group-\d+)" value="(1)"', asked.text.split('id="thing-question"')[1]))
    assert set(sent) == {name for name in form if name.startswith("group-")}
    assert anna.post(url, data={**form, "confirmed": confirmed[1]}).status_code == 303
    assert {person.name for person in row_of(work_as, Kind(kind), closed).people} == {"Anna Nováková", "Vera Nováková"}


def test_a_new_name_alone_is_stored_at_once(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    url = f"{BASE}databases/{cast.demo.open_database}"
    assert client_as("anna").post(url, data={"name": "Clients", "audience": "everyone"}).status_code == 303
    assert row_of(work_as, Kind.DATABASE, "Clients").everyone_sees


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"name": " ", "audience": "everyone"}, "It needs a name."),
        ({"name": "board", "audience": "everyone"}, "Another one has this name."),
        ({"name": "x" * 81, "audience": "everyone"}, "at most 80 characters"),
        ({"name": "Kept", "audience": "groups", "group-999999": "1"}, "There is no such group."),
        ({"name": "Kept", "audience": "groups", "group-one": "1"}, "There is no such group."),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(
    client_as: ClientAs, cast: Cast, form: dict[str, str], sentence: str
) -> None:
    anna = client_as("anna")
    for path in ("new", str(cast.demo.open_database)):
        answer = anna.post(f"{BASE}databases/{path}", data=form)
        assert (answer.status_code, sentence in words(answer.text)) == (422, True)
        assert f'value="{form["name"]}"' in answer.text


def test_only_what_is_empty_is_deleted_and_the_dialog_says_what_is_in_it(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, stored: Things
) -> None:
    anna, url = client_as("anna"), f"{BASE}databases/{cast.demo.open_database}"
    assert "It holds: 1 contact, 1 company." in dialog(anna.get(url).text, "thing-delete")
    assert "Nothing was deleted" in anna.get(anna.post(f"{url}/delete").location).text
    anna.post(f"{BASE}databases/new", data={"name": "Empty", "audience": "everyone"})
    row = row_of(work_as, Kind.DATABASE, "Empty")
    empty = dialog(anna.get(f"{BASE}databases/{row.id}").text, "thing-delete")
    assert "3 people no longer find it." in empty
    assert anna.post(f"{BASE}databases/{row.id}/delete").location == f"{BASE}databases/"
    assert "Empty" not in words(anna.get(BASE).text.split('id="things"')[1])


# Address books, where they are at home


@pytest.mark.covers("GD-8")
@pytest.mark.attack(57)
def test_a_book_tells_who_loses_it_before_it_is_closed(client_as: ClientAs, work_as: WorkAs, stored: Things) -> None:
    anna = client_as("anna")
    url = anna.get(f"{BASE}books/{stored.book}").location
    assert url == f"/books/{stored.book}/edit"
    form = {"name": "Partners", "database_id": stored.database, "audience": "groups", "sync_policy": "phone_book"}
    asked = anna.post(url, data=form)
    said = dialog(asked.text, "book-question")
    assert "Address book “Partners” (1 contact): 1 person no longer sees it: Vera Nováková." in said
    assert client_as("vera").get(f"/books/{stored.book}").status_code == 200
    confirmed = CONFIRMED.search(asked.text)
    assert confirmed
    assert anna.post(url, data={**form, "confirmed": confirmed[1]}).status_code == 303
    assert client_as("vera").get(f"/books/{stored.book}").status_code == 404
    assert client_as("boris").get(f"/books/{stored.book}").status_code == 200  # who manages books sees them all


# Who can see this?


def watchers(client: FlaskClient, path: str) -> list[Any]:
    """Who stands in the answer, with the reasons."""
    page = client.get(f"{path}/who-sees").text
    lines = page.split('id="who-sees-answer"')[1].split('<li class="line">')[1:]
    return [words(line.split("</li>")[0]).split(" ", 1)[1] for line in lines]


@pytest.mark.covers("P-17", "GD-8", "GD-25")
@pytest.mark.attack(57)
def test_every_page_of_a_row_answers_who_can_see_it_now(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, stored: Things
) -> None:
    vera = client_as("vera")
    pages = [f"/contacts/{stored.contact}", f"/companies/{stored.company}"]
    pages += [f"/tickets/{stored.ticket}", f"/books/{stored.book}"]
    for path in pages:
        assert f'hx-get="{path}/who-sees"' in vera.get(path).text
        assert [line.split(" Nováková ")[0] for line in watchers(vera, path)] == ["Anna", "Boris", "Vera"]
    belongs(work_as, cast, "vera", "Board")
    with work_as("anna") as work:
        draft = ThingDraft(name="Customers", everyone_sees=False, groups=frozenset({group_of(work_as, "Board")}))
        change_thing(work, Kind.DATABASE, cast.demo.open_database, draft)
    assert watchers(vera, pages[0]) == ["Anna Nováková owner", "Vera Nováková in “Board”"]
    assert "2 of 3 people" in words(vera.get(f"{pages[0]}/who-sees").text)
    assert client_as("boris").get(f"{pages[0]}/who-sees").status_code == 404


@pytest.mark.attack(1)
def test_nobody_learns_who_sees_what_they_do_not_see(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        hidden = create_contact(work, ContactDraft(name="Chief", database_id=cast.demo.closed_database))
    for name, status in (("anna", 200), ("boris", 404), ("vera", 404), ("oleg", 404)):
        answer = client_as(name).get(f"/contacts/{hidden}/who-sees")
        assert (answer.status_code, "Chief" in answer.text) == (status, status == 200)

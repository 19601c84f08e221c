"""Columns and row height of lists, as each user wants them."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from tenant_app.columns import LISTS
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast
from tests.support.things import create_things

FIRST = {"contacts": "Name", "companies": "Name", "tickets": "Ticket", "calls": "Who"}
PATHS = {"contacts": "/contacts/", "companies": "/companies/", "tickets": "/tickets/?status=all", "calls": "/calls/"}


@pytest.fixture(autouse=True)
def _things(work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        create_things(work, cast.demo)


def headings(page: str) -> list[str]:
    """The headings of the page's table."""
    head = page.partition("<thead>")[2].partition("</thead>")[0]
    return [re.sub(r"<[^>]+>", "", heading).strip() for heading in re.findall(r"<th[^>]*>(.*?)</th>", head, re.DOTALL)]


def labels(page: str) -> list[str]:
    """What the cells of the first row are called."""
    row = page.partition("<tbody")[2].partition("</tr>")[0]
    return re.findall(r'<td data-label="([^"]*)"', row)


def choose(client: FlaskClient, name: str, shown: list[str], **more: object) -> int:
    """Post the chooser as the page does: the shown ones first."""
    order = [*shown, *(column.name for column in LISTS[name] if column.name not in shown)]
    form = {"order": order, "column": shown, "density": "compact", "next": PATHS[name], **more}
    return client.post(f"/preferences/lists/{name}", data=form).status_code


@pytest.mark.parametrize("name", LISTS)
def test_columns_are_shown_in_the_order_that_was_chosen(client_as: ClientAs, name: str) -> None:
    boris = client_as("boris")
    usual = [str(column.text) for column in LISTS[name] if column.is_usual]
    assert headings(boris.get(PATHS[name]).text) == [FIRST[name], *usual]
    wanted = [column.name for column in reversed(LISTS[name])]
    assert choose(boris, name, wanted) == 303
    page = boris.get(PATHS[name]).text
    assert headings(page) == [FIRST[name], *(str(column.text) for column in reversed(LISTS[name]))]
    assert labels(page) == headings(page)[1:]
    assert choose(boris, name, wanted[:1]) == 303
    assert headings(boris.get(PATHS[name]).text) == [FIRST[name], str(LISTS[name][-1].text)]
    assert choose(boris, name, []) == 303
    page = boris.get(PATHS[name]).text
    assert headings(page) == [FIRST[name]]
    assert page.count("data-row-link") > 0


@pytest.mark.parametrize("name", LISTS)
def test_a_choice_is_ones_own_outlives_the_sign_in_and_can_be_taken_back(client_as: ClientAs, name: str) -> None:
    boris = client_as("boris")
    before = headings(boris.get(PATHS[name]).text)
    choose(boris, name, [], density="roomy")
    boris.post("/sign-out")
    page = client_as("boris").get(PATHS[name]).text
    assert headings(page) == [FIRST[name]]
    assert 'data-density="roomy"' in page
    assert headings(client_as("vera").get(PATHS[name]).text) == before
    again = client_as("boris")
    assert again.post(f"/preferences/lists/{name}", data={"reset": "1"}).status_code == 303
    page = again.get(PATHS[name]).text
    assert headings(page) == before
    assert 'data-density="compact"' in page


def test_a_choice_is_of_one_list_alone(client_as: ClientAs) -> None:
    boris = client_as("boris")
    choose(boris, "contacts", ["phone"])
    assert headings(boris.get("/companies/").text)[1:] == ["City", "Phone", "E-mail", "Contacts", "Owner"]


def test_a_column_moves_by_its_buttons_without_a_script(client_as: ClientAs) -> None:
    boris = client_as("boris")
    choose(boris, "contacts", ["company", "phone", "email"], up="email")
    assert headings(boris.get("/contacts/").text) == ["Name", "Company", "E-mail", "Phone"]
    choose(boris, "contacts", ["company", "email", "phone"], down="phone", up="company")
    assert headings(boris.get("/contacts/").text) == ["Name", "Company", "E-mail", "Phone"]


def test_the_status_is_a_column_where_tickets_differ_in_it(client_as: ClientAs) -> None:
    boris = client_as("boris")
    assert "Status" not in headings(boris.get("/tickets/").text)
    assert "Status" in headings(boris.get("/tickets/?status=all").text)
    assert 'name="column" value="status"' in boris.get("/tickets/").text


def test_the_chooser_comes_back_to_where_it_was_opened(client_as: ClientAs) -> None:
    boris = client_as("boris")
    page = boris.get("/tickets/?status=all&q=printer").text
    found = re.search(r'name="next" value="([^"]+)"[^<]*>\s*<div data-columns-body', page)
    assert found
    assert found[1].replace("&amp;", "&") == "/tickets/?status=all&q=printer"
    answer = boris.post("/preferences/lists/tickets", data={"reset": "1", "next": "//evil.example"})
    assert answer.location == "/"


@pytest.mark.attack(26, 27, 28)
@pytest.mark.parametrize(
    "change",
    [
        {"column": ["password_hash"]},
        {"order": ["company", "password_hash"]},
        {"order": ["company", "company"]},
        {"column": ["company; drop table contact"]},
        {"order": ["<script>"], "column": ["<script>"]},
        {"density": "tiny"},
        {"order": []},
    ],
)
def test_forged_columns_are_refused(client_as: ClientAs, change: dict[str, object]) -> None:
    boris = client_as("boris")
    choose(boris, "contacts", ["phone"])
    assert choose(boris, "contacts", ["company"], **change) == 422
    assert headings(boris.get("/contacts/").text) == ["Name", "Phone"]


@pytest.mark.parametrize("name", ["users", "%00", "contact"])
def test_a_list_that_there_is_not_is_not_found(client_as: ClientAs, name: str) -> None:
    assert client_as("boris").post(f"/preferences/lists/{name}", data={"order": "company"}).status_code == 404


def test_what_a_later_release_does_not_know_does_no_harm(client_as: ClientAs, work_as: WorkAs) -> None:
    with work_as("system") as work:
        stored = '{"contacts": {"columns": ["phone", "zodiac"], "density": "huge"}, "planets": {}}'
        work.session.execute(text("update user_account set list_views = cast(:stored as jsonb)"), {"stored": stored})
    page = client_as("boris").get("/contacts/").text
    assert headings(page) == ["Name", "Phone"]
    assert 'data-density="compact"' in page

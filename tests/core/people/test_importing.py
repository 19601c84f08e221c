"""Inviting several people from one table."""

import pytest

from core.foundation.errors import Invalid
from core.foundation.unit_of_work import Work, unit_of_work
from core.people.accounts import add_person
from core.people.importing import MOST_ROWS, InvitedRow, checked_rows, decoded, invite_rows, read_table, written
from core.people.queries import PeopleFilter, people
from tests.conftest import WorkAs
from tests.support.cast import Cast
from tests.support.colleagues import MANAGER, add_manager, draft, group_called
from tests.support.telephony import set_up


def rows(work: Work, text: str, group: str = "Agents") -> list[InvitedRow]:
    """The rows with what is wrong with them."""
    return checked_rows(work, read_table(text), permission_group_id=group_called(work, group))


def told(row: InvitedRow) -> dict[str, str]:
    """The row's problems."""
    return {field: str(message) for field, message in row.problems.items()}


@pytest.mark.parametrize(
    "raw",
    [
        "name,email,line\nEva Malá,eva@demo.localhost,230\n".encode(),
        "\ufeffName;E-mail;Extension\r\nEva Malá;eva@demo.localhost;230\r\n".encode(),
        "Jméno\tE-mail\tLinka\n\t\t\nEva Malá\teva@demo.localhost\t230".encode("cp1250"),
        "Imię i nazwisko;E-mail;Linia\nEva Malá;eva@demo.localhost;230".encode("utf-16"),
        b'email,name,line\neva@demo.localhost,"Eva Mal\xc3\xa1",230',
    ],
)
def test_tables_are_read_as_spreadsheets_write_them(work_as: WorkAs, raw: bytes) -> None:
    with work_as("anna") as work:
        (row,) = rows(work, decoded(raw))
        assert told(row) == {}
        assert (row.draft.name, row.draft.email) == ("Eva Malá", "eva@demo.localhost")
        assert row.line is not None
        assert row.line.number == "230"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name,email",
        "Eva,eva@demo.localhost",
        "name,line\nEva,230",
        "name,email\n" + "Eva,eva@demo.localhost\n" * (MOST_ROWS + 1),
        "name,email\n" + "x" * 300_000,
    ],
)
def test_what_is_no_table_of_people_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as error:
        read_table(text)
    assert error.value.problems.keys() == {"table"}


def test_every_row_says_what_is_wrong_with_it(work_as: WorkAs, cast: Cast) -> None:
    table = (
        "name;email;permission group;user groups;kind;line;language\n"
        "Eva;eva@demo.localhost;readers;Board;back office;;cs\n"
        ";nothing;Nobody;Nowhere;robot;1;xx\n"
        "Boris 2;boris@demo.localhost;;;;101;\n"
        "Eva 2;EVA@demo.localhost;;;;230;\n"
        "Adam;adam@demo.localhost;;;;230;\n"
    )
    with work_as("anna") as work:
        set_up(work, cast.demo)
        good, bad, taken, twice, same_line = rows(work, table)
        assert told(good) == {}
        assert (good.draft.kind, good.draft.locale) == ("back_office", "cs")
        assert good.draft.permission_group_id == group_called(work, "Readers")
        assert told(bad).keys() == {"name", "email", "permission_group_id", "groups", "kind", "number", "locale"}
        assert told(bad)["permission_group_id"] == "There is no permission group “Nobody”."
        assert told(taken)["email"] == "Boris Nováková signs in with this e-mail already."
        assert told(taken)["number"] == "This is the line of Boris Nováková."
        assert told(twice) == {"email": "Row 1 has this e-mail too."}
        assert told(same_line) == {"number": "Row 4 has this line too."}


def test_call_centre_users_get_the_next_free_lines(work_as: WorkAs, cast: Cast) -> None:
    table = (
        "name,email,line,kind\n"
        "A,a@demo.localhost,,\n"
        "B,b@demo.localhost,105,\n"
        "C,c@demo.localhost,,\n"
        "D,d@demo.localhost,,back office"
    )
    with work_as("anna") as work:
        set_up(work, cast.demo)
        found = rows(work, table)
        assert [row.line.number if row.line else None for row in found] == ["104", "105", "106", ""]
        assert [told(row) for row in found] == [{}, {}, {}, {}]


def test_the_good_rows_are_invited_and_the_others_are_kept_as_typed(work_as: WorkAs) -> None:
    table = 'name;email;remark\nEva;eva@demo.localhost;x\n" Adam; B. ";adam@;"he said ""no"""\n'
    with work_as("anna") as work:
        read = read_table(table)
        found = checked_rows(work, read, permission_group_id=group_called(work, "Agents"))
        assert read.unknown == ["remark"]
        assert invite_rows(work, found) == 1
        assert [row.email for row in people(work, PeopleFilter(state="invited")).rows] == ["eva@demo.localhost"]
        left = written(read, [row for row in found if row.problems])
        assert left == 'name;email;remark\n Adam; B. ;adam@;"he said ""no"""\n'.replace(" Adam; B. ", '" Adam; B. "')
        assert read_table(left).rows == [[" Adam; B. ", "adam@", 'he said "no"']]


def test_a_manager_invites_nobody_who_may_more_than_they(work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        marie = add_manager(work, cast, MANAGER - {"lines.manage"})
    with unit_of_work(marie) as work:
        table = (
            "name,email,permission group,user groups,line\n"
            "A,a@demo.localhost,Owners,,\n"
            "B,b@demo.localhost,,Board,\n"
            "C,c@demo.localhost,,,230"
        )
        assert [list(told(row)) for row in rows(work, table)] == [["permission_group_id"], ["groups"], ["number"]]
        with pytest.raises(Invalid):
            rows(work, "name,email\nA,a@demo.localhost", group="Owners")


def test_somebody_who_was_added_meanwhile_is_told(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        add_person(work, draft(work))
        (row,) = rows(work, "name,email\nEva,eva@demo.localhost")
        assert told(row)["email"] == "Eva Malá signs in with this e-mail already."

"""One field finds contacts, companies and tickets, and only what the viewer may read."""

import pytest
from sqlalchemy import text

from core.directory.service import CompanyDraft, ContactDraft, create_company, create_contact
from core.foundation.permissions import Permission
from core.tickets.service import TicketDraft, open_ticket
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast


@pytest.fixture
def lamps(work_as: WorkAs, cast: Cast) -> int:
    """One thing of each kind that "lamp" finds; answers the ticket's number."""
    with work_as("boris") as work:
        create_contact(work, ContactDraft(name="Ludmila Lampová", database_id=cast.demo.open_database))
        create_company(work, CompanyDraft(name="Lamp House", database_id=cast.demo.open_database))
        return open_ticket(work, TicketDraft(title="Broken lamp", category_id=cast.demo.open_category)).number


def test_hits_are_grouped_by_kind(client_as: ClientAs, lamps: int) -> None:
    page = client_as("boris").get("/search?q=LAMP").text
    for shown in ("Ludmila Lampová", "Lamp House", "Broken lamp", "Results for “LAMP”"):
        assert shown in page


def test_a_ticket_is_found_by_its_number(client_as: ClientAs, lamps: int) -> None:
    page = client_as("boris").get(f"/search?q=%23{lamps}").text
    assert "Broken lamp" in page
    assert "Lampová" not in page


def test_more_than_ten_hits_lead_to_the_list(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        for number in range(11):
            create_contact(work, ContactDraft(name=f"Jan Novák {number}", database_id=cast.demo.open_database))
    page = client_as("boris").get("/search?q=jan+nov").text
    assert page.count("Jan Novák") == 10
    assert 'href="/contacts/?q=jan+nov"' in page


def test_nothing_asked_and_nothing_found_say_so(client_as: ClientAs, lamps: int) -> None:
    boris = client_as("boris")
    assert "Search everything" in boris.get("/search").text
    assert "Lampová" not in boris.get("/search?q=+").text
    assert "Nothing found" in boris.get("/search?q=zzzz").text


def test_kinds_without_permission_are_not_searched(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, lamps: int
) -> None:
    with work_as("system") as work:
        work.session.execute(
            text("delete from permission_grant where permission in (:contacts, :tickets)"),
            {"contacts": Permission.CONTACTS_READ, "tickets": Permission.TICKETS_READ},
        )
    page = client_as("vera").get("/search?q=lamp").text
    assert "Lamp House" in page
    assert "Lampová" not in page
    assert "Broken lamp" not in page


@pytest.mark.attack(5)
def test_another_tenant_finds_none_of_it(client_as: ClientAs, lamps: int) -> None:
    oleg = client_as("oleg")
    assert "Nothing found" in oleg.get("/search?q=lamp").text
    assert "Broken lamp" not in oleg.get(f"/search?q=%23{lamps}").text


@pytest.mark.parametrize(
    "needle", ["%00", "%25", "_", "%5C", "%23", "%23" + "9" * 30, "a" * 3000, "%3Cscript%3Ealert(1)%3C/script%3E"]
)
def test_a_strange_needle_is_answered(client_as: ClientAs, lamps: int, needle: str) -> None:
    answer = client_as("boris").get(f"/search?q={needle}")
    assert answer.status_code == 200
    assert "Lampová" not in answer.text
    assert "<script>alert" not in answer.text

"""The command palette: every page that the viewer may open, what they may create, whom they may find, and no more."""

import re

import pytest
from flask import Flask
from sqlalchemy import any_, func, literal, select, text

from core.directory.service import CompanyDraft, ContactDraft, create_company, create_contact
from core.foundation.read_log import ReadEvent
from core.identity.models import UserAccount
from core.tickets.models import Ticket
from core.tickets.service import TicketDraft, TicketPatch, change_ticket, open_ticket
from tenant_app.search.commands import CREATING, PAGES
from tenant_app.sections import SECTIONS
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast
from tests.support.statements import ENTERING, counted_statements
from tests.support.things import Things, create_things

HREF = re.compile(r'role="option"[^>]*href="([^"]+)"')
NOT_OFFERED = frozenset(
    {
        *("/calls/card", "/companies/choices", "/gallery", "/health", "/live", "/metrics", "/palette"),
        *("/notifications/bell", "/notifications/latest", "/security/notice", "/service-worker.js"),
        *(f"/security/second-factor/{page}" for page in ("", "app", "codes", "codes/new", "off")),
        "/security/passkeys/new",
        "/security/passkeys/create",
    }
)
"""Parts of pages, answers for programs, and pages for those who run or build the product."""
ALREADY_THERE = frozenset(
    {
        "/logo",
        "/sign-in",
        "/sign-in/code",
        "/sign-in/forgotten",
        "/sign-in/openid",
        "/theme.css",
        "/.well-known/carddav",
    }
)
KNOWN = {command.url for command in (*CREATING, *PAGES)} | {section.path for section in SECTIONS}


@pytest.fixture
def things(work_as: WorkAs, cast: Cast) -> Things:
    """One of everything in the demo company."""
    with work_as("system") as work:
        return create_things(work, cast.demo)


def offered(page: str) -> list[str]:
    """The addresses of the lines, in their order."""
    return [href.replace("&amp;", "&") for href in HREF.findall(page)]


@pytest.mark.parametrize("person", ["anna", "boris", "vera", "oleg"])
def test_every_line_leads_to_a_page_that_lets_the_viewer_in(client_as: ClientAs, person: str) -> None:
    client = client_as(person)
    lines = offered(client.get("/palette").text)
    assert "/" in lines
    assert {path: client.get(path).status_code for path in lines} == dict.fromkeys(lines, 200)


@pytest.mark.parametrize("person", ["anna", "boris", "vera"])
def test_what_is_not_offered_would_be_refused(client_as: ClientAs, person: str) -> None:
    client = client_as(person)
    lines = offered(client.get("/palette").text)
    left_out = KNOWN - set(lines)
    assert {path: client.get(path).status_code for path in left_out} == dict.fromkeys(left_out, 403)
    assert bool(left_out) is (person != "anna")


def test_every_page_with_an_address_of_its_own_can_be_opened(app: Flask) -> None:
    pages = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or set()) and "<" not in rule.rule and not rule.rule.startswith("/static")
    }
    assert pages - {path.partition("?")[0] for path in KNOWN} - NOT_OFFERED - ALREADY_THERE == set()


def test_people_companies_and_tickets_are_found_as_one_types(client_as: ClientAs, things: Things) -> None:
    boris = client_as("boris")
    page = boris.get("/palette?q=MALA").text
    assert offered(page) == [f"/contacts/{things.contact}", f"/tickets/{things.ticket}", "/search?q=MALA"]
    assert "Papírna" in page  # tells namesakes apart
    assert f"/companies/{things.company}" in offered(boris.get("/palette?q=pa").text)


def test_a_ticket_is_found_by_its_number_with_or_without_the_sign(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, things: Things
) -> None:
    with work_as("boris") as work:
        number = work.session.scalars(select(Ticket.number).where(Ticket.id == things.ticket)).one()
        open_ticket(work, TicketDraft(title=f"Order {number}", category_id=cast.demo.open_category))
    boris = client_as("boris")
    assert offered(boris.get(f"/palette?q=%23{number}").text)[0] == f"/tickets/{things.ticket}"
    bare = offered(boris.get(f"/palette?q={number}").text)
    assert bare.count(f"/tickets/{things.ticket}") == 1
    assert next(path for path in bare if path.startswith("/tickets/")) == f"/tickets/{things.ticket}"


def test_a_colleague_leads_to_their_open_tickets(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, things: Things
) -> None:
    with work_as("boris") as work:
        change_ticket(work, things.ticket, TicketPatch(owner_id=cast.demo.users["vera"]), version=1)
    boris = client_as("boris")
    lines = offered(boris.get("/palette?q=ver").text)
    assert lines[0] == f"/tickets/?owner={cast.demo.users['vera']}"
    page = boris.get(lines[0]).text
    assert "Printer" in page
    assert "Vera Nováková" in page
    assert "Printer" not in boris.get(f"/tickets/?owner={cast.demo.users['boris']}").text
    assert boris.get(f"/tickets/?owner={cast.other.users['oleg']}").status_code == 404
    assert boris.get("/tickets/?owner=everyone").status_code == 422


def test_a_blocked_colleague_is_not_found(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        work.session.get_one(UserAccount, cast.demo.users["vera"]).is_blocked = True
    assert offered(client_as("boris").get("/palette?q=vera").text) == ["/search?q=vera"]


def test_what_was_looked_at_comes_back_in_its_order(client_as: ClientAs, things: Things) -> None:
    recent = f"tickets/{things.ticket},companies/{things.company},contacts/{things.contact},contacts/999999999"
    lines = offered(client_as("boris").get(f"/palette?recent={recent}").text)
    assert lines[:3] == [f"/tickets/{things.ticket}", f"/companies/{things.company}", f"/contacts/{things.contact}"]
    assert "/contacts/999999999" not in lines


@pytest.mark.attack(57)
@pytest.mark.parametrize("person", ["boris", "vera"])
def test_what_is_granted_to_others_is_not_found(client_as: ClientAs, things: Things, person: str) -> None:
    client = client_as(person)
    for question in (
        "q=chief",
        "q=ch",
        "q=law",
        "q=suit",
        f"recent=contacts/{things.hidden_contact},tickets/{things.hidden_ticket}",
    ):
        page = client.get(f"/palette?{question}").text
        assert "Chief" not in page
        assert "Law suit" not in page
        assert f"/contacts/{things.hidden_contact}" not in offered(page)
    anna = client_as("anna")
    assert offered(anna.get("/palette?q=chief").text)[0] == f"/contacts/{things.hidden_contact}"


@pytest.mark.attack(1, 5)
def test_another_company_finds_none_of_it(client_as: ClientAs, things: Things) -> None:
    oleg = client_as("oleg")
    recent = f"contacts/{things.contact},companies/{things.company},tickets/{things.ticket}"
    for question in ("q=mala", "q=papirna", "q=printer", f"recent={recent}"):
        page = oleg.get(f"/palette?{question}").text
        assert not [path for path in offered(page) if re.fullmatch(r"/\w+/\d+", path)]
        assert "Jana" not in page


@pytest.mark.attack(57)
def test_kinds_without_permission_are_neither_found_nor_named(
    client_as: ClientAs, work_as: WorkAs, things: Things
) -> None:
    with work_as("system") as work:
        work.session.execute(text("delete from permission_grant where permission in ('contacts.read', 'tickets.read')"))
    vera = client_as("vera")
    lines = offered(vera.get("/palette?q=printer").text) + offered(vera.get("/palette?q=mala").text)
    assert lines == ["/search?q=printer", "/search?q=mala"]
    recent = f"contacts/{things.contact},tickets/{things.ticket},companies/{things.company}"
    assert offered(vera.get(f"/palette?recent={recent}").text)[0] == f"/companies/{things.company}"


def test_what_was_shown_stands_in_the_read_log(client_as: ClientAs, work_as: WorkAs, things: Things) -> None:
    client_as("boris").get("/palette?q=mala")
    with work_as("system") as work:
        looks = (
            select(func.count()).select_from(ReadEvent).where(literal(things.contact) == any_(ReadEvent.subject_ids))
        )
        assert work.session.scalar(looks.where(ReadEvent.how == "search")) == 1


def test_an_answer_takes_few_statements(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        for number in range(3):
            create_contact(work, ContactDraft(name=f"Alena {number}", database_id=cast.demo.open_database))
            create_company(work, CompanyDraft(name=f"Alena {number}", database_id=cast.demo.open_database))
            open_ticket(work, TicketDraft(title=f"Alena {number}", category_id=cast.demo.open_category))
    boris = client_as("boris")
    with counted_statements() as sent:
        assert boris.get("/palette?q=alena").text.count("Alena") > 9
    assert len(sent) <= ENTERING + 3 * 3 + 1, sent


@pytest.mark.parametrize(
    "question", ["q=%00", "q=%25", "q=%5C", "q=%23", "q=" + "a" * 3000, "recent=contacts/0", "recent=x"]
)
def test_a_strange_question_is_answered(client_as: ClientAs, things: Things, question: str) -> None:
    answer = client_as("boris").get(f"/palette?{question}")
    assert answer.status_code == 200
    assert "Jana" not in answer.text


def test_markup_in_names_stays_text(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        name = '"><script>alert(1)</script>'
        create_contact(work, ContactDraft(name=f"Mallory {name}", database_id=cast.demo.open_database))
    page = client_as("boris").get("/palette?q=mallory").text
    assert "<script>" not in page
    assert "&lt;script&gt;" in page

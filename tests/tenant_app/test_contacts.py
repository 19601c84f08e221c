"""The contact pages: who may do what, what is shown, and that nothing typed is ever lost."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from markupsafe import escape
from sqlalchemy import func, select, text

from core.directory.models import Company, Contact, ContactDatabase, ContactPhone
from core.directory.service import CompanyDraft, ContactDraft, Reachable, create_company, create_contact
from core.foundation.history import Change
from core.foundation.unit_of_work import Work
from core.tickets.service import TicketDraft, open_ticket
from core.timeline.service import ActivityDraft, record_activity
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast

JANA = {
    "name": "Jana Nováková",
    "job_title": "Buyer",
    "phones-0-number": "601 234 567",
    "phones-0-label": "mobile",
    "phones-3-number": "+48 512 345 678",
    "phones-3-label": "work",
    "emails-0-address": "jana@acme.example",
    "emails-0-label": "work",
    "emails-1-address": "jana@home.example",
    "emails-1-label": "home",
    "city": "Brno",
    "country": "CZ",
    "note": "First line\r\nsecond line",
}


def created(client: FlaskClient, **changes: str) -> str:
    """The address of a new contact."""
    answer = client.post("/contacts/new", data=JANA | changes)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def contact_of(work: Work) -> Contact:
    """The only contact."""
    return work.session.scalars(select(Contact)).one()


def field_value(page: str, name: str) -> str:
    """What stands in a form's input."""
    tag = re.search(rf'<input[^>]*name="{re.escape(name)}"[^>]*>', page)
    assert tag, name
    found = re.search(r'value="([^"]*)"', tag.group())
    return found.group(1) if found else ""


@pytest.mark.covers("D-CRM-13", "D-CRM-28", "D-CRM-5", "D-CRM-21")
def test_a_contact_is_created_and_shown_with_several_numbers_and_addresses(
    client_as: ClientAs, work_as: WorkAs
) -> None:
    boris = client_as("boris")
    page = boris.get(created(boris)).text
    for shown in (
        "Jana Nováková",
        "Buyer",
        ">601 234 567<",
        ">+48 512 345 678<",
        'href="tel:+420601234567"',
        "Mobile",
        "Brno",
    ):
        assert shown in page
    assert page.count("jana<wbr>@") == 2
    with work_as("boris") as work:
        query = select(ContactPhone.number).order_by(ContactPhone.position)
        assert work.session.scalars(query).all() == ["+420601234567", "+48512345678"]
        assert contact_of(work).note == "First line\nsecond line"


@pytest.mark.covers("D-CRM-2", "D-CRM-5", "D-CRM-6")
def test_the_list_leads_to_contact_and_company_and_shows_numbers_nationally(
    client_as: ClientAs, work_as: WorkAs, cast: Cast
) -> None:
    with work_as("boris") as work:
        company_id = create_company(work, CompanyDraft(name="Acme", database_id=cast.demo.open_database))
    boris = client_as("boris")
    url = created(boris, company="Acme", company_shown="Acme", company_id=str(company_id))
    page = boris.get("/contacts/").text
    assert f'href="{url}"' in page
    assert f'href="/companies/{company_id}"' in page
    assert "601 234 567" in page
    assert '<span class="count">1</span>' in page


def test_an_empty_list_gives_the_first_action_and_a_search_without_a_hit_another(client_as: ClientAs) -> None:
    boris = client_as("boris")
    assert "No contacts yet" in boris.get("/contacts/").text
    assert "Nobody found" in boris.get("/contacts/?q=nobody").text


def test_the_next_page_continues_behind_the_last_row(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        for number in range(51):
            create_contact(work, ContactDraft(name=f"Person {number:02}", database_id=cast.demo.open_database))
    boris = client_as("boris")
    first = boris.get("/contacts/?q=person").text
    more = re.search(r'href="(/contacts/\?q=person&amp;after=\d+)"', first)
    assert more
    second = boris.get(more.group(1).replace("&amp;", "&")).text
    assert "Person 49" in first
    assert "Person 50" not in first
    assert re.findall(r"Person \d\d</a>", second) == ["Person 50</a>"]
    assert "data-load-more" in first
    assert "data-load-more" not in second


@pytest.mark.parametrize(
    "address",
    [
        "/contacts/?after=x",
        "/contacts/?after=-1",
        "/contacts/?after=" + "9" * 40,
        "/contacts/?q=%00",
        "/contacts/?q=" + "a" * 5000,
    ],
)
def test_a_strange_address_of_the_list_is_answered(client_as: ClientAs, address: str) -> None:
    assert client_as("boris").get(address).status_code == 200


@pytest.mark.parametrize("number", ["0", "9" * 18, "9" * 30])
def test_a_number_that_no_contact_has_is_not_found(client_as: ClientAs, number: str) -> None:
    assert client_as("boris").get(f"/contacts/{number}").status_code == 404


def test_a_wrong_form_is_shown_again_with_all_that_was_typed(client_as: ClientAs, work_as: WorkAs) -> None:
    wrong = {"name": " ", "phones-0-number": "12", "emails-1-address": "no address", "city": "Úvaly"}
    answer = client_as("boris").post("/contacts/new", data=JANA | wrong)
    assert answer.status_code == 422
    page = answer.text
    for kept in (
        "12",
        "+48 512 345 678",
        "jana@acme.example",
        "no address",
        "Úvaly",
        "Buyer",
        "First line\r\nsecond line",
    ):
        assert str(escape(kept)) in page
    assert field_value(page, "phones-1-number") == "+48 512 345 678"
    assert re.search(r'name="phones-1-label".*?value="work" selected', page, re.DOTALL)
    for problem in (
        'id="name-error"',
        'id="phones-0-error"',
        'id="emails-1-error"',
        'href="#phones-0"',
        'href="#emails-1"',
    ):
        assert problem in page
    with work_as("boris") as work:
        assert work.session.scalar(select(func.count()).select_from(Contact)) == 0


def test_a_form_without_scripts_gets_another_row_and_loses_one(client_as: ClientAs, work_as: WorkAs) -> None:
    boris = client_as("boris")
    added = boris.post("/contacts/new", data=JANA | {"add": "phones"})
    removed = boris.post("/contacts/new", data=JANA | {"remove": "phones-0"})
    assert (added.status_code, removed.status_code) == (200, 200)
    assert field_value(added.text, "phones-1-number") == "+48 512 345 678"
    assert field_value(added.text, "phones-2-number") == ""
    assert field_value(removed.text, "phones-0-number") == "+48 512 345 678"
    assert "601 234 567" not in removed.text
    with work_as("boris") as work:
        assert work.session.scalar(select(func.count()).select_from(Contact)) == 0


@pytest.mark.covers("D-CRM-22", "D-CRM-28")
def test_the_form_for_a_change_is_filled_and_saved(client_as: ClientAs, work_as: WorkAs) -> None:
    boris = client_as("boris")
    url = created(boris)
    form = boris.get(f"{url}/edit").text
    assert field_value(form, "name") == "Jana Nováková"
    assert field_value(form, "phones-0-number") == "601 234 567"
    assert field_value(form, "phones-1-number") == "+48 512 345 678"
    changed = JANA | {"version": field_value(form, "version"), "name": "Jana Dvořáková"}
    answer = boris.post(f"{url}/edit", data=changed)
    assert (answer.status_code, answer.headers["Location"]) == (303, url)
    assert "Jana Dvořáková" in boris.get(url).text


@pytest.mark.attack(41)
def test_a_colleague_who_was_faster_is_shown_and_a_second_save_works(client_as: ClientAs, work_as: WorkAs) -> None:
    boris, anna = client_as("boris"), client_as("anna")
    url = created(boris)
    assert anna.post(f"{url}/edit", data=JANA | {"version": "1", "city": "Olomouc"}).status_code == 303
    typed = JANA | {"version": "1", "city": "Praha", "note": "Mine"}
    answer = boris.post(f"{url}/edit", data=typed)
    assert answer.status_code == 409
    assert field_value(answer.text, "city") == "Praha"
    assert "Mine" in answer.text
    assert "City: <strong>Olomouc</strong>" in re.sub(r"\s*\n\s*", " ", answer.text).replace("<strong> ", "<strong>")
    assert "Job title: <strong>" not in answer.text
    with work_as("boris") as work:
        assert contact_of(work).city == "Olomouc"
    again = typed | {"version": field_value(answer.text, "version")}
    assert boris.post(f"{url}/edit", data=again).status_code == 303
    with work_as("boris") as work:
        assert (contact_of(work).city, contact_of(work).note) == ("Praha", "Mine")


def test_a_stale_and_wrong_form_is_no_failure(client_as: ClientAs) -> None:
    boris = client_as("boris")
    url = created(boris)
    for version in ("", "x", "-1", "9" * 30):
        assert boris.post(f"{url}/edit", data=JANA | {"version": version, "city": "Praha"}).status_code == 409


def test_who_may_only_read_sees_no_button_and_every_change_is_forbidden(client_as: ClientAs, work_as: WorkAs) -> None:
    url = created(client_as("boris"))
    vera = client_as("vera")
    pages = vera.get("/contacts/").text + vera.get(url).text + vera.get("/contacts/?q=zzz").text
    assert "Jana Nováková" in pages
    for button in ("/contacts/new", f"{url}/edit", "/mail/new?"):
        assert f'href="{button}' not in pages
    for path in ("/contacts/new", f"{url}/edit"):
        assert vera.get(path).status_code == 403
        assert vera.post(path, data=JANA | {"version": "1", "name": "Changed"}).status_code == 403
    with work_as("boris") as work:
        assert (contact_of(work).name, contact_of(work).version) == ("Jana Nováková", 1)


@pytest.mark.attack(1, 5, 6)
def test_another_tenant_finds_nothing_and_changes_nothing(client_as: ClientAs, work_as: WorkAs) -> None:
    url = created(client_as("boris"))
    oleg = client_as("oleg")
    for path in (url, f"{url}?tab=history", f"{url}/edit"):
        assert oleg.get(path).status_code == 404
    assert oleg.post(f"{url}/edit", data=JANA | {"version": "1", "name": "Taken"}).status_code == 404
    for path in ("/contacts/", "/contacts/?q=jana", "/contacts/?q=601+234+567", "/search?q=jana"):
        assert "Nováková</a>" not in oleg.get(path).text
    with work_as("boris") as work:
        assert contact_of(work).name == "Jana Nováková"


@pytest.mark.attack(2, 28)
@pytest.mark.parametrize("field", ["company_id", "database_id", "owner_id"])
def test_a_forged_id_in_the_form_is_refused_and_nothing_is_stored(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, field: str
) -> None:
    with work_as("boris") as work:
        company_id = create_company(work, CompanyDraft(name="Acme", database_id=cast.demo.open_database))
    foreign = {"company_id": company_id, "database_id": cast.demo.open_database, "owner_id": cast.demo.users["anna"]}
    answer = client_as("oleg").post("/contacts/new", data=JANA | {field: str(foreign[field])})
    assert answer.status_code == 422
    assert f'id="{field.replace("company_id", "company")}-error"' in answer.text
    assert "Acme" not in answer.text
    with work_as("other system") as work:
        assert work.session.scalar(select(func.count()).select_from(Contact)) == 0


@pytest.mark.attack(28)
def test_fields_that_no_form_has_are_ignored(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    extra = {"tenant_id": str(cast.other.tenant_id), "id": "77777", "sort_key": "x", "search_words": "x"}
    url = created(client_as("boris"), **extra)
    with work_as("boris") as work:
        contact = contact_of(work)
        assert url == f"/contacts/{contact.id}"
        assert (contact.tenant_id, contact.id == 77777) == (cast.demo.tenant_id, False)


@pytest.mark.attack(57)
def test_a_contact_in_a_closed_database_is_not_there_for_an_agent(
    client_as: ClientAs, work_as: WorkAs, cast: Cast
) -> None:
    with work_as("anna") as work:
        contact_id = create_contact(work, ContactDraft(name="Hidden Person", database_id=cast.demo.closed_database))
    boris = client_as("boris")
    assert boris.get(f"/contacts/{contact_id}").status_code == 404
    for path in ("/contacts/", "/contacts/?q=hidden", "/search?q=hidden"):
        assert "Hidden Person" not in boris.get(path).text
    forged = JANA | {"database_id": str(cast.demo.closed_database)}
    assert boris.post("/contacts/new", data=forged).status_code == 422
    assert "Hidden Person" in client_as("anna").get("/contacts/?q=hidden").text


def test_markup_in_a_name_is_text_everywhere(client_as: ClientAs) -> None:
    boris = client_as("boris")
    evil = '"><script>alert(1)</script>'
    url = created(boris, name=evil, note=evil, city=evil)
    again = boris.post(
        "/contacts/new", data=JANA | {"name": evil, "company": evil, "country": evil, "phones-0-number": evil}
    )
    assert again.status_code == 422
    stale = boris.post(f"{url}/edit", data=JANA | {"version": "0", "city": "Praha"})
    pages = [
        again,
        stale,
        *(boris.get(path) for path in (url, f"{url}?tab=history", f"{url}/edit", "/contacts/", "/search?q=script")),
    ]
    for page in pages:
        assert "<script>alert" not in page.text
        assert "&lt;script&gt;" in page.text


@pytest.mark.covers("D-CRM-26")
def test_the_history_tells_who_changed_what_and_how(client_as: ClientAs) -> None:
    boris = client_as("boris")
    url = created(boris)
    changed = JANA | {"version": "1", "phones-0-number": "602 111 222", "city": "Praha"}
    assert client_as("anna").post(f"{url}/edit", data=changed).status_code == 303
    page = " ".join(boris.get(f"{url}?tab=history").text.split())
    assert "Anna Nováková</strong> <span>changed it in the browser" in page
    assert "Boris Nováková</strong> <span>created it" in page
    assert "<del>601 234 567 (Mobile), +48 512 345 678 (Work)</del>" in page
    assert "<ins>602 111 222 (Mobile), +48 512 345 678 (Work)</ins>" in page
    assert "<del>Brno</del>" in page


@pytest.mark.covers("D-CRM-31", "D-CRM-50", "D-CRM-53", "D-CRM-55")
def test_activities_and_tickets_stand_on_the_contacts_page(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, held_clock: Any
) -> None:
    boris = client_as("boris")
    url = created(boris)
    with work_as("boris") as work:
        contact_id = contact_of(work).id
        draft = TicketDraft(title="Broken lamp", category_id=cast.demo.open_category, contact_id=contact_id)
        ticket = open_ticket(work, draft)
        activity = ActivityDraft(
            kind="email",
            direction="in",
            summary="It broke",
            occurred_at=held_clock,
            ticket_id=ticket.id,
            contact_id=contact_id,
        )
        record_activity(work, activity)
        ticket_id = ticket.id
    activities, tickets = boris.get(url).text, boris.get(f"{url}?tab=tickets").text
    assert f'<a href="/tickets/{ticket_id}">It broke</a>' in activities
    assert f'data-live="contact:{contact_id} ticket:{ticket_id}"' in activities
    assert "Broken lamp" in tickets


@pytest.mark.covers("D-MAIL-7")
def test_an_address_opens_the_composer_in_the_panel(client_as: ClientAs, work_as: WorkAs) -> None:
    boris = client_as("boris")
    page = boris.get(created(boris)).text
    with work_as("boris") as work:
        target = f"/mail/new?to=jana%40home.example&amp;contact_id={contact_of(work).id}"
    assert re.search(rf'<a href="{re.escape(target)}" data-panel-id="[^"]+"', page)


@pytest.mark.covers("D-CRM-24")
def test_the_database_is_asked_only_where_there_is_a_choice(client_as: ClientAs, work_as: WorkAs) -> None:
    boris = client_as("boris")
    assert '<select class="input" id="database_id"' not in boris.get("/contacts/new").text
    with work_as("anna") as work:
        work.session.add(ContactDatabase(name="Suppliers"))
    assert '<select class="input" id="database_id"' in boris.get("/contacts/new").text


def test_the_same_number_keeps_its_form_when_saved_unchanged(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        draft = ContactDraft(name="Jana", database_id=cast.demo.open_database, phones=(Reachable("+420601234567"),))
        contact_id = create_contact(work, draft)
    boris = client_as("boris")
    form = boris.get(f"/contacts/{contact_id}/edit").text
    data = {
        "name": "Jana",
        "version": "1",
        "phones-0-number": field_value(form, "phones-0-number"),
        "phones-0-label": "",
    }
    assert boris.post(f"/contacts/{contact_id}/edit", data=data).status_code == 303
    with work_as("boris") as work:
        query = select(func.count()).where(Change.subject_kind == "contact")
        assert work.session.scalar(query) == 1


@pytest.mark.attack(34)
def test_a_form_without_its_token_changes_nothing(client_as: ClientAs, work_as: WorkAs) -> None:
    boris = client_as("boris")
    assert boris.post("/contacts/new", data=JANA | {"csrf_token": ""}).status_code == 403
    with work_as("boris") as work:
        assert work.session.scalar(text("select count(*) from contact")) == 0
        assert work.session.scalar(select(func.count()).select_from(Company)) == 0

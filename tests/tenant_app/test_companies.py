"""The company pages."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from core.directory.models import Company
from core.directory.service import CompanyDraft, ContactDraft, create_company, create_contact
from core.foundation.unit_of_work import Work
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast

ACME = {
    "name": "Acme s.r.o.",
    "registration_number": "12345678",
    "vat_number": "CZ12345678",
    "website": "www.acme.example",
    "phones-0-number": "221 111 222",
    "phones-0-label": "work",
    "emails-0-address": "office@acme.example",
    "emails-0-label": "work",
    "city": "Plzeň",
}


def created(client: FlaskClient, **changes: str) -> str:
    """The address of a new company."""
    answer = client.post("/companies/new", data=ACME | changes)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def company_of(work: Work) -> Company:
    """The only company."""
    return work.session.scalars(select(Company)).one()


@pytest.mark.covers("D-CRM-34", "D-CRM-37", "D-CRM-41", "D-CRM-45")
def test_a_company_is_created_listed_and_shown(client_as: ClientAs) -> None:
    boris = client_as("boris")
    url = created(boris)
    page, listed = boris.get(url).text, boris.get("/companies/").text
    for shown in ("Acme s.r.o.", "12345678", "CZ12345678", ">221 111 222<", "Plzeň", 'href="https://www.acme.example"'):
        assert shown in page
    for shown in (f'href="{url}"', "221 111 222", "Plzeň", "office@acme.example"):
        assert shown in listed


@pytest.mark.covers("D-CRM-40")
def test_create_and_edit_share_a_form_which_edit_fills(client_as: ClientAs) -> None:
    boris = client_as("boris")
    url = created(boris)
    new, edit = boris.get("/companies/new").text, boris.get(f"{url}/edit").text
    names = [set(re.findall(r'<(?:input|select|textarea)[^>]* name="([a-z_0-9-]+)"', page)) for page in (new, edit)]
    assert names[1] - names[0] == {"version"}
    for value in ("Acme s.r.o.", "12345678", "https://www.acme.example", "221 111 222", "office@acme.example"):
        assert f'value="{value}"' in edit


def test_a_wrong_form_is_shown_again_with_all_that_was_typed(client_as: ClientAs, work_as: WorkAs) -> None:
    answer = client_as("boris").post("/companies/new", data=ACME | {"name": "", "website": "javascript:alert(1)"})
    assert answer.status_code == 422
    for kept in ("javascript:alert(1)", "221 111 222", "Plzeň", "CZ12345678", 'id="name-error"', 'id="website-error"'):
        assert kept in answer.text
    with work_as("boris") as work:
        assert work.session.scalar(select(func.count()).select_from(Company)) == 0


@pytest.mark.attack(41)
def test_a_colleague_who_was_faster_is_shown_and_a_second_save_works(client_as: ClientAs, work_as: WorkAs) -> None:
    boris, anna = client_as("boris"), client_as("anna")
    url = created(boris)
    assert anna.post(f"{url}/edit", data=ACME | {"version": "1", "city": "Olomouc"}).status_code == 303
    answer = boris.post(f"{url}/edit", data=ACME | {"version": "1", "city": "Praha"})
    assert answer.status_code == 409
    assert "Olomouc" in answer.text
    assert 'name="version" value="2"' in answer.text
    assert boris.post(f"{url}/edit", data=ACME | {"version": "2", "city": "Praha"}).status_code == 303
    with work_as("boris") as work:
        assert company_of(work).city == "Praha"


def test_who_may_only_read_sees_no_button_and_every_change_is_forbidden(client_as: ClientAs, work_as: WorkAs) -> None:
    url = created(client_as("boris"))
    vera = client_as("vera")
    pages = vera.get("/companies/").text + vera.get(url).text + vera.get(f"{url}?tab=contacts").text
    for button in ("/companies/new", "/contacts/new", f"{url}/edit", "/mail/new?"):
        assert f'href="{button}' not in pages
    for path in ("/companies/new", f"{url}/edit"):
        assert vera.get(path).status_code == 403
        assert vera.post(path, data=ACME | {"version": "1", "name": "Changed"}).status_code == 403
    with work_as("boris") as work:
        assert company_of(work).name == "Acme s.r.o."


@pytest.mark.attack(1, 5, 6)
def test_another_tenant_finds_nothing_and_changes_nothing(client_as: ClientAs, work_as: WorkAs) -> None:
    url = created(client_as("boris"))
    oleg = client_as("oleg")
    assert oleg.get(url).status_code == oleg.get(f"{url}/edit").status_code == 404
    assert oleg.post(f"{url}/edit", data=ACME | {"version": "1", "name": "Taken"}).status_code == 404
    assert oleg.get("/companies/choices?q=acme").json == []
    assert "Acme s.r.o." not in oleg.get("/companies/").text + oleg.get("/companies/?q=acme").text
    with work_as("boris") as work:
        assert company_of(work).name == "Acme s.r.o."


@pytest.mark.attack(2)
@pytest.mark.parametrize("field", ["database_id", "owner_id"])
def test_a_forged_id_in_the_form_is_refused(client_as: ClientAs, work_as: WorkAs, cast: Cast, field: str) -> None:
    foreign = {"database_id": cast.demo.open_database, "owner_id": cast.demo.users["anna"]}
    assert client_as("oleg").post("/companies/new", data=ACME | {field: str(foreign[field])}).status_code == 422
    with work_as("other system") as work:
        assert work.session.scalar(select(func.count()).select_from(Company)) == 0


@pytest.mark.attack(57)
def test_a_company_in_a_closed_database_is_not_there_for_an_agent(
    client_as: ClientAs, work_as: WorkAs, cast: Cast
) -> None:
    with work_as("anna") as work:
        company_id = create_company(work, CompanyDraft(name="Secret Mergers", database_id=cast.demo.closed_database))
        contact = ContactDraft(name="Jana", database_id=cast.demo.open_database, company_id=company_id)
        contact_id = create_contact(work, contact)
    boris = client_as("boris")
    assert boris.get(f"/companies/{company_id}").status_code == 404
    assert boris.get("/companies/choices?q=secret").json == []
    for path in (
        "/companies/",
        "/contacts/",
        f"/contacts/{contact_id}",
        f"/contacts/{contact_id}?tab=history",
        f"/contacts/{contact_id}/edit",
    ):
        assert "Mergers" not in boris.get(path).text
    assert "Mergers" in client_as("anna").get(f"/contacts/{contact_id}").text


@pytest.mark.covers("D-CRM-48")
def test_people_stand_on_the_companys_page(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    boris = client_as("boris")
    url = created(boris)
    with work_as("boris") as work:
        contact = ContactDraft(name="Jana", database_id=cast.demo.open_database, company_id=company_of(work).id)
        contact_id = create_contact(work, contact)
    assert f'href="/contacts/{contact_id}"' in boris.get(f"{url}?tab=contacts").text


def test_the_choices_are_what_the_letters_find(client_as: ClientAs, work_as: WorkAs) -> None:
    boris = client_as("boris")
    created(boris)
    created(boris, name="Beta", website="", **{"emails-0-address": ""})
    with work_as("boris") as work:
        acme = work.session.scalar(select(Company.id).where(Company.name == "Acme s.r.o."))
    assert boris.get("/companies/choices?q=acm").json == [{"id": acme, "name": "Acme s.r.o.", "hint": "Plzeň"}]
    assert len(boris.get("/companies/choices").json or []) == 2
    assert client_as("nobody").get("/companies/choices").status_code == 303

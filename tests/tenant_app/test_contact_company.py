"""The company picker of a contact's form, with and without scripts."""

import pytest

from core.directory.service import CompanyDraft, create_company
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast
from tests.tenant_app.test_contacts import JANA, contact_of, created, field_value


@pytest.fixture
def acme(work_as: WorkAs, cast: Cast) -> int:
    """A company."""
    with work_as("boris") as work:
        return create_company(work, CompanyDraft(name="Acme", database_id=cast.demo.open_database))


def company_id_of(work_as: WorkAs) -> int | None:
    """The contact's company."""
    with work_as("boris") as work:
        return contact_of(work).company_id


def test_without_scripts_a_name_is_looked_up(client_as: ClientAs, work_as: WorkAs, acme: int) -> None:
    created(client_as("boris"), company=" acme ", company_id="", company_shown="")
    assert company_id_of(work_as) == acme


def test_an_emptied_text_takes_the_company_away(client_as: ClientAs, work_as: WorkAs, acme: int) -> None:
    created(client_as("boris"), company="", company_id=str(acme), company_shown="Acme")
    assert company_id_of(work_as) is None


def test_a_name_that_no_company_has_is_refused_with_what_was_typed(client_as: ClientAs) -> None:
    answer = client_as("boris").post("/contacts/new", data=JANA | {"company": "Nowhere Ltd", "name": ""})
    assert answer.status_code == 422
    assert field_value(answer.text, "company") == "Nowhere Ltd"
    assert 'id="company-error"' in answer.text
    assert 'id="name-error"' in answer.text


def test_among_namesakes_one_is_chosen(  # the first Acme is the fixture's
    client_as: ClientAs, work_as: WorkAs, cast: Cast, acme: int
) -> None:
    with work_as("boris") as work:
        draft = CompanyDraft(name="Acme", database_id=cast.demo.open_database, city="Plzeň")
        second = create_company(work, draft)
    boris = client_as("boris")
    answer = boris.post("/contacts/new", data=JANA | {"company": "Acme"})
    assert answer.status_code == 422
    assert "Plzeň" in answer.text
    created(boris, company="Acme", company_id=str(second), company_shown=field_value(answer.text, "company_shown"))
    assert company_id_of(work_as) == second


def test_a_link_from_the_company_fills_it(client_as: ClientAs, acme: int) -> None:
    page = client_as("boris").get(f"/contacts/new?company_id={acme}&name=Eva&email=eva@acme.example").text
    assert field_value(page, "company") == "Acme"
    assert field_value(page, "company_id") == str(acme)
    assert field_value(page, "emails-0-address") == "eva@acme.example"
    assert "Acme" not in client_as("oleg").get(f"/contacts/new?company_id={acme}").text

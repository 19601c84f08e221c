"""Contacts and companies are checked whole, stored with history, and never overwritten unseen."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from core.directory.models import Company, Contact, ContactDatabase, ContactEmail, ContactPhone
from core.directory.service import (
    CompanyDraft,
    ContactDraft,
    Reachable,
    change_company,
    change_contact,
    create_company,
    create_contact,
)
from core.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from core.foundation.history import Change
from core.foundation.outbox import StoredEvent
from core.foundation.unit_of_work import Work
from tests.conftest import WorkAs
from tests.support.cast import Cast


@pytest.fixture
def jana(cast: Cast) -> ContactDraft:
    """A person with everything that counts."""
    return ContactDraft(
        name="Jana Nováková",
        database_id=cast.demo.open_database,
        phones=(Reachable("601 234 567", "mobile"),),
        emails=(Reachable("Jana@Acme.example", "work"),),
    )


@pytest.fixture
def acme(cast: Cast) -> CompanyDraft:
    """A company."""
    return CompanyDraft(name="Acme", database_id=cast.demo.open_database)


def problems_of(work: Work, draft: ContactDraft) -> dict[str, str]:
    """What is refused about ``draft``."""
    with pytest.raises(Invalid) as refused:
        create_contact(work, draft)
    return {field: str(message) for field, message in refused.value.problems.items()}


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("601 234 567", "+420601234567"),
        ("+420 601 234 567", "+420601234567"),
        ("00420-601-234-567", "+420601234567"),
        ("+48 601 234 567", "+48601234567"),
        ("+44 7911 123456", "+447911123456"),
        ("+39 06 698 12345", "+390669812345"),
    ],
)
def test_a_number_is_stored_in_e164_with_the_tenants_country_as_default(
    work_as: WorkAs, jana: ContactDraft, typed: str, stored: str
) -> None:
    with work_as("boris") as work:
        contact_id = create_contact(work, replace(jana, phones=(Reachable(typed),)))
        query = select(ContactPhone.number).where(ContactPhone.contact_id == contact_id)
        assert work.session.scalars(query).all() == [stored]


@pytest.mark.parametrize(
    ("typed", "problem"),
    [
        ("12", "too short"),
        ("601 234 5678", "No network|too long"),
        ("601 CALL ME", "digits only"),
        ("601 234 567 ext. 3", "extension"),
        ("+999 601 234 567", "No country"),
        ("no number", "no phone number"),
        ("9" * 100, "too long"),
    ],
)
def test_what_is_no_number_is_refused_at_its_row(work_as: WorkAs, jana: ContactDraft, typed: str, problem: str) -> None:
    with work_as("boris") as work:
        found = problems_of(work, replace(jana, phones=(Reachable(""), *jana.phones, Reachable(typed))))
    assert list(found) == ["phones-2"]
    assert any(part in found["phones-2"] for part in problem.split("|")), found


def test_every_wrong_field_has_its_problem(work_as: WorkAs, cast: Cast) -> None:
    draft = ContactDraft(
        name=" \t ",
        database_id=cast.other.open_database,
        company_id=12345,
        owner_id=cast.other.users["oleg"],
        country="XX",
        city="x" * 201,
        note="x" * 10_001,
        phones=(Reachable("1"), Reachable("601 234 567", "satellite")),
        emails=(Reachable("nobody"), Reachable("a@b.example"), Reachable("A@B.example")),
    )
    with work_as("boris") as work:
        assert set(problems_of(work, draft)) == {
            "name", "database_id", "company_id", "owner_id", "country", "city", "note",
            "phones-0", "phones-1", "emails-0", "emails-2",
        }  # fmt: skip


@pytest.mark.parametrize("number", [-1, 0, 2**63, 10**30])
def test_an_id_that_no_column_holds_is_a_problem_not_a_failure(
    work_as: WorkAs, jana: ContactDraft, number: int
) -> None:
    draft = replace(jana, database_id=number, company_id=number, owner_id=number)
    with work_as("boris") as work:
        assert set(problems_of(work, draft)) == {"database_id", "company_id", "owner_id"}


@pytest.mark.parametrize(
    "address", ["jana", "jana@", "@acme.example", "a b@acme.example", "a@b", "a@b..example", "a@b,c.example"]
)
def test_what_is_no_address_is_refused(work_as: WorkAs, jana: ContactDraft, address: str) -> None:
    with work_as("boris") as work:
        assert set(problems_of(work, replace(jana, emails=(Reachable(address),)))) == {"emails-0"}


def test_the_same_number_written_twice_is_refused(work_as: WorkAs, jana: ContactDraft) -> None:
    with work_as("boris") as work:
        phones = (Reachable("601 234 567"), Reachable("+420601234567"))
        assert set(problems_of(work, replace(jana, phones=phones))) == {"phones-1"}


def test_control_signs_are_dropped_and_spaces_folded(work_as: WorkAs, jana: ContactDraft) -> None:
    draft = replace(jana, name="  Ja\0na \r\n\t\u202eNova\u0301kova\u0301 ", note="first\0\r\n\r\n second \n")
    with work_as("boris") as work:
        contact = work.session.get_one(Contact, create_contact(work, draft))
        assert contact.name == "Jana Nováková"
        assert contact.note == "first\n\n second"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [("www.acme.example", "https://www.acme.example"), ("http://acme.example/a?b=c", "http://acme.example/a?b=c")],
)
def test_a_website_gets_its_scheme(work_as: WorkAs, acme: CompanyDraft, typed: str, stored: str) -> None:
    with work_as("boris") as work:
        company_id = create_company(work, replace(acme, website=typed))
        assert work.session.get_one(Company, company_id).website == stored


@pytest.mark.parametrize(
    "typed",
    ["javascript://acme.example/%0aalert(1)", "javascript:alert(1)", "acme", "ftp://acme.example", "https://[x"],
)
def test_another_scheme_is_no_website(work_as: WorkAs, acme: CompanyDraft, typed: str) -> None:
    with work_as("boris") as work, pytest.raises(Invalid) as refused:
        create_company(work, replace(acme, website=typed))
    assert set(refused.value.problems) == {"website"}


@pytest.mark.covers("D-CRM-26", "D-CRM-44")
def test_a_change_is_written_down_before_and_after_with_numbers_and_addresses(
    work_as: WorkAs, cast: Cast, jana: ContactDraft
) -> None:
    with work_as("boris") as work:
        contact_id = create_contact(work, jana)
    with work_as("anna") as work:
        changed = replace(jana, city="Brno", phones=(*jana.phones, Reachable("+48 601 234 567", "work")), emails=())
        change_contact(work, contact_id, changed, version=1)
        query = select(Change).where(Change.subject_kind == "contact", Change.subject_id == contact_id)
        first, second = work.session.scalars(query.order_by(Change.id)).all()
    assert first.fields["phones"] == [None, [["+420601234567", "mobile"]]]
    assert (first.user_id, second.user_id) == (cast.demo.users["boris"], cast.demo.users["anna"])
    assert second.fields == {
        "city": ["", "Brno"],
        "phones": [[["+420601234567", "mobile"]], [["+420601234567", "mobile"], ["+48601234567", "work"]]],
        "emails": [[["Jana@acme.example", "work"]], []],
    }


def test_saving_without_a_change_writes_nothing(work_as: WorkAs, jana: ContactDraft) -> None:
    with work_as("boris") as work:
        contact_id = create_contact(work, jana)
    with work_as("boris") as work:
        before = _counts(work)
        change_contact(work, contact_id, jana, version=1)
        assert _counts(work) == before
        assert work.session.get_one(Contact, contact_id).version == 1


def test_a_stale_version_is_a_conflict_and_changes_nothing(work_as: WorkAs, jana: ContactDraft) -> None:
    with work_as("boris") as work:
        contact_id = create_contact(work, jana)
        change_contact(work, contact_id, replace(jana, city="Brno"), version=1)
    with work_as("anna") as work, pytest.raises(Conflict):
        change_contact(work, contact_id, replace(jana, city="Praha"), version=1)
    with work_as("anna") as work:
        assert work.session.get_one(Contact, contact_id).city == "Brno"


def test_numbers_and_addresses_keep_their_order(work_as: WorkAs, jana: ContactDraft) -> None:
    emails = tuple(Reachable(f"{letter}@acme.example") for letter in "cab")
    with work_as("boris") as work:
        contact_id = create_contact(work, replace(jana, emails=emails))
        query = select(ContactEmail.address).where(ContactEmail.contact_id == contact_id)
        found = work.session.scalars(query.order_by(ContactEmail.position)).all()
    assert found == [email.value for email in emails]


def test_who_may_only_read_changes_nothing(work_as: WorkAs, jana: ContactDraft, acme: CompanyDraft) -> None:
    with work_as("boris") as work:
        contact_id, company_id = create_contact(work, jana), create_company(work, acme)
    for attempt in (
        lambda work: create_contact(work, jana),
        lambda work: change_contact(work, contact_id, jana, version=1),
        lambda work: create_company(work, acme),
        lambda work: change_company(work, company_id, acme, version=1),
    ):
        with work_as("vera") as work, pytest.raises(Forbidden):
            attempt(work)


@pytest.mark.attack(2)
@pytest.mark.parametrize("field", ["database_id", "company_id", "owner_id"])
def test_an_id_of_another_tenant_is_refused_and_nothing_is_stored(
    work_as: WorkAs, cast: Cast, jana: ContactDraft, acme: CompanyDraft, field: str
) -> None:
    with work_as("boris") as work:
        company_id = create_company(work, acme)
    foreign: dict[str, Any] = {
        "database_id": cast.demo.open_database,
        "company_id": company_id,
        "owner_id": cast.demo.users["boris"],
    }
    own = replace(jana, database_id=cast.other.open_database)
    with work_as("oleg") as work:
        before = _counts(work)
        assert set(problems_of(work, replace(own, **{field: foreign[field]}))) == {field}
        assert _counts(work) == before
        contact_id = create_contact(work, own)
        with pytest.raises(Invalid):
            change_contact(work, contact_id, replace(own, **{field: foreign[field]}), version=1)


@pytest.mark.attack(1)
def test_a_row_of_another_tenant_is_not_found(
    work_as: WorkAs, cast: Cast, jana: ContactDraft, acme: CompanyDraft
) -> None:
    with work_as("boris") as work:
        contact_id, company_id = create_contact(work, jana), create_company(work, acme)
    with work_as("oleg") as work:
        with pytest.raises(NotFound):
            change_contact(work, contact_id, replace(jana, database_id=cast.other.open_database), version=1)
        with pytest.raises(NotFound):
            change_company(work, company_id, replace(acme, database_id=cast.other.open_database), version=1)


@pytest.mark.attack(57)
def test_a_closed_database_cannot_be_written_into(work_as: WorkAs, cast: Cast, jana: ContactDraft) -> None:
    with work_as("boris") as work:
        assert set(problems_of(work, replace(jana, database_id=cast.demo.closed_database))) == {"database_id"}


@pytest.mark.attack(57)
def test_a_company_that_the_actor_cannot_see_stays_with_the_contact(
    work_as: WorkAs, cast: Cast, jana: ContactDraft, acme: CompanyDraft
) -> None:
    with work_as("anna") as work:
        company_id = create_company(work, replace(acme, database_id=cast.demo.closed_database))
        contact_id = create_contact(work, replace(jana, company_id=company_id))
    with work_as("boris") as work:
        change_contact(work, contact_id, replace(jana, city="Brno"), version=1)
    with work_as("anna") as work:
        assert work.session.get_one(Contact, contact_id).company_id == company_id


@pytest.mark.covers("D-CRM-23", "D-CRM-24")
def test_owner_and_database_are_chosen_and_changed(work_as: WorkAs, cast: Cast, jana: ContactDraft) -> None:
    with work_as("anna") as work:
        work.session.add(database := ContactDatabase(name="Suppliers"))
        work.session.flush()
        contact_id = create_contact(work, replace(jana, owner_id=cast.demo.users["boris"]))
        change_contact(work, contact_id, replace(jana, database_id=database.id), version=1)
        contact = work.session.get_one(Contact, contact_id)
        assert (contact.database_id, contact.owner_id) == (database.id, None)


def test_saving_tells_of_it(work_as: WorkAs, jana: ContactDraft) -> None:
    with work_as("boris") as work:
        contact_id = create_contact(work, jana)
        query = select(StoredEvent.payload).where(StoredEvent.name == "directory.contact_saved")
        assert work.session.scalars(query).all() == [{"contact_id": contact_id}]


def _counts(work: Work) -> dict[str, Any]:
    def rows() -> Iterator[tuple[str, Any]]:
        for model in (Contact, Company, ContactPhone, ContactEmail, Change, StoredEvent):
            yield model.__tablename__, work.session.scalar(select(func.count()).select_from(model))

    return dict(rows())

"""Lists and pages of the directory: found by many needles, in alphabetical order, in few statements."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from core.directory.jobs import refresh_words
from core.directory.models import ContactDatabase
from core.directory.phones import shown_phone
from core.directory.queries import (
    company_choices,
    company_detail,
    contact_choices,
    contact_detail,
    database_choices,
    list_companies,
    list_contacts,
)
from core.directory.service import (
    CompanyDraft,
    ContactDraft,
    Reachable,
    change_company,
    change_contact,
    create_company,
    create_contact,
)
from core.foundation.actor import Door, system_actor
from core.foundation.errors import Forbidden, NotFound
from core.foundation.read_log import ReadEvent
from core.foundation.unit_of_work import Work
from core.tickets.jobs import refresh_words_of_company, refresh_words_of_contact
from core.tickets.queries import TicketFilter, list_tickets
from core.tickets.service import TicketDraft, open_ticket
from tests.conftest import WorkAs
from tests.support.cast import Cast
from tests.support.statements import counted_statements


def add(work: Work, cast: Cast, name: str, **fields: Any) -> int:
    """A contact in the open database."""
    return create_contact(work, ContactDraft(name=name, **({"database_id": cast.demo.open_database} | fields)))


def names(work: Work, search: str = "") -> list[str]:
    """Whom a search finds."""
    return [row.name for row in list_contacts(work, search=search).rows]


@pytest.mark.parametrize(
    "needle",
    [
        "Nováková", "novakova", "NOVAKOVA", "ovak", "nova jana", "no", "N", "601 234 567", "601234567", "601-234-567",
        "+420 601 234 567", "+420601234567", "00420 601 234 567", "234 567", "jana.n@", "ACME.example",
        "jana 601 234 567", "Łódź", "lodz", "zelezarny", "Železárny Ústí", "07911 123456", "+44 7911 123456",
    ],
)  # fmt: skip
def test_a_contact_is_found_by(work_as: WorkAs, cast: Cast, needle: str) -> None:
    with work_as("boris") as work:
        draft = CompanyDraft(name="Železárny Ústí a.s.", database_id=cast.demo.open_database)
        phones = (Reachable("601 234 567"), Reachable("+44 7911 123456"))
        emails = (Reachable("Jana.N@acme.example"),)
        add(
            work,
            cast,
            "Jana Nováková",
            city="Łódź",
            company_id=create_company(work, draft),
            phones=phones,
            emails=emails,
        )
        add(work, cast, "Petr Svoboda", phones=(Reachable("602 111 222"),))
        assert names(work, needle) == ["Jana Nováková"]


@pytest.mark.parametrize("needle", ["%", "_", "\\", "%%%", "J%a", "J_na", "％", "ana_", "\0", "' or 1=1 --"])
def test_signs_of_the_database_mean_themselves(work_as: WorkAs, cast: Cast, needle: str) -> None:
    with work_as("boris") as work:
        add(work, cast, "Jana Nováková")
        found = names(work, needle)
        assert found == ([] if needle.strip("\0") else ["Jana Nováková"])
        add(work, cast, f"Sign {needle} sign".replace("\0", ""))
        assert len(names(work, f"sign {needle}")) == 1


def test_names_stand_as_a_czech_dictionary_has_them(
    work_as: WorkAs, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.directory.storing.sort_key", lambda text, _locale: _czech(text))
    with work_as("boris") as work:
        for name in ("Zeman", "Chalupa", "Čech", "Cibulka", "Hora", "Ivan", "Šimek", "Svoboda"):
            add(work, cast, name)
        assert names(work) == ["Cibulka", "Čech", "Hora", "Chalupa", "Ivan", "Svoboda", "Šimek", "Zeman"]


def test_pages_follow_each_other_without_gap_or_double_also_for_namesakes(work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        wanted = [add(work, cast, name) for name in ("Anna", "Jan", "Jan", "Jan", "Zora")]
        found: list[int] = []
        after = None
        for _page in range(3):
            page = list_contacts(work, after=after, limit=2)
            found += [row.id for row in page.rows]
            after = page.after
        assert after is None
        assert found == wanted


@pytest.mark.parametrize("search", ["", "jan", "j"])
def test_a_page_of_contacts_takes_four_statements_however_many_rows(work_as: WorkAs, cast: Cast, search: str) -> None:
    with work_as("boris") as work:
        for number in range(5):
            add(
                work,
                cast,
                f"Jan {number}",
                phones=(Reachable(f"60123456{number}"),),
                emails=(Reachable("a@b.example"),),
            )
    with counted_statements() as sent, work_as("boris") as work:
        page = list_contacts(work, search=search)
    assert len(page.rows) == 5
    assert len(sent) == 4, sent


def test_a_page_of_companies_takes_four_statements(work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        create_company(work, CompanyDraft(name="Acme", database_id=cast.demo.open_database))
    with counted_statements() as sent, work_as("boris") as work:
        list_companies(work)
    assert len(sent) == 4, sent


def test_a_count_past_the_limit_says_so_and_the_list_stays_complete(
    work_as: WorkAs, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.foundation.search.COUNT_CAP", 3)
    monkeypatch.setattr("core.directory.queries.COUNT_CAP", 3)
    with work_as("boris") as work:
        for number in range(3):
            add(work, cast, f"Jan {number}")
        exact = list_contacts(work, search="jan")
        add(work, cast, "Jan 3")
        capped = list_contacts(work, search="jan", limit=10)
    assert (exact.count, exact.count_is_capped) == (3, False)
    assert (capped.count, capped.count_is_capped, len(capped.rows)) == (3, True, 4)


@pytest.mark.attack(1, 5)
def test_another_tenant_finds_nothing(work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        company_id = create_company(work, CompanyDraft(name="Acme", database_id=cast.demo.open_database))
        contact_id = add(work, cast, "Jana Nováková", company_id=company_id)
    with work_as("oleg") as work:
        for search in ("", "jana", "acme"):
            assert list_contacts(work, search=search).count == 0
            assert list_companies(work, search=search).count == 0
        assert list_contacts(work, after=contact_id).rows == []
        assert contact_choices(work, "jana") == company_choices(work, "acme") == []
        assert cast.demo.open_database not in {choice.id for choice in database_choices(work)}
        with pytest.raises(NotFound):
            contact_detail(work, contact_id)
        with pytest.raises(NotFound):
            company_detail(work, company_id)


@pytest.mark.attack(57)
def test_a_name_in_a_closed_database_is_seen_nowhere(work_as: WorkAs, cast: Cast) -> None:
    closed = cast.demo.closed_database
    with work_as("anna") as work:
        company_id = create_company(work, CompanyDraft(name="Secret Mergers", database_id=closed))
        hidden_id = add(work, cast, "Hidden Person", database_id=closed)
        seen_id = add(work, cast, "Seen Person", company_id=company_id)
        assert names(work, "mergers") == []  # not even for Anna: the words are the same for all who search
    with work_as("boris") as work:
        assert names(work) == ["Seen Person"]
        assert list_contacts(work).count == 1
        assert names(work, "hidden") == names(work, "mergers") == []
        assert list_companies(work, search="mergers").count == 0
        assert contact_choices(work, "hidden") == company_choices(work, "secret") == []
        with pytest.raises(NotFound):
            contact_detail(work, hidden_id)
        seen = contact_detail(work, seen_id)
    assert (seen.company_id, seen.company_name) == (None, None)
    assert "Mergers" not in repr(seen)


def test_a_new_name_of_a_company_finds_its_contacts_and_tickets(work_as: WorkAs, cast: Cast) -> None:
    company = CompanyDraft(name="Old Name", database_id=cast.demo.open_database)
    with work_as("boris") as work:
        company_id = create_company(work, company)
        add(work, cast, "Jana", company_id=company_id, phones=(Reachable("601 234 567"),))
        open_ticket(work, TicketDraft(title="Help", category_id=cast.demo.open_category, company_id=company_id))
        change_company(work, company_id, replace(company, name="Fresh Name"), version=1)
    actor = system_actor(cast.demo.tenant_id, door=Door.JOB)
    for _twice in range(2):
        refresh_words(actor, company_id=company_id)
        refresh_words_of_company(actor, company_id=company_id)
    with work_as("boris") as work:
        assert names(work, "fresh") == names(work, "601 234 567") == ["Jana"]
        assert names(work, "old name") == []
        assert list_tickets(work, TicketFilter(search="fresh")).count == 1


def test_a_new_name_of_a_contact_finds_the_tickets(work_as: WorkAs, cast: Cast) -> None:
    draft = ContactDraft(name="Jana Svobodová", database_id=cast.demo.open_database)
    with work_as("boris") as work:
        contact_id = create_contact(work, draft)
        open_ticket(work, TicketDraft(title="Help", category_id=cast.demo.open_category, contact_id=contact_id))
        change_contact(work, contact_id, replace(draft, name="Jana Dvořáková"), version=1)
    refresh_words_of_contact(system_actor(cast.demo.tenant_id, door=Door.JOB), contact_id=contact_id)
    with work_as("boris") as work:
        assert list_tickets(work, TicketFilter(search="dvorakova")).count == 1


@pytest.mark.covers("GD-39")
def test_every_look_is_noted_with_who_and_what(work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        contact_id = add(work, cast, "Jana")
    with work_as("vera") as work:
        list_contacts(work)
        list_contacts(work, search="jan")
        contact_detail(work, contact_id)
        contact_choices(work, "jana")
        query = select(ReadEvent).where(ReadEvent.subject_kind == "contact").order_by(ReadEvent.id)
        looks = work.session.scalars(query).all()
    assert [look.how for look in looks] == ["list", "search", "detail", "search"]
    assert {look.user_id for look in looks} == {cast.demo.users["vera"]}
    assert all(look.subject_ids == [contact_id] for look in looks)


@pytest.mark.covers("D-CRM-26")
def test_the_history_names_who_changed_what_and_resolves_links(work_as: WorkAs, cast: Cast) -> None:
    draft = ContactDraft(name="Jana", database_id=cast.demo.open_database)
    with work_as("anna") as work:
        contact_id = create_contact(work, draft)
        work.session.add(database := ContactDatabase(name="Suppliers"))
        work.session.flush()
        company_id = create_company(work, CompanyDraft(name="Acme", database_id=database.id))
    with work_as("boris") as work:
        linked = replace(draft, company_id=company_id, owner_id=cast.demo.users["vera"], database_id=database.id)
        change_contact(work, contact_id, linked, version=1)
        newest, first = contact_detail(work, contact_id).changes
    sides = {
        change.field: [[way.value for way in side] for side in (change.before, change.after)]
        for change in newest.fields
    }
    assert sides == {
        "company_id": [[], ["Acme"]],
        "owner_id": [[], ["Vera Nováková"]],
        "database_id": [["Customers"], ["Suppliers"]],
    }
    assert (newest.user_name, newest.door, newest.is_first) == ("Boris Nováková", "web", False)
    assert (first.user_name, first.is_first) == ("Anna Nováková", True)


def test_a_companys_page_has_its_people(work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        company_id = create_company(work, CompanyDraft(name="Acme", database_id=cast.demo.open_database))
        add(work, cast, "Jana", company_id=company_id)
        add(work, cast, "Petr")
        found = company_detail(work, company_id)
        assert [row.name for row in found.contacts] == ["Jana"]
        assert list_companies(work).rows[0].contact_count == 1


def test_who_may_not_read_is_refused(work_as: WorkAs) -> None:
    with work_as("boris") as work:
        nobody = Work(work.session, replace(work.actor, permissions=frozenset()))
        for ask in (list_contacts, list_companies):
            with pytest.raises(Forbidden):
                ask(nobody)


@pytest.mark.parametrize(
    ("number", "country", "shown"),
    [
        ("+420601234567", "CZ", "601 234 567"),
        ("+420601234567", "PL", "+420 601 234 567"),
        ("+48601234567", "CZ", "+48 601 234 567"),
        ("+447911123456", "GB", "07911 123456"),
        ("not a number", "CZ", "not a number"),
    ],
)
def test_a_number_is_shown_as_the_country_writes_it(number: str, country: str, shown: str) -> None:
    assert shown_phone(number, country) == shown


def _czech(text: str) -> bytes:
    from core.foundation.sorting import sort_key

    return sort_key(text, "cs")

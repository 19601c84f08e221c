"""Activities of a contact and a company: the newest first, and only those that the viewer may see."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from core.directory.service import CompanyDraft, ContactDraft, change_contact, create_company, create_contact
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.tickets.service import TicketDraft, open_ticket
from core.timeline.queries import PAGE, activities_of_company, activities_of_contact
from core.timeline.service import ActivityDraft, FileDraft, attach, record_activity
from tests.conftest import WorkAs
from tests.support.cast import Cast


def note(work: Work, summary: str, at: datetime, *, contact_id: int | None = None, **links: int | None) -> int:
    """An activity."""
    draft = ActivityDraft(
        kind="note", direction="none", summary=summary, occurred_at=at, contact_id=contact_id, **links
    )
    return record_activity(work, draft)


@pytest.fixture
def jana(cast: Cast) -> ContactDraft:
    """A person."""
    return ContactDraft(name="Jana", database_id=cast.demo.open_database)


def test_the_newest_activity_comes_first_with_colleague_and_files(
    work_as: WorkAs, jana: ContactDraft, held_clock: datetime
) -> None:
    with work_as("boris") as work:
        contact_id = create_contact(work, jana)
        note(work, "old", held_clock - timedelta(days=1), contact_id=contact_id)
        newest = note(work, "new", held_clock, contact_id=contact_id)
        attach(work, newest, FileDraft(name="a.pdf", media_type="application/pdf", content=b"x"))
        attach(work, newest, FileDraft(name="b.png", media_type="image/png", content=b"x", is_inline=True))
        entries = activities_of_contact(work, contact_id)
    assert [entry.summary for entry in entries] == ["new", "old"]
    assert (entries[0].user_name, entries[0].contact_name, entries[0].file_count) == ("Boris Nováková", "Jana", 1)


def test_no_more_than_a_page_is_read(work_as: WorkAs, jana: ContactDraft, held_clock: datetime) -> None:
    with work_as("boris") as work:
        contact_id = create_contact(work, jana)
        for hour in range(PAGE + 1):
            note(work, str(hour), held_clock + timedelta(hours=hour), contact_id=contact_id)
        entries = activities_of_contact(work, contact_id)
    assert [entry.summary for entry in entries] == [str(hour) for hour in range(PAGE, 0, -1)]


def test_a_company_has_its_own_activities_and_those_of_its_people(
    work_as: WorkAs, cast: Cast, jana: ContactDraft, held_clock: datetime
) -> None:
    with work_as("boris") as work:
        contact_id = create_contact(work, jana)
        note(work, "before she came", held_clock, contact_id=contact_id)
        company_id = create_company(work, CompanyDraft(name="Acme", database_id=cast.demo.open_database))
        change_contact(work, contact_id, replace(jana, company_id=company_id), version=1)
        note(work, "both", held_clock + timedelta(hours=1), contact_id=contact_id, company_id=company_id)
        note(work, "company alone", held_clock + timedelta(hours=2), company_id=company_id)
        note(work, "somebody else", held_clock, contact_id=create_contact(work, jana))
        entries = activities_of_company(work, company_id)
    assert [entry.summary for entry in entries] == ["company alone", "both", "before she came"]


@pytest.mark.attack(57)
def test_an_activity_of_a_closed_category_is_not_told(
    work_as: WorkAs, cast: Cast, jana: ContactDraft, held_clock: datetime
) -> None:
    with work_as("anna") as work:
        contact_id = create_contact(work, jana)
        draft = TicketDraft(title="Lawsuit", category_id=cast.demo.closed_category, contact_id=contact_id)
        ticket_id = open_ticket(work, draft).id
        note(work, "lawsuit", held_clock, contact_id=contact_id, ticket_id=ticket_id)
        assert len(activities_of_contact(work, contact_id)) == 1
    with work_as("boris") as work:
        assert activities_of_contact(work, contact_id) == []


def test_who_may_not_read_tickets_does_not_read_them_here(
    work_as: WorkAs, cast: Cast, jana: ContactDraft, held_clock: datetime
) -> None:
    with work_as("boris") as work:
        contact_id = create_contact(work, jana)
        ticket = open_ticket(
            work, TicketDraft(title="Help", category_id=cast.demo.open_category, contact_id=contact_id)
        )
        note(work, "of the ticket", held_clock, contact_id=contact_id, ticket_id=ticket.id)
        note(work, "of the contact", held_clock, contact_id=contact_id)
        rest = Work(work.session, replace(work.actor, permissions=work.actor.permissions - {Permission.TICKETS_READ}))
        assert [entry.summary for entry in activities_of_contact(rest, contact_id)] == ["of the contact"]


@pytest.mark.attack(1)
def test_another_tenant_reads_none(work_as: WorkAs, jana: ContactDraft, held_clock: datetime) -> None:
    with work_as("boris") as work:
        contact_id = create_contact(work, jana)
        note(work, "secret", held_clock, contact_id=contact_id)
    with work_as("oleg") as work:
        assert activities_of_contact(work, contact_id) == activities_of_company(work, contact_id) == []

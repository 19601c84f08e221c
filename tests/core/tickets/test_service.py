"""Tickets: numbers, taking, changing, pairing; who may, and what is written down."""

import pytest
from sqlalchemy import select, update

from core.directory.models import Contact
from core.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from core.foundation.history import Change
from core.foundation.outbox import StoredEvent
from core.foundation.sorting import sort_key
from core.foundation.unit_of_work import Work
from core.identity.models import UserAccount
from core.tickets.models import Ticket
from core.tickets.service import (
    TicketDraft,
    TicketPatch,
    change_ticket,
    open_ticket,
    pair_ticket_with_contact,
    take_ticket,
)
from core.timeline.models import Activity
from core.timeline.service import ActivityDraft, record_activity
from tests.conftest import WorkAs
from tests.support.cast import Cast


@pytest.fixture
def ticket_id(work_as: WorkAs, cast: Cast) -> int:
    with work_as("system") as work:
        return open_ticket(work, TicketDraft(title="Printer", category_id=cast.demo.open_category)).id


@pytest.fixture
def secret_id(work_as: WorkAs, cast: Cast) -> int:
    """A ticket in a category that agents do not see."""
    with work_as("system") as work:
        return open_ticket(work, TicketDraft(title="Law suit", category_id=cast.demo.closed_category)).id


def ticket(work_as: WorkAs, ticket_id: int) -> Ticket:
    with work_as("system") as work:
        return work.session.get_one(Ticket, ticket_id)


def add_contact(work: Work, database_id: int) -> int:
    contact = Contact(name="Jana", database_id=database_id, sort_key=sort_key("Jana", "cs"), search_words="Jana")
    work.session.add(contact)
    work.session.flush()
    return contact.id


def test_numbers_count_up_from_one_in_each_company(work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        demo = [open_ticket(work, TicketDraft(title="x", category_id=cast.demo.open_category)).number for _ in "ab"]
    with work_as("other system") as work:
        other = open_ticket(work, TicketDraft(title="x", category_id=cast.other.open_category)).number
    assert (demo, other) == ([1, 2], 1)


def test_a_number_is_given_again_if_its_ticket_was_not_committed(work_as: WorkAs, cast: Cast) -> None:
    draft = TicketDraft(title="x", category_id=cast.demo.open_category)
    with pytest.raises(RuntimeError), work_as("system") as work:
        open_ticket(work, draft)
        raise RuntimeError
    with work_as("system") as work:
        assert open_ticket(work, draft).number == 1


def test_a_title_is_one_line_of_bounded_length(work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        draft = TicketDraft(title=" a\r\nb " + "x" * 400, category_id=cast.demo.open_category)
        assert open_ticket(work, draft).title == "a b " + "x" * 296


def test_who_takes_a_ticket_owns_it_and_the_next_hears_who_was_first(
    work_as: WorkAs, cast: Cast, ticket_id: int
) -> None:
    with work_as("boris") as work:
        take_ticket(work, ticket_id)
        take_ticket(work, ticket_id)
    with pytest.raises(Conflict, match="Boris"), work_as("anna") as work:
        take_ticket(work, ticket_id)
    assert ticket(work_as, ticket_id).owner_id == cast.demo.users["boris"]


def test_a_change_on_an_old_version_is_refused_and_changes_nothing(work_as: WorkAs, ticket_id: int) -> None:
    with work_as("boris") as work:
        change_ticket(work, ticket_id, TicketPatch(status="waiting"), version=1)
    with pytest.raises(Conflict), work_as("anna") as work:
        change_ticket(work, ticket_id, TicketPatch(status="closed", title="Other"), version=1)
    found = ticket(work_as, ticket_id)
    assert (found.status, found.title, found.version) == ("waiting", "Printer", 2)


def test_a_change_is_written_down_with_who_and_what_and_told(work_as: WorkAs, cast: Cast, ticket_id: int) -> None:
    with work_as("boris") as work:
        patch = TicketPatch(title="Printers", owner_id=cast.demo.users["vera"])
        change_ticket(work, ticket_id, patch, version=1)
        change = work.session.scalars(select(Change).order_by(Change.id.desc())).first()
        events = list(work.session.scalars(select(StoredEvent.name).order_by(StoredEvent.id)))
    assert change is not None
    assert change.fields == {"title": ["Printer", "Printers"], "owner_id": [None, cast.demo.users["vera"]]}
    assert (change.user_id, change.door) == (cast.demo.users["boris"], "web")
    assert events == ["tickets.opened", "tickets.changed", "tickets.assigned"]


def test_a_change_that_changes_nothing_leaves_the_version(work_as: WorkAs, ticket_id: int) -> None:
    with work_as("boris") as work:
        change_ticket(work, ticket_id, TicketPatch(status="open"), version=1)
    assert ticket(work_as, ticket_id).version == 1


def test_zero_takes_the_owner_away(work_as: WorkAs, ticket_id: int) -> None:
    with work_as("boris") as work:
        take_ticket(work, ticket_id)
        change_ticket(work, ticket_id, TicketPatch(owner_id=0), version=2)
    assert ticket(work_as, ticket_id).owner_id is None


@pytest.mark.attack(2)
def test_values_of_another_company_or_unseen_ones_are_refused(work_as: WorkAs, cast: Cast, ticket_id: int) -> None:
    patches = {
        "owner_id": TicketPatch(owner_id=cast.other.users["oleg"]),
        "category_id": TicketPatch(category_id=cast.other.open_category),
        "status": TicketPatch(status="gone"),
        "title": TicketPatch(title=" \n"),
    }
    for field, patch in patches.items():
        with pytest.raises(Invalid) as refused, work_as("boris") as work:
            change_ticket(work, ticket_id, patch, version=1)
        assert set(refused.value.problems) == {field}
    with pytest.raises(Invalid), work_as("boris") as work:
        change_ticket(work, ticket_id, TicketPatch(category_id=cast.demo.closed_category), version=1)
    assert ticket(work_as, ticket_id).version == 1


def test_somebody_who_is_blocked_cannot_become_the_owner(work_as: WorkAs, cast: Cast, ticket_id: int) -> None:
    vera = cast.demo.users["vera"]
    with work_as("system") as work:
        work.session.execute(update(UserAccount).where(UserAccount.id == vera).values(is_blocked=True))
    with pytest.raises(Invalid), work_as("boris") as work:
        change_ticket(work, ticket_id, TicketPatch(owner_id=vera), version=1)


@pytest.mark.attack(2)
@pytest.mark.parametrize("name", ["oleg", "boris"])
def test_a_ticket_of_others_does_not_exist(work_as: WorkAs, secret_id: int, name: str) -> None:
    with pytest.raises(NotFound), work_as(name) as work:
        take_ticket(work, secret_id)
    with pytest.raises(NotFound), work_as(name) as work:
        change_ticket(work, secret_id, TicketPatch(status="closed"), version=1)
    with pytest.raises(NotFound), work_as(name) as work:
        pair_ticket_with_contact(work, secret_id, 1)


def test_vera_may_change_nothing(work_as: WorkAs, cast: Cast, ticket_id: int) -> None:
    with pytest.raises(Forbidden), work_as("vera") as work:
        open_ticket(work, TicketDraft(title="x", category_id=cast.demo.open_category))
    with pytest.raises(Forbidden), work_as("vera") as work:
        take_ticket(work, ticket_id)
    with pytest.raises(Forbidden), work_as("vera") as work:
        change_ticket(work, ticket_id, TicketPatch(status="closed"), version=1)
    with pytest.raises(Forbidden), work_as("vera") as work:
        pair_ticket_with_contact(work, ticket_id, 1)


def test_pairing_gives_the_ticket_and_its_nameless_activities_a_customer(
    work_as: WorkAs, cast: Cast, ticket_id: int
) -> None:
    with work_as("system") as work:
        jana = add_contact(work, cast.demo.open_database)
        now = work.session.get_one(Ticket, ticket_id).last_activity_at
        draft = ActivityDraft(kind="note", direction="none", summary="x", occurred_at=now, ticket_id=ticket_id)
        activity_id = record_activity(work, draft)
    with work_as("boris") as work:
        pair_ticket_with_contact(work, ticket_id, jana)
    with work_as("system") as work:
        assert work.session.get_one(Activity, activity_id).contact_id == jana
        assert "Jana" in work.session.get_one(Ticket, ticket_id).search_words


@pytest.mark.attack(2)
def test_a_contact_of_another_company_or_an_unseen_one_cannot_be_paired(
    work_as: WorkAs, cast: Cast, ticket_id: int
) -> None:
    with work_as("other system") as work:
        foreign = add_contact(work, cast.other.open_database)
    with work_as("system") as work:
        hidden = add_contact(work, cast.demo.closed_database)
    for contact_id in (foreign, hidden, 0):
        with pytest.raises(NotFound), work_as("boris") as work:
            pair_ticket_with_contact(work, ticket_id, contact_id)
    assert ticket(work_as, ticket_id).contact_id is None


@pytest.mark.attack(57)
def test_the_name_of_a_hidden_customer_is_not_among_the_words_whoever_saves(
    work_as: WorkAs, cast: Cast, ticket_id: int
) -> None:
    with work_as("system") as work:
        hidden = add_contact(work, cast.demo.closed_database)
        pair_ticket_with_contact(work, ticket_id, hidden)
    assert "Jana" not in ticket(work_as, ticket_id).search_words
    with work_as("anna") as work:
        change_ticket(work, ticket_id, TicketPatch(status="waiting"), version=2)
    assert "Jana" not in ticket(work_as, ticket_id).search_words

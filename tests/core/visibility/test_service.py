"""Opening, closing and granting databases, queues and categories; what follows is known before and true after."""

import pytest
from sqlalchemy import select, text

from core.directory.drafts import CompanyDraft, ContactDraft
from core.directory.jobs import refresh_words_of_database as refresh_contacts
from core.directory.queries import list_contacts
from core.directory.service import create_company, create_contact
from core.foundation.actor import Door, system_actor
from core.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from core.foundation.history import Change
from core.foundation.outbox import StoredEvent
from core.foundation.unit_of_work import Work
from core.identity.service import position_group
from core.identity.user_groups import create_user_group, move_user_group, set_groups_of_user, user_groups
from core.tickets.jobs import refresh_words_of_database as refresh_tickets
from core.tickets.queries import TicketFilter, count_tickets
from core.tickets.service import TicketDraft, open_ticket
from core.visibility.consequences import consequences_of
from core.visibility.kinds import GRANTED, Kind
from core.visibility.queries import ThingRow, grants_of_group, things
from core.visibility.service import (
    ThingDraft,
    change_thing,
    consequences_of_change,
    create_thing,
    delete_thing,
    delete_user_group,
)
from tests.conftest import WorkAs
from tests.support.cast import Cast

CLOSED = ThingDraft(name="Customers", everyone_sees=False)


def row_of(work: Work, kind: Kind, name: str) -> ThingRow:
    """The thing of this name."""
    return next(row for row in things(work, kind) if row.name == name)


def board(work: Work) -> int:
    """The user group to which the cast's closed database is granted."""
    return next(node.id for node in user_groups(work) if node.name == "Board")


@pytest.mark.covers("P-3", "GD-3")
@pytest.mark.parametrize("kind", [Kind.DATABASE, Kind.QUEUE, Kind.CATEGORY])
def test_a_thing_is_made_granted_renamed_and_deleted_with_its_history(work_as: WorkAs, kind: Kind) -> None:
    with work_as("anna") as work:
        draft = ThingDraft(name="Project X", everyone_sees=False, groups=frozenset({board(work)}), channel="call")
        made = create_thing(work, kind, draft)
        assert dict(row_of(work, kind, "Project X").groups) == {board(work): "Board"}
        change_thing(work, kind, made, ThingDraft(name="Project Y"))
        assert row_of(work, kind, "Project Y").groups == {}
        delete_thing(work, kind, made)
        assert made not in {row.id for row in things(work, kind)}
        subject = GRANTED[kind].subject
        query = select(Change).where(Change.subject_kind == subject, Change.subject_id == made).order_by(Change.id)
        created, changed, deleted = work.session.scalars(query)
        assert created.fields["groups"] == [None, [board(work)]]
        assert changed.fields == {
            "name": ["Project X", "Project Y"],
            "everyone_sees": [False, True],
            "groups": [[board(work)], []],
        }
        assert deleted.fields["name"] == ["Project Y", None]


@pytest.mark.attack(57)
@pytest.mark.parametrize("kind", [Kind.DATABASE, Kind.QUEUE, Kind.CATEGORY])
def test_nobody_but_an_owner_grants_anything(work_as: WorkAs, cast: Cast, kind: Kind) -> None:
    with work_as("anna") as work:
        known = things(work, kind)[0].id
    with work_as("boris") as work:
        for act in (
            lambda: things(work, kind),
            lambda: create_thing(work, kind, ThingDraft(name="Mine")),
            lambda: change_thing(work, kind, known, ThingDraft(name="Mine")),
            lambda: consequences_of_change(work, kind, known, ThingDraft(name="Mine")),
            lambda: delete_thing(work, kind, known),
        ):
            with pytest.raises(Forbidden):
                act()
    with work_as("oleg") as work:
        for act in (
            lambda: change_thing(work, kind, known, ThingDraft(name="Mine")),
            lambda: delete_thing(work, kind, known),
        ):
            with pytest.raises(NotFound):
                act()


@pytest.mark.attack(57)
def test_what_is_told_before_is_what_happens(work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        for number in range(3):
            create_contact(work, ContactDraft(name=f"Person {number}", database_id=cast.demo.open_database))
    with work_as("anna") as work:
        set_groups_of_user(work, cast.demo.users["vera"], [board(work)])
        draft = ThingDraft(name="Customers", everyone_sees=False, groups=frozenset({board(work)}))
        [told] = consequences_of_change(work, Kind.DATABASE, cast.demo.open_database, draft)
        assert ([person.name for person in told.losing], told.gaining) == (["Boris Nováková"], [])
        assert told.contents == {"contacts": 3}
        assert row_of(work, Kind.DATABASE, "Customers").everyone_sees
        change_thing(work, Kind.DATABASE, cast.demo.open_database, draft)
        assert {person.name for person in row_of(work, Kind.DATABASE, "Customers").people} == {
            "Anna Nováková",
            "Vera Nováková",
        }
    for name, count in (("boris", 0), ("vera", 3)):
        with work_as(name) as work:
            assert list_contacts(work).count == count


def test_moving_a_group_tells_who_sees_more(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        deputies = create_user_group(work, "Deputies")
        set_groups_of_user(work, cast.demo.users["boris"], [deputies])
        [told] = consequences_of(work, lambda: move_user_group(work, deputies, parent_id=board(work)))
        assert (told.kind, told.name, [person.name for person in told.gaining]) == (
            Kind.DATABASE,
            "Board",
            ["Boris Nováková"],
        )
        assert next(node for node in user_groups(work) if node.id == deputies).parent_id is None


def test_a_change_that_nobody_notices_has_no_consequences(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        draft = ThingDraft(name="Clients")
        assert consequences_of_change(work, Kind.DATABASE, cast.demo.open_database, draft) == []
        everybody = ThingDraft(name="Customers", everyone_sees=False, groups=frozenset({position_group(work)}))
        assert consequences_of_change(work, Kind.DATABASE, cast.demo.open_database, everybody) == []


def test_a_thing_that_holds_something_is_not_deleted(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        create_contact(work, ContactDraft(name="Jana", database_id=cast.demo.closed_database))
        with pytest.raises(Conflict, match="not empty"):
            delete_thing(work, Kind.DATABASE, cast.demo.closed_database)
        with pytest.raises(Conflict, match="not empty"):  # mail comes in by it
            delete_thing(work, Kind.QUEUE, cast.demo.queue)
        delete_thing(work, Kind.CATEGORY, cast.demo.closed_category)
        with pytest.raises(Conflict):
            delete_thing(work, Kind.CATEGORY, cast.demo.open_category)


def test_books_are_changed_where_they_are_at_home(work_as: WorkAs) -> None:
    with work_as("anna") as work, pytest.raises(NotFound):
        create_thing(work, Kind.BOOK, ThingDraft(name="Partners"))


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (ThingDraft(name=" "), "name"),
        (ThingDraft(name="BOARD"), "name"),
        (ThingDraft(name="x" * 81), "name"),
        (ThingDraft(name="New", everyone_sees=False, groups=frozenset({2**40})), "groups"),
    ],
)
def test_a_thing_that_cannot_be_is_refused_at_its_field(work_as: WorkAs, draft: ThingDraft, field: str) -> None:
    with pytest.raises(Invalid) as refused, work_as("anna") as work:
        create_thing(work, Kind.DATABASE, draft)
    assert set(refused.value.problems) == {field}


def test_a_deleted_groups_grants_end_and_their_history_says_so(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        group = board(work)
        assert [(found.kind, found.name) for found in grants_of_group(work, group)] == [(Kind.DATABASE, "Board")]
        delete_user_group(work, group)
        query = select(Change.fields).where(Change.subject_kind == "contact_database").order_by(Change.id.desc())
        assert work.session.scalars(query).first() == {"groups": [[group], []]}
        assert row_of(work, Kind.DATABASE, "Board").groups == {}


# Words that search finds


@pytest.mark.attack(57)
def test_closing_a_database_takes_its_names_out_of_what_others_find(work_as: WorkAs, cast: Cast) -> None:
    system = system_actor(cast.demo.tenant_id, door=Door.JOB)
    with work_as("anna") as work:
        suppliers = create_thing(work, Kind.DATABASE, ThingDraft(name="Suppliers"))
        company = create_company(work, CompanyDraft(name="Zahrada", database_id=suppliers))
        chief = create_contact(work, ContactDraft(name="Ludmila", database_id=suppliers))
        create_contact(work, ContactDraft(name="Karel", database_id=cast.demo.open_database, company_id=company))
        category = cast.demo.open_category
        for contact_id, company_id in ((chief, None), (None, company)):
            draft = TicketDraft(title="Hose", category_id=category, contact_id=contact_id, company_id=company_id)
            open_ticket(work, draft)

    def found_by_boris() -> tuple[int, int, int]:
        with work_as("boris") as work:
            tickets = [count_tickets(work, TicketFilter(search=word)) for word in ("ludmila", "zahrada")]
            return tickets[0], tickets[1], list_contacts(work, search="zahrada").count

    assert found_by_boris() == (1, 1, 1)
    for is_open, expected in ((False, (0, 0, 0)), (True, (1, 1, 1))):
        with work_as("anna") as work:
            change_thing(work, Kind.DATABASE, suppliers, ThingDraft(name="Suppliers", everyone_sees=is_open))
            event = work.session.scalars(select(StoredEvent).order_by(StoredEvent.id.desc())).first()
            assert event is not None
            assert (event.name, event.payload) == ("directory.database_opened", {"database_id": suppliers})
        refresh_contacts(system, database_id=suppliers)
        refresh_tickets(system, database_id=suppliers)
        assert found_by_boris() == expected


def test_many_tickets_are_refreshed_in_batches(work_as: WorkAs, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.tickets.jobs.BATCH", 2)
    with work_as("system") as work:
        contact = create_contact(work, ContactDraft(name="Ludmila", database_id=cast.demo.open_database))
        for _number in range(5):
            open_ticket(work, TicketDraft(title="Hose", category_id=cast.demo.open_category, contact_id=contact))
        work.session.execute(text("update contact_database set everyone_sees = false"))
    refresh_tickets(system_actor(cast.demo.tenant_id, door=Door.JOB), database_id=cast.demo.open_database)
    with work_as("system") as work:
        assert count_tickets(work, TicketFilter(search="hose")) == 5
        assert count_tickets(work, TicketFilter(search="ludmila")) == 0

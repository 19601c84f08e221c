"""Who can see this? The answer equals what everybody reads, whatever was granted to whom."""

from collections.abc import Iterable
from random import Random

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DataError, ProgrammingError

from core.directory.books.queries import book_detail
from core.directory.queries import company_detail, contact_detail
from core.foundation.actor import UserId
from core.foundation.errors import Forbidden, NotFound
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work, unit_of_work
from core.identity.models import UserAccount
from core.identity.permission_groups import GroupDraft, add_permission_group
from core.identity.service import UserDraft, create_user
from core.identity.sign_in import SignedIn
from core.identity.user_groups import create_user_group, set_groups_of_user, user_groups
from core.tickets.queries import ticket_detail
from core.visibility.kinds import GRANTED, Kind
from core.visibility.sights import Person, people, sights
from core.visibility.watchers import ROWS, Why, who_sees
from tests.conftest import WorkAs
from tests.support.cast import Cast
from tests.support.statements import counted_statements
from tests.support.things import Things, create_things

MOST_STATEMENTS = 7
"""Entering is not counted: the row, the read log, people, the question, groups, grants, members."""
MADE = text(
    "insert into contact (tenant_id, database_id, name, sort_key) "
    "select tenant_id, id, 'Jana', '' from contact_database where id = :database returning id"
)

READERS = {
    "contact": contact_detail,
    "company": company_detail,
    "ticket": ticket_detail,
    "address_book": book_detail,
}
MIXES = (
    frozenset({Permission.CONTACTS_READ, Permission.TICKETS_READ}),
    frozenset({Permission.COMPANIES_READ, Permission.BOOKS_MANAGE, Permission.CONTACTS_READ}),
    frozenset({Permission.CALLS_READ}),
)


@pytest.fixture
def things(work_as: WorkAs, cast: Cast) -> Things:
    """One of everything."""
    with work_as("system") as work:
        return create_things(work, cast.demo)


def crowd(work: Work, random: Random) -> None:
    """Nine more people in permission groups of every mix, a tree of user groups, and everything granted at random."""
    groups = [
        add_permission_group(work, GroupDraft(name=f"Mix {number}", permissions=mix))
        for number, mix in enumerate(MIXES)
    ]
    for number in range(6):
        parents = [None, *(node.id for node in user_groups(work))]
        create_user_group(work, f"Group {number}", parent_id=random.choice(parents))
    known = [node.id for node in user_groups(work)]
    for number in range(9):
        draft = UserDraft(
            email=f"p{number}@demo.localhost",
            name=f"Person {number}",
            password="Right-1-password!",
            permission_group_id=random.choice(groups),
        )
        user_id = create_user(work, draft)
        set_groups_of_user(work, user_id, random.sample(known, random.randint(0, 3)))
        work.session.get_one(UserAccount, user_id).is_blocked = random.random() < 0.15
    for granted in GRANTED.values():
        for thing in work.session.query(granted.model).all():
            thing.everyone_sees = random.random() < 0.3
            work.session.execute(text(f"delete from {granted.grant.__tablename__}"))
            for group_id in random.sample(known, random.randint(0, 3)):
                work.session.add(granted.grant(**{granted.thing_id.key: thing.id, "user_group_id": group_id}))
            work.session.flush()


def reads(cast: Cast, everybody: Iterable[Person], relation: str, row_id: int) -> set[int]:
    """Who gets the row, trying as everybody who may sign in."""
    found = set()
    for person in everybody:
        signed_in = SignedIn(
            user_id=UserId(person.id),
            tenant_id=cast.demo.tenant_id,
            name="",
            email="",
            locale="en",
            theme="system",
            is_owner=person.is_owner,
            permissions=person.permissions,
        )
        try:
            with unit_of_work(signed_in.actor(cast.actor("anna").door)) as theirs:
                READERS[relation](theirs, row_id)
        except (NotFound, Forbidden):
            continue
        found.add(person.id)
    return found


@pytest.mark.attack(57)
@pytest.mark.parametrize("seed", range(5))
def test_the_answer_equals_what_everybody_reads(work_as: WorkAs, cast: Cast, things: Things, seed: int) -> None:
    rows = [
        ("contact", things.contact),
        ("contact", things.hidden_contact),
        ("company", things.company),
        ("ticket", things.ticket),
        ("ticket", things.hidden_ticket),
        ("address_book", things.book),
    ]
    with work_as("system") as work:
        crowd(work, Random(seed))  # noqa: S311  # repeatable
    with work_as("anna") as work:
        told = [who_sees(work, relation, row_id).watchers for relation, row_id in rows]
        everybody = list(people(work).values())
    assert len(everybody) > 5
    for (relation, row_id), watchers in zip(rows, told, strict=True):
        assert {watcher.user_id for watcher in watchers} == reads(cast, everybody, relation, row_id)
        assert all(watcher.reasons for watcher in watchers)


@pytest.mark.parametrize("seed", range(2))
def test_sights_tell_what_plain_sql_shows_to_everybody(work_as: WorkAs, cast: Cast, things: Things, seed: int) -> None:
    with work_as("system") as work:
        crowd(work, Random(seed))  # noqa: S311  # repeatable
        told = sights(work)
    for sight in told:
        actor = SignedIn(
            user_id=UserId(sight.person.id),
            tenant_id=cast.demo.tenant_id,
            name="",
            email="",
            locale="en",
            theme="system",
            is_owner=False,
            permissions=sight.person.permissions,
        ).actor(cast.actor("anna").door)
        with unit_of_work(actor) as work:
            for kind, granted in GRANTED.items():
                ids = set(work.session.scalars(text(f"select id from {granted.model.__tablename__}")))
                assert sight.seen is None or sight.seen[kind] == ids


def test_asking_changes_nothing_of_what_the_asker_sees(work_as: WorkAs, things: Things) -> None:
    with work_as("boris") as work:
        before = work.session.execute(text("select app_scope()")).scalar()
        who_sees(work, "contact", things.contact)
        assert work.session.execute(text("select app_scope()")).scalar() == before
        with pytest.raises(NotFound):
            who_sees(work, "contact", things.hidden_contact)


def test_everybody_who_sees_a_contact_may_ask_and_others_learn_nothing(work_as: WorkAs, things: Things) -> None:
    with work_as("vera") as work:
        assert {watcher.name for watcher in who_sees(work, "contact", things.contact).watchers} == {
            "Anna Nováková",
            "Boris Nováková",
            "Vera Nováková",
        }
    for name, row_id in (("vera", things.hidden_contact), ("oleg", things.contact)):
        with work_as(name) as work, pytest.raises(NotFound):
            who_sees(work, "contact", row_id)


def test_each_person_stands_there_with_every_reason(work_as: WorkAs, cast: Cast, things: Things) -> None:
    with work_as("system") as work:
        board = next(node.id for node in user_groups(work) if node.name == "Board")
        below = create_user_group(work, "Deputies", parent_id=board)
        set_groups_of_user(work, cast.demo.users["boris"], [below])
    with work_as("anna") as work:
        told = who_sees(work, "contact", things.hidden_contact)
        assert (told.kind, told.thing, told.everyone_sees, told.people_count) == (Kind.DATABASE, "Board", False, 3)
        anna, boris = told.watchers
        assert [reason.why for reason in anna.reasons] == [Why.OWNER]
        assert [(reason.why, reason.group, reason.through) for reason in boris.reasons] == [
            (Why.GROUP, "Board", "Deputies")
        ]


def test_every_row_that_is_asked_about_has_its_reader() -> None:
    assert set(ROWS) == set(READERS)


# One question for everybody


def statements_of(work: Work, things: Things) -> int:
    """How many statements the question takes."""
    with counted_statements() as seen:
        who_sees(work, "contact", things.contact)
    return len(seen)


def test_the_question_costs_the_same_for_many_as_for_few(work_as: WorkAs, cast: Cast, things: Things) -> None:
    with work_as("anna") as work:
        few = statements_of(work, things)
    with work_as("system") as work:
        crowd(work, Random(1))  # noqa: S311  # repeatable
    with work_as("anna") as work:
        assert statements_of(work, things) == few == MOST_STATEMENTS


@pytest.mark.parametrize("question", ["select * from app_sights()", "select app_viewers('contact', :row)"])
def test_nobody_is_entered_to_find_out_what_they_see(superuser_engine: Engine, cast: Cast, question: str) -> None:
    with superuser_engine.connect() as connection:
        connection.execute(text("set local track_functions = 'pl'"))
        connection.execute(text("set local role centrala_app"))
        entering = {"tenant": cast.demo.tenant_id, "user": cast.demo.users["anna"]}
        connection.execute(text("select app_enter(:tenant, :user)"), entering)
        contact = connection.execute(MADE, {"database": cast.demo.open_database}).scalar()
        calls = text("select pg_stat_get_xact_function_calls('app_enter'::regproc)")
        before = connection.execute(calls).scalar()
        rows = connection.execute(text(question), {"row": contact} if ":row" in question else {}).all()
        assert len(rows) == len(cast.demo.users)
        assert connection.execute(calls).scalar() == before == 1
        connection.rollback()


def test_a_policy_that_decides_otherwise_is_noticed(superuser_engine: Engine, cast: Cast) -> None:
    with superuser_engine.connect() as connection:
        contact = connection.execute(MADE, {"database": cast.demo.open_database}).scalar()
        connection.execute(text("alter policy visibility on contact using (true)"))
        connection.execute(text("set local role centrala_app"))
        entering = {"tenant": cast.demo.tenant_id, "user": cast.demo.users["anna"]}
        connection.execute(text("select app_enter(:tenant, :user)"), entering)
        with pytest.raises(ProgrammingError, match="the policy of contact is not decided by database_id"):
            connection.execute(text("select app_viewers('contact', :row)"), {"row": contact}).all()
        connection.rollback()


def test_the_question_is_asked_only_of_rows_whose_deciding_thing_is_known(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        for relation in ROWS:
            assert work.session.scalars(select(func.app_viewers(relation, 2**40))).all() == []
        with pytest.raises(DataError, match="nobody asks who sees a row"), work.session.begin_nested():
            work.session.scalars(select(func.app_viewers("user_account", 1))).all()

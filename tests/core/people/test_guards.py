"""Whoever manages people gets no more than they have, and an owner always remains."""

from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.foundation.actor import Actor
from core.foundation.errors import Conflict, Forbidden, Invalid
from core.foundation.unit_of_work import Work, unit_of_work
from core.identity.models import UserGroupMember
from core.identity.permission_groups import GroupDraft, change_permission_group, permission_group
from core.identity.user_groups import create_user_group
from core.people.accounts import add_person, change_person
from core.people.guards import permission_choices, user_group_choices
from core.people.invitations import send_invitation
from core.people.leaving import block_person, delete_person
from core.people.queries import person
from core.people.rights import rights_of
from core.visibility.kinds import Kind
from core.visibility.sights import sights
from tests.conftest import WorkAs
from tests.support.cast import AGENT, Cast
from tests.support.colleagues import (
    MANAGER,
    MANAGES,
    NEW_PASSWORD,
    account,
    add_manager,
    draft,
    group_called,
    user_group_called,
)

Act = Callable[[Work, int], None]
OWNERS_ONLY = [pytest.param(block_person, id="block"), pytest.param(delete_person, id="delete")]


@pytest.fixture
def marie(work_as: WorkAs, cast: Cast) -> Actor:
    """Who manages people, lines and customers, and is no owner."""
    with work_as("system") as work:
        return add_manager(work, cast)


def stored(work: Work, user_id: int) -> dict[str, Any]:
    """What the form posts of somebody unchanged."""
    found = person(work, user_id)
    row = found.row
    return {
        "email": row.email, "name": row.name, "permission_group_id": row.permission_group_id,
        "groups": tuple(found.group_ids),
    }  # fmt: skip


def test_a_manager_creates_people_who_may_no_more_than_they(work_as: WorkAs, marie: Actor) -> None:
    with unit_of_work(marie) as work:
        assert {choice.name for choice in permission_choices(work) if choice.is_assignable} == {
            "Agents", "Readers", "Managers",
        }  # fmt: skip
        add_person(work, draft(work))
        for values in (
            {"permission_group_id": group_called(work, "Owners")},
            {"groups": (user_group_called(work, "Board"),)},
        ):
            with pytest.raises(Invalid, match="Only an owner"):
                add_person(work, draft(work, email="second@demo.localhost", **values))


def test_a_group_below_one_that_shows_more_shows_more_too(work_as: WorkAs, cast: Cast, marie: Actor) -> None:
    with work_as("anna") as work:
        board = user_group_called(work, "Board")
        assistants = create_user_group(work, "Assistants", parent_id=board)
    with unit_of_work(marie) as work:
        closed = {choice.id for choice in user_group_choices(work) if not choice.is_assignable}
        assert closed == {board, assistants, user_group_called(work, "Lawyers")}
    with work_as("system") as work:
        work.session.add(UserGroupMember(user_id=marie.user_id, user_group_id=assistants))
    with unit_of_work(marie) as work:
        assert {choice.name for choice in user_group_choices(work) if not choice.is_assignable} == {"Lawyers"}


def test_nobody_but_an_owner_changes_their_own_rights(work_as: WorkAs, cast: Cast, marie: Actor) -> None:
    own = int(marie.user_id or 0)
    with unit_of_work(marie) as work:
        mine = stored(work, own)
        for values in (
            {"permission_group_id": group_called(work, "Agents")},
            {"permission_group_id": group_called(work, "Owners")},
            {"groups": (user_group_called(work, "Board"),)},
        ):
            with pytest.raises(Invalid, match="You cannot change your own rights"):
                change_person(work, own, draft(work, **{**mine, **values}))
        with pytest.raises(Invalid, match="Change your own password"):
            again = {"password": NEW_PASSWORD, "password_again": NEW_PASSWORD}
            change_person(work, own, draft(work, **{**mine, **again}))
        change_person(work, own, draft(work, **{**mine, "name": "Marie Krátká"}))
    with work_as("anna") as work:
        anna = cast.demo.users["anna"]
        change_person(work, anna, draft(work, **{**stored(work, anna), "groups": (user_group_called(work, "Board"),)}))
        assert "Board" in person(work, anna).row.user_groups


def test_whoever_has_more_cannot_be_changed_blocked_deleted_or_invited(
    work_as: WorkAs, cast: Cast, marie: Actor
) -> None:
    with work_as("system") as work:
        work.session.add(
            UserGroupMember(user_id=cast.demo.users["vera"], user_group_id=user_group_called(work, "Board"))
        )
    with unit_of_work(marie) as work:
        for name in ("anna", "vera"):
            user_id = cast.demo.users[name]
            assert not person(work, user_id).is_changeable
            for act in (block_person, delete_person, send_invitation):
                with pytest.raises(Forbidden):
                    act(work, user_id)
            with pytest.raises(Forbidden):
                change_person(work, user_id, draft(work, **stored(work, user_id)))
        block_person(work, cast.demo.users["boris"])


@pytest.mark.parametrize("missing", sorted(MANAGES))
def test_each_right_is_asked_for_by_itself(work_as: WorkAs, cast: Cast, missing: str) -> None:
    with work_as("system") as work:
        actor = add_manager(work, cast, MANAGER - {missing})
    boris = cast.demo.users["boris"]
    acts: dict[str, Callable[[Work], object]] = {
        "people.read": lambda work: person(work, boris),
        "people.manage": lambda work: add_person(work, draft(work)),
        "people.block": lambda work: block_person(work, boris),
        "people.delete": lambda work: delete_person(work, boris),
    }
    with unit_of_work(actor) as work:
        for right, act in acts.items():
            if right == missing:
                with pytest.raises(Forbidden):
                    act(work)


# The last owner


@pytest.mark.parametrize("act", OWNERS_ONLY)
def test_nobody_locks_themselves_out(work_as: WorkAs, cast: Cast, act: Act) -> None:
    with work_as("anna") as work, pytest.raises(Conflict, match="to yourself"):
        act(work, cast.demo.users["anna"])


@pytest.mark.parametrize("act", OWNERS_ONLY)
def test_the_last_owner_is_neither_blocked_nor_deleted(work_as: WorkAs, cast: Cast, act: Act) -> None:
    with work_as("system") as work:
        with pytest.raises(Conflict, match="the last owner"):
            act(work, cast.demo.users["anna"])
        invited = add_person(work, draft(work, permission_group_id=group_called(work, "Owners")))
        with pytest.raises(Conflict, match="the last owner"):  # nobody can sign in as the other one yet
            act(work, cast.demo.users["anna"])
        again = {"password": NEW_PASSWORD, "password_again": NEW_PASSWORD}
        change_person(work, invited.user_id, draft(work, **{**stored(work, invited.user_id), **again}))
        act(work, cast.demo.users["anna"])
        assert account(work, cast.demo.users["anna"]).is_blocked


def test_the_last_owner_is_not_demoted(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        anna, agents = cast.demo.users["anna"], group_called(work, "Agents")
        with pytest.raises(Conflict, match="the last owner"):
            change_person(work, anna, draft(work, **{**stored(work, anna), "permission_group_id": agents}))
    with work_as("system") as work:
        group = permission_group(work, agents)
        wanted = GroupDraft(name=group.name, permissions=group.permissions, users=frozenset({anna}))
        with pytest.raises(Invalid, match="Somebody must remain an owner"):
            change_permission_group(work, agents, wanted)


@pytest.mark.parametrize(
    "statement",
    [
        "update user_account set is_blocked = true where id = :anna",
        "update user_account set password_hash = null where id = :anna",
        "update user_account set permission_group_id = null, deleted_at = now(), is_blocked = true where id = :anna",
        "delete from user_account where id = :anna",
    ],
)
def test_the_database_keeps_the_last_owner_whatever_the_code_does(committed: Cast, statement: str) -> None:
    with pytest.raises(DBAPIError, match="the last owner stays one"), unit_of_work(committed.actor("anna")) as work:
        work.session.execute(text(statement), {"anna": committed.demo.users["anna"]})
    with unit_of_work(committed.actor("anna")) as work:
        assert not account(work, committed.demo.users["anna"]).is_blocked


def test_of_two_owners_who_send_each_other_away_one_stays(committed: Cast) -> None:
    with unit_of_work(committed.actor("anna")) as work:
        again = {"password": NEW_PASSWORD, "password_again": NEW_PASSWORD, "way": "password"}
        second = add_person(work, draft(work, permission_group_id=group_called(work, "Owners"), **again)).user_id
    anna, barrier = committed.demo.users["anna"], Barrier(2)
    eva = Actor(
        tenant_id=committed.demo.tenant_id, user_id=second, door=committed.actor("anna").door,
        permissions=committed.actor("anna").permissions,
    )  # fmt: skip
    refused: list[str] = []

    def send_away(actor: Actor, user_id: int) -> None:
        try:
            with unit_of_work(actor) as work:
                work.session.execute(text("select 1"))
                barrier.wait(10)
                block_person(work, user_id)
        except (Conflict, Forbidden, DBAPIError) as error:
            refused.append(str(error))

    threads = [Thread(target=send_away, args=pair) for pair in ((committed.actor("anna"), second), (eva, anna))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(refused) == 1
    with unit_of_work(committed.actor("anna")) as work:
        assert [account(work, user_id).is_blocked for user_id in (anna, second)].count(False) == 1


# What somebody sees, and why


@pytest.mark.parametrize("name", ["boris", "vera"])
def test_what_a_persons_page_shows_is_what_they_see(work_as: WorkAs, cast: Cast, name: str) -> None:
    with work_as("anna") as work:
        board = user_group_called(work, "Board")
        work.session.add(UserGroupMember(user_id=cast.demo.users["vera"], user_group_id=board))
        work.session.flush()
        rights = rights_of(work, cast.demo.users[name])
        sight = next(found for found in sights(work) if found.person.id == cast.demo.users[name])
        assert sight.seen is not None
        for kind in Kind:
            assert len([seen for seen in rights.seen if seen.kind is kind]) == len(sight.seen[kind])
        through = {seen.name: list(seen.through) for seen in rights.seen if not seen.everyone_sees}
        assert through == ({"Board": ["Board"]} if name == "vera" else {})
        assert rights.group.permissions == (AGENT if name == "boris" else rights.group.permissions)

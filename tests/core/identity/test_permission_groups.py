"""Permission groups: everybody in exactly one, and only owners decide what one may do."""

from dataclasses import replace

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from core.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from core.foundation.history import Change
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work, unit_of_work
from core.identity.models import PermissionGroup, UserAccount
from core.identity.permission_groups import (
    GroupDraft,
    PermissionGroupRow,
    add_permission_group,
    change_permission_group,
    compare_groups,
    delete_permission_group,
    permission_group,
    permission_groups,
)
from core.identity.service import create_owner_group, create_permission_group
from tests.conftest import WorkAs
from tests.support.cast import Cast

READ = frozenset({Permission.CONTACTS_READ, Permission.TICKETS_READ})


def row_of(work: Work, name: str) -> PermissionGroupRow:
    """The group of this name."""
    return next(row for row in permission_groups(work) if row.name == name)


def changes_of(work: Work, kind: str, subject_id: int) -> list[Change]:
    """The history of one thing, oldest first."""
    query = select(Change).where(Change.subject_kind == kind, Change.subject_id == subject_id).order_by(Change.id)
    return list(work.session.scalars(query))


def test_whoever_is_put_into_a_group_leaves_the_one_before(work_as: WorkAs, cast: Cast) -> None:
    vera = cast.demo.users["vera"]
    with work_as("anna") as work:
        agents = row_of(work, "Agents").user_count
        readers = row_of(work, "Readers")
        made = add_permission_group(work, GroupDraft(name="  Field   reps ", permissions=READ, users=frozenset({vera})))
        found = permission_group(work, made)
        assert (found.name, found.permissions, [user.id for user in found.users]) == ("Field reps", READ, [vera])
        assert (row_of(work, "Agents").user_count, row_of(work, "Readers").user_count) == (agents, 0)
        [created] = changes_of(work, "permission_group", made)
        assert created.fields["permissions"] == [None, sorted(READ)]
        [moved] = changes_of(work, "user", vera)[-1:]
        assert moved.fields == {"permission_group_id": [readers.id, made]}
        assert moved.user_id == cast.demo.users["anna"]


def test_the_database_lets_nobody_be_without_a_group(work_as: WorkAs, cast: Cast) -> None:
    with pytest.raises(IntegrityError), work_as("system") as work:
        statement = text("update user_account set permission_group_id = null where id = :id")
        work.session.execute(statement, {"id": cast.demo.users["vera"]})


def test_a_group_is_changed_at_any_time_with_before_and_after(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        readers = row_of(work, "Readers").id
        change_permission_group(work, readers, GroupDraft(name="Readers", permissions=READ))
        assert permission_group(work, readers).permissions == READ
        [change] = changes_of(work, "permission_group", readers)[-1:]
        assert change.fields["permissions"][1] == sorted(READ)
        assert "contacts.read" in change.fields["permissions"][0]


def test_a_permission_of_a_later_release_stays(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        readers = row_of(work, "Readers").id
        work.session.execute(
            text("insert into permission_grant (permission_group_id, permission) values (:id, 'deals.read')"),
            {"id": readers},
        )
        change_permission_group(work, readers, GroupDraft(name="Readers", permissions=READ))
        kept = text("select count(*) from permission_grant where permission = 'deals.read'")
        assert work.session.scalar(kept) == 1
        assert row_of(work, "Readers").permission_count == 2


def test_a_group_with_users_is_not_deleted(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        readers = row_of(work, "Readers").id
        with pytest.raises(Conflict, match=r"people are in this group \(1\)"):
            delete_permission_group(work, readers)
        agents = row_of(work, "Agents")
        draft = GroupDraft(name="Agents", permissions=READ, users=frozenset({cast.demo.users["vera"]}))
        change_permission_group(work, agents.id, draft)
        delete_permission_group(work, readers)
        assert [row.name for row in permission_groups(work)] == ["Owners", "Agents"]
        assert changes_of(work, "permission_group", readers)[-1].fields["name"] == ["Readers", None]


@pytest.mark.parametrize("held", [frozenset({Permission.PEOPLE_MANAGE}), frozenset(Permission)])
def test_nobody_but_an_owner_builds_groups_whatever_they_may_do(
    work_as: WorkAs, cast: Cast, held: frozenset[Permission]
) -> None:
    with work_as("anna") as work:
        agents = row_of(work, "Agents").id
        change_permission_group(work, agents, GroupDraft(name="Agents", permissions=held))
    with work_as("boris") as work:
        for forbidden in (
            lambda: add_permission_group(work, GroupDraft(name="Mine", permissions=READ)),
            lambda: change_permission_group(work, agents, GroupDraft(name="Agents", permissions=frozenset(Permission))),
            lambda: delete_permission_group(work, agents),
            lambda: create_permission_group(work, "Mine", permissions=READ),
            lambda: create_owner_group(work, "Mine"),
        ):
            with pytest.raises(Forbidden):
                forbidden()


def test_the_owners_group_stays_what_it_is(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        owners = row_of(work, "Owners")
        assert (owners.permission_count, owners.is_owner) == (len(Permission), True)
        for name, permissions in (("Owners", READ), ("Bosses", frozenset(Permission))):
            with pytest.raises(Conflict, match="always may do everything"):
                change_permission_group(work, owners.id, GroupDraft(name=name, permissions=permissions))
        with pytest.raises(Conflict, match="cannot be deleted"):
            delete_permission_group(work, owners.id)


def test_a_second_owner_is_made_and_nobody_moves_themselves(work_as: WorkAs, cast: Cast) -> None:
    anna, boris = cast.demo.users["anna"], cast.demo.users["boris"]
    with work_as("anna") as work:
        owners, agents = row_of(work, "Owners"), row_of(work, "Agents")
        with pytest.raises(Invalid, match="You cannot move yourself"):
            change_permission_group(
                work, agents.id, GroupDraft(name="Agents", permissions=READ, users=frozenset({anna}))
            )
        draft = GroupDraft(name="Owners", permissions=frozenset(Permission), users=frozenset({boris}))
        change_permission_group(work, owners.id, draft)
        assert row_of(work, "Owners").user_count == 2
    promoted = replace(cast.actor("boris"), permissions=frozenset(Permission))
    with unit_of_work(promoted) as work:
        change_permission_group(work, agents.id, GroupDraft(name="Agents", permissions=READ, users=frozenset({anna})))
    with pytest.raises(Forbidden), work_as("anna") as work:
        add_permission_group(work, GroupDraft(name="Mine", permissions=READ))


def test_the_last_owner_cannot_be_moved_away(work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        agents = work.session.scalars(select(PermissionGroup).where(PermissionGroup.name == "Agents")).one()
        draft = GroupDraft(name="Agents", permissions=READ, users=frozenset({cast.demo.users["anna"]}))
        with pytest.raises(Invalid, match="Somebody must remain an owner"):
            change_permission_group(work, agents.id, draft)


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (GroupDraft(name=" \u200b ", permissions=READ), "name"),
        (GroupDraft(name="x" * 81, permissions=READ), "name"),
        (GroupDraft(name="READERS", permissions=READ), "name"),
        (GroupDraft(name="New", permissions=frozenset()), "permissions"),
        (GroupDraft(name="New", permissions=READ, users=frozenset({2**40})), "users"),
    ],
)
def test_a_group_that_cannot_be_is_refused_at_its_field(work_as: WorkAs, draft: GroupDraft, field: str) -> None:
    with pytest.raises(Invalid) as refused, work_as("anna") as work:
        add_permission_group(work, draft)
    assert set(refused.value.problems) == {field}


@pytest.mark.attack(2)
def test_another_companys_users_and_groups_are_not_found(work_as: WorkAs, cast: Cast) -> None:
    with work_as("oleg") as work:
        theirs = row_of(work, "Readers").id
    with work_as("anna") as work:
        for act in (
            lambda: permission_group(work, theirs),
            lambda: change_permission_group(work, theirs, GroupDraft(name="Mine", permissions=READ)),
            lambda: delete_permission_group(work, theirs),
        ):
            with pytest.raises(NotFound):
                act()
        draft = GroupDraft(name="Mine", permissions=READ, users=frozenset({cast.other.users["vera"]}))
        with pytest.raises(Invalid, match="no such user"):
            add_permission_group(work, draft)
    with work_as("other system") as work:
        assert work.session.get_one(UserAccount, cast.other.users["vera"]).permission_group_id == theirs


def test_two_groups_are_compared_in_four_parts(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        first = permission_group(work, row_of(work, "Readers").id)
        second = permission_group(
            work, add_permission_group(work, GroupDraft(name="Callers", permissions=frozenset({Permission.CALLS_MAKE})))
        )
    told = compare_groups(first, second)
    assert told.only_second == {Permission.CALLS_MAKE}
    assert told.only_first == first.permissions
    assert told.both == frozenset()
    parts = (told.only_first, told.only_second, told.both, told.neither)
    assert sum(map(len, parts)) == len(Permission)

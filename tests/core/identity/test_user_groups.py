"""User groups: a tree with one permanent root to which everybody belongs."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from core.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from core.foundation.history import Change
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work, unit_of_work
from core.identity.service import position_group
from core.identity.user_groups import (
    UserGroupNode,
    create_user_group,
    delete_user_group,
    groups_of_user,
    move_user_group,
    rename_user_group,
    set_groups_of_user,
    user_group,
    user_groups,
)
from tests.conftest import WorkAs
from tests.support.cast import Cast

LEAVING = (
    "delete from user_group_member where user_id = :user",
    """update user_group_member set user_group_id = (select id from user_group where name = 'Board')
        where user_id = :user""",
)


def names(work: Work) -> list[str]:
    """The tree as text: a dash for every step below a root."""
    return ["-" * node.depth + node.name for node in user_groups(work)]


def branches(work: Work) -> UserGroupNode:
    """Foreign branches with three countries."""
    parent = create_user_group(work, "Foreign branches")
    for country in ("France", "Germany", "USA"):
        create_user_group(work, country, parent_id=parent)
    return user_group(work, parent)


def ids(work: Work) -> dict[str, int]:
    """The groups by name."""
    return {node.name: node.id for node in user_groups(work)}


def test_subgroups_stand_below_their_group_in_the_order_of_their_making(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        branches(work)
        assert names(work)[0] == "Position"
        assert names(work)[-4:] == ["Foreign branches", "-France", "-Germany", "-USA"]
        assert user_group(work, ids(work)["USA"]).path == ("Foreign branches",)


def test_groups_are_reordered_and_moved_with_all_below_them(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        parent = branches(work)
        known = ids(work)
        move_user_group(work, known["USA"], parent_id=parent.id, before_id=known["France"])
        assert names(work)[-4:] == ["Foreign branches", "-USA", "-France", "-Germany"]
        move_user_group(work, known["Germany"], parent_id=known["USA"])
        assert names(work)[-4:] == ["Foreign branches", "-USA", "--Germany", "-France"]
        move_user_group(work, known["USA"], parent_id=None, before_id=known["Board"])
        assert names(work) == ["Position", "USA", "-Germany", "Board", "Lawyers", "Foreign branches", "-France"]
        changes = work.session.scalars(
            select(Change).where(Change.subject_id == known["USA"]).order_by(Change.id)
        ).all()
        assert changes[-1].fields == {"parent_id": [parent.id, None]}


def test_a_group_never_stands_below_itself(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        parent = branches(work)
        known = ids(work)
        for below in (parent.id, known["USA"]):
            with pytest.raises(Invalid, match="cannot stand below itself"):
                move_user_group(work, parent.id, parent_id=below)
        with pytest.raises(IntegrityError, match="below itself"), work.session.begin_nested():
            statement = text("update user_group set parent_id = :child where id = :id")
            work.session.execute(statement, {"child": known["USA"], "id": parent.id})


def test_position_is_permanent(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        position = position_group(work)
        with pytest.raises(Conflict, match="permanent"):
            rename_user_group(work, position, "Job")
        with pytest.raises(Conflict, match="permanent"):
            move_user_group(work, position, parent_id=None)
        with pytest.raises(Conflict, match="permanent"):
            delete_user_group(work, position)
        with pytest.raises(IntegrityError, match="permanent"), work.session.begin_nested():
            work.session.execute(text("delete from user_group where id = :id"), {"id": position})


def test_everybody_belongs_to_position_and_to_any_number_of_others(work_as: WorkAs, cast: Cast) -> None:
    boris = cast.demo.users["boris"]
    with work_as("anna") as work:
        position, known = position_group(work), ids(work)
        set_groups_of_user(work, boris, [known["Board"], known["Lawyers"]])
        assert groups_of_user(work, boris) == {position, known["Board"], known["Lawyers"]}
        set_groups_of_user(work, boris, [])
        assert groups_of_user(work, boris) == {position}
        managers = create_user_group(work, "Managers", parent_id=position)
        set_groups_of_user(work, boris, [managers])
        assert groups_of_user(work, boris) == {managers}
        move_user_group(work, managers, parent_id=None)
        assert groups_of_user(work, boris) == {managers, position}


@pytest.mark.parametrize("statement", LEAVING)
def test_the_database_lets_nobody_be_without_position(work_as: WorkAs, cast: Cast, statement: str) -> None:
    with pytest.raises(IntegrityError, match="belongs to the group Position"), work_as("system") as work:
        work.session.execute(text(statement), {"user": cast.demo.users["boris"]})
        work.session.execute(text("set constraints all immediate"))


def test_a_new_group_is_there_for_every_users_form(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        before = set(ids(work))
        create_user_group(work, "Night shift", parent_id=position_group(work))
        assert set(ids(work)) - before == {"Night shift"}


def test_a_group_is_deleted_only_when_nobody_and_nothing_is_in_it(work_as: WorkAs, cast: Cast) -> None:
    boris = cast.demo.users["boris"]
    with work_as("anna") as work:
        parent = branches(work)
        usa = ids(work)["USA"]
        set_groups_of_user(work, boris, [usa])
        with pytest.raises(Conflict, match=r"people are in this group \(1\)"):
            delete_user_group(work, usa)
        with pytest.raises(Conflict, match=r"groups below it \(3\)"):
            delete_user_group(work, parent.id)
        set_groups_of_user(work, boris, [])
        delete_user_group(work, usa)
        assert "USA" not in ids(work)


def test_people_are_counted_once_though_they_are_in_several_groups_below(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        parent = branches(work)
        known = ids(work)
        set_groups_of_user(work, cast.demo.users["boris"], [known["USA"], known["France"]])
        set_groups_of_user(work, cast.demo.users["vera"], [parent.id])
        found = user_group(work, parent.id)
        assert (found.member_count, found.people_count) == (1, 2)
        assert [member.name for member in user_group(work, known["USA"]).members] == ["Boris Nováková"]


@pytest.mark.parametrize(
    ("typed", "words"), [(" ", "needs a name"), ("france", "in the same place"), ("x" * 81, "at most 80")]
)
def test_a_name_that_cannot_be_is_refused(work_as: WorkAs, typed: str, words: str) -> None:
    with work_as("anna") as work:
        parent = branches(work)
        with pytest.raises(Invalid, match=words):
            create_user_group(work, typed, parent_id=parent.id)
        with pytest.raises(Invalid, match=words):
            rename_user_group(work, ids(work)["Germany"], typed)


def test_agents_change_no_group(work_as: WorkAs) -> None:
    with work_as("boris") as work:
        known = {name: group_id for group_id, name in work.session.execute(text("select id, name from user_group"))}
        for act in (
            lambda: user_groups(work),
            lambda: create_user_group(work, "Mine"),
            lambda: rename_user_group(work, known["Board"], "Mine"),
            lambda: move_user_group(work, known["Board"], parent_id=None),
            lambda: delete_user_group(work, known["Board"]),
            lambda: set_groups_of_user(work, 1, [known["Board"]]),
        ):
            with pytest.raises(Forbidden):
                act()


@pytest.mark.attack(2)
def test_another_companys_group_is_not_found(work_as: WorkAs, cast: Cast) -> None:
    with work_as("oleg") as work:
        theirs = ids(work)["Board"]
    with work_as("anna") as work:
        board, before = ids(work)["Board"], work.session.scalar(select(func.count()).select_from(Change))
        for act in (
            lambda: rename_user_group(work, theirs, "Mine"),
            lambda: move_user_group(work, theirs, parent_id=None),
            lambda: delete_user_group(work, theirs),
            lambda: user_group(work, theirs),
        ):
            with pytest.raises(NotFound):
                act()
        for refused in (
            lambda: move_user_group(work, board, parent_id=theirs),
            lambda: create_user_group(work, "Mine", parent_id=theirs),
            lambda: set_groups_of_user(work, cast.demo.users["boris"], [theirs]),
        ):
            with pytest.raises(Invalid, match="no such group"):
                refused()
        assert work.session.scalar(select(func.count()).select_from(Change)) == before


@pytest.mark.attack(57)
def test_nobody_but_an_owner_chooses_their_own_groups(work_as: WorkAs, cast: Cast) -> None:
    anna, vera = cast.demo.users["anna"], cast.demo.users["vera"]
    with work_as("anna") as work:
        known, before = ids(work), groups_of_user(work, vera)
        set_groups_of_user(work, anna, [known["Board"]])
        assert known["Board"] in groups_of_user(work, anna)
    manager = replace(cast.actor("vera"), permissions=frozenset({Permission.PEOPLE_MANAGE}))
    with unit_of_work(manager) as work:
        with pytest.raises(Invalid, match="cannot change your own groups"):
            set_groups_of_user(work, vera, [known["Board"]])
        set_groups_of_user(work, vera, before)  # the same choice, as a form sends it
        set_groups_of_user(work, cast.demo.users["boris"], [known["Board"]])
        assert groups_of_user(work, vera) == before


@pytest.mark.attack(57)
def test_nobody_but_an_owner_moves_a_group_they_belong_to(work_as: WorkAs, cast: Cast) -> None:
    vera = cast.demo.users["vera"]
    with work_as("anna") as work:
        parent = branches(work)
        known = ids(work)
        set_groups_of_user(work, vera, [known["USA"]])
    manager = replace(cast.actor("vera"), permissions=frozenset({Permission.PEOPLE_MANAGE}))
    with unit_of_work(manager) as work:
        for own in (known["USA"], parent.id):
            with pytest.raises(Invalid, match="only an owner can put it elsewhere"):
                move_user_group(work, own, parent_id=known["Board"])
        move_user_group(work, known["USA"], parent_id=parent.id, before_id=known["France"])
        move_user_group(work, known["Germany"], parent_id=known["Board"])
    with work_as("anna") as work:
        move_user_group(work, known["USA"], parent_id=known["Board"])

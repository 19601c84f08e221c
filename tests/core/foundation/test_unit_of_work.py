"""A transaction sees one tenant, commits as a whole or not at all."""

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import ProgrammingError

from core.directory.models import ContactDatabase
from core.foundation import db
from core.foundation.unit_of_work import outside_tenants, unit_of_work
from core.identity.models import PermissionGroup, UserAccount
from tests.conftest import WorkAs
from tests.support.cast import Cast


def test_each_tenant_sees_only_its_own_rows(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        demo = set(work.session.scalars(select(UserAccount.tenant_id)))
    with work_as("oleg") as work:
        other = set(work.session.scalars(select(UserAccount.tenant_id)))
    assert demo == {cast.demo.tenant_id}
    assert other == {cast.other.tenant_id}


def test_without_a_tenant_nothing_is_visible(cast: Cast) -> None:
    with outside_tenants() as session:
        assert session.scalar(select(func.count()).select_from(UserAccount)) == 0


def test_after_the_commit_the_same_connection_sees_nothing(committed: Cast) -> None:
    with unit_of_work(committed.actor("anna")) as work:
        assert work.session.scalar(select(func.count()).select_from(UserAccount))
    with db.engine().connect() as connection:
        assert connection.scalar(text("select count(*) from user_account")) == 0


def test_an_exception_rolls_everything_back(committed: Cast) -> None:
    with pytest.raises(RuntimeError), unit_of_work(committed.actor("anna")) as work:
        work.session.add(PermissionGroup(name="Half done"))
        work.session.flush()
        raise RuntimeError
    with unit_of_work(committed.actor("anna")) as work:
        query = select(PermissionGroup).where(PermissionGroup.name == "Half done")
        assert work.session.scalars(query).all() == []


def test_a_row_cannot_be_written_into_another_tenant(work_as: WorkAs, cast: Cast) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), work_as("oleg") as work:
        work.session.add(ContactDatabase(name="Planted", tenant_id=cast.demo.tenant_id))
        work.session.flush()


@pytest.mark.attack(57)
def test_a_closed_database_is_unseen_without_a_grant(work_as: WorkAs, cast: Cast) -> None:
    query = select(ContactDatabase.id)
    with work_as("boris") as work:
        assert set(work.session.scalars(query)) == {cast.demo.open_database}
    with work_as("anna") as work:
        assert set(work.session.scalars(query)) == {cast.demo.open_database, cast.demo.closed_database}


def test_a_grant_reaches_the_groups_below(work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        board = work.session.scalar(text("select id from user_group where name = 'Board'"))
        child = work.session.scalar(
            text("insert into user_group (name, parent_id) values ('Assistants', :board) returning id"),
            {"board": board},
        )
        work.session.execute(
            text("insert into user_group_member (user_id, user_group_id) values (:boris, :child)"),
            {"boris": cast.demo.users["boris"], "child": child},
        )
    with work_as("boris") as work:
        assert cast.demo.closed_database in set(work.session.scalars(select(ContactDatabase.id)))

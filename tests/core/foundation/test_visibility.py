"""What is granted to others is not there: neither to the services nor to plain SQL."""

from dataclasses import asdict

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from core.foundation.actor import Actor, Door, UserId
from core.foundation.unit_of_work import Work, unit_of_work
from tests.conftest import WorkAs
from tests.support.cast import Cast
from tests.support.things import Things, create_things

TABLES = ("contact", "company", "ticket", "activity", "attachment", "mail_message", "inbound_mail", "outbound_mail",
          "contact_email", "mail_participant", "contact_database", "ticket_category", "queue")  # fmt: skip


@pytest.fixture
def things(work_as: WorkAs, cast: Cast) -> Things:
    """One of everything, in what everybody of the demo company sees."""
    with work_as("system") as work:
        return create_things(work, cast.demo)


def counts(work: Work) -> dict[str, int]:
    """How many rows of each table plain SQL sees."""
    return {table: work.session.scalar(text(f"select count(*) from {table}")) or 0 for table in TABLES}


def close_everything(work: Work) -> None:
    """Let nothing of the company be open to all."""
    for table in ("contact_database", "ticket_category", "queue"):
        work.session.execute(text(f"update {table} set everyone_sees = false"))


@pytest.mark.attack(57)
def test_an_agent_without_grants_sees_no_row_of_anything(work_as: WorkAs, things: Things) -> None:
    with work_as("system") as work:
        close_everything(work)
        assert all(count or table == "mail_participant" for table, count in counts(work).items())
    with work_as("boris") as work:
        assert counts(work) == dict.fromkeys(TABLES, 0)


@pytest.mark.attack(57)
def test_the_owner_sees_all_rows_of_the_company(work_as: WorkAs, things: Things) -> None:
    with work_as("system") as work:
        close_everything(work)
        everything = counts(work)
    with work_as("anna") as work:
        assert counts(work) == everything


@pytest.mark.attack(1)
def test_another_companys_owner_sees_none_of_it(work_as: WorkAs, things: Things) -> None:
    with work_as("oleg") as work:
        for table in ("contact", "company", "ticket", "activity", "attachment", "inbound_mail", "outbound_mail"):
            ids = list(asdict(things).values())
            query = text(f"select count(*) from {table} where id = any(:ids) and tenant_id <> app_tenant()")
            assert work.session.scalar(query, {"ids": ids}) == 0


@pytest.mark.attack(57)
@pytest.mark.parametrize(
    "statement", ["update contact set name = 'x' where id = :id", "delete from contact where id = :id"]
)
def test_what_is_hidden_cannot_be_changed(work_as: WorkAs, things: Things, statement: str) -> None:
    with work_as("boris") as work:
        assert work.session.execute(text(statement), {"id": things.hidden_contact}).rowcount == 0  # type: ignore[attr-defined]  # of a cursor


@pytest.mark.attack(57)
def test_nothing_can_be_moved_out_of_ones_own_sight(work_as: WorkAs, cast: Cast, things: Things) -> None:
    with pytest.raises(ProgrammingError, match="row-level security"), work_as("boris") as work:
        work.session.execute(
            text("update contact set database_id = :closed where id = :id"),
            {"closed": cast.demo.closed_database, "id": things.contact},
        )


@pytest.mark.attack(2)
def test_a_link_to_another_companys_row_cannot_be_stored(work_as: WorkAs, cast: Cast, things: Things) -> None:
    foreign = cast.other.open_database
    with pytest.raises(IntegrityError), work_as("anna") as work:
        work.session.execute(
            text("update contact set database_id = :foreign where id = :id"), {"foreign": foreign, "id": things.contact}
        )
        work.session.execute(text("set constraints all immediate"))


@pytest.mark.attack(1)
def test_a_user_id_of_another_company_brings_no_sight_along(cast: Cast, work_as: WorkAs, things: Things) -> None:
    """Oleg owns his company; under the demo company's name he is nobody."""
    oleg = Actor(tenant_id=cast.demo.tenant_id, user_id=UserId(cast.other.users["oleg"]), door=Door.WEB)
    with unit_of_work(oleg) as work:
        query = text("select count(*) from contact where id = :id")
        assert work.session.scalar(query, {"id": things.hidden_contact}) == 0

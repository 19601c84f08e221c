"""The demo companies: what the tour of the product, and many journeys, stand on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from core.foundation.actor import Actor, Door, TenantId, UserId
from core.foundation.unit_of_work import unit_of_work
from core.tickets.models import TicketCategory
from deploy.local.demo.companies import AGENT
from deploy.local.demo.load import load_demo
from deploy.local.demo.words import LANGUAGES
from deploy.local.postgres import Postgres
from tests.support.database import environment_for, migrate, using

Rows = list[tuple[Any, ...]]


class Demo:
    """The loaded database, looked at by somebody who sees everything."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self.connection = connection

    def rows(self, query: str) -> Rows:
        """The answer to a query."""
        return self.connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def demo(server: tuple[Postgres, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A database with the demo companies, loaded once."""
    postgres, _folder = server
    postgres.create_database("demo")
    environment = environment_for(postgres, "demo", tmp_path_factory.mktemp("demo"))
    migrate(environment["CENTRALA_OWNER_DATABASE_URL"])
    with using(environment):
        load_demo()
        with postgres.superuser_connection("demo") as connection:
            yield Demo(connection)
    postgres.drop_database("demo")


def test_two_companies_share_user_names(demo: Demo) -> None:
    names = demo.rows("""
        select host, array_agg(split_part(email, '@', 1) order by email)
        from tenant_host join user_account using (tenant_id) group by host order by host""")
    assert names == [("demo.localhost", ["anna", "boris", "vera"]), ("other.localhost", ["boris", "oleg", "vera"])]


@pytest.mark.parametrize(("table", "count"), [("contact", 300), ("company", 60), ("ticket", 80)])
def test_the_first_company_is_as_large_as_promised(demo: Demo, table: str, count: int) -> None:
    found = demo.rows(f"select count(*) from {table} join tenant_host using (tenant_id) where host = 'demo.localhost'")
    assert found == [(count,)]


def test_customers_write_in_three_languages(demo: Demo) -> None:
    countries = demo.rows("select distinct country from contact order by country")
    assert [country for (country,) in countries] == sorted(language.country for language in LANGUAGES.values())


def test_tickets_are_in_every_state_and_some_are_nobodys(demo: Demo) -> None:
    found = demo.rows("select status, count(*) from ticket group by status order by status")
    assert [status for status, _count in found] == ["closed", "open", "waiting"]
    assert all(count >= 5 for _status, count in found)
    assert demo.rows("select count(*) >= 5 from ticket where owner_id is null") == [(True,)]


def test_conversations_hold_answers_html_and_files(demo: Demo) -> None:
    longest = demo.rows("select count(*) from activity group by ticket_id order by 1 desc limit 1")
    kinds = demo.rows("select distinct media_type from attachment order by 1")
    assert longest >= [(3,)]
    assert kinds == [("application/pdf",), ("image/png",)]
    assert demo.rows("select count(*) >= 10 from mail_message where body_html is not null") == [(True,)]


def test_every_answer_joined_the_ticket_that_it_answers(demo: Demo) -> None:
    """A customer's answer carries our token; had it been missed, there would be more tickets than conversations."""
    strays = demo.rows("select count(*) from ticket where title like 'Re: %'")
    assert strays == [(0,)]


def test_nothing_waits_to_be_done_or_sent(demo: Demo) -> None:
    assert demo.rows("select count(*) from job") == [(0,)]
    assert demo.rows("select count(*) from event") == [(0,)]
    assert demo.rows("select distinct state from outbound_mail order by 1") == [("held",), ("sent",)]
    assert demo.rows("select distinct state from inbound_mail") == [("filed",)]


def test_the_past_lies_in_the_past_and_in_order(demo: Demo) -> None:
    assert demo.rows("select count(*) from activity where occurred_at > now()") == [(0,)]
    assert demo.rows("select count(*) from ticket where last_activity_at < created_at") == [(0,)]
    assert demo.rows("select max(occurred_at) - min(occurred_at) > interval '30 days' from activity") == [(True,)]
    numbers = demo.rows("select number from ticket where tenant_id = 1 order by created_at, number")
    assert numbers == sorted(numbers)


def test_an_agent_does_not_see_the_closed_category(demo: Demo) -> None:
    (tenant_id, user_id), *_ = demo.rows("select tenant_id, id from user_account where email = 'boris@demo.localhost'")
    boris = Actor(tenant_id=TenantId(tenant_id), user_id=UserId(user_id), door=Door.WEB, permissions=AGENT)
    with unit_of_work(boris) as work:
        seen = set(work.session.scalars(select(TicketCategory.name)))
    assert "General" in seen
    assert "Legal" not in seen
    closed = "select count(*) > 0 from ticket join ticket_category c on c.id = category_id where c.name = 'Legal'"
    assert demo.rows(closed) == [(True,)]


def test_customers_have_called(demo: Demo) -> None:
    found = demo.rows("""
        select call.direction, count(contact_id) from call join activity on activity.id = activity_id
        where state = 'ended' group by call.direction order by call.direction""")
    assert [direction for direction, _known in found] == ["in", "internal", "out"]
    assert found[0][1] > found[2][1] > 0

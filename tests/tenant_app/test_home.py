"""The start page: what waits, with figures that equal the lists behind them."""

import re

import pytest
from sqlalchemy import select

from core.foundation.permissions import Permission
from core.identity.models import UserAccount
from core.identity.service import create_permission_group
from core.mail.models import OutboundMail
from core.mail.writing import MailDraft, write_mail
from core.tickets.service import take_ticket
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast
from tests.support.mails import letter, receive, ticket_of
from tests.support.statements import ENTERING, counted_statements

STAT = re.compile(r'<a class="stat" href="([^"]+)".*?stat-figure">([\d,]+)<', re.DOTALL)
COUNT = re.compile(r'id="count">([\d,]+)<')


def test_each_figure_equals_the_list_that_it_leads_to(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    tickets = [ticket_of(receive(letter(subject=f"Matter {n}")), tenant_id=cast.demo.tenant_id) for n in range(3)]
    with work_as("boris") as work:
        take_ticket(work, tickets[0])
    boris = client_as("boris")
    stats = STAT.findall(boris.get("/").text)
    assert [figure for _url, figure in stats] == ["1", "2", "0"]
    for url, figure in stats:
        count = COUNT.search(boris.get(url.replace("&amp;", "&")).text)
        assert count
        assert count[1] == figure


def test_the_first_day_says_where_to_write(client_as: ClientAs) -> None:
    assert "Write to support@demo.localhost" in client_as("boris").get("/").text


@pytest.mark.parametrize(
    ("state", "words"),
    [("refused", "One e-mail was refused"), ("uncertain", "Nobody knows whether one e-mail arrived")],
)
def test_a_mail_that_needs_a_person_is_announced(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, state: str, words: str
) -> None:
    boris = client_as("boris")
    link = f'href="/outbox/?state={state}"'
    assert link not in boris.get("/").text
    with work_as("boris") as work:
        draft = MailDraft(to="jana@customer.example", subject="Offer", text="y")
        write_mail(work, draft, mail_address_id=cast.demo.mail_address)
        work.session.scalars(select(OutboundMail)).one().state = state
    page = boris.get("/").text
    assert words in page
    assert link in page
    assert boris.get(f"/outbox/?state={state}").text.count("data-row-link") == 1


def test_the_page_costs_few_statements(client_as: ClientAs, rolled_back: None) -> None:
    receive(letter())
    boris = client_as("boris")
    with counted_statements() as queries:
        boris.get("/")
    assert len(queries) <= ENTERING + 8, queries


def test_a_reader_sees_what_waits(client_as: ClientAs, rolled_back: None) -> None:
    receive(letter())
    page = client_as("vera").get("/").text
    assert [figure for _url, figure in STAT.findall(page)] == ["0", "1", "0"]
    assert "Hello, Vera" in page


def test_who_may_read_no_tickets_is_told_where_to_go(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, rolled_back: None
) -> None:
    receive(letter())
    with work_as("system") as work:
        group = create_permission_group(work, "Contacts only", permissions=frozenset({Permission.CONTACTS_READ}))
        work.session.get_one(UserAccount, cast.demo.users["vera"]).permission_group_id = group
    page = client_as("vera").get("/").text
    assert "A quiet place" in page
    for hidden in ("Printer", "/tickets/", "/outbox/", "/mail/new"):
        assert hidden not in page


def test_somebody_else_sees_nothing_of_it(client_as: ClientAs, rolled_back: None) -> None:
    receive(letter())
    assert "Printer" in client_as("vera").get("/").text
    assert "Printer" not in client_as("oleg").get("/").text


def test_an_owner_is_shown_the_first_steps_until_they_are_put_away(client_as: ClientAs) -> None:
    anna = client_as("anna")
    page = anna.get("/").text
    assert "First steps" in page
    assert "3 of 9 done" in page
    assert 'href="/settings/company/"' in page
    assert anna.post("/first-steps").status_code == 303
    assert "First steps" not in anna.get("/").text
    assert 'name="shown" value="1"' in anna.get("/settings/").text
    assert anna.post("/first-steps", data={"shown": "1"}).status_code == 303
    assert "First steps" in anna.get("/").text


def test_others_are_shown_no_first_steps(client_as: ClientAs) -> None:
    boris = client_as("boris")
    assert "First steps" not in boris.get("/").text
    assert boris.post("/first-steps").status_code == 403

"""The outbox: what was written, how far it came, exactly what leaves, and sending again."""

import re
from dataclasses import replace

import pytest
from sqlalchemy import select

from core.foundation.actor import Door, system_actor
from core.foundation.settings import settings
from core.mail.models import OutboundMail
from core.mail.sending import send_outbound
from core.mail.writing import MailDraft, write_mail
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast
from tests.support.statements import ENTERING, counted_statements

SUBJECT = re.compile(r'title="([^"]+)" data-row-link')
MORE = re.compile(r'hx-get="([^"]+)" hx-select="#rows > tr"')


@pytest.fixture
def held(work_as: WorkAs, cast: Cast) -> int:
    """A mail that waits because no outgoing server is set."""
    with work_as("boris") as work:
        draft = MailDraft(to="jana@customer.example", subject="Nabídka", text="Dvanáct kusů.")
        write_mail(work, draft, mail_address_id=cast.demo.mail_address)
    with work_as("system") as work:
        outbound_id = work.session.scalars(select(OutboundMail.id)).one()
    send_outbound(system_actor(cast.demo.tenant_id, door=Door.JOB), outbound_id)
    return outbound_id


def put_into(work_as: WorkAs, outbound_id: int, state: str, answer: str | None = None) -> None:
    with work_as("system") as work:
        mail = work.session.get_one(OutboundMail, outbound_id)
        mail.state, mail.answer = state, answer


def test_without_an_outgoing_server_a_mail_is_held_and_the_page_says_why(client_as: ClientAs, held: int) -> None:
    page = client_as("boris").get("/outbox/").text
    assert f'href="/outbox/{held}"' in page
    assert "No outgoing mail server is set" in page
    assert "Held" in page


def test_a_mail_is_shown_exactly_as_it_leaves(client_as: ClientAs, held: int) -> None:
    page = client_as("vera").get(f"/outbox/{held}").text
    for words in ("To: jana@customer.example", "Reply-To:", "Message-ID:", "Subject: =?utf-8?"):
        assert words in page


def test_what_leaves_is_readable_whatever_its_encoding(client_as: ClientAs, held: int) -> None:
    page = client_as("vera").get(f"/outbox/{held}").text
    assert "<dt>Subject</dt><dd>Nabídka [#1]</dd>" in page
    assert "Dvanáct kusů." in page


def test_the_list_says_why_and_offers_to_send_again(client_as: ClientAs, work_as: WorkAs, held: int) -> None:
    put_into(work_as, held, "refused", "550 5.1.1 no such user")
    assert "550 5.1.1 no such user" in client_as("boris").get("/outbox/").text
    put_into(work_as, held, "uncertain")
    assert f'action="/outbox/{held}/resend"' in client_as("boris").get("/outbox/").text
    assert "/resend" not in client_as("vera").get("/outbox/").text


def test_the_list_costs_few_statements(client_as: ClientAs, held: int) -> None:
    boris = client_as("boris")
    with counted_statements() as queries:
        boris.get("/outbox/")
    assert len(queries) <= ENTERING + 2, queries


def test_the_list_is_filtered_by_state(client_as: ClientAs, work_as: WorkAs, held: int) -> None:
    boris = client_as("boris")
    assert f"/outbox/{held}" in boris.get("/outbox/?state=held").text
    assert f"/outbox/{held}" not in boris.get("/outbox/?state=sent").text
    assert boris.get("/outbox/?state=lost").status_code == 422


def test_the_list_goes_on_where_it_ended_and_refreshes_whole(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenant_app.outbox.views.OUTBOX_PAGE", 2)
    with work_as("boris") as work:
        for number in range(5):
            draft = MailDraft(to="jana@customer.example", subject=f"Mail {number}", text="x")
            write_mail(work, draft, mail_address_id=cast.demo.mail_address)
    boris = client_as("boris")
    seen: list[str] = []
    url: str | None = "/outbox/?state=queued"
    while url:
        page = boris.get(url).text
        seen += SUBJECT.findall(page)
        more = MORE.search(page)
        url = more[1].replace("&amp;", "&") if more else None
    assert seen == [f"Mail {number} [#{number + 1}]" for number in (4, 3, 2, 1, 0)]
    assert SUBJECT.findall(boris.get("/outbox/?state=queued&rows=4").text) == seen[:4]


@pytest.mark.parametrize("query", ["before=x", "rows=-1", "rows=999999999999999999999", "before=99999999999999999999"])
def test_a_forged_place_in_the_list_breaks_nothing(client_as: ClientAs, held: int, query: str) -> None:
    assert client_as("boris").get(f"/outbox/?{query}").status_code == 200


def test_a_refusal_shows_the_servers_answer(client_as: ClientAs, work_as: WorkAs, held: int) -> None:
    put_into(work_as, held, "refused", "550 5.1.1 no such user")
    assert "550 5.1.1 no such user" in client_as("boris").get(f"/outbox/{held}").text


def test_a_held_mail_can_leave_once_there_is_an_outgoing_server(
    client_as: ClientAs, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_server = replace(settings(), outgoing_smtp_url="smtp://127.0.0.1:9")
    monkeypatch.setattr("tenant_app.outbox.views.settings", lambda: with_server)
    page = client_as("boris").get(f"/outbox/{held}").text
    assert f'action="/outbox/{held}/resend"' in page
    assert "no outgoing mail server" not in page


@pytest.mark.parametrize("state", ["held", "refused", "uncertain"])
def test_one_press_sends_it_again(client_as: ClientAs, work_as: WorkAs, held: int, state: str) -> None:
    put_into(work_as, held, state)
    boris = client_as("boris")
    assert (f'action="/outbox/{held}/resend"' in boris.get(f"/outbox/{held}").text) == (state != "held")
    assert boris.post(f"/outbox/{held}/resend").status_code == 303
    with work_as("system") as work:
        assert work.session.get_one(OutboundMail, held, populate_existing=True).state == "queued"


def test_what_is_on_its_way_is_not_sent_twice(client_as: ClientAs, work_as: WorkAs, held: int) -> None:
    put_into(work_as, held, "sent")
    answer = client_as("boris").post(f"/outbox/{held}/resend")
    assert answer.status_code == 409
    assert "was sent already" in answer.text


def test_a_reader_looks_but_does_not_send(client_as: ClientAs, work_as: WorkAs, held: int) -> None:
    vera = client_as("vera")
    assert "/resend" not in vera.get(f"/outbox/{held}").text
    assert vera.post(f"/outbox/{held}/resend").status_code == 403


@pytest.mark.attack(1)
def test_another_companys_outbox_is_empty(client_as: ClientAs, held: int) -> None:
    oleg = client_as("oleg")
    assert "Nabídka" not in oleg.get("/outbox/").text
    assert oleg.get(f"/outbox/{held}").status_code == 404
    assert oleg.post(f"/outbox/{held}/resend").status_code == 404

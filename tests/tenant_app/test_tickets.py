"""The ticket pages: the list, the conversation, the answer, and what is changed beside it."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from core.directory.service import ContactDraft, Reachable, create_contact
from core.foundation.blobs import BlobId, read_blob
from core.mail.models import OutboundMail
from core.tickets.models import Ticket
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast
from tests.support.mails import letter, receive, ticket_of
from tests.support.statements import ENTERING, counted_statements

CHANGES = ("reply", "change", "take", "pair")


@pytest.fixture
def ticket(rolled_back: None, cast: Cast) -> int:
    """A ticket that a mail has opened."""
    return ticket_of(receive(letter(Message_ID="<1@customer.example>")), tenant_id=cast.demo.tenant_id)


def stored(work_as: WorkAs, ticket_id: int) -> Ticket:
    with work_as("system") as work:
        return work.session.get_one(Ticket, ticket_id, populate_existing=True)


def version_on(page: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found
    return found[1]


@pytest.mark.covers("D-MAIL-4")
def test_an_incoming_mail_stands_in_the_list_with_its_customer(client_as: ClientAs, ticket: int) -> None:
    page = client_as("boris").get("/tickets/").text
    assert f'href="/tickets/{ticket}"' in page
    assert "Printer" in page
    assert "jana@customer.example" in page


def test_the_list_is_found_by_status_owner_and_words(client_as: ClientAs, ticket: int) -> None:
    boris = client_as("boris")
    link = f'href="/tickets/{ticket}"'
    assert link in boris.get("/tickets/?owner=none").text
    assert link not in boris.get("/tickets/?owner=me").text
    assert link not in boris.get("/tickets/?status=closed").text
    assert link in boris.get("/tickets/?q=prin").text
    assert link in boris.get("/tickets/?q=JANA").text
    assert link not in boris.get("/tickets/?q=scanner").text


def test_a_list_continues_where_the_page_ended(client_as: ClientAs, rolled_back: None) -> None:
    for number in range(52):
        receive(letter(subject=f"Matter {number}", sender=f"person{number}@customer.example"))
    boris = client_as("boris")
    first = boris.get("/tickets/?q=matter").text
    more = re.search(r'href="(/tickets/\?[^"]*after=[^"]+)"', first)
    assert more
    second = boris.get(more[1].replace("&amp;", "&")).text
    titles = re.findall(r"Matter \d+", first), re.findall(r"Matter \d+", second)
    assert len(set(titles[0])) == 50
    assert set(titles[1]) == {"Matter 0", "Matter 1"}
    refreshed = boris.get("/tickets/?q=matter&rows=52").text
    assert len(set(re.findall(r"Matter \d+", refreshed))) == 52


@pytest.mark.attack(26)
@pytest.mark.parametrize(
    "query", ["after=1;--", "after=2026-01-01~1", "after=2026-01-01T00:00:00Z~x", "status=;--", "owner=us"]
)
def test_a_forged_list_address_is_refused(client_as: ClientAs, query: str) -> None:
    assert client_as("boris").get(f"/tickets/?{query}").status_code == 422


def test_the_list_costs_few_statements(client_as: ClientAs, ticket: int) -> None:
    boris = client_as("boris")
    with counted_statements() as queries:
        boris.get("/tickets/")
    assert len(queries) <= ENTERING + 4, queries
    assert any("FROM ticket" in statement for statement in queries)


def test_a_conversation_costs_few_statements_however_long(client_as: ClientAs, ticket: int) -> None:
    for number in range(2, 8):
        receive(letter(Message_ID=f"<{number}@customer.example>", References="<1@customer.example>"))
    boris = client_as("boris")
    with counted_statements() as queries:
        page = boris.get(f"/tickets/{ticket}").text
    assert page.count('class="message message-in"') == 7
    assert len(queries) <= ENTERING + 10, queries  # one asks for its calls, one reads what was told of it


@pytest.mark.covers("D-MAIL-1", "D-MAIL-3")
def test_the_conversation_shows_text_quote_and_files(client_as: ClientAs, ticket: int) -> None:
    mail = letter(
        "New words.\n\nOn Monday, Support wrote:\n> old words\n",
        Message_ID="<2@customer.example>",
        References="<1@customer.example>",
    )
    mail.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="smlouva č. 1.pdf")
    receive(mail)
    page = client_as("boris").get(f"/tickets/{ticket}").text
    assert "It does not print." in page
    assert "New words." in page
    assert re.search(r"<details class=\"message-quote\">.*old words.*</details>", page, re.DOTALL)
    assert "smlouva č. 1.pdf" in page


def test_what_a_mail_says_is_never_markup(client_as: ClientAs, cast: Cast, rolled_back: None) -> None:
    activity = receive(
        letter(
            "<script>alert(1)</script>",
            subject="<img src=x onerror=alert(1)>",
            sender='"<b>Eve" <eve@customer.example>',
        )
    )
    ticket_id = ticket_of(activity, tenant_id=cast.demo.tenant_id)
    boris = client_as("boris")
    for page in (boris.get("/tickets/").text, boris.get(f"/tickets/{ticket_id}").text):
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "<b>Eve" not in page


@pytest.mark.attack(9)
def test_a_mail_under_a_colleagues_address_is_shown_with_a_warning(
    client_as: ClientAs, cast: Cast, rolled_back: None
) -> None:
    activity = receive(letter(sender="Anna <anna@demo.localhost>"))
    page = client_as("boris").get(f"/tickets/{ticket_of(activity, tenant_id=cast.demo.tenant_id)}").text
    assert "Nothing proves that they wrote it" in page


def test_a_reply_is_queued_for_whoever_wrote_last(client_as: ClientAs, work_as: WorkAs, ticket: int) -> None:
    boris = client_as("boris")
    page = boris.get(f"/tickets/{ticket}").text
    assert 'name="to" value="jana@customer.example"' in page
    answer = boris.post(
        f"/tickets/{ticket}/reply",
        data={"to": "jana@customer.example", "subject": "Re: Printer", "text": "Which model?"},
    )
    assert answer.status_code == 303
    with work_as("system") as work:
        assert [mail.envelope_to for mail in work.session.scalars(select(OutboundMail))] == [["jana@customer.example"]]
    assert "Which model?" in boris.get(f"/tickets/{ticket}").text


def test_a_refused_reply_keeps_everything_typed(client_as: ClientAs, work_as: WorkAs, ticket: int) -> None:
    typed = {
        "to": "jana@",
        "copies": "boss@customer.example",
        "subject": "Own subject",
        "text": "Long & careful <answer>",
    }
    answer = client_as("boris").post(f"/tickets/{ticket}/reply", data=typed)
    assert answer.status_code == 422
    for words in (
        'value="jana@"',
        'value="boss@customer.example"',
        'value="Own subject"',
        "Long &amp; careful &lt;answer&gt;",
    ):
        assert words in answer.text
    assert "jana@ is not an e-mail address." in answer.text
    with work_as("system") as work:
        assert work.session.scalars(select(OutboundMail)).all() == []


@pytest.mark.covers("D-MAIL-9", "D-MAIL-17")
def test_a_reply_carries_what_it_answers_and_shows_only_what_is_new(client_as: ClientAs, ticket: int) -> None:
    boris = client_as("boris")
    page = boris.get(f"/tickets/{ticket}").text
    assert 'name="subject" value="Re: Printer"' in page
    assert "Jana Malá &lt;jana@customer.example&gt; wrote:" in page
    offered = re.search(r'name="quotes" value="(\d+)" checked', page)
    assert offered
    data = {"to": "jana@customer.example", "subject": "Re: Printer", "text": "Which model?", "quotes": offered[1]}
    url = boris.post(f"/tickets/{ticket}/reply", data=data).headers["Location"]
    answered = boris.get(url).text.partition('class="message message-out"')[2].partition("</article>")[0]
    assert re.search(r'<div class="message-text">Which model\?</div>', answered)
    assert re.search(r'<details class="message-quote">.*&gt; It does not print\.', answered, re.DOTALL)


def test_an_answer_without_the_quote_leaves_without_it(client_as: ClientAs, work_as: WorkAs, ticket: int) -> None:
    data = {"to": "jana@customer.example", "subject": "Re: Printer", "text": "Which model?"}
    client_as("boris").post(f"/tickets/{ticket}/reply", data=data)
    with work_as("system") as work:
        blob_id = work.session.scalars(select(OutboundMail.blob_id)).one()
        assert b"It does not print" not in read_blob(work, BlobId(blob_id))


@pytest.mark.attack(2)
def test_a_mail_of_another_ticket_is_never_quoted(client_as: ClientAs, work_as: WorkAs, ticket: int) -> None:
    other = receive(letter("The secret plan.", sender="eva@elsewhere.example"))
    data = {"to": "jana@customer.example", "subject": "Re: Printer", "text": "Kept words", "quotes": str(other)}
    answer = client_as("boris").post(f"/tickets/{ticket}/reply", data=data)
    assert answer.status_code == 422
    assert "Kept words" in answer.text
    assert "The secret plan." not in answer.text
    with work_as("system") as work:
        assert work.session.scalars(select(OutboundMail)).all() == []


@pytest.mark.attack(18)
@pytest.mark.parametrize("field", ["to", "copies", "subject"])
def test_line_breaks_in_a_reply_make_no_header(client_as: ClientAs, work_as: WorkAs, ticket: int, field: str) -> None:
    data = {"to": "jana@customer.example", "copies": "eva@customer.example", "subject": "Re: Printer", "text": "x"}
    data[field] += "\r\nBcc: spy@evil.example\r\n\r\nbody"
    client_as("boris").post(f"/tickets/{ticket}/reply", data=data)
    with work_as("system") as work:
        for mail in work.session.scalars(select(OutboundMail)):
            assert "spy@evil.example" not in mail.envelope_to
            assert b"\nBcc:" not in read_blob(work, BlobId(mail.blob_id))


@pytest.mark.covers("D-MAIL-15")
def test_people_of_the_conversation_can_be_added(client_as: ClientAs, ticket: int) -> None:
    receive(
        letter(Message_ID="<2@customer.example>", References="<1@customer.example>", Cc="Eva <eva@customer.example>")
    )
    receive(letter(Message_ID="<3@customer.example>", References="<1@customer.example>"))
    page = client_as("boris").get(f"/tickets/{ticket}").text
    assert 'data-offer="eva@customer.example"' in page
    assert 'data-offer="jana@customer.example"' not in page
    assert 'data-offer="support@demo.localhost"' not in page


def test_a_draft_ends_with_the_viewers_own_answer_only(client_as: ClientAs, ticket: int) -> None:
    def draft(client: FlaskClient) -> str:
        found = re.search(r'data-draft="(ticket-[^"]+)"', client.get(f"/tickets/{ticket}").text)
        assert found
        return found[1]

    boris, anna = client_as("boris"), client_as("anna")
    before = draft(boris)
    data = {"to": "jana@customer.example", "subject": "Re: Printer", "text": "Mine"}
    anna.post(f"/tickets/{ticket}/reply", data=data)
    assert draft(boris) == before
    boris.post(f"/tickets/{ticket}/reply", data=data)
    assert draft(boris) != before


def test_a_report_of_a_mail_server_is_shown_and_never_answered(client_as: ClientAs, ticket: int) -> None:
    report = letter(
        "Your mail was not delivered.",
        sender="Mail Delivery System <mailer-daemon@mx.customer.example>",
        subject="Undelivered Mail Returned to Sender",
        Message_ID="<2@mx.customer.example>",
        References="<1@customer.example>",
        Auto_Submitted="auto-replied",
        Return_Path="<>",
    )
    activity = receive(report)
    page = client_as("boris").get(f"/tickets/{ticket}").text
    assert activity
    assert 'name="to" value="jana@customer.example"' in page


def test_send_and_close_closes(client_as: ClientAs, work_as: WorkAs, ticket: int) -> None:
    data = {"to": "jana@customer.example", "subject": "Re: Printer", "text": "Done.", "then": "close"}
    assert client_as("boris").post(f"/tickets/{ticket}/reply", data=data).status_code == 303
    assert stored(work_as, ticket).status == "closed"


def test_the_first_to_take_a_ticket_owns_it(client_as: ClientAs, work_as: WorkAs, cast: Cast, ticket: int) -> None:
    assert client_as("boris").post(f"/tickets/{ticket}/take").status_code == 303
    assert stored(work_as, ticket).owner_id == cast.demo.users["boris"]
    late = client_as("anna").post(f"/tickets/{ticket}/take")
    assert late.status_code == 409
    assert "took this ticket before you" in late.text
    assert stored(work_as, ticket).owner_id == cast.demo.users["boris"]


def test_status_owner_and_category_are_changed_together(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, ticket: int
) -> None:
    boris = client_as("boris")
    data = {
        "version": version_on(boris.get(f"/tickets/{ticket}").text),
        "status": "waiting",
        "owner_id": str(cast.demo.users["anna"]),
        "category_id": str(cast.demo.open_category),
    }
    assert boris.post(f"/tickets/{ticket}/change", data=data).status_code == 303
    changed = stored(work_as, ticket)
    assert (changed.status, changed.owner_id) == ("waiting", cast.demo.users["anna"])


def test_a_stale_change_is_told_and_changes_nothing(client_as: ClientAs, work_as: WorkAs, ticket: int) -> None:
    boris, anna = client_as("boris"), client_as("anna")
    version = version_on(boris.get(f"/tickets/{ticket}").text)
    anna.post(f"/tickets/{ticket}/change", data={"version": version, "status": "closed"})
    late = boris.post(f"/tickets/{ticket}/change", data={"version": version, "status": "waiting"})
    assert late.status_code == 409
    assert "A colleague changed this ticket in the meantime" in late.text
    assert stored(work_as, ticket).status == "closed"
    assert version_on(late.text) != version


@pytest.mark.attack(2)
def test_ids_of_another_company_change_nothing(client_as: ClientAs, work_as: WorkAs, cast: Cast, ticket: int) -> None:
    boris = client_as("boris")
    version = version_on(boris.get(f"/tickets/{ticket}").text)
    for field, value in (
        ("owner_id", cast.other.users["oleg"]),
        ("category_id", cast.other.open_category),
        ("status", "sold"),
    ):
        answer = boris.post(f"/tickets/{ticket}/change", data={"version": version, field: str(value)})
        assert answer.status_code == 422, field
    with work_as("oleg") as work:
        foreign = create_contact(work, ContactDraft(name="Foreign", database_id=cast.other.open_database))
    assert boris.post(f"/tickets/{ticket}/pair", data={"contact_id": str(foreign)}).status_code == 404
    unchanged = stored(work_as, ticket)
    assert (unchanged.owner_id, unchanged.status, unchanged.contact_id) == (None, "open", None)


def test_an_unknown_sender_is_paired_with_a_contact(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, ticket: int
) -> None:
    with work_as("boris") as work:
        contact = create_contact(work, ContactDraft(name="Jana Malá", database_id=cast.demo.open_database))
    boris = client_as("boris")
    page = boris.get(f"/tickets/{ticket}?who=mala").text
    assert f'name="contact_id" value="{contact}"' in page
    assert boris.post(f"/tickets/{ticket}/pair", data={"contact_id": str(contact)}).status_code == 303
    assert f'href="/contacts/{contact}"' in boris.get(f"/tickets/{ticket}").text
    assert "wrote an e-mail" in boris.get(f"/contacts/{contact}").text


def test_several_contacts_with_the_address_are_offered(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, rolled_back: None
) -> None:
    with work_as("boris") as work:
        for name in ("Jana Malá", "Jan Malý"):
            create_contact(
                work,
                ContactDraft(
                    name=name, database_id=cast.demo.open_database, emails=(Reachable("both@customer.example"),)
                ),
            )
    activity = receive(letter(sender="both@customer.example"))
    page = client_as("boris").get(f"/tickets/{ticket_of(activity, tenant_id=cast.demo.tenant_id)}").text
    assert "Jana Malá" in page
    assert "Jan Malý" in page


@pytest.mark.attack(57)
def test_a_hidden_contacts_name_stands_nowhere_on_the_ticket(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, rolled_back: None
) -> None:
    with work_as("anna") as work:
        draft = ContactDraft(
            name="Tajemná Osoba", database_id=cast.demo.closed_database, emails=(Reachable("secret@customer.example"),)
        )
        create_contact(work, draft)
    activity = receive(letter(sender="secret@customer.example"))
    ticket_id = ticket_of(activity, tenant_id=cast.demo.tenant_id)
    boris = client_as("boris")
    for url in (f"/tickets/{ticket_id}", "/tickets/", "/tickets/?q=secret"):
        assert "Tajemná" not in boris.get(url).text
    assert f'href="/tickets/{ticket_id}"' not in boris.get("/tickets/?q=tajemna").text
    assert "Tajemná Osoba" in client_as("anna").get(f"/tickets/{ticket_id}").text


def test_a_reader_sees_no_button_and_changes_nothing(client_as: ClientAs, work_as: WorkAs, ticket: int) -> None:
    vera = client_as("vera")
    page = vera.get(f"/tickets/{ticket}").text
    assert "It does not print." in page
    places = set(re.findall(rf"/tickets/{ticket}/([\w-]+)", page))
    assert places <= {"raw", "who-sees"}  # which show and change nothing
    for change in CHANGES:
        assert vera.post(f"/tickets/{ticket}/{change}", data={"text": "x"}).status_code == 403
    assert stored(work_as, ticket).version == 1


@pytest.mark.attack(1)
def test_somebody_of_another_company_finds_nothing(client_as: ClientAs, work_as: WorkAs, ticket: int) -> None:
    oleg = client_as("oleg")
    assert "Printer" not in oleg.get("/tickets/?status=all").text
    assert "Printer" not in oleg.get("/tickets/?q=printer").text
    assert oleg.get(f"/tickets/{ticket}").status_code == 404
    for change in CHANGES:
        data = {"to": "a@b.example", "subject": "x", "text": "x", "contact_id": "1", "version": "1", "status": "closed"}
        assert oleg.post(f"/tickets/{ticket}/{change}", data=data).status_code == 404
    assert stored(work_as, ticket).status == "open"


def test_a_page_keeps_itself_current(client_as: ClientAs, ticket: int) -> None:
    boris = client_as("boris")
    assert f'data-live="ticket:{ticket}"' in boris.get(f"/tickets/{ticket}").text
    assert 'data-live="ticket"' in boris.get("/tickets/").text

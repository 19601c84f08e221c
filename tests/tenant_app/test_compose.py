"""Writing a new e-mail: on a page, in the panel, and what happens to what cannot be sent."""

import json

import pytest
from sqlalchemy import select

from core.directory.service import ContactDraft, Reachable, create_contact
from core.foundation.blobs import BlobId, read_blob
from core.mail.models import OutboundMail
from core.tickets.models import Ticket
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast
from tests.support.mails import letter, receive, ticket_of

MAIL = {"to": "jana@customer.example", "subject": "Offer", "text": "Twelve pieces."}
PANEL = {"HX-Request": "true"}


def jana(cast: Cast) -> ContactDraft:
    return ContactDraft(name="Jana", database_id=cast.demo.open_database, emails=(Reachable("jana@customer.example"),))


def queued(work_as: WorkAs) -> list[OutboundMail]:
    with work_as("system") as work:
        return list(work.session.scalars(select(OutboundMail)))


@pytest.mark.covers("D-MAIL-2")
def test_a_sent_mail_opens_a_ticket_of_its_contact(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        contact = create_contact(work, jana(cast))
    answer = client_as("boris").post("/mail/new", data={**MAIL, "contact_id": str(contact)})
    assert answer.status_code == 303
    with work_as("system") as work:
        ticket = work.session.scalars(select(Ticket)).one()
    assert (ticket.title, ticket.contact_id) == ("Offer", contact)
    assert answer.headers["Location"] == f"/tickets/{ticket.id}"
    assert [mail.envelope_to for mail in queued(work_as)] == [["jana@customer.example"]]


@pytest.mark.covers("D-MAIL-5", "D-MAIL-6")
def test_the_button_opens_a_tab_in_the_panel(client_as: ClientAs) -> None:
    boris = client_as("boris")
    assert 'data-panel-id="mail-new" data-panel-title="New e-mail"' in boris.get("/").text
    fragment = boris.get("/mail/new", headers=PANEL).text
    assert fragment.lstrip().startswith("<form")
    assert "<html" not in fragment


def test_in_the_panel_a_sent_mail_closes_its_tab_and_leads_to_the_ticket(client_as: ClientAs) -> None:
    answer = client_as("boris").post("/mail/new", data=MAIL, headers=PANEL)
    assert answer.status_code == 204
    told = json.loads(answer.headers["HX-Trigger"])
    assert told["panel:done"] == {}
    assert told["toast"]["url"].startswith("/tickets/")


@pytest.mark.parametrize("headers", [{}, PANEL])
def test_a_refused_mail_keeps_everything_typed(client_as: ClientAs, work_as: WorkAs, headers: dict[str, str]) -> None:
    typed = {"to": "jana@, eva@customer.example", "copies": "x", "subject": "", "text": "Careful & <long>"}
    answer = client_as("boris").post("/mail/new", data=typed, headers=headers)
    assert answer.status_code == 422
    for words in ('value="jana@, eva@customer.example"', 'value="x"', "Careful &amp; &lt;long&gt;"):
        assert words in answer.text
    for sentence in ("jana@ is not an e-mail address.", "x is not an e-mail address.", "Enter a subject."):
        assert sentence in answer.text
    assert answer.text.count(" autofocus") == 3
    assert queued(work_as) == []


@pytest.mark.covers("D-MAIL-7")
def test_a_contacts_address_leads_to_a_filled_form(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        contact = create_contact(work, jana(cast))
    boris = client_as("boris")
    assert (
        f'href="/mail/new?to=jana%40customer.example&amp;contact_id={contact}"'
        in boris.get(f"/contacts/{contact}").text
    )
    assert (
        'value="jana@customer.example"' in boris.get(f"/mail/new?to=jana%40customer.example&contact_id={contact}").text
    )


@pytest.mark.attack(18)
@pytest.mark.parametrize("field", ["to", "copies", "subject"])
def test_line_breaks_make_no_header(client_as: ClientAs, work_as: WorkAs, field: str) -> None:
    data = {**MAIL, field: f"{MAIL.get(field, 'eva@customer.example')}\r\nBcc: spy@evil.example\r\n\r\nbody"}
    client_as("boris").post("/mail/new", data=data)
    for mail in queued(work_as):
        assert "spy@evil.example" not in mail.envelope_to
        with work_as("system") as work:
            raw = read_blob(work, BlobId(mail.blob_id))
        assert b"\nBcc:" not in raw


@pytest.mark.attack(2)
def test_an_address_or_contact_of_another_company_sends_nothing(
    client_as: ClientAs, work_as: WorkAs, cast: Cast
) -> None:
    with work_as("oleg") as work:
        foreign = create_contact(work, ContactDraft(name="Foreign", database_id=cast.other.open_database))
    boris = client_as("boris")
    for forged in ({"mail_address_id": str(cast.other.mail_address)}, {"contact_id": str(foreign)}):
        assert boris.post("/mail/new", data={**MAIL, **forged}).status_code == 422
    assert queued(work_as) == []


def test_a_sent_mail_ends_its_draft_and_a_refused_one_does_not(client_as: ClientAs) -> None:
    boris = client_as("boris")
    assert 'data-draft="mail-new-blank"' in boris.get("/mail/new?draft=ticket-1-reply-0").text
    typed = {**MAIL, "draft": "mail-new-blank"}
    refused = boris.post("/mail/new", data={**typed, "to": "jana@"})
    assert 'data-draft="mail-new-blank"' in refused.text
    assert "data-draft-sent" not in refused.text
    boris.post("/mail/new", data=typed)
    assert 'data-draft-sent="mail-new-blank"' in boris.get("/").text
    assert "data-draft-sent" not in boris.get("/").text


def test_what_cannot_be_stored_is_left_out_and_the_rest_is_sent(client_as: ClientAs, work_as: WorkAs) -> None:
    answer = client_as("boris").post(
        "/mail/new", data={**MAIL, "subject": "Off\0er", "text": "Twelve\0"}, headers=PANEL
    )
    assert answer.status_code == 204
    assert len(queued(work_as)) == 1


def test_a_choice_of_senders_is_offered_only_if_there_is_one(client_as: ClientAs, cast: Cast) -> None:
    page = client_as("boris").get("/mail/new").text
    assert f'<input type="hidden" name="mail_address_id" value="{cast.demo.mail_address}">' in page
    assert "<select" not in page[page.index('class="composer') :]


def test_a_reader_has_no_button_and_cannot_send(client_as: ClientAs, work_as: WorkAs) -> None:
    vera = client_as("vera")
    assert "/mail/new" not in vera.get("/").text
    assert vera.get("/mail/new").status_code == 403
    assert vera.post("/mail/new", data=MAIL).status_code == 403
    assert queued(work_as) == []


def test_an_answer_goes_where_the_writer_wants_it(client_as: ClientAs, cast: Cast, rolled_back: None) -> None:
    mail = letter(sender="form@website.example", Reply_To="Eva Malá <eva@customer.example>")
    ticket = ticket_of(receive(mail), tenant_id=cast.demo.tenant_id)
    page = client_as("boris").get(f"/tickets/{ticket}").text
    assert 'name="to" value="eva@customer.example"' in page

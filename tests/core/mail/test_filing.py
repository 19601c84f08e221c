"""Which ticket a mail goes into, whose it is, and that it is filed exactly once."""

import pytest
from sqlalchemy import func, select, update

from core.directory.models import Contact, ContactEmail
from core.foundation.sorting import sort_key
from core.foundation.unit_of_work import Work, unit_of_work
from core.mail import filing
from core.mail.filing import file_inbound
from core.mail.models import InboundMail, MailParticipant, OutboundMail
from core.mail.parsing.child import ParseFailed
from core.mail.tokens import new_message_id, reply_address
from core.mail.writing import MailDraft, reply_to_ticket
from core.tenants.service import tenant_profile
from core.tickets.models import Ticket
from core.tickets.queries import TicketFilter, list_tickets, ticket_detail
from core.timeline.models import Activity, Attachment
from tests.conftest import WorkAs
from tests.support.cast import Cast
from tests.support.incoming import (
    CUSTOMER,
    SUPPORT,
    messages_of,
    newest_inbound,
    product,
    receive,
    written,
)

STRANGER = "eve@elsewhere.example"

pytestmark = pytest.mark.usefixtures("rolled_back")


def answered(work: Work, ticket_id: int, text: str = "Is it on?") -> str:
    """Boris's answer in the ticket; its Message-ID."""
    reply_to_ticket(work, ticket_id, MailDraft(to=CUSTOMER, subject="Re: Printer", text=text))
    return messages_of(work.actor, ticket_id)[-1].message_id


def closed(work_as: WorkAs, ticket_id: int) -> None:
    with work_as("system") as work:
        work.session.execute(update(Ticket).where(Ticket.id == ticket_id).values(status="closed"))


def status_of(work_as: WorkAs, ticket_id: int) -> str:
    with work_as("system") as work:
        return work.session.get_one(Ticket, ticket_id).status


def token_of(work: Work, ticket_id: int) -> str:
    return reply_address(SUPPORT, realm=tenant_profile(work).realm, ticket_id=ticket_id)


def add_contact(work: Work, name: str, email: str, database_id: int) -> int:
    contact = Contact(name=name, database_id=database_id, sort_key=sort_key(name, "cs"), search_words=name)
    work.session.add(contact)
    work.session.flush()
    work.session.add(ContactEmail(contact_id=contact.id, address=email, address_lower=email.lower(), position=0))
    work.session.flush()
    return contact.id


# Joining


@pytest.mark.covers("D-MAIL-1")
def test_a_mail_opens_a_ticket_with_its_subject(cast: Cast) -> None:
    (ticket,) = receive(written(subject="Printer is on fire"))
    assert (ticket.title, ticket.requester, ticket.status) == ("Printer is on fire", CUSTOMER, "open")
    assert ticket.category_id == cast.demo.open_category
    assert messages_of(product(cast.demo.tenant_id), ticket.id)[0].body_text.strip() == "It does not print."


@pytest.mark.covers("D-MAIL-3")
def test_an_answer_to_our_token_address_joins(work_as: WorkAs) -> None:
    (ticket,) = receive(written())
    with work_as("system") as work:
        token = token_of(work, ticket.id)
    assert receive(written(subject="Something else", sender=STRANGER), recipients=[token])[0].id == ticket.id
    assert receive(written(subject="Shouted"), recipients=[token.upper()])[0].id == ticket.id


def test_an_answer_to_our_message_joins_although_the_address_lost_its_token(work_as: WorkAs) -> None:
    (ticket,) = receive(written())
    with work_as("boris") as work:
        message_id = answered(work, ticket.id)
    answer = written(subject="No tag", headers=[("In-Reply-To", f"<{message_id}>")])
    assert receive(answer)[0].id == ticket.id


def test_a_follow_up_of_the_customer_to_their_own_mail_joins() -> None:
    (ticket,) = receive(written(headers=[("Message-ID", "<own@customer.example>")]))
    assert receive(written(text="And", headers=[("References", "<own@customer.example>")]))[0].id == ticket.id


@pytest.mark.attack(8)
def test_a_stranger_who_quotes_the_customers_mail_opens_a_new_ticket() -> None:
    (ticket,) = receive(written(headers=[("Message-ID", "<own@customer.example>")]))
    (other,) = receive(written(sender=STRANGER, headers=[("In-Reply-To", "<own@customer.example>")]))
    assert other.id != ticket.id


def test_the_tag_in_the_subject_joins_for_who_takes_part() -> None:
    (ticket,) = receive(written())
    assert receive(written(subject=f"Re: Printer [#{ticket.number}]", text="More"))[0].id == ticket.id
    shouting = written(sender=CUSTOMER.upper(), subject=f"Printer [#{ticket.number}]", text="More still")
    assert receive(shouting)[0].id == ticket.id


@pytest.mark.attack(7)
def test_a_stranger_who_guesses_the_tag_opens_a_new_ticket() -> None:
    (ticket,) = receive(written())
    (other,) = receive(written(sender=STRANGER, subject=f"Re: Printer [#{ticket.number}]"))
    assert other.id != ticket.id
    (again,) = receive(written(sender=STRANGER, subject=f"Re: Printer [#{ticket.number}]", text="Again"))
    assert again.id not in {ticket.id, other.id}


@pytest.mark.attack(8)
@pytest.mark.parametrize("part", ["signature", "ticket", "nonce", "realm"])
def test_a_forged_message_id_opens_a_new_ticket(work_as: WorkAs, part: str) -> None:
    (ticket,), (victim,) = receive(written()), receive(written(subject="Other", sender="other@x.example"))
    with work_as("boris") as work:
        real = answered(work, ticket.id)
    with work_as("other system") as work:
        foreign = new_message_id(realm=tenant_profile(work).realm, ticket_id=ticket.id, host="demo.localhost")
    prefix, number, nonce, rest = real.split(".", 3)
    forged = {
        "signature": f"{prefix}.{number}.{nonce}.{'0' * 32}@demo.localhost",
        "ticket": f"{prefix}.{victim.id}.{nonce}.{rest}",
        "nonce": f"{prefix}.{number}.{'0' * 16}.{rest}",
        "realm": foreign,
    }[part]
    (opened,) = receive(written(sender=STRANGER, headers=[("In-Reply-To", f"<{forged}>")]))
    assert opened.id not in {ticket.id, victim.id}


@pytest.mark.attack(7)
def test_a_token_of_another_tenant_or_another_ticket_is_worth_nothing(work_as: WorkAs) -> None:
    (ticket,) = receive(written())
    with work_as("other system") as work:
        foreign = token_of(work, ticket.id)
    with work_as("system") as work:
        moved = token_of(work, ticket.id + 1000).replace(f"t{ticket.id + 1000}.", f"t{ticket.id}.")
    for token in (foreign, moved, f"support+t{ticket.id}.{'0' * 32}@demo.localhost", "support+t@demo.localhost"):
        assert receive(written(sender=STRANGER, text=token), recipients=[token])[0].id != ticket.id


def test_an_answer_reopens_a_closed_ticket(work_as: WorkAs) -> None:
    (ticket,) = receive(written())
    closed(work_as, ticket.id)
    receive(written(subject=f"[#{ticket.number}]"))
    assert status_of(work_as, ticket.id) == "open"


@pytest.mark.attack(20)
def test_a_bounce_of_our_mail_joins_its_ticket_flagged_reopens_nothing_and_is_not_answered(work_as: WorkAs) -> None:
    (ticket,) = receive(written())
    with work_as("boris") as work:
        message_id = answered(work, ticket.id)
    closed(work_as, ticket.id)
    before = _count(work_as, OutboundMail)
    (joined,) = receive(_bounce_of(message_id), sender="")
    assert joined.id == ticket.id
    assert status_of(work_as, ticket.id) == "closed"
    with work_as("system") as work:
        assert "bounce" in messages_of(work.actor, ticket.id)[-1].flags
        people = set(work.session.scalars(select(MailParticipant.address_lower)))
    assert "mailer-daemon@mx.example" not in people
    assert _count(work_as, OutboundMail) == before


def test_an_automatic_answer_joins_without_reopening(work_as: WorkAs) -> None:
    (ticket,) = receive(written())
    closed(work_as, ticket.id)
    receive(written(subject=f"Out of office [#{ticket.number}]", headers=[("Auto-Submitted", "auto-replied")]))
    assert status_of(work_as, ticket.id) == "closed"


def test_a_person_who_writes_through_a_list_reopens(work_as: WorkAs) -> None:
    (ticket,) = receive(written())
    closed(work_as, ticket.id)
    receive(written(subject=f"[#{ticket.number}]", headers=[("List-Id", "<l.x.example>"), ("Precedence", "list")]))
    assert status_of(work_as, ticket.id) == "open"


# Who it is


@pytest.mark.attack(9)
def test_a_mail_that_claims_to_come_from_a_colleague_is_a_customers_and_flagged(cast: Cast) -> None:
    (ticket,) = receive(written(sender="Boris <BORIS@demo.localhost>"))
    actor = product(cast.demo.tenant_id)
    assert messages_of(actor, ticket.id)[0].flags == ["claims_colleague"]
    with unit_of_work(actor) as work:
        activity = work.session.scalars(select(Activity).where(Activity.ticket_id == ticket.id)).one()
    assert (activity.direction, activity.user_id) == ("in", None)


@pytest.mark.attack(10)
def test_a_third_persons_answer_leaves_the_customer(work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        jana = add_contact(work, "Jana", CUSTOMER, cast.demo.open_database)
        add_contact(work, "Eve", STRANGER, cast.demo.open_database)
    (ticket,) = receive(written())
    with work_as("system") as work:
        token = token_of(work, ticket.id)
    (joined,) = receive(written(sender=STRANGER), recipients=[token])
    assert (joined.id, joined.contact_id, joined.requester) == (ticket.id, jana, CUSTOMER)


@pytest.mark.parametrize(("addresses", "is_found"), [(1, True), (0, False), (2, False)])
def test_exactly_one_contact_with_the_address_is_the_customer(
    work_as: WorkAs, cast: Cast, addresses: int, is_found: bool
) -> None:
    with work_as("system") as work:
        for number in range(addresses):
            add_contact(work, f"Jana {number}", "Jana@Customer.Example", cast.demo.open_database)
    (ticket,) = receive(written(sender=CUSTOMER.upper()))
    assert (ticket.contact_id is not None) == is_found


def test_without_from_the_envelope_says_who_wrote() -> None:
    assert receive(b"Subject: Hi\r\n\r\nx", sender="v@x.example")[0].requester == "v@x.example"
    assert receive(b"From: Jana\r\nSubject: Hi\r\n\r\nx", sender="w@x.example")[0].requester == "w@x.example"


def test_a_mail_without_anything_has_a_title() -> None:
    assert receive(b"\r\n\r\nx", sender="")[0].title == "Mail without subject and sender"


@pytest.mark.attack(57)
def test_the_name_of_a_hidden_contact_shows_nowhere_in_the_ticket(work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        chief = add_contact(work, "Kateřina Tajná", CUSTOMER, cast.demo.closed_database)
    (ticket,) = receive(written())
    assert ticket.contact_id == chief
    with work_as("boris") as work:
        assert list_tickets(work, TicketFilter(search="Tajná")).count == 0
        (row,) = list_tickets(work, TicketFilter(search="Printer")).rows
        detail = ticket_detail(work, ticket.id)
        seen = work.session.get_one(Ticket, ticket.id)
        words = f"{row} {detail} {seen.search_words} {seen.title} {seen.requester}"
    assert "Tajná" not in words
    assert detail.contact_id is None


# Once


def test_the_same_mail_delivered_again_is_filed_once(cast: Cast) -> None:
    raw = written()
    (first,), (second,) = receive(raw), receive(raw)
    assert first.id == second.id
    assert len(messages_of(product(cast.demo.tenant_id), first.id)) == 1


def test_filing_again_does_nothing(cast: Cast) -> None:
    (ticket,) = receive(written())
    actor = product(cast.demo.tenant_id)
    file_inbound(actor, newest_inbound(actor))
    assert len(messages_of(actor, ticket.id)) == 1


def test_one_mail_to_our_address_and_to_our_token_is_one_in_the_ticket(work_as: WorkAs, cast: Cast) -> None:
    (ticket,) = receive(written())
    with work_as("boris") as work:
        message_id, token = answered(work, ticket.id), token_of(work, ticket.id)
    answer = written(text="Yes", headers=[("In-Reply-To", f"<{message_id}>")])
    both = receive(answer, recipients=[token, SUPPORT])
    assert {found.id for found in both} == {ticket.id}
    assert len(messages_of(product(cast.demo.tenant_id), ticket.id)) == 3


def test_one_mail_to_two_companies_reaches_each(cast: Cast) -> None:
    demo, other = receive(written(), recipients=[SUPPORT, "support@other.localhost"])
    assert (demo.tenant_id, other.tenant_id) == (cast.demo.tenant_id, cast.other.tenant_id)


def test_a_blind_copy_arrives() -> None:
    assert receive(written(to="somebody@elsewhere.example"))[0].title == "Printer"


# What cannot be parsed


@pytest.mark.attack(16)
def test_a_mail_that_cannot_be_parsed_is_a_ticket_with_the_raw_file(
    work_as: WorkAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_slow(raw: bytes) -> None:
        raise ParseFailed("too_slow")

    monkeypatch.setattr(filing, "parse_in_child", too_slow)
    raw = written(subject="Heavy")
    (ticket,) = receive(raw)
    with work_as("system") as work:
        message = messages_of(work.actor, ticket.id)[0]
        file = work.session.scalars(select(Attachment).where(Attachment.activity_id == message.activity_id)).one()
        arrived = work.session.get_one(InboundMail, newest_inbound(work.actor))
    assert (ticket.title, ticket.requester) == ("Heavy", CUSTOMER)
    assert "unreadable" in message.flags
    assert (file.name, file.size_bytes) == ("message.eml", len(raw))
    assert (arrived.state, arrived.reason) == ("unreadable", "too_slow")


@pytest.mark.attack(17)
def test_an_archive_is_stored_as_it_came(work_as: WorkAs) -> None:
    archive = (
        b"From: a@x.example\r\nSubject: Zip\r\nContent-Type: application/zip; name=a.zip\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nUEsDBA==\r\n"
    )
    receive(archive)
    with work_as("system") as work:
        assert work.session.scalars(select(Attachment.size_bytes).order_by(Attachment.id.desc())).first() == 4


@pytest.mark.attack(16)
def test_identifiers_too_long_for_an_index_do_not_lose_the_mail() -> None:
    long = "ž" * 3_000
    raw = f"From: <{long}@x.example>\r\nSubject: Long\r\nMessage-ID: <{long}@x>\r\nReferences: <{long}@y>\r\n\r\nx"
    assert receive(raw.encode())[0].title == "Long"


def _count(work_as: WorkAs, model: type[OutboundMail]) -> int:
    with work_as("system") as work:
        return work.session.scalar(select(func.count()).select_from(model)) or 0


def _bounce_of(message_id: str) -> bytes:
    return (
        "From: MAILER-DAEMON@mx.example\r\nSubject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\n\r\nSorry\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        "Final-Recipient: rfc822; jana@customer.example\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: Hi\r\nMessage-ID: <{message_id}>\r\n\r\nx\r\n--b--\r\n"
    ).encode()

"""What is written: recipients, headers, the quote below an answer, and what folding makes of it."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from sqlalchemy import select

from core.foundation.blobs import BlobId, read_blob
from core.foundation.errors import Forbidden, Invalid, NotFound
from core.foundation.unit_of_work import Work
from core.mail.models import MailMessage, OutboundMail
from core.mail.parsing.folding import fold_reply
from core.mail.queries import thread_of_ticket
from core.mail.quoting import QUOTED_CHARACTERS, QUOTED_LINES, quoted
from core.mail.writing import (
    MAX_RECIPIENTS,
    MAX_REFERENCES,
    MAX_TYPED_CHARACTERS,
    MailDraft,
    reply_to_ticket,
    sender_choices,
    write_mail,
)
from core.tickets.models import TicketCategory
from core.timeline.models import Queue
from tests.conftest import WorkAs
from tests.support.cast import Cast
from tests.support.mails import letter, receive, ticket_of

AT = datetime(2026, 11, 25, 9, 5, tzinfo=UTC)
JANA = ("Jana Malá", "jana@customer.example")


def draft(
    *, to: str = "jana@customer.example", subject: str = "Offer", text: str = "Twelve.", copies: str = ""
) -> MailDraft:
    return MailDraft(to=to, copies=copies, subject=subject, text=text)


def leaving(work: Work) -> EmailMessage:
    """The newest mail as it leaves."""
    mail = work.session.scalars(select(OutboundMail).order_by(OutboundMail.id.desc())).first()
    assert mail
    parsed = message_from_bytes(read_blob(work, BlobId(mail.blob_id)), policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def problems_of(work: Work, cast: Cast, written: MailDraft) -> dict[str, str]:
    with pytest.raises(Invalid) as refused:
        write_mail(work, written, mail_address_id=cast.demo.mail_address)
    return {field: str(message) for field, message in refused.value.problems.items()}


def quote(text: str, *, locale: str = "en", sender: tuple[str, str] = JANA) -> str:
    return quoted(text, sender=sender, at=AT, locale=locale, time_zone="Europe/Prague")


@pytest.mark.parametrize(
    ("locale", "line"),
    [
        ("en", "On 25 Nov 2026 at 10:05, Jana Malá <jana@customer.example> wrote:"),
        ("cs", "Dne 25. 11. 2026 v 10:05 Jana Malá <jana@customer.example> napsal(a):"),
        ("pl", "W dniu 25.11.2026 o 10:05 Jana Malá <jana@customer.example> pisze:"),
    ],
)
def test_folding_knows_our_own_quote_in_every_language(locale: str, line: str) -> None:
    quotation = quote("Prvá řádka\n\nDruhá", locale=locale)
    assert quotation.split("\n") == [line, "> Prvá řádka", ">", "> Druhá"]
    answer = "Which model?\n\nBoris\n\n"
    assert fold_reply(answer + quotation) == (answer, quotation)


def test_a_quote_in_a_quote_goes_one_deeper() -> None:
    assert quote("New\n> old").endswith("\n> New\n>> old")


@pytest.mark.parametrize("name", ["", "jana@customer.example", "Jana\r\nBcc: spy@evil.example", "x" * 500])
def test_who_wrote_stands_on_one_line(name: str) -> None:
    first, *rest = quote("words", sender=(name, "jana@customer.example")).split("\n")
    assert rest == ["> words"]
    assert first.endswith("wrote:")
    assert len(first) < 300
    assert fold_reply(f"New\n\n{first}\n> words")[0] == "New\n\n"


def test_a_long_mail_is_quoted_in_part() -> None:
    quotation = quote("word " * QUOTED_CHARACTERS)
    assert len(quotation) < QUOTED_CHARACTERS + 200
    assert quotation.endswith("> […]")


def test_a_mail_of_many_lines_is_quoted_in_part() -> None:
    quotation = quote("\n" * 2 * QUOTED_LINES + "end")
    assert quote("x\n" * 2 * QUOTED_LINES).count("\n> x") == QUOTED_LINES
    assert "end" in quotation
    assert quote("x\n" * 2 * QUOTED_LINES).endswith("> […]")


def test_an_unknown_time_zone_is_no_reason_to_fail() -> None:
    assert "09:05" in quoted("x", sender=JANA, at=AT, locale="en", time_zone="Mars/Olympus")


def test_the_quote_leaves_with_the_answer_and_the_thread_shows_what_is_new(
    work_as: WorkAs, cast: Cast, rolled_back: None
) -> None:
    activity = receive(letter("It does not print.\n\nJana"))
    ticket = ticket_of(activity, tenant_id=cast.demo.tenant_id)
    with work_as("boris") as work:
        draft = MailDraft(to="jana@customer.example", subject="Re: Printer", text="Which model?", quotes=activity)
        written = reply_to_ticket(work, ticket, draft)
        stored = work.session.scalars(select(MailMessage.body_text).where(MailMessage.activity_id == written)).one()
        assert stored.startswith("Which model?\n\nOn ")
        assert stored.endswith("wrote:\n> It does not print.\n>\n> Jana\n")
        mail = thread_of_ticket(work, ticket)[-1]
        assert mail.text.strip() == "Which model?"
        assert "> It does not print." in mail.quoted


@pytest.mark.attack(2)
def test_only_mails_of_the_same_ticket_can_be_quoted(work_as: WorkAs, cast: Cast, rolled_back: None) -> None:
    ticket = ticket_of(receive(letter()), tenant_id=cast.demo.tenant_id)
    elsewhere = receive(letter("Secret", sender="eva@elsewhere.example"), to="support@other.localhost")
    draft = MailDraft(to="jana@customer.example", subject="Re: Printer", text="x", quotes=elsewhere)
    with work_as("boris") as work, pytest.raises(Invalid) as refused:
        reply_to_ticket(work, ticket, draft)
    assert set(refused.value.problems) == {"quotes"}


def test_each_wrong_address_is_named(work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        problems = problems_of(work, cast, draft(to="jana@, eva@customer.example; petr", copies="nobody"))
    assert problems == {
        "to": "These are not e-mail addresses: jana@, petr.",
        "copies": "nobody is not an e-mail address.",
    }


def test_addresses_are_taken_as_mail_programs_copy_them(work_as: WorkAs, cast: Cast) -> None:
    typed = '"Malá, Jana" <jana@customer.example>; Eva Nová <eva@customer.example>, jana@customer.example,'
    with work_as("boris") as work:
        write_mail(work, draft(to=typed, copies="i@žluť.example"), mail_address_id=cast.demo.mail_address)
        mail = leaving(work)
    assert mail["To"] == "jana@customer.example, eva@customer.example"
    assert mail["Cc"] == "i@xn--lu-yta1h.example"


def test_letters_outside_ascii_before_the_at_sign_are_refused_by_name(work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        assert problems_of(work, cast, draft(to="jaňa@customer.example")) == {
            "to": "jaňa@customer.example is not an e-mail address."
        }


@pytest.mark.parametrize(
    "typed",
    [
        ", ".join(f"person{n}@customer.example" for n in range(MAX_RECIPIENTS + 1)),
        "a," * MAX_TYPED_CHARACTERS,
        '"' * (MAX_TYPED_CHARACTERS + 1),
    ],
)
def test_more_recipients_than_a_mail_takes_are_refused(work_as: WorkAs, cast: Cast, typed: str) -> None:
    with work_as("boris") as work:
        assert problems_of(work, cast, draft(to=typed)) == {"to": "A mail can go to 100 people at once; this has more."}


@pytest.mark.attack(18)
def test_a_subject_is_one_line_that_can_be_stored(work_as: WorkAs, cast: Cast) -> None:
    subject = "Nabídka\r\nBcc: spy@evil.example\0\x1b[31m " + "ž" * 500
    with work_as("boris") as work:
        write_mail(work, draft(subject=subject, text="Dvanáct\0 kusů"), mail_address_id=cast.demo.mail_address)
        mail = leaving(work)
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("Nabídka Bcc: spy@evil.example [31m žž")
    assert mail["Subject"].endswith("ž [#1]")
    assert len(mail["Subject"]) == 305
    assert mail.get_content().strip() == "Dvanáct kusů"


def test_an_answer_names_the_newest_mail_and_the_whole_conversation(work_as: WorkAs, cast: Cast) -> None:
    first = receive(letter(Message_ID="<first@customer.example>"))
    for number in range(MAX_REFERENCES + 5):
        receive(letter(Message_ID=f"<{number}@customer.example>", References="<first@customer.example>"))
    ticket = ticket_of(first, tenant_id=cast.demo.tenant_id)
    with work_as("boris") as work:
        reply_to_ticket(work, ticket, draft())
        mail = leaving(work)
    references = mail["References"].split()
    assert mail["In-Reply-To"] == references[-1] == f"<{MAX_REFERENCES + 4}@customer.example>"
    assert references[0] == "<first@customer.example>"
    assert len(references) == MAX_REFERENCES


def test_whoever_may_only_read_writes_nothing(work_as: WorkAs, cast: Cast) -> None:
    ticket = ticket_of(receive(letter()), tenant_id=cast.demo.tenant_id)
    with work_as("vera") as work:
        with pytest.raises(Forbidden):
            write_mail(work, draft(), mail_address_id=cast.demo.mail_address)
        with pytest.raises(Forbidden):
            reply_to_ticket(work, ticket, draft())


@pytest.mark.parametrize("hidden", ["queue", "category"])
def test_an_address_of_what_one_may_not_see_sends_nothing(work_as: WorkAs, cast: Cast, hidden: str) -> None:
    with work_as("system") as work:
        if hidden == "queue":
            work.session.get_one(Queue, cast.demo.queue).everyone_sees = False
        else:
            work.session.get_one(TicketCategory, cast.demo.open_category).everyone_sees = False
    with work_as("boris") as work:
        assert sender_choices(work) == []
        assert problems_of(work, cast, draft()) == {"mail_address_id": "There is no such queue."}
    with work_as("anna") as work:
        assert write_mail(work, draft(), mail_address_id=cast.demo.mail_address)


@pytest.mark.attack(2)
def test_an_address_or_ticket_of_another_company_sends_nothing(work_as: WorkAs, cast: Cast) -> None:
    ticket = ticket_of(receive(letter()), tenant_id=cast.demo.tenant_id)
    with work_as("oleg") as work:
        with pytest.raises(Invalid):
            write_mail(work, draft(), mail_address_id=cast.demo.mail_address)
        with pytest.raises(NotFound):
            reply_to_ticket(work, ticket, draft())
        assert work.session.scalars(select(OutboundMail)).all() == []

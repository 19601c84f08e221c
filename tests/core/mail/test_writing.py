"""What is written: the quote below an answer, and what folding makes of it."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from core.foundation.errors import Invalid
from core.mail.models import MailMessage
from core.mail.parsing.folding import fold_reply
from core.mail.queries import thread_of_ticket
from core.mail.quoting import QUOTED_CHARACTERS, quoted
from core.mail.writing import MailDraft, reply_to_ticket
from tests.conftest import WorkAs
from tests.support.cast import Cast
from tests.support.mails import letter, receive, ticket_of

AT = datetime(2026, 11, 25, 9, 5, tzinfo=UTC)
JANA = ("Jana Malá", "jana@customer.example")


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

"""Unread notifications by mail: once, together, and with nothing that somebody wrote."""

from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from sqlalchemy import select, update

from core.foundation import clock
from core.foundation.blobs import BlobId, read_blob
from core.foundation.unit_of_work import Work
from core.identity.models import UserAccount
from core.mail.models import OutboundMail
from core.mail.parsing.parse import parse_mail
from core.notifications.choices import choose
from core.notifications.service import read_about_ticket
from core.tickets.models import Ticket
from core.tickets.service import TicketDraft, TicketPatch, change_ticket, open_ticket, take_ticket
from tests.conftest import WorkAs
from tests.support.cast import Cast
from tests.support.incoming import SUPPORT, receive, written
from tests.support.news import run_news

SOON = timedelta(minutes=5, seconds=1)


def give(work_as: WorkAs, cast: Cast, title: str = "Printer") -> int:
    """Anna makes a ticket Boris'."""
    with work_as("anna") as work:
        ticket_id = open_ticket(work, TicketDraft(title=title, category_id=cast.demo.open_category)).id
        change_ticket(work, ticket_id, TicketPatch(owner_id=cast.demo.users["boris"]), version=1)
    return ticket_id


def notices(work: Work) -> list[EmailMessage]:
    """The notices in the outbox, oldest first."""
    query = select(OutboundMail).where(OutboundMail.activity_id.is_(None)).order_by(OutboundMail.id)
    raws = [read_blob(work, BlobId(mail.blob_id)) for mail in work.session.scalars(query)]
    return [message_from_bytes(raw, _class=EmailMessage, policy=policy.default) for raw in raws]


def mailed(work_as: WorkAs, cast: Cast) -> list[EmailMessage]:
    """What was mailed once six minutes have passed."""
    run_news(cast.demo.tenant_id)
    run_news(cast.demo.tenant_id, until=SOON)
    with work_as("system") as work:
        return notices(work)


@pytest.mark.covers("P-4")
def test_what_is_unread_after_five_minutes_comes_in_one_mail(work_as: WorkAs, cast: Cast) -> None:
    ids = [give(work_as, cast, title) for title in ("Printer", "Scanner")]
    run_news(cast.demo.tenant_id)
    with work_as("system") as work:
        assert notices(work) == []
    (mail,) = mailed(work_as, cast)
    assert mail["To"].addresses[0].addr_spec == "boris@demo.localhost"
    assert mail["Subject"] == "Unread notifications: 2"
    body = mail.get_content()
    assert all(title in body for title in ("Printer", "Scanner"))
    assert body.count("http://demo.localhost") == 3
    assert "/notifications/settings" in body
    assert ids
    assert len(mailed(work_as, cast)) == 1


@pytest.mark.covers("P-4")
def test_a_mail_says_what_happened_and_not_what_was_written(work_as: WorkAs, cast: Cast) -> None:
    (ticket,) = receive(written())
    with work_as("boris") as work:
        take_ticket(work, ticket.id)
    with work_as("system") as work:
        number = work.session.get_one(Ticket, ticket.id).number
    receive(written(subject=f"Re: Printer [#{number}]", text="My card is 4111 1111 1111 1111"))
    (mail,) = mailed(work_as, cast)
    assert mail["Subject"] == f"The customer answered: #{number} Printer"
    assert "4111" not in mail.as_string()
    assert "jana@customer.example" not in mail.as_string()
    assert mail["Auto-Submitted"] == "auto-generated"
    assert parse_mail(mail.as_bytes()).is_automatic


def test_what_was_read_in_time_is_not_mailed(work_as: WorkAs, cast: Cast) -> None:
    ticket_id = give(work_as, cast)
    run_news(cast.demo.tenant_id)
    with work_as("boris") as work:
        read_about_ticket(work, ticket_id)
    assert mailed(work_as, cast) == []


@pytest.mark.attack(57)
@pytest.mark.parametrize("change", ["category", "choice", "blocked"])
def test_a_mail_looks_again_at_what_its_reader_may_see_and_wants(work_as: WorkAs, cast: Cast, change: str) -> None:
    ticket_id = give(work_as, cast)
    run_news(cast.demo.tenant_id)
    if change == "choice":
        with work_as("boris") as work:
            choose(work, {"ticket_assigned": ["app"]})
    with work_as("anna") as work:
        if change == "category":
            change_ticket(work, ticket_id, TicketPatch(category_id=cast.demo.closed_category), version=2)
        elif change == "blocked":
            boris = UserAccount.id == cast.demo.users["boris"]
            work.session.execute(update(UserAccount).where(boris).values(is_blocked=True))
    assert mailed(work_as, cast) == []


def test_a_mail_is_in_its_readers_language(work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        boris = UserAccount.id == cast.demo.users["boris"]
        work.session.execute(update(UserAccount).where(boris).values(locale="cs"))
    give(work_as, cast)
    (mail,) = mailed(work_as, cast)
    assert mail["Subject"].startswith("Tiket je nyní váš")


def test_news_that_join_what_was_mailed_are_mailed_again_after_an_hour(work_as: WorkAs, cast: Cast) -> None:
    ticket_id = give(work_as, cast)
    assert len(mailed(work_as, cast)) == 1
    for minutes, count in ((10, 1), (80, 2)):
        clock.hold(clock.now() + timedelta(minutes=minutes))
        with work_as("anna") as work:
            for owner in ("anna", "boris"):
                version = work.session.get_one(Ticket, ticket_id).version
                change_ticket(work, ticket_id, TicketPatch(owner_id=cast.demo.users[owner]), version=version)
        assert len(mailed(work_as, cast)) == count


# Loops


@pytest.mark.attack(19)
def test_nothing_is_mailed_to_an_address_that_makes_tickets(work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        boris = UserAccount.id == cast.demo.users["boris"]
        work.session.execute(update(UserAccount).where(boris).values(email=SUPPORT))
    give(work_as, cast)
    assert mailed(work_as, cast) == []


def test_a_ticket_that_a_program_opened_is_told_but_not_mailed(work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        choose(work, {"ticket_opened": ["app", "mail"]})
    receive(written(subject="Alarm", headers=[("Auto-Submitted", "auto-generated")]))
    assert mailed(work_as, cast) == []
    receive(written(subject="Please", text="Help"))
    assert len(mailed(work_as, cast)) == 1

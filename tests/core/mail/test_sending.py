"""Outgoing mail against a real server: at most once, and never silently lost."""

import asyncio
import smtplib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select, update

from core.foundation import clock
from core.foundation.errors import Conflict, Forbidden, NotFound
from core.foundation.jobs import Job
from core.foundation.outbox import StoredEvent
from core.foundation.settings import settings
from core.foundation.unit_of_work import unit_of_work
from core.mail.events import MailNotSent
from core.mail.filing import file_inbound
from core.mail.models import OutboundMail
from core.mail.sending import resend, send_outbound
from core.mail.tokens import ticket_of_message_id, ticket_of_recipient
from core.mail.writing import MailDraft, reply_to_ticket
from core.tenants.service import tenant_profile
from tests.core.mail.test_smtp import running_server
from tests.support.cast import Cast
from tests.support.incoming import (
    CUSTOMER,
    SUPPORT,
    messages_of,
    newest_inbound,
    product,
    receive,
    ticket_of,
    written,
)
from tests.support.ports import free_port

COPY = "copy@customer.example"
FIRST = f"{'A0B1C2D3' * 8}@{'a0b1' * 4}.mail.customer.example"
"""As long as the ids of large providers are."""
Point = Callable[[str], None]


class Sink:
    """A receiving server that answers as told: ``answers`` maps a command or an address to what it says."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.envelopes: list[Envelope] = []
        self.breaks_after_data = False

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if "MAIL" in self.answers:
            return self.answers["MAIL"]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        if self.breaks_after_data and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
            return "250 unheard"
        self.envelopes.append(envelope)
        return self.answers.get("DATA", "250 OK")

    async def handle_QUIT(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        return self.answers.get("QUIT", "221 Bye")


@pytest.fixture
def point(monkeypatch: pytest.MonkeyPatch) -> Iterator[Point]:
    """Let outgoing mail go to the URL."""

    def to(url: str) -> None:
        monkeypatch.setenv("CENTRALA_OUTGOING_SMTP_URL", url)
        settings.cache_clear()

    yield to
    monkeypatch.undo()
    settings.cache_clear()


@pytest.fixture
def sink(committed: Cast, point: Point) -> Iterator[Sink]:
    with _open_sink() as (receiver, port):
        point(f"smtp://127.0.0.1:{port}")
        yield receiver


@contextmanager
def _open_sink() -> Iterator[tuple[Sink, int]]:
    receiver, port = Sink(), free_port()
    controller = Controller(receiver, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield receiver, port
    finally:
        controller.stop()


@pytest.fixture
def mail_id(committed: Cast) -> int:
    """A reply that waits to be sent, to the customer and a copy."""
    (ticket,) = receive(written(headers=[("Message-ID", f"<{FIRST}>")]))
    with unit_of_work(committed.actor("boris")) as work:
        draft = MailDraft(to=CUSTOMER, copies=COPY, subject="Re: Printer", text="Je zapnutá?")
        reply_to_ticket(work, ticket.id, draft)
        return work.session.scalars(select(OutboundMail.id)).one()


def send(cast: Cast, mail_id: int) -> OutboundMail:
    """Run the job; answers the row afterwards."""
    send_outbound(product(cast.demo.tenant_id), mail_id)
    return row(cast, mail_id)


def row(cast: Cast, mail_id: int) -> OutboundMail:
    with unit_of_work(product(cast.demo.tenant_id)) as work:
        return work.session.get_one(OutboundMail, mail_id)


def not_sent(cast: Cast) -> list[str]:
    """What the events say of mails that did not arrive."""
    with unit_of_work(product(cast.demo.tenant_id)) as work:
        events = select(StoredEvent.payload).where(StoredEvent.name == MailNotSent.name).order_by(StoredEvent.id)
        return [str(payload["state"]) for payload in work.session.scalars(events)]


def jobs(cast: Cast) -> list[Job]:
    with unit_of_work(product(cast.demo.tenant_id)) as work:
        return list(work.session.scalars(select(Job).where(Job.name == "mail.send").order_by(Job.id)))


def test_a_mail_arrives_once_with_threading_headers(committed: Cast, sink: Sink, mail_id: int) -> None:
    assert send(committed, mail_id).state == "sent"
    assert send(committed, mail_id).state == "sent"
    (envelope,) = sink.envelopes
    content = envelope.content
    assert isinstance(content, bytes)
    mail = message_from_bytes(content, policy=policy.default)
    with unit_of_work(product(committed.demo.tenant_id)) as work:
        realm = tenant_profile(work).realm
    assert envelope.rcpt_tos == [CUSTOMER, COPY]
    assert mail["In-Reply-To"].strip() == f"<{FIRST}>"
    assert f"<{FIRST}>" in mail["References"]
    ticket_id = ticket_of_message_id(mail["Message-ID"].strip(" <>"), realm=realm)
    assert ticket_id is not None
    assert ticket_of_recipient(mail["Reply-To"].addresses[0].addr_spec, realm=realm) == ticket_id


def test_without_an_outgoing_server_a_mail_is_held_and_can_be_sent_later(
    committed: Cast, mail_id: int, point: Point
) -> None:
    assert send(committed, mail_id).state == "held"
    with unit_of_work(committed.actor("boris")) as work:
        resend(work, mail_id)
    with _open_sink() as (receiver, port):
        point(f"smtp://127.0.0.1:{port}")
        assert send(committed, mail_id).state == "sent"
    assert len(receiver.envelopes) == 1


@pytest.mark.parametrize("command", ["MAIL", "DATA"])
def test_a_refusal_for_good_is_kept_with_its_words(committed: Cast, sink: Sink, mail_id: int, command: str) -> None:
    sink.answers[command] = "554 5.7.1 No spam here"
    mail = send(committed, mail_id)
    assert (mail.state, mail.answer) == ("refused", "554 5.7.1 No spam here")


@pytest.mark.parametrize("command", ["MAIL", "DATA", CUSTOMER])
def test_a_refusal_for_now_is_tried_again_later(committed: Cast, sink: Sink, mail_id: int, command: str) -> None:
    sink.answers |= {command: "451 4.7.1 Greylisted", COPY: "550 No"}
    mail = send(committed, mail_id)
    assert mail.state == "queued"
    assert "451 4.7.1 Greylisted" in str(mail.answer)
    assert jobs(committed)[-1].due_at > clock.now() + timedelta(seconds=20)
    sink.answers.clear()
    sink.envelopes.clear()
    mail = send(committed, mail_id)
    assert (mail.state, mail.answer, len(sink.envelopes)) == ("sent", None, 1)


def test_who_was_refused_among_several_is_shown(committed: Cast, sink: Sink, mail_id: int) -> None:
    sink.answers[COPY] = "550 5.1.1 Unknown"
    mail = send(committed, mail_id)
    assert (mail.state, mail.answer) == ("sent", f"{COPY}: 550 5.1.1 Unknown")
    assert sink.envelopes[0].rcpt_tos == [CUSTOMER]


def test_all_refused_is_refused_with_every_answer(committed: Cast, sink: Sink, mail_id: int) -> None:
    sink.answers |= {COPY: "550 Gone", CUSTOMER: "551 Moved"}
    mail = send(committed, mail_id)
    assert (mail.state, mail.answer) == ("refused", f"{CUSTOMER}: 551 Moved\n{COPY}: 550 Gone")


def test_a_server_that_is_away_is_tried_again_later(committed: Cast, mail_id: int, point: Point) -> None:
    point(f"smtp://127.0.0.1:{free_port()}")
    mail = send(committed, mail_id)
    assert mail.state == "queued"
    assert "refused" in str(mail.answer).lower()
    assert len(jobs(committed)) == 2


@pytest.mark.parametrize("greeting", [b"554 Go away\r\n", b"421 Busy\r\n", b""])
def test_a_server_that_greets_badly_says_nothing_about_the_mail(
    committed: Cast, mail_id: int, point: Point, greeting: bytes
) -> None:
    with _greeter(greeting) as port:
        point(f"smtp://127.0.0.1:{port}")
        assert send(committed, mail_id).state == "queued"


def test_a_mail_that_waited_two_days_is_given_up_and_shown(committed: Cast, mail_id: int, point: Point) -> None:
    point(f"smtp://127.0.0.1:{free_port()}")
    with unit_of_work(product(committed.demo.tenant_id)) as work:
        old = clock.now() - timedelta(days=2, minutes=1)
        work.session.execute(update(OutboundMail).values(created_at=old))
    assert send(committed, mail_id).state == "refused"
    assert len(jobs(committed)) == 1


@pytest.mark.covers("P-4")
def test_whoever_wrote_it_can_be_told_of_a_mail_that_did_not_arrive(committed: Cast, sink: Sink, mail_id: int) -> None:
    sink.answers = {COPY: "550 Gone"}
    send(committed, mail_id)
    assert not_sent(committed) == ["partly"]


@pytest.mark.covers("P-4")
def test_whoever_wrote_it_can_be_told_of_a_mail_that_waits_for_an_hour(
    committed: Cast, mail_id: int, point: Point
) -> None:
    point(f"smtp://127.0.0.1:{free_port()}")
    send(committed, mail_id)
    assert not_sent(committed) == []
    clock.hold(clock.now() + timedelta(hours=1, minutes=1))
    send(committed, mail_id)
    assert not_sent(committed) == ["waits"]
    clock.hold(clock.now() + timedelta(days=2))
    send(committed, mail_id)
    assert not_sent(committed) == ["waits", "refused"]


def test_a_connection_that_breaks_after_data_is_uncertain_and_not_sent_again(
    committed: Cast, sink: Sink, mail_id: int
) -> None:
    sink.breaks_after_data = True
    assert send(committed, mail_id).state == "uncertain"
    sink.breaks_after_data = False
    assert send(committed, mail_id).state == "uncertain"
    assert (sink.envelopes, len(jobs(committed))) == ([], 1)


def test_how_the_connection_ends_does_not_undo_a_sent_mail(committed: Cast, sink: Sink, mail_id: int) -> None:
    sink.answers["QUIT"] = "451 Not so fast"
    assert send(committed, mail_id).state == "sent"


def test_a_process_killed_while_sending_leaves_the_mail_uncertain(
    committed: Cast, sink: Sink, mail_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(smtplib.SMTP, "data", killed)
        with pytest.raises(KeyboardInterrupt):
            send_outbound(product(committed.demo.tenant_id), mail_id)
    assert row(committed, mail_id).state == "sending"
    assert send(committed, mail_id).state == "uncertain"
    assert sink.envelopes == []


def test_whoever_may_reply_may_send_again_and_it_is_written_down(committed: Cast, sink: Sink, mail_id: int) -> None:
    sink.answers["MAIL"] = "554 No"
    send(committed, mail_id)
    with pytest.raises(Forbidden), unit_of_work(committed.actor("vera")) as work:
        resend(work, mail_id)
    with pytest.raises(NotFound), unit_of_work(committed.actor("oleg")) as work:
        resend(work, mail_id)
    sink.answers.clear()
    with unit_of_work(committed.actor("boris")) as work:
        resend(work, mail_id)
    assert send(committed, mail_id).state == "sent"
    with pytest.raises(Conflict), unit_of_work(committed.actor("boris")) as work:
        resend(work, mail_id)


@pytest.mark.covers("D-MAIL-1", "D-MAIL-3", "D-MAIL-9")
def test_the_whole_circle_from_the_customers_mail_to_their_answer(
    committed: Cast, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = product(committed.demo.tenant_id)
    with running_server() as port, smtplib.SMTP("127.0.0.1", port, timeout=20) as customer:
        customer.sendmail(CUSTOMER, [SUPPORT], written(headers=[("Message-ID", "<one@customer.example>")]))
        first = newest_inbound(actor)
        file_inbound(actor, first)
        ticket = ticket_of(actor, first)
        with unit_of_work(committed.actor("boris")) as work:
            reply_to_ticket(work, ticket.id, MailDraft(to=CUSTOMER, subject="Re: Printer", text="Is it on?"))
            outbound = work.session.scalars(select(OutboundMail.id)).one()
        send_outbound(actor, outbound)
        content = sink.envelopes[0].content
        assert isinstance(content, bytes)
        received = message_from_bytes(content, policy=policy.default)
        reply_to = received["Reply-To"].addresses[0].addr_spec
        answer = written(to=reply_to, subject="Antwort", headers=[("In-Reply-To", received["Message-ID"])])
        customer.sendmail(CUSTOMER, [reply_to], answer)
    second = newest_inbound(actor)
    file_inbound(actor, second)
    assert ticket_of(actor, second).id == ticket.id
    assert len(messages_of(actor, ticket.id)) == 3


@contextmanager
def _greeter(greeting: bytes) -> Iterator[int]:
    """A server that says one line to each and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            connection, _peer = listener.accept()
            with connection:
                connection.sendall(greeting)

        thread = threading.Thread(target=greet)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(10)

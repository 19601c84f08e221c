"""The inbound server, spoken to over a real socket."""

import asyncio
import logging
import smtplib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from core.foundation.settings import settings
from core.foundation.unit_of_work import unit_of_work
from core.mail import smtp
from core.mail.intake import Delivery, delivery_for
from core.mail.models import InboundMail
from tests.support.cast import Cast
from tests.support.incoming import CUSTOMER, SUPPORT, product, written
from tests.support.waiting import wait_until


@contextmanager
def running_server() -> Iterator[int]:
    """The product's server in a thread; answers its port."""
    loop = asyncio.new_event_loop()
    stopping = asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(smtp.serve(stopping),))
    thread.start()
    try:
        wait_until(lambda: _listens(settings().smtp_port))
        yield settings().smtp_port
    finally:
        loop.call_soon_threadsafe(stopping.set)
        thread.join(10)
        loop.close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def port(committed: Cast) -> Iterator[int]:
    with running_server() as found:
        yield found


@pytest.fixture
def client(port: int) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as connected:
        connected.ehlo()
        yield connected


def stored(cast: Cast, tenant: str = "demo") -> int:
    company = cast.demo if tenant == "demo" else cast.other
    with unit_of_work(product(company.tenant_id)) as work:
        return work.session.scalar(select(func.count()).select_from(InboundMail)) or 0


def test_250_means_that_the_mail_is_committed(client: smtplib.SMTP, committed: Cast) -> None:
    assert client.sendmail(CUSTOMER, [SUPPORT], written()) == {}
    assert stored(committed) == 1


@pytest.mark.attack(22)
@pytest.mark.parametrize(
    "recipient", ["nobody@demo.localhost", "support@elsewhere.example", "support", "a%elsewhere.example@demo.localhost"]
)
def test_550_for_who_is_not_here(client: smtplib.SMTP, committed: Cast, recipient: str) -> None:
    client.mail(CUSTOMER)
    assert client.rcpt(recipient)[0] in {550, 553, 501}
    assert client.docmd("DATA")[0] == 503
    assert stored(committed) == 0


@pytest.mark.parametrize(
    "recipient",
    ["SUPPORT@Demo.LocalHost", "support+t1.abc@demo.localhost", '"support"@demo.localhost', "<support@demo.localhost>"],
)
def test_an_address_has_many_spellings(client: smtplib.SMTP, committed: Cast, recipient: str) -> None:
    client.mail(CUSTOMER)
    assert client.docmd(f"RCPT TO:{recipient if recipient.startswith('<') else f'<{recipient}>'}")[0] == 250
    assert client.data(written())[0] == 250
    assert stored(committed) == 1


@pytest.mark.attack(23)
def test_552_for_what_announces_to_be_too_large(client: smtplib.SMTP) -> None:
    assert int(client.esmtp_features["size"]) == smtp.MAX_MAIL_BYTES >= 30 * 2**20
    assert client.mail(CUSTOMER, [f"SIZE={smtp.MAX_MAIL_BYTES + 1}"])[0] == 552


@pytest.mark.attack(23)
def test_552_for_what_turns_out_too_large(committed: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "MAX_MAIL_BYTES", 100_000)
    with running_server() as port, smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.ehlo()
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail(CUSTOMER, [SUPPORT], written(text="many words\n" * 20_000), mail_options=["SIZE=10"])
        assert refused.value.smtp_code == 552
        assert client.sendmail(CUSTOMER, [SUPPORT], written()) == {}
    assert stored(committed) == 1


def test_30_mb_are_taken(client: smtplib.SMTP, committed: Cast) -> None:
    line = b"QUJD" * 18 + b"\r\n"
    client.sendmail(CUSTOMER, [SUPPORT], written()[:-2] + line * (31 * 2**20 // len(line)))
    assert stored(committed) == 1


def test_451_while_the_mail_cannot_be_stored(
    client: smtplib.SMTP, committed: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object, **_more: object) -> None:
        raise OperationalError("commit", {}, Exception("gone"))

    with monkeypatch.context() as patched:
        patched.setattr(smtp, "accept_mail", broken)
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail(CUSTOMER, [SUPPORT], written())
        assert refused.value.smtp_code == 451
        patched.setattr(smtp, "delivery_for", broken)
        client.rset()
        client.mail(CUSTOMER)
        assert client.rcpt(SUPPORT)[0] == 451
    client.rset()
    assert client.sendmail(CUSTOMER, [SUPPORT], written()) == {}
    assert stored(committed) == 1


def test_what_nobody_foresaw_leaves_the_mail_with_its_sender(
    client: smtplib.SMTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object, **_more: object) -> None:
        raise RuntimeError("surprise")

    monkeypatch.setattr(smtp, "accept_mail", broken)
    with pytest.raises(smtplib.SMTPDataError) as refused:
        client.sendmail(CUSTOMER, [SUPPORT], written())
    assert refused.value.smtp_code == 451


def test_a_mail_for_two_companies_is_stored_in_each(client: smtplib.SMTP, committed: Cast) -> None:
    recipients = [SUPPORT, "support@other.localhost", SUPPORT, "nobody@demo.localhost"]
    assert list(client.sendmail(CUSTOMER, recipients, written())) == ["nobody@demo.localhost"]
    assert (stored(committed), stored(committed, "other")) == (1, 1)


def test_eight_bits_and_foreign_addresses_are_taken_as_they_are(client: smtplib.SMTP, committed: Cast) -> None:
    raw = "From: kůň@příklad.example\r\nSubject: Žluť\r\n\r\nkůň\r\n".encode()
    client.sendmail("kůň@příklad.example", [SUPPORT], raw, mail_options=["SMTPUTF8", "BODY=8BITMIME"])
    assert stored(committed) == 1


def test_the_null_sender_of_bounces_is_taken(client: smtplib.SMTP, committed: Cast) -> None:
    assert client.sendmail("", [SUPPORT], written()) == {}
    assert stored(committed) == 1


@pytest.mark.attack(21)
@pytest.mark.parametrize("end", [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r.\r\n", b"\r\n.\r"])
def test_no_second_mail_hides_behind_a_bare_line_end(port: int, committed: Cast, end: bytes) -> None:
    hidden = b"MAIL FROM:<eve@x.example>\r\nRCPT TO:<support@demo.localhost>\r\nDATA\r\nSubject: hidden\r\n\r\nx"
    with socket.create_connection(("127.0.0.1", port), 10) as raw, raw.makefile("rb") as answers:
        for line in (b"EHLO x", b"MAIL FROM:<a@x.example>", b"RCPT TO:<support@demo.localhost>", b"DATA"):
            answers.readline() if line == b"EHLO x" else None
            raw.sendall(line + b"\r\n")
            while answers.readline()[3:4] == b"-":
                pass
        raw.sendall(b"Subject: seen\r\n\r\nbody" + end + hidden + b"\r\n.\r\nQUIT\r\n")
        rest = answers.read()
    assert rest.count(b"250 2.0.0 Stored") + (stored(committed) == 0) == 1
    assert stored(committed) <= 1


def test_commands_sent_ahead_are_answered_in_turn(port: int, committed: Cast) -> None:
    commands = (
        b"EHLO x\r\nMAIL FROM:<a@x.example>\r\nRCPT TO:<support@demo.localhost>\r\nDATA\r\n"
        b"Subject: ahead\r\n\r\nbody\r\n.\r\nQUIT\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), 10) as raw, raw.makefile("rb") as answers:
        raw.sendall(commands)
        assert b"250 2.0.0 Stored" in answers.read()
    assert stored(committed) == 1


def test_a_line_without_end_neither_stops_nor_crashes_the_server(port: int, committed: Cast) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        client.ehlo()
        client.mail(CUSTOMER)
        client.rcpt(SUPPORT)
        code, _answer = client.data(b"Subject: long\r\n\r\n" + b"x" * 100_000 + b"\r\n")
    assert code in {250, 500}
    with smtplib.SMTP("127.0.0.1", port, timeout=20) as client:
        assert client.sendmail(CUSTOMER, [SUPPORT], written()) == {}


def test_nobody_is_told_who_is_here(client: smtplib.SMTP) -> None:
    assert client.docmd(f"VRFY <{SUPPORT}>") == client.docmd("VRFY <nobody@demo.localhost>") or (
        client.docmd(f"VRFY <{SUPPORT}>")[0] == client.docmd("VRFY <nobody@demo.localhost>")[0] == 252
    )
    assert client.docmd("EXPN support")[0] == 502


def test_more_recipients_than_the_limit_wait_for_another_mail(
    client: smtplib.SMTP, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(smtp, "MAX_RECIPIENTS", 2)
    client.mail(CUSTOMER)
    codes = [client.rcpt(f"support+{number}@demo.localhost")[0] for number in range(3)]
    assert codes == [250, 250, 452]


def test_more_connections_than_the_limit_are_sent_away(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp, "MAX_CONNECTIONS", 1)
    wait_until(lambda: _greeting(port).startswith(b"220"))
    with socket.create_connection(("127.0.0.1", port), 10) as first, first.makefile("rb") as answers:
        assert answers.readline().startswith(b"220")
        assert _greeting(port).startswith(b"421")
    wait_until(lambda: _greeting(port).startswith(b"220"))


def _greeting(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 10) as connection, connection.makefile("rb") as answers:
        return answers.readline()


def test_the_log_names_nobody(client: smtplib.SMTP, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    client.sendmail(CUSTOMER, [SUPPORT], written())
    client.docmd(f"MAIL FROM:<{CUSTOMER}> NONSENSE=1")
    assert CUSTOMER not in caplog.text
    assert SUPPORT not in caplog.text


def test_strange_addresses_get_an_answer(client: smtplib.SMTP, committed: Cast) -> None:
    for recipient in ("a\x00b@demo.localhost", "x" * 400 + "@demo.localhost", "@demo.localhost", "''@", "\udc80@x"):
        client.rset()
        client.mail(CUSTOMER)
        assert client.sock is not None
        client.sock.sendall(f"RCPT TO:<{recipient}>\r\n".encode("utf-8", "surrogateescape"))
        assert client.getreply()[0] >= 500, recipient
    assert stored(committed) == 0


def test_a_delivery_is_the_same_for_every_spelling(committed: Cast) -> None:
    found = delivery_for("Support+x@demo.localhost")
    assert found == Delivery(
        tenant_id=committed.demo.tenant_id,
        mail_address_id=committed.demo.mail_address,
        recipient="Support+x@demo.localhost",
    )

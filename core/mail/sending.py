"""Carrying a queued mail to the outgoing server, at most once.

The mark ``sending`` is committed right before DATA. Whoever finds it at the start of a job knows that a process died in
between and nobody can tell whether the mail left: it becomes ``uncertain`` and waits for a person. Before the mark
nothing was handed over, and a 4xx answer says that nothing was taken: then the mail waits and is tried again, after
half its age (at least 30 seconds, at most 30 minutes), for two days.
"""

import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from core.foundation import clock
from core.foundation.actor import Actor
from core.foundation.blobs import BlobId, read_blob
from core.foundation.errors import Conflict, NotFound
from core.foundation.history import record_change
from core.foundation.i18n import _
from core.foundation.jobs import enqueue
from core.foundation.live import tell
from core.foundation.outbox import emit
from core.foundation.permissions import Permission
from core.foundation.settings import settings
from core.foundation.unit_of_work import Work, unit_of_work
from core.mail.events import MailNotSent
from core.mail.models import OutboundMail
from core.mail.parsing.words import storable
from core.mail.writing import SEND_JOB
from core.timeline.models import Activity

TIMEOUT_S: Final = 30.0
SHORTEST_PAUSE: Final = timedelta(seconds=30)
LONGEST_PAUSE: Final = timedelta(minutes=30)
GIVE_UP_AFTER: Final = timedelta(days=2)
LONG_WAIT: Final = timedelta(hours=1)
"""From then on whoever wrote a mail that waits is told so."""
ANSWER_CHARACTERS: Final = 1_000
RESENDABLE: Final = frozenset({"uncertain", "refused", "held"})


@dataclass(frozen=True, slots=True)
class Parcel:
    """A mail as it leaves."""

    envelope_from: str
    envelope_to: list[str]
    raw: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a parcel: its state, and what the server said where that matters."""

    state: str
    answer: str | None = None


class NotNow(Exception):
    """The server took nothing and may do so later; the message is what it said."""


def send_outbound(actor: Actor, outbound_mail_id: int) -> None:
    """Send one queued mail; one that the server does not take now is put off."""
    parcel = _claim(actor, outbound_mail_id)
    if parcel is None:
        return
    if not settings().outgoing_smtp_url:
        _finish(actor, outbound_mail_id, Outcome("held"))
        return
    try:
        outcome = _carry(parcel, mark=partial(_mark_sending, actor, outbound_mail_id))
    except NotNow as reason:
        _put_off(actor, outbound_mail_id, str(reason))
    except Conflict:
        return  # another process is sending it
    else:
        _finish(actor, outbound_mail_id, outcome)


def resend(work: Work, outbound_mail_id: int) -> None:
    """Send a mail again that is uncertain, refused or held, because somebody asks for it."""
    work.actor.require(Permission.TICKETS_REPLY)
    mail = _locked(work, outbound_mail_id)
    if mail.state not in RESENDABLE:
        raise Conflict(_("This mail is on its way or was sent already."))
    record_change(work, "outbound_mail", mail.id, before={"state": mail.state}, after={"state": "queued"})
    mail.state, mail.answer, mail.sending_at, mail.finished_at = "queued", None, None, None
    enqueue(work, SEND_JOB, {"outbound_mail_id": mail.id})
    _tell(work, mail)


def _claim(actor: Actor, outbound_mail_id: int) -> Parcel | None:
    """The mail to send; None if there is nothing to do, or if a process died while sending it."""
    with unit_of_work(actor) as work:
        mail = work.session.get(OutboundMail, outbound_mail_id, with_for_update=True)
        if mail is not None and mail.state == "sending":
            mail.state, mail.finished_at = "uncertain", clock.now()
            emit(work, MailNotSent(mail.id, mail.state))
            _tell(work, mail)
        if mail is None or mail.state != "queued":
            return None
        return Parcel(mail.envelope_from, list(mail.envelope_to), read_blob(work, BlobId(mail.blob_id)))


def _mark_sending(actor: Actor, outbound_mail_id: int) -> None:
    with unit_of_work(actor) as work:
        mail = _locked(work, outbound_mail_id)
        if mail.state != "queued":
            raise Conflict(_("This mail is on its way or was sent already."))
        mail.state, mail.sending_at = "sending", clock.now()
        _tell(work, mail)


def _put_off(actor: Actor, outbound_mail_id: int, answer: str) -> None:
    """Try again later; what cannot be sent for two days is refused, and shown so."""
    with unit_of_work(actor) as work:
        mail = _locked(work, outbound_mail_id)
        age = clock.now() - mail.created_at
        mail.answer, mail.sending_at = answer[:ANSWER_CHARACTERS], None
        if age < GIVE_UP_AFTER:
            mail.state = "queued"
            pause = min(max(age / 2, SHORTEST_PAUSE), LONGEST_PAUSE)
            enqueue(work, SEND_JOB, {"outbound_mail_id": mail.id}, due_at=clock.now() + pause)
        else:
            mail.state, mail.finished_at = "refused", clock.now()
        if age >= LONG_WAIT:
            emit(work, MailNotSent(mail.id, "waits" if mail.state == "queued" else mail.state))
        _tell(work, mail)


def _finish(actor: Actor, outbound_mail_id: int, outcome: Outcome) -> None:
    with unit_of_work(actor) as work:
        mail = _locked(work, outbound_mail_id)
        mail.state, mail.answer, mail.finished_at = outcome.state, outcome.answer, clock.now()
        if mail.state in {"refused", "uncertain"}:
            emit(work, MailNotSent(mail.id, mail.state))
        elif mail.state == "sent" and mail.answer:  # some of its recipients were refused
            emit(work, MailNotSent(mail.id, "partly"))
        _tell(work, mail)


def _locked(work: Work, outbound_mail_id: int) -> OutboundMail:
    mail = work.session.get(OutboundMail, outbound_mail_id, with_for_update=True)
    if mail is None:
        raise NotFound
    return mail


def _tell(work: Work, mail: OutboundMail) -> None:
    tell(work, "outbox", [mail.id])
    if mail.activity_id is None:
        return
    activity = work.session.get_one(Activity, mail.activity_id)
    if activity.ticket_id:
        tell(work, "ticket", [activity.ticket_id])


# The transfer (RFC 5321)


def _carry(parcel: Parcel, *, mark: Callable[[], None]) -> Outcome:
    """Hand the parcel over; ``mark`` is called right before DATA. Raises ``NotNow``."""
    marked = False
    try:
        with _connection() as server:
            refused = _announce(server, parcel)
            mark()
            marked = True
            code, answer = server.data(parcel.raw)
    except smtplib.SMTPRecipientsRefused as error:
        return _judged(_mildest(error.recipients), _as_lines(error.recipients))
    except smtplib.SMTPResponseException as error:
        return _judged(error.smtp_code, f"{error.smtp_code} {_as_text(error.smtp_error)}")
    except (OSError, smtplib.SMTPException) as error:
        if marked:
            return Outcome("uncertain", _as_text(str(error)))
        raise NotNow(_as_text(str(error) or type(error).__name__)) from error
    if code != 250:
        return _judged(code, f"{code} {_as_text(answer)}")
    return Outcome("sent", _as_lines(refused) if refused else None)


def _judged(code: int, answer: str) -> Outcome:
    """The server said no: for good (5xx), or for now."""
    if code >= 500:
        return Outcome("refused", answer[:ANSWER_CHARACTERS])
    raise NotNow(answer)


def _announce(server: smtplib.SMTP, parcel: Parcel) -> dict[str, tuple[int, bytes]]:
    """Name sender and recipients; answers the refused ones, raises if all are."""
    server.ehlo_or_helo_if_needed()
    code, answer = server.mail(parcel.envelope_from, _options(server, parcel))
    if code != 250:
        raise smtplib.SMTPSenderRefused(code, answer, parcel.envelope_from)
    refused: dict[str, tuple[int, bytes]] = {}
    for recipient in parcel.envelope_to:
        try:
            code, answer = server.rcpt(_on_the_wire(recipient))
        except UnicodeEncodeError:
            code, answer = 553, b"The outgoing server cannot carry this address (no SMTPUTF8)"
        if code not in {250, 251}:
            refused[recipient] = (code, answer)
    if len(refused) == len(parcel.envelope_to):
        raise smtplib.SMTPRecipientsRefused(refused)
    return refused


def _options(server: smtplib.SMTP, parcel: Parcel) -> list[str]:
    """Parameters of MAIL as far as the server knows them (RFC 1870, 6152, 6531)."""
    wanted = {
        f"SIZE={len(parcel.raw)}": server.has_extn("size"),
        "BODY=8BITMIME": server.has_extn("8bitmime") and not parcel.raw.isascii(),
        "SMTPUTF8": server.has_extn("smtputf8") and not all(_on_the_wire(to).isascii() for to in parcel.envelope_to),
    }
    return [option for option, holds in wanted.items() if holds]


def _on_the_wire(address: str) -> str:
    """The address with its domain in ASCII (IDNA)."""
    local, _at, domain = address.rpartition("@")
    try:
        return address if domain.isascii() else f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return address


def _mildest(refused: dict[str, tuple[int, bytes]]) -> int:
    """The answer by which the mail is judged: if one recipient may be taken later, all wait."""
    return min(code for code, _answer in refused.values())


def _as_lines(refused: dict[str, tuple[int, bytes]]) -> str:
    return "\n".join(f"{address}: {code} {_as_text(answer)}" for address, (code, answer) in refused.items())[
        :ANSWER_CHARACTERS
    ]


def _as_text(answer: bytes | str) -> str:
    return storable(answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer)[:500]


@contextmanager
def _connection() -> Iterator[smtplib.SMTP]:
    """A signed-in connection to the outgoing server of the settings; raises ``NotNow``.

    Whatever is wrong here is wrong with the server or the settings, never with the mail. How the connection ends says
    nothing about the mail either.
    """
    url = urlsplit(settings().outgoing_smtp_url)
    try:
        server = _open(url)
        try:
            _sign_in(server, url)
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
    except smtplib.SMTPResponseException as error:
        raise NotNow(f"{error.smtp_code} {_as_text(error.smtp_error)}") from error
    except (OSError, smtplib.SMTPException) as error:
        raise NotNow(_as_text(str(error) or type(error).__name__)) from error
    try:
        yield server
    finally:
        with suppress(OSError, smtplib.SMTPException):
            server.quit()
        server.close()


def _open(url: SplitResult) -> smtplib.SMTP:
    host = url.hostname or "127.0.0.1"
    if url.scheme == "smtps":
        return smtplib.SMTP_SSL(host, url.port or 465, timeout=TIMEOUT_S)
    return smtplib.SMTP(host, url.port or 25, timeout=TIMEOUT_S)


def _sign_in(server: smtplib.SMTP, url: SplitResult) -> None:
    if url.scheme == "smtp+starttls":
        server.starttls()
    if url.username:
        server.login(unquote(url.username), unquote(url.password or ""))

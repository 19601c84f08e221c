"""Carrying a queued mail to the outgoing server, at most once.

The mark ``sending`` is committed right before the transfer. Whoever finds it at the start of a job knows that a process
died in between and nobody can tell whether the mail left: it becomes ``uncertain`` and waits for a person.
"""

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from core.foundation import clock
from core.foundation.actor import Actor
from core.foundation.blobs import BlobId, read_blob
from core.foundation.errors import Conflict, NotFound, Unavailable
from core.foundation.i18n import _
from core.foundation.jobs import enqueue
from core.foundation.live import tell
from core.foundation.permissions import Permission
from core.foundation.settings import settings
from core.foundation.unit_of_work import Work, unit_of_work
from core.mail.models import OutboundMail
from core.mail.writing import SEND_JOB
from core.timeline.models import Activity

TIMEOUT_S: Final = 30.0
RESENDABLE: Final = frozenset({"uncertain", "refused", "held"})


@dataclass(frozen=True, slots=True)
class Parcel:
    """A mail as it leaves."""

    envelope_from: str
    envelope_to: list[str]
    raw: bytes


def send_outbound(actor: Actor, outbound_mail_id: int) -> None:
    """Send one queued mail; raises ``Unavailable`` if the server could not be reached before the transfer began."""
    parcel = _claim(actor, outbound_mail_id)
    if parcel is None:
        return
    if not settings().outgoing_smtp_url:
        _finish(actor, outbound_mail_id, "held")
        return
    try:
        with _connection() as server:
            _mark_sending(actor, outbound_mail_id)
            server.sendmail(parcel.envelope_from, parcel.envelope_to, parcel.raw)
    except smtplib.SMTPResponseException as error:
        _answered(actor, outbound_mail_id, error.smtp_code, _as_text(error.smtp_error))
    except smtplib.SMTPRecipientsRefused as error:
        code, answer = next(iter(error.recipients.values()))
        _answered(actor, outbound_mail_id, code, _as_text(answer))
    except (OSError, smtplib.SMTPException) as error:
        _broken_off(actor, outbound_mail_id, error)
    else:
        _finish(actor, outbound_mail_id, "sent")


def resend(work: Work, outbound_mail_id: int) -> None:
    """Send a mail again that is uncertain, refused or held, because somebody asks for it."""
    work.actor.require(Permission.TICKETS_REPLY)
    mail = _locked(work, outbound_mail_id)
    if mail.state not in RESENDABLE:
        raise Conflict(_("This mail is on its way or was sent already."))
    mail.state, mail.answer, mail.sending_at, mail.finished_at = "queued", None, None, None
    enqueue(work, SEND_JOB, {"outbound_mail_id": mail.id})
    _tell(work, mail)


def _claim(actor: Actor, outbound_mail_id: int) -> Parcel | None:
    """The mail to send; None if there is nothing to do, or if a process died while sending it."""
    with unit_of_work(actor) as work:
        mail = work.session.get(OutboundMail, outbound_mail_id, with_for_update=True)
        if mail is not None and mail.state == "sending":
            mail.state, mail.finished_at = "uncertain", clock.now()
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


def _answered(actor: Actor, outbound_mail_id: int, code: int, answer: str) -> None:
    """The server said no: for good (5xx), or for now (4xx), then the job tries again."""
    if code >= 500:
        _finish(actor, outbound_mail_id, "refused", answer=f"{code} {answer}")
        return
    _back_to_queue(actor, outbound_mail_id)
    raise Unavailable(_("The outgoing mail server asks to try again later."))


def _broken_off(actor: Actor, outbound_mail_id: int, error: Exception) -> None:
    """The connection failed: before the mark the mail simply waits, after it nobody knows."""
    with unit_of_work(actor) as work:
        mail = _locked(work, outbound_mail_id)
        was_sending = mail.state == "sending"
        if was_sending:
            mail.state, mail.finished_at = "uncertain", clock.now()
        _tell(work, mail)
    if not was_sending:
        raise Unavailable(_("The outgoing mail server does not answer.")) from error


def _back_to_queue(actor: Actor, outbound_mail_id: int) -> None:
    with unit_of_work(actor) as work:
        mail = _locked(work, outbound_mail_id)
        mail.state, mail.sending_at = "queued", None
        _tell(work, mail)


def _finish(actor: Actor, outbound_mail_id: int, state: str, *, answer: str | None = None) -> None:
    with unit_of_work(actor) as work:
        mail = _locked(work, outbound_mail_id)
        mail.state, mail.answer, mail.finished_at = state, answer, clock.now()
        _tell(work, mail)


def _locked(work: Work, outbound_mail_id: int) -> OutboundMail:
    mail = work.session.get(OutboundMail, outbound_mail_id, with_for_update=True)
    if mail is None:
        raise NotFound
    return mail


def _tell(work: Work, mail: OutboundMail) -> None:
    tell(work, "outbox", [mail.id])
    activity = work.session.get_one(Activity, mail.activity_id)
    if activity.ticket_id:
        tell(work, "ticket", [activity.ticket_id])


@contextmanager
def _connection() -> Iterator[smtplib.SMTP]:
    """A signed-in connection to the outgoing server of the settings."""
    url = urlsplit(settings().outgoing_smtp_url)
    with _open(url) as server:
        if url.scheme == "smtp+starttls":
            server.starttls()
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        yield server


def _open(url: SplitResult) -> smtplib.SMTP:
    host = url.hostname or "127.0.0.1"
    if url.scheme == "smtps":
        return smtplib.SMTP_SSL(host, url.port or 465, timeout=TIMEOUT_S)
    return smtplib.SMTP(host, url.port or 25, timeout=TIMEOUT_S)


def _as_text(answer: bytes | str) -> str:
    return (answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer)[:500]

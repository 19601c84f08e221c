"""Attempts at a door, counted per account and per address under a keyed hash; whoever fails too often waits.

It reads the same whether the account exists or not (ATTACKS 33, 46). An attempt is committed before what it brings is
looked at: so a thousand at the same moment try no more than ten passwords.
"""

import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, func, select

from core.foundation import clock
from core.foundation.errors import Unavailable
from core.foundation.i18n import _
from core.foundation.settings import settings
from core.foundation.unit_of_work import Work
from core.identity.models import SignInAttempt

ATTEMPTS_WINDOW: Final = timedelta(minutes=15)
ATTEMPTS_PER_ACCOUNT: Final = 10
ATTEMPTS_PER_ADDRESS: Final = 50


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that has been noted as failed, until it succeeds."""

    email: str
    address: str
    ids: tuple[int, ...]


def begin_attempt(work: Work, email: str, *, address: str) -> Attempt:
    """Note that somebody at ``address`` is about to try; commit before what they bring is looked at.

    Raises ``Unavailable`` after too many failures, without counting this one.
    """
    email = email.strip().lower()
    _refuse_if_throttled(work, email, address, own=())
    _forget_old_attempts(work, email, address)
    noted = [SignInAttempt(subject=subject, failed_at=clock.now()) for subject in attempt_subjects(email, address)]
    work.session.add_all(noted)
    work.session.flush()
    return Attempt(email, address, tuple(row.id for row in noted))


def note_failure(work: Work, account: str, *, address: str) -> None:
    """Count a failed attempt at another door than the web's, such as a synced client's."""
    _forget_old_attempts(work, account, address)
    work.session.add_all(SignInAttempt(subject=it, failed_at=clock.now()) for it in attempt_subjects(account, address))


def refuse_if_throttled(work: Work, attempt: Attempt) -> None:
    """Raise ``Unavailable`` if too many others tried since ``attempt`` was noted, at the same moment perhaps."""
    _refuse_if_throttled(work, attempt.email, attempt.address, own=attempt.ids)


def forget_attempt(work: Work, attempt: Attempt) -> None:
    """It succeeded."""
    work.session.execute(delete(SignInAttempt).where(SignInAttempt.id.in_(attempt.ids)))


def forgive(work: Work, email: str) -> None:
    """Let an account be tried again at once; what its addresses failed stays counted."""
    account, _address = attempt_subjects(email, "")
    work.session.execute(delete(SignInAttempt).where(SignInAttempt.subject == account))


def attempt_subjects(email: str, address: str) -> tuple[bytes, bytes]:
    """Under what an attempt is counted: keyed hashes of the account and of the address that tried."""
    return _subject("account", email), _subject("address", address)


def _refuse_if_throttled(work: Work, email: str, address: str, *, own: tuple[int, ...]) -> None:
    subjects = attempt_subjects(email, address)
    query = (
        select(SignInAttempt.subject, func.count().label("failures"))
        .where(
            SignInAttempt.subject.in_(subjects),
            SignInAttempt.failed_at > clock.now() - ATTEMPTS_WINDOW,
            SignInAttempt.id.not_in(own),
        )
        .group_by(SignInAttempt.subject)
    )
    failures = {row.subject: row.failures for row in work.session.execute(query)}
    limits = zip(subjects, (ATTEMPTS_PER_ACCOUNT, ATTEMPTS_PER_ADDRESS), strict=True)
    if any(failures.get(subject, 0) >= limit for subject, limit in limits):
        raise Unavailable(_("Too many attempts. Wait 15 minutes, then try again."))


def _forget_old_attempts(work: Work, email: str, address: str) -> None:
    is_old = SignInAttempt.failed_at <= clock.now() - ATTEMPTS_WINDOW
    subjects = attempt_subjects(email, address)
    work.session.execute(delete(SignInAttempt).where(SignInAttempt.subject.in_(subjects), is_old))


def _subject(kind: str, value: str) -> bytes:
    return hmac.digest(settings().secret_key.encode(), f"{kind}:{value}".encode(), "sha256")

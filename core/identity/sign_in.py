"""Signing in, staying signed in, signing out.

A sign-in is a row; the browser holds its random token. Attempts are counted per account and per address under a keyed
hash, and whoever fails too often waits, with the same words whether the account exists or not (ATTACKS 33, 46). An
attempt is committed before its password is looked at: so a thousand at the same moment try no more than ten passwords.
"""

import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, func, select

from core.foundation import clock
from core.foundation.actor import Actor, Door, TenantId, UserId
from core.foundation.errors import Unavailable
from core.foundation.i18n import _
from core.foundation.permissions import Permission
from core.foundation.settings import settings
from core.foundation.unit_of_work import Work
from core.identity.models import PermissionGrant, PermissionGroup, SignInAttempt, SignInSession, UserAccount
from core.identity.passwords import password_matches
from core.identity.sessions import Browser, digest, new_browser_elsewhere, note_use, open_session

ATTEMPTS_WINDOW: Final = timedelta(minutes=15)
ATTEMPTS_PER_ACCOUNT: Final = 10
ATTEMPTS_PER_ADDRESS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """The user behind a sign-in, with everything that a page asks of them.

    ``has_new_browser``: somebody signed in as them with a browser that is new to them, and they have not looked at it.
    """

    user_id: UserId
    tenant_id: TenantId
    name: str
    email: str
    locale: str
    theme: str
    is_owner: bool
    permissions: frozenset[Permission]
    has_new_browser: bool = False

    def actor(self, door: Door) -> Actor:
        """The actor for this user's transactions."""
        return Actor(
            tenant_id=self.tenant_id,
            user_id=self.user_id,
            door=door,
            permissions=self.permissions,
            locale=self.locale,
        )


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in that has been noted as failed, until it succeeds."""

    email: str
    address: str
    ids: tuple[int, ...]


def begin_attempt(work: Work, email: str, *, address: str) -> Attempt:
    """Note that somebody at ``address`` is about to try; commit before ``sign_in``.

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


def sign_in(work: Work, attempt: Attempt, password: str, *, browser: Browser) -> str | None:
    """Check the password; answer the new session's token, or None if e-mail and password do not belong together.

    A blocked user is refused like a wrong password. Raises ``Unavailable`` if too many others tried at the same moment.
    """
    refuse_if_throttled(work, attempt)
    user = work.session.scalars(select(UserAccount).where(UserAccount.email == attempt.email)).one_or_none()
    if not password_matches(password, user.password_hash if user else None) or user is None or user.is_blocked:
        return None
    work.session.execute(delete(SignInAttempt).where(SignInAttempt.id.in_(attempt.ids)))
    return open_session(work, user.id, browser)


def signed_in(work: Work, token: str) -> SignedIn | None:
    """The user who holds ``token``; None if it expired, was signed out, or its user is blocked."""
    granted = (
        select(func.array_agg(PermissionGrant.permission))
        .where(PermissionGrant.permission_group_id == PermissionGroup.id)
        .scalar_subquery()
    )
    query = (
        select(UserAccount, PermissionGroup.is_owner, granted, SignInSession, new_browser_elsewhere())
        .join(SignInSession, SignInSession.user_id == UserAccount.id)
        .join(PermissionGroup, PermissionGroup.id == UserAccount.permission_group_id)
        .where(
            SignInSession.token_sha256 == digest(token),
            SignInSession.expires_at > clock.now(),
            ~UserAccount.is_blocked,
        )
    )
    row = work.session.execute(query).one_or_none()
    if row is None:
        return None
    user, is_owner, permissions, session, is_told = row
    note_use(work, session)
    return SignedIn(
        has_new_browser=is_told,
        user_id=UserId(user.id),
        tenant_id=TenantId(user.tenant_id),
        name=user.name,
        email=user.email,
        locale=user.locale,
        theme=user.theme,
        is_owner=is_owner,
        permissions=frozenset(Permission) if is_owner else _known(permissions or []),
    )


def sign_out(work: Work, token: str) -> None:
    """End the session that holds ``token``."""
    session = work.session.scalars(
        select(SignInSession).where(SignInSession.token_sha256 == digest(token))
    ).one_or_none()
    if session is not None:
        work.session.delete(session)


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


def _known(permissions: list[str]) -> frozenset[Permission]:
    """The permissions that this release knows; a later release may have granted others."""
    return frozenset(permission for permission in Permission if permission.value in permissions)


def _forget_old_attempts(work: Work, email: str, address: str) -> None:
    is_old = SignInAttempt.failed_at <= clock.now() - ATTEMPTS_WINDOW
    work.session.execute(
        delete(SignInAttempt).where(SignInAttempt.subject.in_(attempt_subjects(email, address)), is_old)
    )


def attempt_subjects(email: str, address: str) -> tuple[bytes, bytes]:
    """Under what an attempt is counted: keyed hashes of the account and of the address that tried."""
    return _subject("account", email), _subject("address", address)


def _subject(kind: str, value: str) -> bytes:
    return hmac.digest(settings().secret_key.encode(), f"{kind}:{value}".encode(), "sha256")

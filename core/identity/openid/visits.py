"""The way to a provider and back: who was sent, who may come back, and as which user they come in.

A visit is begun in one unit of work and ended in another; between them the network is asked. Its state works once, for
ten minutes, in the browser that began it (ATTACK 36). Nobody becomes a user by this: an account is linked to a user who
exists, by an e-mail that the provider vouches for, and known by its subject from then on.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select, update

from core.foundation import clock
from core.foundation.errors import NotFound
from core.foundation.history import record_change
from core.foundation.live import tell
from core.foundation.unit_of_work import Work
from core.identity.attempts import Attempt, begin_attempt, forget_attempt
from core.identity.models import UserAccount
from core.identity.openid.models import LinkedAccount, OpenIdProvider, OpenIdVisit
from core.identity.openid.protocol import Identity
from core.identity.second_step import Step, open_or_ask
from core.identity.sessions import Browser, digest, open_session

VALID_FOR: Final = timedelta(minutes=10)
LONGEST_PATH: Final = 2000
COUNTED_AS: Final = "openid:"
"""Visits are counted apart from failed passwords."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """What goes with the browser to the provider."""

    state: str
    nonce: str
    code_verifier: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A browser that came back, as it was sent."""

    provider_id: int
    nonce: str
    code_verifier: str
    wanted_path: str
    attempt_ids: tuple[int, ...]


def begin_visit(work: Work, provider_id: int, *, browser: Browser, wanted_path: str) -> Begun:
    """Note that ``browser`` is sent to the provider.

    It counts as a failed sign-in until it succeeds. Raises ``NotFound`` for a provider that is not offered, and
    ``Unavailable`` after too many.
    """
    row = work.session.get(OpenIdProvider, provider_id)
    if row is None or not row.is_enabled:
        raise NotFound
    attempt = begin_attempt(work, COUNTED_AS + browser.token.lower(), address=COUNTED_AS + browser.address)
    work.session.execute(delete(OpenIdVisit).where(OpenIdVisit.expires_at <= clock.now()))
    begun = Begun(
        state=secrets.token_urlsafe(32), nonce=secrets.token_urlsafe(32), code_verifier=secrets.token_urlsafe(48)
    )
    work.session.add(
        OpenIdVisit(
            provider_id=provider_id,
            state_sha256=digest(begun.state),
            browser_sha256=digest(browser.token),
            nonce=begun.nonce,
            code_verifier=begun.code_verifier,
            wanted_path=wanted_path if len(wanted_path) <= LONGEST_PATH else "/",
            attempt_ids=list(attempt.ids),
            expires_at=clock.now() + VALID_FOR,
        )
    )
    work.session.flush()
    return begun


def end_visit(work: Work, state: str, *, browser: Browser) -> Visit | None:
    """The visit that ``browser`` comes back from, which nobody can come back from again; None if there is none."""
    taken = (
        delete(OpenIdVisit)
        .where(
            OpenIdVisit.state_sha256 == digest(state),
            OpenIdVisit.browser_sha256 == digest(browser.token),
            OpenIdVisit.expires_at > clock.now(),
        )
        .returning(
            OpenIdVisit.provider_id,
            OpenIdVisit.nonce,
            OpenIdVisit.code_verifier,
            OpenIdVisit.wanted_path,
            OpenIdVisit.attempt_ids,
        )
    )
    found = work.session.execute(taken).one_or_none()
    if found is None:
        return None
    provider_id, nonce, code_verifier, wanted_path, attempt_ids = found
    return Visit(
        provider_id=provider_id,
        nonce=nonce,
        code_verifier=code_verifier,
        wanted_path=wanted_path,
        attempt_ids=tuple(attempt_ids),
    )


def come_in(work: Work, visit: Visit, identity: Identity, *, browser: Browser) -> str | Step | None:
    """Open a session for the user whom the account belongs to; answers its token, or None if there is no such user.

    If the provider does not count as a second factor, whoever has one of Centrala's gets the ``Step`` that asks for it.

    A blocked user, an account that nobody has, an address that is not verified, of another domain or of somebody who
    has another account there: all are refused in the same way.
    """
    row = work.session.get(OpenIdProvider, visit.provider_id)
    if row is None or not row.is_enabled:
        return None
    user = _user_of(work, row, identity)
    if user is None or user.is_blocked:
        return None
    forget_attempt(work, Attempt("", "", visit.attempt_ids))
    if row.counts_as_factor:
        return open_session(work, user.id, browser, is_vouched_for=True)
    return open_or_ask(work, user.id, browser)


def _user_of(work: Work, row: OpenIdProvider, identity: Identity) -> UserAccount | None:
    account = (LinkedAccount.provider_id == row.id, LinkedAccount.subject == identity.subject)
    used = update(LinkedAccount).where(*account).values(last_used_at=clock.now()).returning(LinkedAccount.user_id)
    user_id = work.session.scalar(used)
    if user_id is not None:
        return work.session.get(UserAccount, user_id)
    if identity.email.partition("@")[2] not in row.domains:
        return None
    query = select(UserAccount).where(UserAccount.email == identity.email, ~UserAccount.is_blocked).with_for_update()
    user = work.session.scalars(query).one_or_none()
    if user is None or _has_another(work, row.id, user.id):
        return None
    link = LinkedAccount(
        provider_id=row.id,
        user_id=user.id,
        subject=identity.subject,
        email=identity.email,
        linked_at=clock.now(),
        last_used_at=clock.now(),
    )
    work.session.add(link)
    record_change(work, "user", user.id, before={"linked_account": None}, after={"linked_account": row.name})
    tell(work, "user", [user.id])
    return user


def _has_another(work: Work, provider_id: int, user_id: int) -> bool:
    query = select(LinkedAccount.id).where(LinkedAccount.provider_id == provider_id, LinkedAccount.user_id == user_id)
    return work.session.scalar(query) is not None

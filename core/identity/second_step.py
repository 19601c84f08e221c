"""Between the password and the session: a browser that is asked for the second factor.

It is a row of ten minutes, bound to the browser by a random token, and used up by the sign-in. Nobody is signed in
before: the browser holds nothing that names a user.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import delete, select

from core.foundation import clock
from core.foundation.errors import NotFound
from core.foundation.i18n import _
from core.foundation.unit_of_work import Work
from core.identity.attempts import Attempt, forget_attempt, refuse_if_throttled
from core.identity.ceremonies import Challenge
from core.identity.models import SecondStep, UserAccount
from core.identity.passkeys import answering_user
from core.identity.second_factor import factor_of, is_right_code, takes_app_codes
from core.identity.security_policy import has_factor
from core.identity.sessions import Browser, digest, open_session

VALID_FOR: Final = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Step:
    """The second factor is asked for; the browser holds ``token`` until it was given."""

    token: str


@dataclass(frozen=True, slots=True)
class StepHolder:
    """Who has given the right password, and what may be given next."""

    user_id: int
    email: str
    takes_app_codes: bool
    has_passkey: bool


def open_or_ask(work: Work, user_id: int, browser: Browser) -> str | Step:
    """Sign the user in whose password was right: the session's token, or the step at which more is asked for."""
    if not work.session.scalar(select(has_factor()).select_from(UserAccount).where(UserAccount.id == user_id)):
        return open_session(work, user_id, browser)
    work.session.execute(delete(SecondStep).where(SecondStep.expires_at <= clock.now()))
    token = secrets.token_urlsafe(32)
    work.session.add(
        SecondStep(user_id=user_id, token_sha256=digest(token), expires_at=clock.now() + VALID_FOR),
    )
    work.session.flush()
    return Step(token)


def step_holder(work: Work, token: str) -> StepHolder:
    """Whose step it is; raises ``NotFound`` if it is unknown, used, too old, or its user is blocked."""
    query = (
        select(UserAccount.id, UserAccount.email)
        .join(SecondStep, SecondStep.user_id == UserAccount.id)
        .where(SecondStep.token_sha256 == digest(token), SecondStep.expires_at > clock.now(), ~UserAccount.is_blocked)
    )
    found = work.session.execute(query).one_or_none()
    if found is None:
        raise NotFound(_("Your sign-in took too long. Begin again."))
    return StepHolder(
        user_id=found.id,
        email=found.email,
        takes_app_codes=takes_app_codes(work, found.id),
        has_passkey=bool(factor_of(work, found.id).passkeys),
    )


def finish_with_code(work: Work, attempt: Attempt, token: str, code: str, *, browser: Browser) -> str | None:
    """Sign in with a code of the app or a recovery code: the session's token, or None if the code does not work.

    Raises ``NotFound`` as ``step_holder`` does, and ``Unavailable`` if too many others tried at the same moment.
    """
    refuse_if_throttled(work, attempt)
    holder = step_holder(work, token)
    if not is_right_code(work, holder.user_id, code):
        return None
    _use_up(work, token)
    forget_attempt(work, attempt)
    return open_session(work, holder.user_id, browser)


def finish_with_passkey(
    work: Work, attempt: Attempt, token: str, asked: Challenge, answer: str, *, browser: Browser
) -> str | None:
    """Sign in with a passkey of the same user: the session's token, or None if the answer does not hold.

    Raises as ``finish_with_code`` does.
    """
    refuse_if_throttled(work, attempt)
    holder = step_holder(work, token)
    if asked.user_id != holder.user_id or answering_user(work, asked, answer) is None:
        return None
    _use_up(work, token)
    forget_attempt(work, attempt)
    return open_session(work, holder.user_id, browser)


def _use_up(work: Work, token: str) -> None:
    used = delete(SecondStep).where(SecondStep.token_sha256 == digest(token)).returning(SecondStep.id)
    if work.session.scalar(used) is None:
        raise NotFound(_("Your sign-in took too long. Begin again."))

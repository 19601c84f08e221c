"""A user's passkeys: made, renamed, deleted, and used to sign in.

Each was made with the user's finger, face or PIN and asks for it again at every use: so it stands for password and
second factor at once. One whose counter does not go up may have been copied, and is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from core.foundation import clock
from core.foundation.errors import Conflict, Invalid, NotFound
from core.foundation.history import record_change
from core.foundation.i18n import Message, _
from core.foundation.live import tell
from core.foundation.outbox import emit
from core.foundation.unit_of_work import Work
from core.identity.attempts import Attempt, forget_attempt, refuse_if_throttled
from core.identity.ceremonies import (
    Challenge,
    Purpose,
    checked_answer,
    checked_creation,
    creation_options,
    make_challenge,
    open_challenge,
    parsed_answer,
    request_options,
    take_challenge,
    user_handle,
)
from core.identity.events import SecondFactorChanged
from core.identity.models import Passkey, UserAccount
from core.identity.naming import cleaned_name
from core.identity.own_account import own_account
from core.identity.second_factor import factor_of, forget_factor, keep_codes
from core.identity.security_policy import Asked, asked_of_all
from core.identity.sessions import Browser, open_session

MOST: Final = 20
LONGEST_NAME: Final = 60
NOT_MADE: Final = _("The passkey could not be made. Nothing was changed; begin again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PasskeyRow:
    """One of the actor's passkeys as they see it."""

    id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None


def my_passkeys(work: Work) -> list[PasskeyRow]:
    """The actor's passkeys, oldest first."""
    query = select(Passkey).where(Passkey.user_id == own_account(work).id).order_by(Passkey.id)
    return [_as_row(passkey) for passkey in work.session.scalars(query)]


def my_passkey(work: Work, passkey_id: int) -> PasskeyRow:
    """One of them; raises ``NotFound`` for others'."""
    return _as_row(_own(work, passkey_id))


def begin_passkey(work: Work) -> str:
    """Let the actor's browser make a passkey, once, within five minutes; a proof was asked of them. Answers the token.

    Raises ``Conflict`` for who has too many.
    """
    if len(my_passkeys(work)) >= MOST:
        raise Conflict(_("You have %(count)d passkeys. Delete one that you no longer use first.", count=MOST))
    return make_challenge(work, Purpose.CREATION, own_account(work).id)[0]


def passkey_options(work: Work, token: str) -> str | None:
    """What the browser is to be told, as JSON; None if it has taken too long."""
    user, found = own_account(work), open_challenge(work, Purpose.CREATION, token)
    return creation_options(work, user, found.challenge) if found and found.user_id == user.id else None


def add_passkey(work: Work, token: str, answer: str, *, name: str) -> Sequence[str]:
    """Keep the passkey that the browser made; answers recovery codes if the user had no second factor before.

    Raises ``Invalid`` for the name, and ``Conflict`` if the answer does not hold: it must be committed all the same,
    since the challenge is used up. Emits ``SecondFactorChanged``.
    """
    cleaned, user = _checked_name(name), own_account(work)
    found = take_challenge(work, Purpose.CREATION, token)
    made = checked_creation(work, answer, found.challenge) if found and found.user_id == user.id else None
    if made is None:
        raise Conflict(NOT_MADE)
    before = list(factor_of(work, user.id).passkeys)
    row = {
        "user_id": user.id,
        "name": cleaned,
        "credential_id": made.credential_id,
        "public_key": made.credential_public_key,
        "sign_count": made.sign_count,
    }
    stored = insert(Passkey).values(**row).on_conflict_do_nothing().returning(Passkey.id)
    if work.session.scalar(stored) is None:
        raise Conflict(NOT_MADE)
    _note(work, user.id, before, "passkey_added")
    return keep_codes(work, user.id)


def rename_passkey(work: Work, passkey_id: int, name: str) -> None:
    """Call one of the actor's passkeys otherwise. Raises ``NotFound``, ``Invalid``."""
    passkey, cleaned = _own(work, passkey_id), _checked_name(name)
    before = list(factor_of(work, passkey.user_id).passkeys)
    passkey.name = cleaned
    work.session.flush()
    after = list(factor_of(work, passkey.user_id).passkeys)
    record_change(work, "user", passkey.user_id, before={"passkeys": before}, after={"passkeys": after})


def delete_passkey(work: Work, passkey_id: int) -> None:
    """Delete one of the actor's passkeys; a proof was asked of them. With the last factor the recovery codes go too.

    Raises ``NotFound``, and ``Conflict`` where the company asks everybody for what this is the last of. Emits
    ``SecondFactorChanged``.
    """
    passkey = _own(work, passkey_id)
    refuse_deleting(work)
    state = factor_of(work, passkey.user_id)
    if len(state.passkeys) == 1 and not state.has_app:
        forget_factor(work, passkey.user_id, change="turned_off")
        return
    work.session.delete(passkey)
    work.session.flush()
    _note(work, passkey.user_id, list(state.passkeys), "passkey_removed")


def refuse_deleting(work: Work) -> None:
    """Raise ``Conflict`` if the company asks everybody for what the actor has one passkey left of."""
    state, asked = factor_of(work, own_account(work).id), asked_of_all(work)
    if len(state.passkeys) > 1 or asked is Asked.OPTIONAL or (asked is Asked.REQUIRED and state.has_app):
        return
    raise Conflict(_("Your company asks everybody for it, and this is your last one. Add another passkey first."))


def ask_passkey(work: Work, purpose: Purpose, user_id: int | None = None) -> tuple[str, str]:
    """Ask for a passkey, of this user or of whoever it belongs to: the token, and what the browser is to be told."""
    token, challenge = make_challenge(work, purpose, user_id)
    return token, request_options(work, challenge, user_id=user_id)


def sign_in_with_passkey(
    work: Work, attempt: Attempt, asked: Challenge, answer: str, *, browser: Browser
) -> str | None:
    """Sign in whoever's passkey has answered: the session's token, or None if it does not hold; a blocked user's never.

    Raises ``Unavailable`` if too many others tried at the same moment.
    """
    refuse_if_throttled(work, attempt)
    user_id = answering_user(work, asked, answer)
    if user_id is None:
        return None
    forget_attempt(work, attempt)
    return open_session(work, user_id, browser)


def answering_user(work: Work, asked: Challenge, answer: str) -> int | None:
    """Whose passkey has signed the challenge; None if the answer does not hold, or its user is blocked.

    A counter that does not go up is refused, written down and told to the user: commit it.
    """
    parsed = parsed_answer(answer)
    if parsed is None:
        return None
    query = (
        select(Passkey)
        .join(UserAccount, UserAccount.id == Passkey.user_id)
        .where(Passkey.credential_id == parsed.raw_id, ~UserAccount.is_blocked)
        .with_for_update(of=Passkey)
        .execution_options(populate_existing=True)
    )
    passkey = work.session.scalars(query).one_or_none()
    if passkey is None or not _is_meant(work, asked, passkey, parsed.response.user_handle):
        return None
    signed = checked_answer(work, parsed, passkey, asked.challenge)
    if signed is None:
        return None
    if max(signed.new_sign_count, passkey.sign_count) > 0 and signed.new_sign_count <= passkey.sign_count:
        _refuse_copy(work, passkey)
        return None
    passkey.sign_count, passkey.last_used_at = signed.new_sign_count, clock.now()
    work.session.flush()
    return passkey.user_id


def _is_meant(work: Work, asked: Challenge, passkey: Passkey, handle: bytes | None) -> bool:
    """Whether it is the passkey of who was asked; of anybody, it has to say whose it is."""
    if asked.user_id is not None:
        return passkey.user_id == asked.user_id
    return handle is not None and bytes(handle) == user_handle(work, passkey.user_id)


def _refuse_copy(work: Work, passkey: Passkey) -> None:
    after = {"passkey_refused": passkey.name}
    record_change(work, "user", passkey.user_id, before={"passkey_refused": None}, after=after)
    emit(work, SecondFactorChanged(user_id=passkey.user_id, change="passkey_refused"))


def _note(work: Work, user_id: int, before: list[str], change: str) -> None:
    after = list(factor_of(work, user_id).passkeys)
    record_change(work, "user", user_id, before={"passkeys": before}, after={"passkeys": after})
    emit(work, SecondFactorChanged(user_id=user_id, change=change))
    tell(work, "user", [user_id])


def _own(work: Work, passkey_id: int) -> Passkey:
    passkey = work.session.get(Passkey, passkey_id)
    if passkey is None or passkey.user_id != work.actor.user_id:
        raise NotFound
    return passkey


def _checked_name(typed: str) -> str:
    name = cleaned_name(typed)
    problem: Message | None = None
    if not name:
        problem = _("Give it a name, such as that of the device.")
    elif len(name) > LONGEST_NAME:
        problem = _("At most %(count)d characters.", count=LONGEST_NAME)
    if problem:
        raise Invalid({"name": problem})
    return name


def _as_row(passkey: Passkey) -> PasskeyRow:
    return PasskeyRow(
        id=passkey.id, name=passkey.name, created_at=passkey.created_at, last_used_at=passkey.last_used_at
    )

"""The second factor: an app that shows a code for every half minute (TOTP, RFC 6238), passkeys, and recovery codes.

The app's secret is sealed in the table. A code counts for its own step of time and the ones beside it, since clocks
differ, and each step once: whoever saw a code being typed cannot use it again (RFC 6238, 5.2).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import pyotp
from pyotp.utils import strings_equal
from sqlalchemy import Select, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from core.foundation import clock
from core.foundation.errors import Conflict, Invalid
from core.foundation.history import record_change
from core.foundation.i18n import _
from core.foundation.live import tell
from core.foundation.outbox import emit
from core.foundation.sealing import seal, unseal
from core.foundation.unit_of_work import Work
from core.identity.attempts import Attempt, forget_attempt, refuse_if_throttled
from core.identity.events import SecondFactorChanged
from core.identity.models import Passkey, SecondFactor
from core.identity.own_account import own_account
from core.identity.passwords import password_matches
from core.identity.recovery_codes import codes_left, renew_codes, use_code
from core.identity.security_policy import Asked, asked_of_all, is_asked_of_all
from core.tenants.service import tenant_profile

PURPOSE: Final = b"centrala second factor 1"
STEP_S: Final = 30
DIGITS: Final = 6
DRIFT_STEPS: Final = 1
UNSYNCHRONISED: Final = {"synchronize_session": False}
PENDING_FOR: Final = timedelta(minutes=15)
CHANGES: Final = (
    "app_on", "app_moved", "app_off", "codes_new", "recovery_used", "passkey_added", "passkey_removed",
    "passkey_refused", "turned_off", "removed",
)  # fmt: skip
"""What ``SecondFactorChanged`` tells of."""
WRONG_CODE: Final = _("This code does not work. Take the one that is shown now; each works once.")
"""One sentence for codes wrong, old and used: nobody learns from it which it was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorState:
    """A user's second factor as pages show it. ``app_since`` is None without an app; ``passkeys`` are their names."""

    app_since: datetime | None
    codes_left: int
    passkeys: Sequence[str]

    @property
    def is_on(self) -> bool:
        """Whether the user is asked for more than the password."""
        return self.has_app or bool(self.passkeys)

    @property
    def has_app(self) -> bool:
        """Whether an app shows codes."""
        return self.app_since is not None


@dataclass(frozen=True, slots=True)
class PendingApp:
    """What an app is to be given: ``secret`` in base32, to type; ``uri`` to scan (otpauth)."""

    secret: str
    uri: str


def factor_of(work: Work, user_id: int) -> FactorState:
    """Whether and since when a user has a second factor."""
    since = work.session.scalar(select(SecondFactor.app_since).where(SecondFactor.user_id == user_id))
    names = select(Passkey.name).where(Passkey.user_id == user_id).order_by(Passkey.id)
    passkeys = work.session.scalars(names).all()
    return FactorState(app_since=since, codes_left=codes_left(work, user_id), passkeys=passkeys)


def begin_app(work: Work) -> None:
    """Make a new secret for the actor's app, which counts once ``confirm_app`` has seen a code of it.

    Whoever calls has asked for a proof. An app that works already goes on working until then.
    """
    user = own_account(work)
    sealed = seal(pyotp.random_base32().encode(), purpose=PURPOSE, tenant_id=work.actor.tenant_id)
    pending = {"pending_sealed": sealed, "pending_until": clock.now() + PENDING_FOR}
    made = insert(SecondFactor).values(user_id=user.id, **pending)
    work.session.execute(made.on_conflict_do_update(index_elements=["tenant_id", "user_id"], set_=pending))


def pending_app(work: Work) -> PendingApp | None:
    """The actor's secret that waits to be confirmed; None if none does, or it has waited too long."""
    user = own_account(work)
    secret = _pending_secret(work, user.id)
    if secret is None:
        return None
    uri = pyotp.TOTP(secret).provisioning_uri(name=user.email, issuer_name=tenant_profile(work).name.replace(":", " "))
    return PendingApp(secret, uri)


def confirm_app(work: Work, code: str) -> Sequence[str]:
    """Take the new app for the actor's second factor; answers new recovery codes, none if there are some already.

    Raises ``Conflict`` if no secret waits, ``Invalid`` for a code that is not the new app's. Emits
    ``SecondFactorChanged``.
    """
    user = own_account(work)
    secret = _pending_secret(work, user.id)
    if secret is None:
        raise Conflict(_("This took too long. Begin again."))
    step = _step_of(secret, code)
    if step is None:
        raise Invalid({"code": _("This is not the app's code. Take the one that it shows now.")})
    row = work.session.scalars(_own_row(user.id).with_for_update()).one()
    had_one = row.secret_sealed is not None
    row.secret_sealed, row.app_since, row.last_step = row.pending_sealed, clock.now(), step
    row.pending_sealed = row.pending_until = None
    work.session.flush()
    before = {"second_factor": had_one, "app_secret": "old" if had_one else None}
    record_change(work, "user", user.id, before=before, after={"second_factor": True, "app_secret": "new"})
    _told(work, user.id, "app_moved" if had_one else "app_on")
    return keep_codes(work, user.id)


def new_codes(work: Work) -> Sequence[str]:
    """Ten new recovery codes for the actor, of whom a proof was asked. Emits ``SecondFactorChanged``."""
    user = own_account(work)
    if not factor_of(work, user.id).is_on:
        raise Conflict(_("Set up a second factor first."))
    codes = renew_codes(work, user.id)
    _told(work, user.id, "codes_new")
    return codes


def turn_off(work: Work) -> None:
    """Forget the actor's app; a proof was asked of them. Passkeys stay, and without one the password alone is enough.

    Raises ``Conflict`` where the company asks everybody for a second factor and this is the last. Emits
    ``SecondFactorChanged``.
    """
    user = own_account(work)
    refuse_turning_off(work)
    if not factor_of(work, user.id).passkeys:
        forget_factor(work, user.id, change="turned_off")
        return
    gone = update(SecondFactor).where(SecondFactor.user_id == user.id)
    work.session.execute(gone.values(secret_sealed=None, app_since=None), execution_options=UNSYNCHRONISED)
    record_change(work, "user", user.id, before={"app_secret": "old"}, after={"app_secret": None})
    _told(work, user.id, "app_off")


def refuse_turning_off(work: Work) -> None:
    """Raise ``Conflict`` where nobody may be without a second factor, and the actor has nothing but an app."""
    if is_asked_of_all(work) and not factor_of(work, own_account(work).id).passkeys:
        raise Conflict(_("Your company asks everybody for a second factor. It can be moved to another phone, not off."))


def keep_codes(work: Work, user_id: int) -> Sequence[str]:
    """Recovery codes for a user who has just got a factor; none if they have some already."""
    work.session.execute(insert(SecondFactor).values(user_id=user_id).on_conflict_do_nothing())
    return () if codes_left(work, user_id) else renew_codes(work, user_id)


def forget_factor(work: Work, user_id: int, *, change: str) -> bool:
    """Forget a user's app, passkeys and recovery codes; answers whether there was one. Emits ``SecondFactorChanged``.

    For services that have checked that the actor may.
    """
    was = factor_of(work, user_id)
    work.session.execute(delete(SecondFactor).where(SecondFactor.user_id == user_id))
    work.session.execute(delete(Passkey).where(Passkey.user_id == user_id))
    if not was.is_on:
        return False
    before = {"second_factor": True, "codes_left": was.codes_left, "passkeys": list(was.passkeys)}
    after = {"second_factor": False, "codes_left": 0, "passkeys": []}
    record_change(work, "user", user_id, before=before, after=after)
    _told(work, user_id, change)
    return True


def prove_twice(work: Work, attempt: Attempt, password: str, code: str) -> str | None:
    """Whether the actor's password and a code of their second factor were given: the name of the wrong one, else None.

    Only both together take the attempt back. Raises ``Unavailable`` after too many others.
    """
    refuse_if_throttled(work, attempt)
    user = own_account(work)
    if not password_matches(password, user.password_hash):
        return "current_password"
    if not is_right_code(work, user.id, code):
        return "code"
    forget_attempt(work, attempt)
    return None


def is_right_code(work: Work, user_id: int, code: str) -> bool:
    """Whether ``code`` is the app's or a recovery code of the user's; it works no more then.

    Whoever calls counts the attempt before. Where the company asks for passkeys, the app's codes of who has one do not
    count.
    """
    typed = code.replace(" ", "").replace("-", "")
    if len(typed) == DIGITS and typed.isascii() and typed.isdigit():
        return takes_app_codes(work, user_id) and _use_app_code(work, user_id, typed)
    return use_code(work, user_id, typed)


def takes_app_codes(work: Work, user_id: int) -> bool:
    """Whether a code of the user's app lets in, together with the password."""
    state = factor_of(work, user_id)
    return state.has_app and not (asked_of_all(work) is Asked.PASSKEY and state.passkeys)


def _use_app_code(work: Work, user_id: int, code: str) -> bool:
    sealed = work.session.scalar(select(SecondFactor.secret_sealed).where(SecondFactor.user_id == user_id))
    secret = _unsealed(work, sealed)
    step = _step_of(secret, code) if secret else None
    if step is None:
        return False
    used = (
        update(SecondFactor)
        .where(SecondFactor.user_id == user_id, SecondFactor.last_step < step)
        .values(last_step=step)
        .returning(SecondFactor.id)
    )
    return work.session.scalar(used, execution_options=UNSYNCHRONISED) is not None


def _step_of(secret: str, code: str) -> int | None:
    """The step of time that ``code`` belongs to, if it is one of now or beside it."""
    typed, now = code.replace(" ", ""), int(clock.now().timestamp()) // STEP_S
    steps = range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1)
    found = [step for step in steps if strings_equal(pyotp.TOTP(secret).generate_otp(step), typed)]
    return max(found, default=None)


def _pending_secret(work: Work, user_id: int) -> str | None:
    query = select(SecondFactor.pending_sealed).where(
        SecondFactor.user_id == user_id, SecondFactor.pending_until > clock.now()
    )
    return _unsealed(work, work.session.scalar(query))


def _unsealed(work: Work, sealed: bytes | None) -> str | None:
    plain = unseal(sealed, purpose=PURPOSE, tenant_id=work.actor.tenant_id) if sealed else None
    return plain.decode() if plain else None


def _own_row(user_id: int) -> Select[SecondFactor]:
    return select(SecondFactor).where(SecondFactor.user_id == user_id).execution_options(populate_existing=True)


def _told(work: Work, user_id: int, change: str) -> None:
    emit(work, SecondFactorChanged(user_id=user_id, change=change))
    tell(work, "user", [user_id])

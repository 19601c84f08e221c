"""What users do about their own way in: a new password, with proof that it is they who ask.

A proof is the current password; it is counted as an attempt and committed before it is looked at, like a sign-in.
"""

from core.foundation.errors import Forbidden, Invalid
from core.foundation.history import record_change
from core.foundation.i18n import _
from core.foundation.outbox import emit
from core.foundation.unit_of_work import Work
from core.identity.attempts import Attempt, forget_attempt, refuse_if_throttled
from core.identity.events import PasswordChanged
from core.identity.models import UserAccount
from core.identity.passwords import check_new_password, hash_password, password_matches
from core.identity.sessions import end_other_sessions


def prove(work: Work, attempt: Attempt, password: str) -> bool:
    """Whether ``password`` is the actor's; forgets the attempt if so. Raises ``Unavailable`` after too many others."""
    refuse_if_throttled(work, attempt)
    if not password_matches(password, own_account(work).password_hash):
        return False
    forget_attempt(work, attempt)
    return True


def change_password(work: Work, password: str, again: str, *, token: str) -> int:
    """Give the actor a new password and end their other sessions; answers how many.

    Whoever calls has asked for a proof; ``token`` is of the session that stays. Raises ``Invalid`` (TC-26). Emits
    ``PasswordChanged``.
    """
    check_new_password(password, again)
    user = own_account(work)
    if password_matches(password, user.password_hash):
        raise Invalid({"password": _("This is the password that you have now.")})
    user.password_hash = hash_password(password)
    record_change(work, "user", user.id, before={"password": "old"}, after={"password": "new"})
    emit(work, PasswordChanged(user_id=user.id))
    return end_other_sessions(work, token)


def own_account(work: Work) -> UserAccount:
    """The actor's account; raises ``Forbidden`` for the product itself."""
    if work.actor.user_id is None:
        raise Forbidden
    return work.session.get_one(UserAccount, work.actor.user_id)

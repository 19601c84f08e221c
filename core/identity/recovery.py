"""Choosing a password with a mailed link: after forgetting it, or for the first time after an invitation.

Asking for a link does the same work and reads the same words whether anybody has that e-mail (ATTACK 33): it stores an
event in either case, and only the job behind it (``mail.send_reset_link``) finds out whether there is somebody to write
to.
"""

from datetime import timedelta
from typing import Final

from sqlalchemy import func, select

from core.foundation import clock
from core.foundation.history import record_change
from core.foundation.live import tell
from core.foundation.outbox import emit
from core.foundation.unit_of_work import Work
from core.identity.attempts import begin_attempt, forgive
from core.identity.events import PasswordChanged, ResetAsked
from core.identity.links import LinkHolder, LinkKind, link_holder, make_link, use_link, withdraw_link
from core.identity.models import OneTimeLink, UserAccount
from core.identity.passwords import check_new_password, hash_password
from core.identity.sessions import end_sessions

NOBODY: Final = 0
ONE_LINK_IN: Final = timedelta(minutes=2)
"""Whoever presses the button twice gets one mail, whose link works."""
ASKING: Final = "reset:"
"""Requests for links are counted apart from failed sign-ins."""


def ask_reset(work: Work, email: str, *, address: str) -> None:
    """Let a link leave to whoever signs in with ``email``, if anybody does. Emits ``ResetAsked`` in any case.

    Raises ``Unavailable`` if this e-mail or this address was used to ask too often.
    """
    attempt = begin_attempt(work, f"{ASKING}{email.strip()}", address=f"{ASKING}{address}")
    wanted = attempt.email.removeprefix(ASKING)
    found = work.session.scalar(select(func.max(UserAccount.id)).where(UserAccount.email == wanted))
    emit(work, ResetAsked(user_id=found or NOBODY))


def make_reset_link(work: Work, user_id: int) -> str | None:
    """A token for this user to choose a new password with; None if nobody may have one, or one has just left."""
    user = work.session.get(UserAccount, user_id, with_for_update=True)
    if user is None or user.is_blocked:
        return None
    fresh = (
        OneTimeLink.user_id == user_id,
        OneTimeLink.kind == LinkKind.RESET.value,
        OneTimeLink.used_at.is_(None),
        OneTimeLink.created_at > clock.now() - ONE_LINK_IN,
    )
    if work.session.scalar(select(OneTimeLink.id).where(*fresh).limit(1)) is not None:
        return None
    return make_link(work, LinkKind.RESET, user_id)


def choose_password(work: Work, kind: LinkKind, token: str, password: str, again: str) -> LinkHolder:
    """Give the holder of a link the password that they chose; the link is used up, and every session of theirs ends.

    Raises ``NotFound`` for a link that does not work, and ``Invalid`` (TC-26), which leaves it working. Emits
    ``PasswordChanged`` if there was a password before.
    """
    holder = link_holder(work, kind, token)
    check_new_password(password, again)
    use_link(work, kind, token)
    user = work.session.get_one(UserAccount, holder.user_id)
    had_one = user.password_hash is not None
    user.password_hash = hash_password(password)
    for other in LinkKind:
        if other is not kind:
            withdraw_link(work, other, user.id)
    before = {"password": "old" if had_one else None, "way": None}
    record_change(work, "user", user.id, before=before, after={"password": "new", "way": kind.value})
    end_sessions(work, user.id)
    tell(work, "user", [user.id])
    forgive(work, user.email)
    if had_one:
        emit(work, PasswordChanged(user_id=user.id))
    return holder

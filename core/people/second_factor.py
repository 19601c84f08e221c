"""Removing somebody's second factor: for who lost the phone and the recovery codes."""

from core.foundation.errors import Conflict
from core.foundation.i18n import _
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.second_factor import forget_factor
from core.identity.sessions import end_sessions
from core.people.guards import locked_person, refuse_oneself


def remove_second_factor(work: Work, user_id: int) -> None:
    """Let the user in with the password alone, until they set up another factor; every open session ends.

    Raises ``NotFound``, ``Forbidden`` for somebody who has more than the actor, ``Conflict`` for oneself and for whom
    has none. Emits ``SecondFactorChanged``: the user is told by mail.
    """
    work.actor.require(Permission.PEOPLE_MANAGE)
    user = locked_person(work, user_id)
    refuse_oneself(work, user_id)
    if not forget_factor(work, user_id, change="removed"):
        raise Conflict(_("%(name)s has no second factor.", name=user.name))
    end_sessions(work, user_id)

"""Looking at the app as a permission group would: with its rights and no others, and without changing anything.

It belongs to one signed-in browser, lasts half an hour at most, and gives nobody more than they have: only owners may,
and whoever is an owner no more has their own rights again. Which rows one sees stays one's own.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from core.foundation import clock
from core.foundation.errors import Conflict, Forbidden, NotFound
from core.foundation.history import Change, record_change
from core.foundation.i18n import _
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.models import PermissionGrant, PermissionGroup, SignInSession
from core.identity.owners import require_owner
from core.identity.sessions import digest

LASTS: Final = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class View:
    """As which group somebody looks at the app, and until when."""

    group_id: int
    group_name: str
    until: datetime


def begin_view(work: Work, group_id: int, *, token: str) -> None:
    """Let the actor's browser that holds ``token`` look at the app as the group.

    Raises ``NotFound``, ``Forbidden`` for whoever is no owner, ``Conflict`` for the owners' own group.
    """
    work.actor.require(Permission.PEOPLE_MANAGE)
    group = work.session.get(PermissionGroup, group_id)
    if group is None:
        raise NotFound
    require_owner(work)
    if group.is_owner:
        raise Conflict(_("Owners see the app as you do."))
    session = _session(work, token)
    session.viewed_group_id, session.viewed_until = group_id, clock.now() + LASTS
    before = {"viewed_as": None, "until": None}
    after = {"viewed_as": group.name, "until": session.viewed_until.isoformat(timespec="minutes")}
    record_change(work, "user", session.user_id, before=before, after=after)


def end_view(work: Work, *, token: str) -> int | None:
    """Let the browser have the actor's own rights again; answers as which group it looked, None if as none."""
    session = _session(work, token)
    group_id = session.viewed_group_id
    note_end(work, session)
    return group_id


def view_of(work: Work, session: SignInSession) -> tuple[View, frozenset[Permission]] | None:
    """How an owner's browser looks at the app now, and what the group may; None if as itself. Ends what is over."""
    if session.viewed_group_id is None or session.viewed_until is None:
        return None
    group = work.session.get(PermissionGroup, session.viewed_group_id)
    if group is None or session.viewed_until <= clock.now():
        note_end(work, session)
        return None
    query = select(PermissionGrant.permission).where(PermissionGrant.permission_group_id == group.id)
    held = set(work.session.scalars(query))
    permissions = frozenset(permission for permission in Permission if permission.value in held)
    return View(group.id, group.name, session.viewed_until), permissions


def note_end(work: Work, session: SignInSession) -> None:
    """Write down that the session looks at the app as its user again, if it did not; the caller knows whose it is."""
    if session.viewed_group_id is None:
        return
    group = work.session.get(PermissionGroup, session.viewed_group_id)
    fields = {"viewed_as": [group.name if group else "", None]}
    work.session.add(
        Change(
            subject_kind="user",
            subject_id=session.user_id,
            fields=fields,
            user_id=session.user_id,
            door=work.actor.door,
        )
    )
    session.viewed_group_id = session.viewed_until = None


def _session(work: Work, token: str) -> SignInSession:
    query = select(SignInSession).where(
        SignInSession.token_sha256 == digest(token), SignInSession.user_id == work.actor.user_id
    )
    session = work.session.scalars(query.with_for_update()).one_or_none()
    if session is None:
        raise Forbidden
    return session

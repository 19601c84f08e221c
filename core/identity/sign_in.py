"""Signing in, staying signed in, signing out. A sign-in is a row; the browser holds its random token."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from core.foundation import clock
from core.foundation.actor import Actor, Door, TenantId, UserId
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.attempts import Attempt, forget_attempt, refuse_if_throttled
from core.identity.models import PermissionGrant, PermissionGroup, SignInSession, UserAccount
from core.identity.passwords import password_matches
from core.identity.second_step import Step, open_or_ask
from core.identity.security_policy import lacks_what_is_asked
from core.identity.sessions import Browser, digest, new_browser_elsewhere, note_use
from core.identity.viewing import View, note_end, view_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """The user behind a sign-in, with everything that a page asks of them.

    ``has_new_browser``: somebody signed in as them with a browser that is new to them, and they have not looked at it.
    ``view_as``: an owner looks at the app with a group's rights; ``permissions`` are that group's then.
    ``must_set_up``: the company asks for a second factor, and until they have one they may do nothing else.
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
    must_set_up: bool = False
    signed_in_at: datetime | None = None
    view_as: View | None = None
    list_views: Mapping[str, Any] = field(default_factory=dict)

    def actor(self, door: Door) -> Actor:
        """The actor for this user's transactions."""
        return Actor(
            tenant_id=self.tenant_id,
            user_id=self.user_id,
            door=door,
            permissions=self.permissions,
            locale=self.locale,
            is_viewing=self.view_as is not None,
        )


def sign_in(work: Work, attempt: Attempt, password: str, *, browser: Browser) -> str | Step | None:
    """Check the password; answer the new session's token, or None if e-mail and password do not belong together.

    Whoever has a second factor gets the ``Step`` at which it is asked for, and no session. A blocked user is refused
    like a wrong password. Raises ``Unavailable`` if too many others tried at the same moment.
    """
    refuse_if_throttled(work, attempt)
    user = work.session.scalars(select(UserAccount).where(UserAccount.email == attempt.email)).one_or_none()
    if not password_matches(password, user.password_hash if user else None) or user is None or user.is_blocked:
        return None
    forget_attempt(work, attempt)
    return open_or_ask(work, user.id, browser)


def signed_in(work: Work, token: str) -> SignedIn | None:
    """The user who holds ``token``; None if it expired, was signed out, or its user is blocked."""
    granted = (
        select(func.array_agg(PermissionGrant.permission))
        .where(PermissionGrant.permission_group_id == PermissionGroup.id)
        .scalar_subquery()
    )
    query = (
        select(
            UserAccount,
            PermissionGroup.is_owner,
            granted,
            SignInSession,
            new_browser_elsewhere(),
            lacks_what_is_asked(),
        )
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
    user, is_owner, permissions, session, is_told, lacks_factor = row
    note_use(work, session)
    if not is_owner:
        note_end(work, session)
    view, viewed = view_of(work, session) or (None, frozenset[Permission]())
    held = frozenset(Permission) if is_owner else _known(permissions or [])
    return SignedIn(
        view_as=view,
        has_new_browser=is_told,
        must_set_up=lacks_factor and not session.is_vouched_for,
        signed_in_at=session.created_at,
        user_id=UserId(user.id),
        tenant_id=TenantId(user.tenant_id),
        name=user.name,
        email=user.email,
        locale=user.locale,
        theme=user.theme,
        list_views=user.list_views,
        is_owner=is_owner and view is None,
        permissions=held & viewed if view else held,
    )


def sign_out(work: Work, token: str) -> None:
    """End the session that holds ``token``."""
    session = work.session.scalars(
        select(SignInSession).where(SignInSession.token_sha256 == digest(token))
    ).one_or_none()
    if session is not None:
        note_end(work, session)
        work.session.delete(session)


def _known(permissions: list[str]) -> frozenset[Permission]:
    """The permissions that this release knows; a later release may have granted others."""
    return frozenset(permission for permission in Permission if permission.value in permissions)

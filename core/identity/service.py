"""Creating users and groups, and what users set for themselves."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select

from core.foundation.actor import UserId
from core.foundation.errors import Invalid
from core.foundation.history import record_change
from core.foundation.i18n import LOCALES, _
from core.foundation.permissions import Permission
from core.foundation.search import contains, words_of
from core.foundation.sorting import sort_key
from core.foundation.unit_of_work import Work
from core.identity.models import PermissionGrant, PermissionGroup, UserAccount, UserGroup, UserGroupMember
from core.identity.naming import shown_address
from core.identity.owners import require_owner
from core.identity.passwords import hash_password

THEMES = ("system", "light", "dark")
DENSITIES = ("compact", "roomy")
CODE = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserDraft:
    """A user to create. ``groups`` are ids of user groups; without a ``password`` they cannot sign in yet."""

    email: str
    name: str
    password: str | None
    permission_group_id: int
    locale: str = "en"
    kind: str = "call_centre"
    business_number: str = ""
    sms_sender: str = ""
    groups: tuple[int, ...] = field(default=())


def create_permission_group(work: Work, name: str, *, permissions: Iterable[Permission]) -> int:
    """Create a permission group that allows ``permissions``."""
    require_owner(work)
    return _create_permission_group(work, PermissionGroup(name=name), permissions)


def create_owner_group(work: Work, name: str) -> int:
    """Create the group that may do everything and sees every row."""
    require_owner(work)
    return _create_permission_group(work, PermissionGroup(name=name, is_owner=True), ())


def position_group(work: Work) -> int:
    """The tenant's permanent root group "Position" (TC-16), made at the first use."""
    work.actor.require(Permission.PEOPLE_MANAGE)
    found = work.session.scalars(select(UserGroup.id).where(UserGroup.is_position)).one_or_none()
    if found is not None:
        return found
    group = UserGroup(name="Position", is_position=True)
    work.session.add(group)
    work.session.flush()
    return group.id


def create_user(work: Work, draft: UserDraft) -> UserId:
    """Create a user, who belongs to "Position" at least; raises ``Invalid`` if somebody has this e-mail already."""
    work.actor.require(Permission.PEOPLE_MANAGE)
    email = draft.email.strip().lower()
    taken_by = work.session.scalars(select(UserAccount.name).where(UserAccount.email == email)).one_or_none()
    if taken_by is not None:
        raise Invalid({"email": _("%(name)s signs in with this e-mail already.", name=taken_by)})
    user = UserAccount(
        email=email,
        name=draft.name,
        sort_key=sort_key(draft.name, draft.locale),
        password_hash=None if draft.password is None else hash_password(draft.password),
        permission_group_id=draft.permission_group_id,
        kind=draft.kind,
        business_number=draft.business_number,
        sms_sender=draft.sms_sender,
        locale=draft.locale,
    )
    work.session.add(user)
    work.session.flush()
    groups = {position_group(work), *draft.groups}
    work.session.add_all(UserGroupMember(user_id=user.id, user_group_id=group_id) for group_id in groups)
    work.session.flush()
    record_change(work, "user", user.id, before={}, after=account_values(work, user))
    return UserId(user.id)


def account_values(work: Work, user: UserAccount) -> dict[str, Any]:
    """What the history keeps of an account: everything but its password; groups by their ids."""
    joined = select(UserGroupMember.user_group_id).where(UserGroupMember.user_id == user.id)
    return {
        "email": shown_address(user.email),
        "name": user.name,
        "business_number": user.business_number,
        "permission_group_id": user.permission_group_id,
        "groups": sorted(work.session.scalars(joined)),
        "kind": user.kind,
        "sms_sender": user.sms_sender,
        "locale": user.locale,
    }


def choose_theme(work: Work, theme: str) -> None:
    """Store the acting user's theme: ``system``, ``light`` or ``dark``."""
    if theme not in THEMES:
        raise Invalid({"theme": _("There is no such theme.")})
    _own_account(work).theme = theme


def choose_language(work: Work, locale: str) -> None:
    """Store the acting user's language."""
    if locale not in LOCALES:
        raise Invalid({"locale": _("There is no such language.")})
    _own_account(work).locale = locale


def choose_list_view(work: Work, name: str, columns: Sequence[str], *, density: str) -> None:
    """Store which columns of a list the acting user sees, in this order, and how high its rows are.

    ``name`` and ``columns`` are codes that the product knows; what they are, only its pages say.
    """
    if density not in DENSITIES or not all(CODE.fullmatch(code) for code in (name, *columns)) or len(columns) > 50:
        raise Invalid({"columns": _("There is no such column. Open the list again.")})
    account = _own_account(work)
    account.list_views = {**account.list_views, name: {"columns": list(columns), "density": density}}


def reset_list_view(work: Work, name: str) -> None:
    """Let the acting user see a list as everybody does who chose nothing."""
    account = _own_account(work)
    account.list_views = {other: view for other, view in account.list_views.items() if other != name}


@dataclass(frozen=True, slots=True)
class Colleague:
    """A user as others pick them."""

    id: UserId
    name: str


def colleagues(work: Work, *, search: str = "") -> list[Colleague]:
    """Everybody of the tenant who is not blocked and whose name contains the words, in alphabetical order."""
    query = select(UserAccount.id, UserAccount.name).where(~UserAccount.is_blocked).order_by(UserAccount.sort_key)
    query = query.where(*contains(func.concat(" ", func.app_fold(UserAccount.name)), list(words_of(search))))
    return [Colleague(UserId(user_id), name) for user_id, name in work.session.execute(query)]


def _create_permission_group(work: Work, group: PermissionGroup, permissions: Iterable[Permission]) -> int:
    work.session.add(group)
    work.session.flush()
    work.session.add_all(
        PermissionGrant(permission_group_id=group.id, permission=permission) for permission in permissions
    )
    return group.id


def _own_account(work: Work) -> UserAccount:
    return work.session.get_one(UserAccount, work.actor.user_id)

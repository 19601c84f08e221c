"""Who may change whom. Whoever manages people could otherwise give themselves more than they have.

Somebody may put others only into groups that allow and show no more than they have themselves, and may change only
people who may do and see no more than they. Their own rights nobody changes but an owner, and the last owner stays one.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select, union

from core.foundation.errors import Conflict, Forbidden, NotFound
from core.foundation.i18n import _
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.models import PermissionGrant, PermissionGroup, UserAccount, UserGroup, UserGroupMember
from core.identity.owners import able_owner, is_owner
from core.visibility.kinds import GRANTED


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionChoice:
    """A permission group, and whether the actor may put people into it."""

    id: int
    name: str
    is_owner: bool
    permissions: frozenset[Permission]
    is_assignable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UserGroupChoice:
    """A user group in the order of the tree; ``depth`` counts from 0.

    ``is_assignable``: it and the groups above it were granted nothing that the actor does not see.
    """

    id: int
    name: str
    depth: int
    is_position: bool
    is_assignable: bool


def permission_choices(work: Work) -> list[PermissionChoice]:
    """Every permission group, by name."""
    held, owner = _held_permissions(work), is_owner(work)
    query = select(PermissionGroup).order_by(func.lower(PermissionGroup.name), PermissionGroup.id)
    found = []
    for group in work.session.scalars(query):
        permissions = frozenset(Permission) if group.is_owner else held.get(group.id, frozenset())
        choice = PermissionChoice(
            id=group.id,
            name=group.name,
            is_owner=group.is_owner,
            permissions=permissions,
            is_assignable=owner or (not group.is_owner and permissions <= work.actor.permissions),
        )
        found.append(choice)
    return found


def user_group_choices(work: Work) -> list[UserGroupChoice]:
    """Every user group, "Position" first, children below their parents, in the order of the tree (TC-15)."""
    order = (UserGroup.is_position.desc(), UserGroup.position, func.lower(UserGroup.name), UserGroup.id)
    below: dict[int | None, list[UserGroup]] = {}
    for group in work.session.scalars(select(UserGroup).order_by(*order)):
        below.setdefault(group.parent_id, []).append(group)
    hiding = frozenset[int]() if is_owner(work) else _groups_that_show_more(work)
    found: list[UserGroupChoice] = []
    waiting = [(group, 0, True) for group in reversed(below.get(None, []))]
    while waiting:
        group, depth, is_open_above = waiting.pop()
        is_open = is_open_above and group.id not in hiding
        choice = UserGroupChoice(
            id=group.id, name=group.name, depth=depth, is_position=group.is_position, is_assignable=is_open
        )
        found.append(choice)
        waiting += [(child, depth + 1, is_open) for child in reversed(below.get(group.id, []))]
    return found


def locked_person(work: Work, user_id: int) -> UserAccount:
    """The user, locked, whom the actor may change; raises ``Forbidden``, and ``NotFound`` for somebody deleted."""
    user = work.session.get(UserAccount, user_id, with_for_update=True, populate_existing=True)
    if user is None or user.deleted_at is not None:
        raise NotFound
    if work.actor.user_id != user_id and has_more_than_actor(work, user):
        raise Forbidden(_("%(name)s may do or see more than you. Only an owner can change them.", name=user.name))
    return user


def has_more_than_actor(work: Work, user: UserAccount) -> bool:
    """Whether the user may do or see what the actor may not: whoever changed their password would have it too."""
    if is_owner(work):
        return False
    group = next(choice for choice in permission_choices(work) if choice.id == user.permission_group_id)
    joined = select(UserGroupMember.user_group_id).where(UserGroupMember.user_id == user.id)
    memberships = set(work.session.scalars(joined))
    closed = {choice.id for choice in user_group_choices(work) if not choice.is_assignable}
    return not group.is_assignable or bool(memberships & closed)


def refuse_oneself(work: Work, user_id: int) -> None:
    """Raise ``Conflict`` if the actor is about to lock themselves out."""
    if work.actor.user_id == user_id:
        raise Conflict(_("You cannot do this to yourself. Ask a colleague."))


def keep_an_owner(work: Work, user_id: int) -> None:
    """Raise ``Conflict`` if the user is the only owner who can sign in.

    The owners' rows are locked, so that of two who send each other away one waits; the database refuses it too.
    """
    query = (
        select(UserAccount.id)
        .join(PermissionGroup, PermissionGroup.id == UserAccount.permission_group_id)
        .where(able_owner())
        .order_by(UserAccount.id)
        .with_for_update(of=UserAccount)
    )
    if list(work.session.scalars(query)) == [user_id]:
        raise Conflict(_("This is the last owner who can sign in. Make somebody else an owner first."))


def _held_permissions(work: Work) -> Mapping[int, frozenset[Permission]]:
    known = {permission.value: permission for permission in Permission}
    found: dict[int, set[Permission]] = {}
    granted = select(PermissionGrant.permission_group_id, PermissionGrant.permission)
    for group_id, permission in work.session.execute(granted):
        if permission in known:
            found.setdefault(group_id, set()).add(known[permission])
    return {group_id: frozenset(permissions) for group_id, permissions in found.items()}


def _groups_that_show_more(work: Work) -> frozenset[int]:
    """User groups that were granted a thing which the policies hide from the actor."""
    hidden = [
        select(kind.grant.user_group_id).where(kind.thing_id.not_in(select(kind.model.id))) for kind in GRANTED.values()
    ]
    return frozenset(work.session.scalars(union(*hidden)))


def names_of(choices: Sequence[UserGroupChoice], ids: Collection[int]) -> list[str]:
    """The names of these groups, in the order of the tree."""
    return [choice.name for choice in choices if choice.id in ids]

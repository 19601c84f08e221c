"""Permission groups: what their users may do (TC-5 to TC-10). Each user is in exactly one: joining is leaving.

Only an owner creates, changes and deletes them. The owners' own group cannot be changed: it always may do everything.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select

from core.foundation.errors import Conflict, Invalid, NotFound
from core.foundation.history import record_change
from core.foundation.i18n import Message, _
from core.foundation.live import tell
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.models import PermissionGrant, PermissionGroup, UserAccount
from core.identity.naming import cleaned_name, problem_of_name
from core.identity.owners import able_owner, require_owner

Problems = dict[str, Message]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDraft:
    """A group to store. ``users`` are ids of those who move into it; whoever is in it stays.

    ``version`` is that of the group which the change was made from; empty, what is stored is not compared.
    """

    name: str
    permissions: frozenset[Permission]
    users: frozenset[int] = frozenset()
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionGroupRow:
    """A group in a list."""

    id: int
    name: str
    is_owner: bool
    permission_count: int
    user_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupUser:
    """A user and the permission group that they are in."""

    id: int
    name: str
    email: str
    is_blocked: bool
    group_id: int
    group_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionGroupDetail:
    """A group with what it allows and who is in it."""

    id: int
    name: str
    is_owner: bool
    permissions: frozenset[Permission]
    users: Sequence[GroupUser]

    @property
    def version(self) -> str:
        """Changes with the name and the permissions."""
        return version_of(self.name, self.permissions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two groups side by side; a permission stands in exactly one of the four."""

    only_first: frozenset[Permission]
    only_second: frozenset[Permission]
    both: frozenset[Permission]
    neither: frozenset[Permission]


def permission_groups(work: Work) -> list[PermissionGroupRow]:
    """Every group with its numbers, the owners' first."""
    work.actor.require(Permission.PEOPLE_MANAGE)
    known = [permission.value for permission in Permission]
    granted = (
        select(func.count())
        .where(PermissionGrant.permission_group_id == PermissionGroup.id, PermissionGrant.permission.in_(known))
        .scalar_subquery()
    )
    users = select(func.count()).where(UserAccount.permission_group_id == PermissionGroup.id).scalar_subquery()
    query = select(PermissionGroup, granted, users).order_by(
        PermissionGroup.is_owner.desc(), func.lower(PermissionGroup.name), PermissionGroup.id
    )
    return [
        PermissionGroupRow(
            id=group.id,
            name=group.name,
            is_owner=group.is_owner,
            permission_count=len(Permission) if group.is_owner else permission_count,
            user_count=user_count,
        )
        for group, permission_count, user_count in work.session.execute(query)
    ]


def permission_group(work: Work, group_id: int) -> PermissionGroupDetail:
    """A group with its permissions and users; raises ``NotFound``."""
    work.actor.require(Permission.PEOPLE_MANAGE)
    group = work.session.get(PermissionGroup, group_id)
    if group is None:
        raise NotFound
    return PermissionGroupDetail(
        id=group.id,
        name=group.name,
        is_owner=group.is_owner,
        permissions=permissions_of(work, group),
        users=[user for user in users_with_groups(work) if user.group_id == group_id],
    )


def permissions_of(work: Work, group: PermissionGroup) -> frozenset[Permission]:
    """What the group allows, as far as this release knows it."""
    if group.is_owner:
        return frozenset(Permission)
    stored = set(
        work.session.scalars(select(PermissionGrant.permission).where(PermissionGrant.permission_group_id == group.id))
    )
    return frozenset(permission for permission in Permission if permission.value in stored)


def users_with_groups(work: Work) -> list[GroupUser]:
    """Everybody with the group that they are in, in alphabetical order."""
    work.actor.require(Permission.PEOPLE_MANAGE)
    query = (
        select(UserAccount, PermissionGroup.name)
        .join(PermissionGroup, PermissionGroup.id == UserAccount.permission_group_id)
        .order_by(UserAccount.sort_key, UserAccount.id)
    )
    return [
        GroupUser(
            id=user.id,
            name=user.name,
            email=user.email,
            is_blocked=user.is_blocked,
            group_id=user.permission_group_id,
            group_name=group_name,
        )
        for user, group_name in work.session.execute(query)
    ]


def compare_groups(first: PermissionGroupDetail, second: PermissionGroupDetail) -> Comparison:
    """What one group allows and the other does not."""
    return Comparison(
        only_first=first.permissions - second.permissions,
        only_second=second.permissions - first.permissions,
        both=first.permissions & second.permissions,
        neither=frozenset(Permission) - first.permissions - second.permissions,
    )


def version_of(name: str, permissions: Collection[Permission]) -> str:
    """A short digest by which a change finds out that somebody was faster."""
    return hashlib.sha256("\n".join([name, *sorted(permissions)]).encode()).hexdigest()[:16]


def problems_of_group(work: Work, draft: GroupDraft, *, own_id: int | None = None) -> Problems:
    """What about the name and the permissions keeps the draft from being stored."""
    work.actor.require(Permission.PEOPLE_MANAGE)
    problems: Problems = {}
    name = cleaned_name(draft.name)
    same = select(PermissionGroup.id).where(
        func.lower(PermissionGroup.name) == name.lower(), PermissionGroup.id != (own_id or 0)
    )
    if problem := problem_of_name(name):
        problems["name"] = problem
    elif work.session.scalar(same.limit(1)) is not None:
        problems["name"] = _("Another group has this name.")
    if not draft.permissions:
        problems["permissions"] = _("Choose at least one permission: a group without any could open nothing.")
    return problems


def add_permission_group(work: Work, draft: GroupDraft) -> int:
    """Create a group and move its users into it; answers its id. Raises ``Forbidden``, ``Invalid``."""
    require_owner(work)
    name = _checked(work, draft, own_id=None)
    group = PermissionGroup(name=name)
    work.session.add(group)
    work.session.flush()
    _write_permissions(work, group, draft.permissions)
    after = {"name": name, "permissions": sorted(draft.permissions)}
    record_change(work, "permission_group", group.id, before={}, after=after)
    _move_in(work, group, draft.users)
    return group.id


def change_permission_group(work: Work, group_id: int, draft: GroupDraft) -> None:
    """Change a group's name and permissions, and move users into it. Counts from each user's next request on.

    Raises ``Forbidden``, ``NotFound``, ``Invalid``, and ``Conflict`` for the owners' group and for one that somebody
    changed meanwhile.
    """
    require_owner(work)
    group = _locked(work, group_id)
    if draft.version and draft.version != version_of(group.name, permissions_of(work, group)):
        raise Conflict(_("A colleague changed this group in the meantime. Nothing was saved yet."))
    if group.is_owner:
        _refuse_owner_group(draft, group)
    else:
        before = {"name": group.name, "permissions": sorted(permissions_of(work, group))}
        group.name = _checked(work, draft, own_id=group_id)
        _write_permissions(work, group, draft.permissions)
        after = {"name": group.name, "permissions": sorted(draft.permissions)}
        record_change(work, "permission_group", group_id, before=before, after=after)
    _move_in(work, group, draft.users)


def delete_permission_group(work: Work, group_id: int) -> None:
    """Delete a group that nobody is in (TC-9). Raises ``Forbidden``, ``NotFound``, ``Conflict`` while it has users."""
    require_owner(work)
    group = _locked(work, group_id)
    if group.is_owner:
        raise Conflict(_("The owners' group cannot be deleted."))
    count = work.session.scalar(select(func.count()).where(UserAccount.permission_group_id == group_id)) or 0
    if count:
        raise Conflict(_("Nothing was deleted: people are in this group (%(count)d). Move them first.", count=count))
    before = {"name": group.name, "permissions": sorted(permissions_of(work, group))}
    record_change(work, "permission_group", group_id, before=before, after={})
    work.session.delete(group)
    work.session.flush()
    tell(work, "permission_group", [group_id])


def _refuse_owner_group(draft: GroupDraft, group: PermissionGroup) -> None:
    if cleaned_name(draft.name) != group.name or draft.permissions != frozenset(Permission):
        raise Conflict(_("The owners' group always may do everything; it cannot be changed."))


def _checked(work: Work, draft: GroupDraft, *, own_id: int | None) -> str:
    """The name, cleaned; raises ``Invalid`` for a name or permissions that cannot be."""
    problems = problems_of_group(work, draft, own_id=own_id)
    if problems:
        raise Invalid(problems)
    return cleaned_name(draft.name)


def _write_permissions(work: Work, group: PermissionGroup, permissions: Collection[Permission]) -> None:
    """Store exactly these of the permissions that this release knows; others stay as they are."""
    known = [permission.value for permission in Permission]
    work.session.execute(
        delete(PermissionGrant).where(
            PermissionGrant.permission_group_id == group.id, PermissionGrant.permission.in_(known)
        )
    )
    work.session.add_all(
        PermissionGrant(permission_group_id=group.id, permission=permission) for permission in sorted(permissions)
    )
    work.session.flush()
    tell(work, "permission_group", [group.id])


def _move_in(work: Work, group: PermissionGroup, user_ids: Collection[int]) -> None:
    """Move users from where they are; raises ``Invalid`` for unknown ones, oneself, and the last owner."""
    here = (UserAccount.id.in_(user_ids), UserAccount.deleted_at.is_(None))
    query = select(UserAccount).where(*here).order_by(UserAccount.id).with_for_update()
    found = list(work.session.scalars(query))
    moving = [user for user in found if user.permission_group_id != group.id]
    problems: Mapping[str, Message] = {}
    if len(found) < len(user_ids):
        problems = {"users": _("There is no such user.")}
    elif any(user.id == work.actor.user_id for user in moving):
        problems = {"users": _("You cannot move yourself; another owner can.")}
    if problems:
        raise Invalid(problems)
    if not moving:
        return
    for user in moving:
        before, user.permission_group_id = user.permission_group_id, group.id
        record_change(
            work, "user", user.id, before={"permission_group_id": before}, after={"permission_group_id": group.id}
        )
    work.session.flush()
    _refuse_without_owner(work)
    tell(work, "permission_group", [group.id])


def _refuse_without_owner(work: Work) -> None:
    """Whatever is changed at the same moment, somebody must remain who may do everything."""
    work.session.execute(select(PermissionGroup.id).where(PermissionGroup.is_owner).with_for_update())
    query = (
        select(func.count(UserAccount.id), func.count(PermissionGroup.id.distinct()))
        .select_from(PermissionGroup)
        .outerjoin(UserAccount, (UserAccount.permission_group_id == PermissionGroup.id) & able_owner())
        .where(PermissionGroup.is_owner)
    )
    owners, groups = work.session.execute(query).one()
    if groups and not owners:
        raise Invalid({"users": _("Somebody must remain an owner.")})


def _locked(work: Work, group_id: int) -> PermissionGroup:
    group = work.session.get(PermissionGroup, group_id, with_for_update=True, populate_existing=True)
    if group is None:
        raise NotFound
    return group

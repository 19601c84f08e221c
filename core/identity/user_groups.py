"""User groups: who belongs together, as a tree (TC-11 to TC-18). Rows are granted to them, and hold for those below.

"Position" is the permanent root that everybody belongs to; other groups may be renamed, moved, and deleted while they
are empty. Who is in a group is changed on the user's own form (TC-14): ``groups_of_user`` and ``set_groups_of_user``.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select

from core.foundation.errors import Conflict, Invalid, NotFound
from core.foundation.history import record_change
from core.foundation.i18n import Message, _
from core.foundation.live import tell
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.models import UserAccount, UserGroup, UserGroupMember
from core.identity.naming import cleaned_name, problem_of_name
from core.identity.owners import is_owner
from core.identity.service import position_group


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who belongs to a group itself, not only to one below it."""

    user_id: int
    name: str
    is_blocked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UserGroupNode:
    """A group in the tree: as many steps below the roots as ``depth`` says, and ``path`` names those above it.

    ``member_count`` counts people of the group itself, ``people_count`` also those of the groups below, once each.
    """

    id: int
    name: str
    parent_id: int | None
    depth: int
    path: Sequence[str]
    is_position: bool
    members: Sequence[Member]
    people_count: int
    children: Sequence[int]

    @property
    def member_count(self) -> int:
        """How many people belong to the group itself."""
        return len(self.members)


def user_groups(work: Work) -> list[UserGroupNode]:
    """The tree from top to bottom: each group is followed by those below it. "Position" comes first."""
    work.actor.require(Permission.PEOPLE_MANAGE)
    order = (UserGroup.is_position.desc(), UserGroup.position, func.lower(UserGroup.name), UserGroup.id)
    below: dict[int | None, list[UserGroup]] = {}
    for group in work.session.scalars(select(UserGroup).order_by(*order)):
        below.setdefault(group.parent_id, []).append(group)
    return list(_nodes(below, _members(work), parent_id=None, path=()))


def user_group(work: Work, group_id: int) -> UserGroupNode:
    """One group of the tree; raises ``NotFound``."""
    found = next((node for node in user_groups(work) if node.id == group_id), None)
    if found is None:
        raise NotFound
    return found


def create_user_group(work: Work, name: str, *, parent_id: int | None = None) -> int:
    """Create a group as the last one below ``parent_id``; it is offered on every user's form from now on (TC-15).

    Raises ``Invalid``.
    """
    work.actor.require(Permission.PEOPLE_MANAGE)
    _lock_tree(work)
    if parent_id is not None and work.session.get(UserGroup, parent_id) is None:
        raise Invalid({"parent_id": _("There is no such group.")})
    cleaned = _checked_name(work, name, parent_id, own_id=None)
    beside = UserGroup.parent_id.is_not_distinct_from(parent_id)
    last = work.session.scalar(select(func.max(UserGroup.position)).where(beside))
    group = UserGroup(name=cleaned, parent_id=parent_id, position=(last or 0) + 1)
    work.session.add(group)
    work.session.flush()
    record_change(work, "user_group", group.id, before={}, after={"name": cleaned, "parent_id": parent_id})
    tell(work, "user_group", [group.id])
    return group.id


def rename_user_group(work: Work, group_id: int, name: str) -> None:
    """Give a group another name. Raises ``NotFound``, ``Invalid``, ``Conflict`` for "Position"."""
    work.actor.require(Permission.PEOPLE_MANAGE)
    _lock_tree(work)
    group = _changeable(work, group_id)
    before = group.name
    group.name = _checked_name(work, name, group.parent_id, own_id=group_id)
    work.session.flush()
    if record_change(work, "user_group", group_id, before={"name": before}, after={"name": group.name}):
        tell(work, "user_group", [group_id])


def move_user_group(work: Work, group_id: int, *, parent_id: int | None, before_id: int | None = None) -> None:
    """Put a group with all below it under another parent, before its child ``before_id`` or as the last one.

    Raises ``NotFound``, ``Conflict`` for "Position", ``Invalid`` for a parent that is the group itself or below it, and
    for one's own group unless one is an owner: by another parent one could see what was granted to others.
    """
    work.actor.require(Permission.PEOPLE_MANAGE)
    _lock_tree(work)
    group = _changeable(work, group_id)
    _refuse_parent(work, group, parent_id)
    siblings = _siblings(work, parent_id, without=group_id)
    place = next((index for index, other in enumerate(siblings) if other.id == before_id), len(siblings))
    was = {"parent_id": group.parent_id, "place": _place(work, group)}
    if group.parent_id != parent_id:
        _checked_name(work, group.name, parent_id, own_id=group_id)
        _refuse_own(work, group_id)
    group.parent_id = parent_id
    siblings.insert(place, group)
    for number, sibling in enumerate(siblings, start=1):
        sibling.position = number
    work.session.flush()
    _keep_position(work)
    if record_change(work, "user_group", group_id, before=was, after={"parent_id": parent_id, "place": place + 1}):
        tell(work, "user_group", [group_id])


def delete_user_group(work: Work, group_id: int) -> None:
    """Delete a group that is empty (TC-18); what was granted to it is granted to it no more.

    Raises ``NotFound``, and ``Conflict`` for "Position" and while people or groups are in it.
    """
    work.actor.require(Permission.PEOPLE_MANAGE)
    _lock_tree(work)
    group = _changeable(work, group_id)
    members = work.session.scalar(select(func.count()).where(UserGroupMember.user_group_id == group_id)) or 0
    children = work.session.scalar(select(func.count()).where(UserGroup.parent_id == group_id)) or 0
    if members:
        raise Conflict(_("Nothing was deleted: people are in this group (%(count)d). Move them first.", count=members))
    if children:
        raise Conflict(_("Nothing was deleted: there are groups below it (%(count)d).", count=children))
    record_change(work, "user_group", group_id, before={"name": group.name, "parent_id": group.parent_id}, after={})
    work.session.delete(group)
    work.session.flush()
    tell(work, "user_group", [group_id])


def groups_of_user(work: Work, user_id: int) -> frozenset[int]:
    """Ids of the groups that the user belongs to."""
    work.actor.require(Permission.PEOPLE_MANAGE)
    query = select(UserGroupMember.user_group_id).where(UserGroupMember.user_id == user_id)
    return frozenset(work.session.scalars(query))


def set_groups_of_user(work: Work, user_id: int, group_ids: Collection[int]) -> None:
    """Let the user belong to exactly these groups (TC-28); without one of the tree "Position", to "Position" itself.

    Raises ``NotFound``, and ``Invalid``, also for another choice of one's own groups unless one is an owner.
    """
    before = groups_of_user(work, user_id)
    put_user_into_groups(work, user_id, group_ids)
    after = groups_of_user(work, user_id)
    record_change(work, "user", user_id, before={"groups": sorted(before)}, after={"groups": sorted(after)})


def put_user_into_groups(work: Work, user_id: int, group_ids: Collection[int]) -> None:
    """The same without the history, for services that write the whole change of a user down."""
    work.actor.require(Permission.PEOPLE_MANAGE)
    if work.session.get(UserAccount, user_id, with_for_update=True) is None:
        raise NotFound
    wanted = set(group_ids)
    position = position_group(work)
    tree = user_groups(work)
    if wanted - {node.id for node in tree}:
        raise Invalid({"groups": _("There is no such group.")})
    if not wanted & set(_ids_below(tree, position)):
        wanted.add(position)
    before = groups_of_user(work, user_id)
    if user_id == work.actor.user_id and wanted != before and not is_owner(work):
        raise Invalid({"groups": _("You cannot change your own groups; an owner can.")})
    gone = delete(UserGroupMember).where(
        UserGroupMember.user_id == user_id, UserGroupMember.user_group_id.in_(before - wanted)
    )
    work.session.execute(gone)
    work.session.add_all(UserGroupMember(user_id=user_id, user_group_id=group_id) for group_id in wanted - before)
    work.session.flush()
    if before != wanted:
        tell(work, "user_group", sorted(before ^ wanted))


def _nodes(
    below: dict[int | None, list[UserGroup]],
    members: dict[int, list[Member]],
    *,
    parent_id: int | None,
    path: tuple[str, ...],
) -> Iterator[UserGroupNode]:
    for group in below.get(parent_id, ()):
        following = list(_nodes(below, members, parent_id=group.id, path=(*path, group.name)))
        own = members.get(group.id, [])
        people = {member.user_id for node in following for member in node.members}
        yield UserGroupNode(
            id=group.id,
            name=group.name,
            parent_id=parent_id,
            depth=len(path),
            path=path,
            is_position=group.is_position,
            members=own,
            people_count=len(people | {member.user_id for member in own}),
            children=[child.id for child in below.get(group.id, ())],
        )
        yield from following


def _members(work: Work) -> dict[int, list[Member]]:
    query = (
        select(UserGroupMember.user_group_id, UserAccount.id, UserAccount.name, UserAccount.is_blocked)
        .join(UserAccount, UserAccount.id == UserGroupMember.user_id)
        .order_by(UserAccount.sort_key, UserAccount.id)
    )
    found: dict[int, list[Member]] = {}
    for group_id, user_id, name, is_blocked in work.session.execute(query):
        found.setdefault(group_id, []).append(Member(user_id, name, is_blocked))
    return found


def _ids_below(tree: Sequence[UserGroupNode], group_id: int) -> Iterator[int]:
    """The group itself and all below it."""
    known = {node.id: node for node in tree}
    yield group_id
    for child in known[group_id].children if group_id in known else ():
        yield from _ids_below(tree, child)


def _lock_tree(work: Work) -> None:
    """Changes of the tree follow one another, or two moves at once could hang each group below the other."""
    position_group(work)
    work.session.execute(select(UserGroup.id).where(UserGroup.is_position).with_for_update())


def _changeable(work: Work, group_id: int) -> UserGroup:
    group = work.session.get(UserGroup, group_id, with_for_update=True, populate_existing=True)
    if group is None:
        raise NotFound
    if group.is_position:
        raise Conflict(_("“Position” is permanent: everybody belongs to it."))
    return group


def _checked_name(work: Work, typed: str, parent_id: int | None, *, own_id: int | None) -> str:
    name = cleaned_name(typed)
    same = select(UserGroup.id).where(
        func.lower(UserGroup.name) == name.lower(),
        UserGroup.parent_id.is_not_distinct_from(parent_id),
        UserGroup.id != (own_id or 0),
    )
    problem: Message | None = problem_of_name(name)
    if problem is None and work.session.scalar(same.limit(1)) is not None:
        problem = _("There is a group of this name in the same place.")
    if problem:
        raise Invalid({"name": problem})
    return name


def _refuse_parent(work: Work, group: UserGroup, parent_id: int | None) -> None:
    above, step = parent_id, None
    while above is not None:
        if above == group.id:
            raise Invalid({"parent_id": _("A group cannot stand below itself.")})
        step = work.session.get(UserGroup, above, populate_existing=True)
        if step is None:
            raise Invalid({"parent_id": _("There is no such group.")})
        above = step.parent_id


def _refuse_own(work: Work, group_id: int) -> None:
    """Nobody but an owner moves a group that they belong to, itself or by a group below it."""
    if is_owner(work):
        return
    tree = user_groups(work)
    moving = set(_ids_below(tree, group_id))
    if any(member.user_id == work.actor.user_id for node in tree if node.id in moving for member in node.members):
        raise Invalid({"parent_id": _("You belong to this group yourself: only an owner can put it elsewhere.")})


def _keep_position(work: Work) -> None:
    """Whoever belonged to "Position" by a group that left its tree now belongs to "Position" itself."""
    present = select(UserAccount.id).where(UserAccount.deleted_at.is_(None))
    without = work.session.scalars(present.where(~func.has_position(UserAccount.id))).all()
    position = position_group(work)
    work.session.add_all(UserGroupMember(user_id=user_id, user_group_id=position) for user_id in without)
    work.session.flush()


def _siblings(work: Work, parent_id: int | None, *, without: int) -> list[UserGroup]:
    query = (
        select(UserGroup)
        .where(UserGroup.parent_id.is_not_distinct_from(parent_id), ~UserGroup.is_position, UserGroup.id != without)
        .order_by(UserGroup.position, func.lower(UserGroup.name), UserGroup.id)
    )
    return list(work.session.scalars(query))


def _place(work: Work, group: UserGroup) -> int:
    """The group's place among those beside it, from 1."""
    before = [
        other
        for other in _siblings(work, group.parent_id, without=group.id)
        if (other.position, other.name.lower(), other.id) < (group.position, group.name.lower(), group.id)
    ]
    return len(before) + 1

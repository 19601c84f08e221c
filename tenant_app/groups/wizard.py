"""The steps of a permission group's form: name, permissions, people, and what follows (TC-5).

Every step carries what the others hold, so that going back and forth, or a refusal, loses nothing.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from werkzeug.datastructures import MultiDict

from core.foundation.permissions import Permission
from core.identity.permission_groups import GroupDraft, GroupUser, PermissionGroupDetail
from tenant_app.typed import as_id

STEPS: Final = ("name", "permissions", "users", "summary")
OWNER_STEPS: Final = ("users", "summary")


@dataclass(frozen=True, slots=True)
class Typed:
    """What the form holds at any step. Permissions and users are what was ticked; ``version`` is that of the group."""

    name: str
    permissions: frozenset[Permission]
    users: frozenset[int]
    version: str = ""

    def draft(self) -> GroupDraft:
        """The draft for the service."""
        return GroupDraft(name=self.name, permissions=self.permissions, users=self.users, version=self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequences:
    """What storing the form would change: permissions added and taken away, and who comes from which group."""

    added: frozenset[Permission]
    removed: frozenset[Permission]
    moving: Sequence[GroupUser]
    leaving: Mapping[str, int]
    staying: int

    @property
    def are_none(self) -> bool:
        """Whether nothing but perhaps the name changes."""
        return not (self.added or self.removed or self.moving)


def typed_values(form: MultiDict[str, str]) -> Typed:
    """What was posted; permissions that do not exist are left out."""
    ticked = set(form.getlist("permissions"))
    return Typed(
        name=form.get("name", ""),
        permissions=frozenset(permission for permission in Permission if permission.value in ticked),
        users=frozenset(found for text in form.getlist("users") if (found := as_id(text)) is not None),
        version=form.get("version", ""),
    )


def stored_values(group: PermissionGroupDetail) -> Typed:
    """What the form begins with for a group that exists; people in it stay without being ticked."""
    return Typed(group.name, group.permissions, frozenset(), group.version)


def steps_of(group: PermissionGroupDetail | None) -> Sequence[str]:
    """The owners' group has no name and no permissions to change."""
    return OWNER_STEPS if group is not None and group.is_owner else STEPS


def next_step(steps: Sequence[str], step: str, go: str) -> str:
    """The step after ``step``, before it, or the one that ``go`` names."""
    if go in steps:
        return go
    place = steps.index(step) + (-1 if go == "back" else 1)
    return steps[max(0, min(place, len(steps) - 1))]


def checked_steps(steps: Sequence[str], step: str, following: str) -> Sequence[str]:
    """The steps that must be right before one goes on to ``following``; going back asks for nothing."""
    return steps[: steps.index(following)] if steps.index(following) > steps.index(step) else ()


def step_of_problem(steps: Sequence[str], problems: Mapping[str, object]) -> str:
    """The first step at which something must be changed."""
    return next((step for step in steps if step in problems), steps[0])


def consequences_of(users: Sequence[GroupUser], typed: Typed, group: PermissionGroupDetail | None) -> Consequences:
    """What storing ``typed`` would change for whom."""
    before = group.permissions if group else frozenset()
    own_id = group.id if group else None
    moving = [user for user in users if user.id in typed.users and user.group_id != own_id]
    return Consequences(
        added=typed.permissions - before,
        removed=before - typed.permissions,
        moving=moving,
        leaving=Counter(user.group_name for user in moving),
        staying=sum(user.group_id == own_id for user in users),
    )

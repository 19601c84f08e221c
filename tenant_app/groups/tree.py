"""Places in the tree of user groups: where a group can go with one step, and below which it can stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.identity.user_groups import UserGroupNode


@dataclass(frozen=True, slots=True)
class Place:
    """Below ``parent_id`` (None: at the top), before its child ``before_id`` (None: as the last one)."""

    parent_id: int | None
    before_id: int | None


@dataclass(frozen=True, slots=True)
class Steps:
    """Where one step up or down among its siblings leads; None at the end."""

    up: Place | None
    down: Place | None


def steps_among_siblings(nodes: Sequence[UserGroupNode]) -> Mapping[int, Steps]:
    """By group; "Position" always comes first and takes no steps."""
    below: dict[int | None, list[int]] = {}
    for node in nodes:
        if not node.is_position:
            below.setdefault(node.parent_id, []).append(node.id)
    return {
        group_id: Steps(
            up=Place(parent_id, ids[at - 1]) if at else None,
            down=Place(parent_id, (*ids[at + 2 :], None)[0]) if at + 1 < len(ids) else None,
        )
        for parent_id, ids in below.items()
        for at, group_id in enumerate(ids)
    }


def possible_parents(nodes: Sequence[UserGroupNode], group: UserGroupNode | None) -> list[tuple[int, str]]:
    """Every group with the names above it, but for the group itself and those below it."""
    excluded = {group.id} if group else set()
    found = []
    for node in nodes:  # those below come after those above
        if node.parent_id in excluded:
            excluded.add(node.id)
        if node.id not in excluded:
            found.append((node.id, " › ".join((*node.path, node.name))))
    return found

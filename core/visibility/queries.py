"""What there is, who was granted it, how many see it and how much is in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from core.foundation.errors import NotFound
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.models import UserGroup
from core.identity.user_groups import user_groups
from core.visibility.kinds import GRANTED, Kind
from core.visibility.sights import Person, sights


@dataclass(frozen=True, slots=True, kw_only=True)
class ThingRow:
    """A database, queue, category or book. ``contents`` maps what is in it to how many; ``channel`` is a queue's."""

    id: int
    kind: Kind
    name: str
    everyone_sees: bool
    groups: Mapping[int, str]
    people: Sequence[Person]
    contents: Mapping[str, int]
    channel: str


@dataclass(frozen=True, slots=True)
class GrantedThing:
    """A thing that a user group was granted."""

    kind: Kind
    id: int
    name: str


def things(work: Work, kind: Kind) -> list[ThingRow]:
    """All of a kind that the actor sees, by name; for those who manage people."""
    work.actor.require(Permission.PEOPLE_MANAGE)
    model = GRANTED[kind].model
    found = list(work.session.scalars(select(model).order_by(func.lower(model.name), model.id)))
    groups = _groups(work, kind)
    counts = contents_of(work, kind, [thing.id for thing in found])
    seen = sights(work)
    return [
        ThingRow(
            id=thing.id,
            kind=kind,
            name=thing.name,
            everyone_sees=thing.everyone_sees,
            groups=groups.get(thing.id, {}),
            people=[sight.person for sight in seen if sight.sees(kind, thing.id)],
            contents=counts.get(thing.id, {}),
            channel=getattr(thing, "channel", ""),
        )
        for thing in found
    ]


def thing(work: Work, kind: Kind, thing_id: int) -> ThingRow:
    """One of them; raises ``NotFound``."""
    found = next((row for row in things(work, kind) if row.id == thing_id), None)
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenThing:
    """What belonging to a group lets people see, since it was granted to the group ``granted_to`` or one above it."""

    kind: Kind
    id: int
    name: str
    granted_to: int
    granted_name: str
    contents: Mapping[str, int]


def seen_by_members(work: Work, group_id: int) -> list[SeenThing]:
    """What people of the user group see by belonging to it, by kind and name; as far as the actor sees it.

    What is open to everyone is left out. Of several groups above that were granted the same, the nearest is named.
    """
    tree = {node.id: node for node in user_groups(work)}
    above: list[int] = []
    step: int | None = group_id
    while step is not None and step in tree:
        above.append(step)
        step = tree[step].parent_id
    found = []
    for kind, granted in GRANTED.items():
        query = (
            select(granted.model.id, granted.model.name, granted.grant.user_group_id)
            .join(granted.grant, granted.thing_id == granted.model.id)
            .where(granted.grant.user_group_id.in_(above), ~granted.model.everyone_sees)
            .order_by(func.lower(granted.model.name), granted.model.id)
        )
        nearest: dict[int, tuple[str, int]] = {}
        for thing_id, name, granted_to in work.session.execute(query):
            known = nearest.get(thing_id, (name, granted_to))
            nearest[thing_id] = (name, min(known[1], granted_to, key=above.index))
        counts = contents_of(work, kind, list(nearest))
        found += [
            SeenThing(
                kind=kind,
                id=thing_id,
                name=name,
                granted_to=granted_to,
                granted_name=tree[granted_to].name,
                contents=counts.get(thing_id, {}),
            )
            for thing_id, (name, granted_to) in nearest.items()
        ]
    return found


def grants_of_group(work: Work, group_id: int) -> list[GrantedThing]:
    """What was granted to the user group itself, as far as the actor sees it."""
    found = []
    for kind, granted in GRANTED.items():
        query = (
            select(granted.model.id, granted.model.name)
            .join(granted.grant, granted.thing_id == granted.model.id)
            .where(granted.grant.user_group_id == group_id)
            .order_by(func.lower(granted.model.name))
        )
        found += [GrantedThing(kind, thing_id, name) for thing_id, name in work.session.execute(query)]
    return found


def _groups(work: Work, kind: Kind) -> dict[int, dict[int, str]]:
    granted = GRANTED[kind]
    query = (
        select(granted.thing_id, UserGroup.id, UserGroup.name)
        .join(UserGroup, UserGroup.id == granted.grant.user_group_id)
        .order_by(func.lower(UserGroup.name), UserGroup.id)
    )
    found: dict[int, dict[int, str]] = {}
    for thing_id, group_id, name in work.session.execute(query):
        found.setdefault(thing_id, {})[group_id] = name
    return found


def contents_of(work: Work, kind: Kind, thing_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """How much is in each of the things, as far as the actor sees it."""
    found: dict[int, dict[str, int]] = {}
    for contents in GRANTED[kind].contents:
        query = select(contents.thing_id, func.count()).where(contents.thing_id.in_(thing_ids))
        for thing_id, count in work.session.execute(query.group_by(contents.thing_id)):
            found.setdefault(thing_id, {})[contents.name] = count
    return found

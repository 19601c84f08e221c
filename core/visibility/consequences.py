"""What a change of grants or groups would do, before it is done: made, measured by the policies, and taken back."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import select

from core.foundation.unit_of_work import Work
from core.visibility.kinds import GRANTED, Kind
from core.visibility.queries import contents_of
from core.visibility.sights import Person, Sight, sights


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Who would see a thing no more, who would see it from now on, and how much is in it."""

    kind: Kind
    id: int
    name: str
    losing: Sequence[Person]
    gaining: Sequence[Person]
    contents: Mapping[str, int]


class _TakenBack(Exception):
    """Ends the savepoint in which a change was only measured."""


def consequences_of(work: Work, change: Callable[[], object]) -> list[Difference]:
    """Make ``change``, compare what everybody sees, and take it back.

    Things that the actor does not see are left out. What the change raises passes through.
    """
    before = sights(work)
    after: list[Sight] = []
    with suppress(_TakenBack), work.session.begin_nested():
        change()
        after = sights(work)
        raise _TakenBack
    work.session.expire_all()
    return [difference for kind in Kind for difference in _differences(work, kind, before, after)]


def _differences(work: Work, kind: Kind, before: Sequence[Sight], after: Sequence[Sight]) -> list[Difference]:
    was, will = {sight.person.id: sight for sight in before}, {sight.person.id: sight for sight in after}
    model = GRANTED[kind].model
    names = {row.id: row.name for row in work.session.execute(select(model.id, model.name).order_by(model.name))}
    found = []
    for thing_id, name in names.items():
        losing = [it.person for it in before if it.sees(kind, thing_id) and not _sees(will, it, kind, thing_id)]
        gaining = [it.person for it in after if it.sees(kind, thing_id) and not _sees(was, it, kind, thing_id)]
        if losing or gaining:
            found.append((thing_id, name, losing, gaining))
    contents = contents_of(work, kind, [thing_id for thing_id, *_rest in found])
    return [
        Difference(
            kind=kind, id=thing_id, name=name, losing=losing, gaining=gaining, contents=contents.get(thing_id, {})
        )
        for thing_id, name, losing, gaining in found
    ]


def _sees(sight_of: Mapping[int, Sight], sight: Sight, kind: Kind, thing_id: int) -> bool:
    return sight.person.id in sight_of and sight_of[sight.person.id].sees(kind, thing_id)

"""What a person may do and see, and why: for their page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.models import UserAccount
from core.people.guards import PermissionChoice, permission_choices
from core.visibility.kinds import GRANTED, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A thing that the person sees. ``through`` names the user groups that were granted it."""

    kind: Kind
    name: str
    everyone_sees: bool
    through: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """Everything that the person may do, through their one permission group, and what they see.

    An owner sees everything, ``books.manage`` every book (``sees_all_books``): then the lists say only what they would
    see without it.
    """

    group: PermissionChoice
    seen: Sequence[Seen]
    sees_all_books: bool


def rights_of(work: Work, user_id: int) -> Rights:
    """The person's rights, of things that the actor sees too."""
    work.actor.require(Permission.PEOPLE_READ)
    user = work.session.get_one(UserAccount, user_id)
    group = next(choice for choice in permission_choices(work) if choice.id == user.permission_group_id)
    seen = [
        Seen(kind=Kind(kind), name=name, everyone_sees=everyone_sees, through=through or ())
        for kind, name, everyone_sees, through in work.session.execute(_SEEN, {"person": user_id})
    ]
    return Rights(group=group, seen=seen, sees_all_books=Permission.BOOKS_MANAGE in group.permissions)


_ABOVE: Final = """with recursive above as (
    select m.user_group_id as id from user_group_member m where m.user_id = :person
    union
    select g.parent_id from user_group g join above on above.id = g.id where g.parent_id is not null
)"""

_ONE: Final = """select '{kind}' as kind, t.name, t.everyone_sees, (
    select array_agg(u.name order by lower(u.name)) from {grant} g join user_group u on u.id = g.user_group_id
    where g.{column} = t.id and g.user_group_id in (select id from above)) as through from {table} t"""

_SEEN: Final = text(
    f"{_ABOVE} select * from ("
    + " union all ".join(
        _ONE.format(
            kind=kind.value,
            table=granted.model.__tablename__,
            grant=granted.grant.__tablename__,
            column=granted.thing_id.key,
        )
        for kind, granted in GRANTED.items()
    )
    + ") as thing where everyone_sees or through is not null order by kind, lower(name)"
)

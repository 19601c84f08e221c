"""What each person sees: one question for everybody, by the policies that decide (``app_sights``, ``app_viewers``)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import column, func, select

from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.models import PermissionGrant, PermissionGroup, UserAccount
from core.visibility.kinds import GRANTED, Kind


@dataclass(frozen=True, slots=True)
class Person:
    """A user who is not blocked, with what they may do."""

    id: int
    name: str
    is_owner: bool
    permissions: frozenset[Permission]


@dataclass(frozen=True, slots=True)
class Sight:
    """Which things of each kind one person sees; None stands for all of them."""

    person: Person
    seen: Mapping[Kind, frozenset[int]] | None

    def sees(self, kind: Kind, thing_id: int) -> bool:
        """Whether the person sees the thing and may look at such things at all."""
        may = bool(self.person.permissions & GRANTED[kind].permissions)
        return may and (self.seen is None or thing_id in self.seen[kind])


_SIGHTS: Final = func.app_sights().table_valued(
    column("person"), column("everything"), *(column(kind.value) for kind in Kind), name="sight"
)


def people(work: Work) -> dict[int, Person]:
    """Everybody who is not blocked, by id, in alphabetical order."""
    granted = (
        select(func.array_agg(PermissionGrant.permission))
        .where(PermissionGrant.permission_group_id == PermissionGroup.id)
        .scalar_subquery()
    )
    query = (
        select(UserAccount.id, UserAccount.name, PermissionGroup.is_owner, granted)
        .join(PermissionGroup, PermissionGroup.id == UserAccount.permission_group_id)
        .where(~UserAccount.is_blocked)
        .order_by(UserAccount.sort_key, UserAccount.id)
    )
    return {
        user_id: Person(user_id, name, is_owner, _permissions(is_owner=is_owner, stored=stored or ()))
        for user_id, name, is_owner, stored in work.session.execute(query)
    }


def sights(work: Work) -> list[Sight]:
    """What everybody sees at this moment of the transaction, in alphabetical order."""
    work.session.flush()
    known = people(work)
    found = {row.person: row for row in work.session.execute(select(_SIGHTS))}
    return [
        Sight(
            person,
            None
            if found[user_id].everything
            else {kind: frozenset(getattr(found[user_id], kind.value)) for kind in Kind},
        )
        for user_id, person in known.items()
        if user_id in found
    ]


def viewers(work: Work, relation: str, row_id: int) -> list[int]:
    """Ids of the people to whom the policies show this row of ``relation``, whatever they may do; one statement."""
    work.session.flush()
    return list(work.session.scalars(select(func.app_viewers(relation, row_id))))


def _permissions(*, is_owner: bool, stored: Iterable[str]) -> frozenset[Permission]:
    if is_owner:
        return frozenset(Permission)
    values = set(stored)
    return frozenset(permission for permission in Permission if permission.value in values)

"""Questions about people: the list, and one person with everything that their page shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Row,
    ScalarSelect,
    Select,
    and_,
    case,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from core.calls.models import PhoneLine
from core.foundation import clock
from core.foundation.errors import NotFound
from core.foundation.history import Change
from core.foundation.permissions import Permission
from core.foundation.read_log import How, record_read
from core.foundation.search import MAX_WORDS
from core.foundation.unit_of_work import Work
from core.identity.links import LinkKind
from core.identity.models import OneTimeLink, PermissionGroup, UserAccount, UserGroup, UserGroupMember
from core.identity.naming import NOWHERE, shown_address
from core.identity.openid.models import LinkedAccount
from core.identity.second_factor import FactorState, factor_of
from core.people.guards import has_more_than_actor

PAGE: Final = 50
NEWEST: Final = 30
STATES: Final = ("active", "invited", "no_sign_in", "blocked")


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleFilter:
    """Which people; empty values leave none out. ``state`` is one of ``STATES``."""

    text: str = ""
    kind: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRow:
    """A person in a list. ``user_groups`` are those besides "Position"; ``invited_until`` while a link still works."""

    id: int
    name: str
    email: str
    business_number: str
    kind: str
    state: str
    invited_until: datetime | None
    permission_group_id: int
    permission_group: str
    is_owner: bool
    user_groups: Sequence[str]
    line_number: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class PeoplePage:
    """A page in alphabetical order; ``after`` continues it. ``counts``: how many there are in each state."""

    rows: Sequence[PersonRow]
    after: int | None
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDetail:
    """A person with what their page and form show. ``is_changeable``: they have no more than the actor. ``factor``:
    what they are asked for besides the password."""

    row: PersonRow
    sms_sender: str
    locale: str
    group_ids: frozenset[int]
    caller_id: str
    line_id: int | None
    is_changeable: bool
    factor: FactorState


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonChange:
    """One change of a person: who did it when, and each field before and after."""

    changed_at: datetime
    user_name: str | None
    door: str
    fields: Sequence[tuple[str, Any, Any]]


def people(work: Work, wanted: PeopleFilter, *, after: int | None = None, limit: int = PAGE) -> PeoplePage:
    """A page of people; ``after`` is the last page's last id. Two statements, one more notes the look."""
    work.actor.require(Permission.PEOPLE_READ)
    query = _rows().where(*_conditions(wanted)).order_by(UserAccount.sort_key, UserAccount.id).limit(limit + 1)
    if after is not None:
        last = select(UserAccount.sort_key).where(UserAccount.id == after).scalar_subquery()
        query = query.where(tuple_(UserAccount.sort_key, UserAccount.id) > tuple_(last, literal(after, BigInteger)))
    rows = [_as_row(row) for row in work.session.execute(query)]
    shown = rows[:limit]
    record_read(work, "user", [row.id for row in shown], how=How.SEARCH if wanted.text else How.LIST)
    return PeoplePage(shown, shown[-1].id if len(rows) > limit else None, _counts(work, wanted))


def person(work: Work, user_id: int) -> PersonDetail:
    """One person; raises ``NotFound``, also for somebody deleted."""
    work.actor.require(Permission.PEOPLE_READ)
    found = work.session.execute(_rows().where(UserAccount.id == user_id, _is_here())).one_or_none()
    if found is None:
        raise NotFound
    record_read(work, "user", [user_id], how=How.DETAIL)
    user = work.session.get_one(UserAccount, user_id)
    line = work.session.scalar(select(PhoneLine).where(PhoneLine.user_id == user_id))
    joined = select(UserGroupMember.user_group_id).where(UserGroupMember.user_id == user_id)
    return PersonDetail(
        row=_as_row(found),
        sms_sender=user.sms_sender,
        locale=user.locale,
        group_ids=frozenset(work.session.scalars(joined)),
        caller_id=line.caller_id if line else "",
        line_id=line.id if line else None,
        is_changeable=work.actor.user_id == user_id or not has_more_than_actor(work, user),
        factor=factor_of(work, user_id),
    )


def history_of(work: Work, user_id: int) -> list[PersonChange]:
    """The newest changes of a person, newest first; groups by their names."""
    work.actor.require(Permission.PEOPLE_READ)
    query = (
        select(Change, UserAccount.name)
        .outerjoin(UserAccount, UserAccount.id == Change.user_id)
        .where(Change.subject_kind == "user", Change.subject_id == user_id)
        .order_by(Change.id.desc())
        .limit(NEWEST)
    )
    names = {
        "permission_group_id": dict(work.session.execute(select(PermissionGroup.id, PermissionGroup.name)).all()),
        "groups": dict(work.session.execute(select(UserGroup.id, UserGroup.name)).all()),
    }
    return [
        PersonChange(
            changed_at=change.changed_at,
            user_name=user_name,
            door=change.door,
            fields=[
                (field, _told(names, field, before), _told(names, field, after))
                for field, (before, after) in sorted(change.fields.items())
            ],
        )
        for change, user_name in work.session.execute(query)
    ]


def _told(names: Mapping[str, Mapping[int, str]], field: str, value: Any) -> Any:
    """A stored value with names in place of ids; what was deleted since has none."""
    if field not in names or value is None:
        return value
    ids = value if isinstance(value, list) else [value]
    return [names[field].get(one, "?") for one in ids]


def _rows() -> Select[*tuple[Any, ...]]:
    groups = (
        select(func.array_agg(aggregate_order_by(UserGroup.name, func.lower(UserGroup.name))))
        .join(UserGroupMember, UserGroupMember.user_group_id == UserGroup.id)
        .where(UserGroupMember.user_id == UserAccount.id, ~UserGroup.is_position)
        .correlate(UserAccount)
        .scalar_subquery()
    )
    return (
        select(
            UserAccount.id,
            UserAccount.name,
            UserAccount.email,
            UserAccount.business_number,
            UserAccount.kind,
            _state().label("state"),
            _invited_until().label("invited_until"),
            UserAccount.permission_group_id,
            PermissionGroup.name.label("permission_group"),
            PermissionGroup.is_owner,
            groups.label("user_groups"),
            func.coalesce(PhoneLine.number, "").label("line_number"),
            UserAccount.created_at,
        )
        .join(PermissionGroup, PermissionGroup.id == UserAccount.permission_group_id)
        .outerjoin(PhoneLine, PhoneLine.user_id == UserAccount.id)
    )


def _state() -> ColumnElement[str]:
    return case(
        (UserAccount.is_blocked, "blocked"),
        (or_(UserAccount.password_hash.is_not(None), has_linked_account()), "active"),
        (_invited_until().is_not(None), "invited"),
        else_="no_sign_in",
    )


def has_linked_account() -> ColumnElement[bool]:
    """For a query of users: that they sign in with an account elsewhere."""
    return exists().where(LinkedAccount.user_id == UserAccount.id).correlate(UserAccount)


def _invited_until() -> ScalarSelect[datetime]:
    return (
        select(func.max(OneTimeLink.expires_at))
        .where(
            OneTimeLink.user_id == UserAccount.id,
            OneTimeLink.kind == LinkKind.INVITATION.value,
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > clock.now(),
        )
        .correlate(UserAccount)
        .scalar_subquery()
    )


def _counts(work: Work, wanted: PeopleFilter) -> dict[str, int]:
    """How many there are in each state, whichever is wanted."""
    state = _state().label("state")
    query = (
        select(state, func.count().label("how_many"))
        .select_from(UserAccount)
        .outerjoin(PhoneLine, PhoneLine.user_id == UserAccount.id)
        .where(*_conditions(replace(wanted, state="")))
        .group_by(state)
    )
    return {row.state: row.how_many for row in work.session.execute(query)}


def _conditions(wanted: PeopleFilter) -> list[ColumnElement[bool]]:
    conditions = [_is_here(), *(_contains(word) for word in wanted.text.split()[:MAX_WORDS])]
    if wanted.kind:
        conditions.append(UserAccount.kind == wanted.kind)
    if wanted.state:
        conditions.append(_state() == wanted.state)
    return conditions


def _is_here() -> ColumnElement[bool]:
    return UserAccount.deleted_at.is_(None)


def _contains(word: str) -> ColumnElement[bool]:
    has_address = UserAccount.email.not_like(f"%{NOWHERE}")
    return or_(
        func.strpos(func.app_fold(UserAccount.name), func.app_fold(word)) > 0,
        and_(func.strpos(UserAccount.email, word.lower()) > 0, has_address),
        func.strpos(UserAccount.business_number, word) > 0,
        PhoneLine.number == word,
    )


def _as_row(row: Row[*tuple[Any, ...]]) -> PersonRow:
    values = {**row._mapping, "email": shown_address(row.email), "user_groups": row.user_groups or ()}  # noqa: SLF001  # SQLAlchemy's documented name
    return PersonRow(**values)

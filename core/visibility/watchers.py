"""Who can see one contact, company, ticket or address book, and why (P-17, GD-25)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import aliased

from core.directory.books.models import AddressBook
from core.directory.models import Company, Contact
from core.foundation.errors import NotFound
from core.foundation.permissions import Permission
from core.foundation.read_log import How, record_read
from core.foundation.unit_of_work import Work
from core.identity.models import UserGroup, UserGroupMember
from core.tickets.models import Ticket
from core.visibility.kinds import GRANTED, Kind
from core.visibility.sights import Person, people, viewers


class Why(StrEnum):
    """What lets somebody see a row."""

    OWNER = "owner"
    EVERYONE = "everyone"
    GROUP = "group"
    MANAGES_BOOKS = "manages books"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason. ``group`` is what was granted, ``through`` the group below it that the person belongs to."""

    why: Why
    group: str = ""
    through: str = ""


@dataclass(frozen=True, slots=True)
class Watcher:
    """Somebody who can see the row."""

    user_id: int
    name: str
    reasons: Sequence[Reason]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A row and the people who can see it; ``thing`` decides: the database, category or book it belongs to."""

    name: str
    kind: Kind
    thing: str
    everyone_sees: bool
    watchers: Sequence[Watcher]
    people_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """How a row is found, what decides about it, and what somebody needs to look at it."""

    model: Any
    name: Any
    kind: Kind
    thing_id: Any
    permission: Permission


ROWS: Final = {
    "contact": _Row(
        model=Contact,
        name=Contact.name,
        kind=Kind.DATABASE,
        thing_id=Contact.database_id,
        permission=Permission.CONTACTS_READ,
    ),
    "company": _Row(
        model=Company,
        name=Company.name,
        kind=Kind.DATABASE,
        thing_id=Company.database_id,
        permission=Permission.COMPANIES_READ,
    ),
    "ticket": _Row(
        model=Ticket,
        name=Ticket.title,
        kind=Kind.CATEGORY,
        thing_id=Ticket.category_id,
        permission=Permission.TICKETS_READ,
    ),
    "address_book": _Row(
        model=AddressBook,
        name=AddressBook.name,
        kind=Kind.BOOK,
        thing_id=AddressBook.id,
        permission=Permission.CONTACTS_READ,
    ),
}


def who_sees(work: Work, relation: str, row_id: int) -> Watched:
    """Who can see the row, by the policies and as it is now; for everybody who sees it themselves.

    ``relation`` is ``contact``, ``company``, ``ticket`` or ``address_book``. Raises ``NotFound``.
    """
    row = ROWS[relation]
    work.actor.require(row.permission)
    deciding = aliased(GRANTED[row.kind].model)  # a book decides about itself
    query = (
        select(row.name, deciding.id, deciding.name, deciding.everyone_sees)
        .join(deciding, deciding.id == row.thing_id)
        .where(row.model.id == row_id)
    )
    found = work.session.execute(query).one_or_none()
    if found is None:
        raise NotFound
    name, thing_id, thing, everyone_sees = found
    record_read(work, relation, [row_id], how=How.DETAIL)
    known = people(work)
    seeing = [known[user_id] for user_id in viewers(work, relation, row_id) if user_id in known]
    seeing = [person for person in seeing if row.permission in person.permissions]
    through = _granted_through(work, row.kind, thing_id)
    return Watched(
        name=name,
        kind=row.kind,
        thing=thing,
        everyone_sees=everyone_sees,
        people_count=len(known),
        watchers=[
            Watcher(
                person.id,
                person.name,
                _reasons(person, row.kind, everyone_sees=everyone_sees, through=through.get(person.id, ())),
            )
            for person in seeing
        ],
    )


def _reasons(person: Person, kind: Kind, *, everyone_sees: bool, through: Sequence[Reason]) -> list[Reason]:
    """Every reason that holds, so that nobody thinks one group less would be enough."""
    found = [Reason(Why.OWNER)] if person.is_owner else []
    if everyone_sees:
        found.append(Reason(Why.EVERYONE))
    found += through
    if kind is Kind.BOOK and not person.is_owner and Permission.BOOKS_MANAGE in person.permissions:
        found.append(Reason(Why.MANAGES_BOOKS))
    return found


def _granted_through(work: Work, kind: Kind, thing_id: int) -> Mapping[int, list[Reason]]:
    """By user: the granted groups that they belong to, directly or by a group below."""
    granted = GRANTED[kind]
    groups = {group.id: group for group in work.session.scalars(select(UserGroup))}
    holding = set(work.session.scalars(select(granted.grant.user_group_id).where(granted.thing_id == thing_id)))
    members = select(UserGroupMember.user_id, UserGroupMember.user_group_id).order_by(UserGroupMember.id)
    found: dict[int, list[Reason]] = {}
    for user_id, group_id in work.session.execute(members):
        above: int | None = group_id
        while above is not None:
            if above in holding:
                through = groups[group_id].name if above != group_id else ""
                found.setdefault(user_id, []).append(Reason(Why.GROUP, groups[above].name, through))
            above = groups[above].parent_id
    return found

"""The history of a contact or a company as people read it: who changed what, when, by which way."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, select

from core.directory.books.models import AddressBook
from core.directory.models import Company, ContactDatabase
from core.foundation.history import Change
from core.foundation.unit_of_work import Work
from core.identity.models import UserAccount

NEWEST: Final = 20
UNSEEN: Final = "…"
LINKS: Final[Mapping[str, Any]] = {
    "company_id": Company,
    "owner_id": UserAccount,
    "database_id": ContactDatabase,
    "book_id": AddressBook,
}

ORDER: Final = (
    *("name", "company_id", "job_title", "registration_number", "vat_number", "website", "phones", "emails"),
    *("street", "postal_code", "city", "country", "owner_id", "database_id", "book_id", "note"),
)

Names = Mapping[tuple[str, int], str]


@dataclass(frozen=True, slots=True)
class Way:
    """A number (E.164) or an address with its kind; in a history also any other value, without a kind."""

    value: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field before and after; each side is empty, one value, or several phones or e-mails."""

    field: str
    before: Sequence[Way]
    after: Sequence[Way]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEntry:
    """One save. ``user_name`` is None where the product itself did it; ``door`` is a ``Door``'s value."""

    changed_at: datetime
    user_name: str | None
    door: str
    is_first: bool
    fields: Sequence[FieldChange]


def newest_changes(work: Work, kind: str, subject_id: int) -> list[ChangeEntry]:
    """The last 20 changes, newest first; the names of companies that the actor may not see are left out."""
    query = (
        select(Change, UserAccount.name)
        .outerjoin(UserAccount, UserAccount.id == Change.user_id)
        .where(Change.subject_kind == kind, Change.subject_id == subject_id)
        .order_by(Change.id.desc())
        .limit(NEWEST)
    )
    found = [(change, user_name) for change, user_name in work.session.execute(query)]
    names = _names(work, [change.fields for change, _user in found])
    return [_entry(change, user_name, names) for change, user_name in found]


def _entry(change: Change, user_name: str | None, names: Names) -> ChangeEntry:
    fields = [
        FieldChange(field, _ways(field, before, names), _ways(field, after, names))
        for field, (before, after) in sorted(change.fields.items(), key=_place)
    ]
    return ChangeEntry(
        changed_at=change.changed_at,
        user_name=user_name,
        door=change.door,
        is_first="name" in change.fields and change.fields["name"][0] is None,
        fields=fields,
    )


def _place(change: tuple[str, Any]) -> int:
    """As the form has them; the database keeps no order."""
    return ORDER.index(change[0]) if change[0] in ORDER else len(ORDER)


def _ways(field: str, value: Any, names: Names) -> list[Way]:
    if value in (None, "", []):
        return []
    if field in LINKS:
        return [Way(names.get((field, value), UNSEEN))]
    if isinstance(value, list):
        return [Way(*pair) for pair in value]
    return [Way(str(value))]


def _names(work: Work, changes: Iterable[Mapping[str, Sequence[Any]]]) -> Names:
    """The names behind the ids that the changes mention, as far as the actor sees them."""
    wanted: dict[str, set[int]] = {}
    for fields in changes:
        for field in fields.keys() & LINKS.keys():
            wanted.setdefault(field, set()).update(row_id for row_id in fields[field] if row_id is not None)
    return {
        (field, row_id): name
        for field, ids in wanted.items()
        for row_id, name in work.session.execute(_named(LINKS[field], ids))
    }


def _named(model: Any, ids: set[int]) -> Select[int, str]:
    return select(model.id, model.name).where(model.id.in_(ids))

"""Questions to the audit log, answered for whoever holds ``audit.read``.

Changes of what some see and others do not are told only of rows that the reader sees, since the rows' values stand in
them; of what was deleted read those who see the whole tenant.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, cast, column, false, func, literal, or_, select, tuple_
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased
from sqlalchemy.types import BigInteger, Text

from core.audit.kinds import AUDIT_LOG, KINDS, field_name, kind_name, readable_kinds, title_field
from core.audit.telling import Told, linked_ids, names_of, told
from core.foundation.history import Change, record_change
from core.foundation.i18n import Message
from core.foundation.permissions import Permission
from core.foundation.read_log import How, record_read
from core.foundation.search import contains, is_in_matches, search_view, words_of
from core.foundation.unit_of_work import Work
from core.identity.models import UserAccount

PAGE: Final = 50
EXPORT_STEP: Final = 500
LOOKED_THROUGH: Final = 20_000
"""So many changes are looked through for a page; behind them the list goes on, however rare what is wanted is."""
SEARCHED: Final = {kind: search_view(kind) for kind in ("contact", "company", "ticket")}
MOST_NAMED: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which changes. ``by_product`` asks for those that no user made; ``until`` is the moment behind the last one."""

    user_id: int | None = None
    by_product: bool = False
    kind: str = ""
    subject_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class ChangeKey:
    """Where a page ended."""

    changed_at: datetime
    change_id: int


@dataclass(frozen=True, slots=True)
class FieldTold:
    """One field before and after; a side without entries was empty."""

    name: Message | str
    before: Told
    after: Told


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change. ``what`` is ``created``, ``changed`` or ``deleted``; ``subject`` is empty if its name is not known.

    ``user_name`` is None where the product itself did it, and empty if the user is gone.
    """

    id: int
    changed_at: datetime
    user_id: int | None
    user_name: str | None
    door: str
    kind: str
    kind_name: Message | str
    subject_id: int
    subject: str
    exists: bool
    what: str
    fields: Sequence[FieldTold]


@dataclass(frozen=True, slots=True)
class EntryPage:
    """Changes, newest first. ``next_key`` continues the list, perhaps after a page with few rows or none."""

    rows: Sequence[Entry]
    next_key: ChangeKey | None


def changes(
    work: Work, wanted: Wanted, *, after: ChangeKey | None = None, limit: int = PAGE, how: How = How.LIST
) -> EntryPage:
    """A page of the log, behind ``after``."""
    work.actor.require(Permission.AUDIT_READ)
    nearest = _nearest(wanted, after)
    shown = aliased(Change, nearest.limit(LOOKED_THROUGH).subquery("looked_through"))
    query = (
        select(shown, UserAccount.name)
        .outerjoin(UserAccount, UserAccount.id == shown.user_id)
        .where(_is_seen(work, shown), *(_mentions(work, shown, word) for word in words_of(wanted.text)))
        .order_by(shown.changed_at.desc(), shown.id.desc())
        .limit(limit + 1)
    )
    found = [(change, name) for change, name in work.session.execute(query)]
    rows = _entries(work, found[:limit], how=how)
    if len(found) > limit:
        return EntryPage(rows, ChangeKey(rows[-1].changed_at, rows[-1].id))
    last = work.session.execute(
        nearest.with_only_columns(Change.changed_at, Change.id).offset(LOOKED_THROUGH - 1).limit(1)
    ).one_or_none()
    return EntryPage(rows, ChangeKey(*last) if last else None)


def begin_export(work: Work, wanted: Wanted) -> ChangeKey:
    """Note in the log that it is exported, and what of it; the answer is where the export begins."""
    work.actor.require(Permission.AUDIT_READ)
    asked = {name: value for name, value in asdict(wanted).items() if value}
    told_as = {
        "export": "CSV",
        "person": asked.get("user_id"),
        "kind": asked.get("kind"),
        "since": _day(wanted.since),
        "until": _day(wanted.until),
        "text": asked.get("text"),
    }
    record_change(work, AUDIT_LOG, work.actor.user_id or 0, before={}, after=told_as)
    work.session.flush()
    query = select(Change).where(Change.subject_kind == AUDIT_LOG).order_by(Change.id.desc()).limit(1)
    noted = work.session.scalars(query).one()
    return ChangeKey(noted.changed_at, noted.id)


def everybody(work: Work) -> list[tuple[int, str]]:
    """All users, also blocked ones: whoever may have changed something."""
    work.actor.require(Permission.AUDIT_READ)
    query = select(UserAccount.id, UserAccount.name).order_by(UserAccount.sort_key)
    return [(user_id, name) for user_id, name in work.session.execute(query)]


def _day(at: datetime | None) -> str | None:
    return at.isoformat(sep=" ", timespec="minutes") if at else None


def _nearest(wanted: Wanted, after: ChangeKey | None) -> Select[Any]:
    """The changes that indexes find, newest first."""
    query = select(Change).order_by(Change.changed_at.desc(), Change.id.desc())
    if after is not None:
        key = tuple_(literal(after.changed_at), literal(after.change_id, BigInteger))
        query = query.where(tuple_(Change.changed_at, Change.id) < key)
    if wanted.user_id is not None:
        query = query.where(Change.user_id == literal(wanted.user_id, BigInteger))
    if wanted.by_product:
        query = query.where(Change.user_id.is_(None))
    if wanted.kind:
        query = query.where(Change.subject_kind == wanted.kind)
    if wanted.subject_id is not None:
        query = query.where(Change.subject_id == literal(wanted.subject_id, BigInteger))
    if wanted.since is not None:
        query = query.where(Change.changed_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(Change.changed_at < wanted.until)
    return query


def _is_seen(work: Work, shown: Any) -> ColumnElement[bool]:
    """Whether the reader may know of it: the policies of the rows themselves answer."""
    readable = readable_kinds(work)
    granted = [code for code in readable if KINDS[code].is_granted]
    known = [code for code in readable if not KINDS[code].is_granted]
    forbidden = [code for code in KINDS if code not in readable]
    return or_(
        shown.subject_kind.in_(known),
        and_(func.app_sees_all(), shown.subject_kind.not_in(forbidden)),
        *(and_(shown.subject_kind == code, _exists(code, shown)) for code in granted),
    )


def _exists(code: str, shown: Any) -> ColumnElement[bool]:
    model = aliased(KINDS[code].model)
    return select(model.id).where(model.id == shown.subject_id).exists()


def _mentions(work: Work, shown: Any, word: str) -> ColumnElement[bool]:
    """Whether a recorded value, who did it, or the name of what changed contains the word."""
    both = column("value", JSONB)
    sides = func.jsonb_each(shown.fields).table_valued("key", both)
    values = select(func.string_agg(sides.c.value.cast(Text), " ")).scalar_subquery()
    said = func.concat(" ", func.app_fold(func.concat_ws(" ", values, UserAccount.name)))
    named = [
        and_(shown.subject_kind == code, _is_named(code, shown, word))
        for code in readable_kinds(work)
        if KINDS[code].model is not None
    ]
    return or_(*contains(said, [word]), *named, false())


def _is_named(code: str, shown: Any, word: str) -> ColumnElement[bool]:
    if code in SEARCHED:
        return is_in_matches(shown.subject_id, SEARCHED[code], word, cap=MOST_NAMED)
    model = aliased(KINDS[code].model)  # the person who changed it stands in the outer query under the plain name
    folded = func.concat(" ", func.app_fold(cast(getattr(model, KINDS[code].title), Text)))
    return select(model.id).where(model.id == shown.subject_id, *contains(folded, [word])).exists()


def _entries(work: Work, found: Sequence[tuple[Change, str | None]], *, how: How) -> list[Entry]:
    rows = [row for row, _name in found]
    wanted = linked_ids(row.fields for row in rows)
    for row in rows:
        wanted.setdefault(row.subject_kind, set()).add(row.subject_id)
    names = names_of(work, wanted)
    former = _former_titles(work, [row for row in rows if (row.subject_kind, row.subject_id) not in names])
    for kind in (code for code in KINDS if KINDS[code].permission is not None):
        record_read(work, kind, sorted({row.subject_id for row in rows if row.subject_kind == kind}), how=how)
    return [
        Entry(
            id=row.id,
            changed_at=row.changed_at,
            user_id=row.user_id,
            user_name=None if row.user_id is None else user_name or "",
            door=row.door,
            kind=row.subject_kind,
            kind_name=kind_name(row.subject_kind),
            subject_id=row.subject_id,
            subject=names.get((row.subject_kind, row.subject_id)) or former.get((row.subject_kind, row.subject_id), ""),
            exists=(row.subject_kind, row.subject_id) in names,
            what=_what(row, exists=(row.subject_kind, row.subject_id) in names),
            fields=[
                FieldTold(field_name(field), told(field, before, names), told(field, after, names))
                for field, (before, after) in sorted(row.fields.items(), key=lambda item: _place(row, item[0]))
            ],
        )
        for row, user_name in found
    ]


def _place(row: Change, field: str) -> tuple[bool, str]:
    """What names the thing comes first."""
    return field != title_field(row.subject_kind), field


def _what(row: Change, *, exists: bool) -> str:
    """Whether the thing came or went with this change."""
    sides = row.fields.values()
    if title_field(row.subject_kind) in row.fields and all(before is None for before, _after in sides):
        return "created"
    is_gone = not exists and row.subject_kind in KINDS and KINDS[row.subject_kind].model is not None
    if is_gone and all(after in (None, []) for _before, after in sides):
        return "deleted"
    return "changed"


def _former_titles(work: Work, rows: Sequence[Change]) -> dict[tuple[str, int], str]:
    """How things that are gone were called last, as their own history has it."""
    found: dict[tuple[str, int], str] = {}
    for code in {row.subject_kind for row in rows}:
        field = title_field(code)
        query = (
            select(Change.subject_id, Change.fields[field])
            .where(
                Change.subject_kind == code,
                Change.subject_id.in_({row.subject_id for row in rows if row.subject_kind == code}),
                Change.fields.has_key(field),
            )
            .order_by(Change.id)
        )
        for row_id, (before, after) in work.session.execute(query):
            found[code, row_id] = str(after or before or "")
    return found

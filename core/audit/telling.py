"""A recorded value as people read it: names instead of ids, words instead of codes, no secrets."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import select

from core.audit.kinds import CODES, KINDS, LINKS, readable_kinds
from core.foundation.history import is_secret
from core.foundation.i18n import Message, _
from core.foundation.permissions import Permission, explained
from core.foundation.unit_of_work import Work

UNKNOWN: Final = "…"
"""Stands for what was deleted since, or what the reader may not see."""

Names = Mapping[tuple[str, int], str]
Part = Message | str
Told = list[list[Part]]
"""The entries of a value, each in parts: of a number, for example, itself and its kind."""


def names_of(work: Work, wanted: Mapping[str, set[int]]) -> dict[tuple[str, int], str]:
    """What things are called now, by kind and id, as far as the actor sees them: a statement for each kind."""
    readable = readable_kinds(work)
    return {
        (code, row_id): str(title or "")
        for code, ids in wanted.items()
        if ids and code in readable and KINDS[code].model is not None
        for row_id, title in work.session.execute(
            select(KINDS[code].model.id, getattr(KINDS[code].model, KINDS[code].title)).where(
                KINDS[code].model.id.in_(sorted(ids))
            )
        )
    }


def linked_ids(changes: Iterable[Mapping[str, Any]]) -> dict[str, set[int]]:
    """The ids of other things that the changes' fields hold, by kind."""
    wanted: dict[str, set[int]] = {}
    for fields in changes:
        for field in fields.keys() & LINKS.keys():
            for value in fields[field]:
                wanted.setdefault(LINKS[field], set()).update(_ids(value))
    return wanted


def told(field: str, value: Any, names: Names) -> Told:
    """The value's entries: none for nothing, one, or one for each entry of a list."""
    if value in (None, "", [], {}):
        return []
    if is_secret(field) and not isinstance(value, bool):
        return [[_("Not shown")]]
    if isinstance(value, bool):
        return [[_("Yes") if value else _("No")]]
    if isinstance(value, dict):
        return [[f"{key}: {part}"] for key, part in value.items()]
    return [_parts(field, entry, names) for entry in (value if isinstance(value, list) else [value])]


def _parts(field: str, entry: Any, names: Names) -> list[Part]:
    first, *rest = entry if isinstance(entry, list) and entry else [entry]
    return [_first(field, first, names), *(_coded("label", field, part) for part in rest if part not in (None, ""))]


def _first(field: str, value: Any, names: Names) -> Part:
    if field in LINKS and isinstance(value, int):
        return names.get((LINKS[field], value)) or UNKNOWN
    if field == "permissions" and value in set(Permission):
        return explained(Permission(value)).name
    return _coded(field, field, value)


def _coded(codes: str, field: str, value: Any) -> Part:
    code = str(value)
    return CODES.get(codes, {}).get(code) or CODES["sync_policy"].get(code if field == "grants" else "") or code


def _ids(value: Any) -> Iterable[int]:
    entries = value if isinstance(value, list) else [value]
    firsts = (entry[0] if isinstance(entry, list) and entry else entry for entry in entries)
    return (row_id for row_id in firsts if isinstance(row_id, int) and not isinstance(row_id, bool))

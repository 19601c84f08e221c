"""The three-way merge of cards: a client's card was made from an older one than ours is now.

Lines are compared in units: a line, or all lines of one group (``item1.TEL`` with ``item1.X-ABLABEL``). What only we
changed since the base is brought into the client's card; where both changed the same, the client's word stands, and
the contact's history keeps the other.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Final

from core.directory.books.cards.lines import Line, joined, newline_of, parse_card, written

SINGLE: Final = frozenset(
    {"FN", "N", "ORG", "TITLE", "ROLE", "NOTE", "BDAY", "ANNIVERSARY", "PHOTO", "LOGO", "NICKNAME", "CATEGORIES"}
    | {"UID", "VERSION", "REV", "PRODID", "KIND", "GENDER", "SORT-STRING", "MAILER", "TZ", "GEO", "CLASS"}
)

Unit = list[Line]
Key = tuple[tuple[str, tuple[tuple[str, str], ...], str], ...]


def merge_cards(base: str, theirs: str, ours: str) -> str:
    """The client's card ``theirs`` with what changed from ``base`` to ``ours``; its own bytes where nothing did."""
    if ours in (base, theirs):
        return theirs
    result = _units(parse_card(theirs))
    base_units, our_units = _units(parse_card(base)), _units(parse_card(ours))
    removed, added = _missing(base_units, our_units), _missing(our_units, base_units)
    if not removed and not added:
        return theirs
    touched = _names(_missing(result, base_units)) | _names(_missing(base_units, result))
    for unit in added:  # first, so that what stands once is replaced in its place
        _bring_in(result, unit, touched)
    for unit in removed:
        _take_out(result, unit, touched)
    return joined(line for unit in result for line in unit)


def _units(lines: Sequence[Line]) -> list[Unit]:
    units: list[Unit] = []
    of_group: dict[str, Unit] = {}
    for line in lines:
        group = line.group.lower()
        if group and group in of_group:
            of_group[group].append(line)
            continue
        units.append([line])
        if group:
            of_group[group] = units[-1]
    return units


def _key(unit: Unit) -> Key:
    """What a unit says, without how its group is called and how its lines are folded."""
    return tuple(sorted((line.name, tuple(sorted(line.params)), line.value) for line in unit))


def _missing(units: Iterable[Unit], others: Iterable[Unit]) -> list[Unit]:
    """The units that the others lack."""
    there = Counter(_key(unit) for unit in others)
    found = []
    for unit in units:
        key = _key(unit)
        if there[key] > 0:
            there[key] -= 1
        else:
            found.append(unit)
    return found


def _names(units: Iterable[Unit]) -> set[str]:
    return {line.name for unit in units for line in unit}


def _single(unit: Unit) -> str | None:
    return next((line.name for line in unit if line.name in SINGLE), None)


def _take_out(result: list[Unit], unit: Unit, touched: set[str]) -> None:
    """Remove what we removed, unless the client wrote over it."""
    if _single(unit) in touched:
        return
    key = _key(unit)
    place = next((index for index, other in enumerate(result) if _key(other) == key), None)
    if place is not None:
        del result[place]


def _bring_in(result: list[Unit], unit: Unit, touched: set[str]) -> None:
    """Add what we added; a property that stands once is the client's, if the client changed it."""
    name = _single(unit)
    if name in touched or any(_key(other) == _key(unit) for other in result):
        return
    place = next((index for index, other in enumerate(result) if name and _single(other) == name), None)
    if place is not None:
        result[place] = unit
        return
    names = [other[0].name for other in result]
    last = max((index for index, other in enumerate(names) if other == unit[0].name), default=len(result) - 2)
    result.insert(last + 1, _with_free_group(unit, result))


def _with_free_group(unit: Unit, result: list[Unit]) -> Unit:
    taken = {line.group.lower() for other in result for line in other}
    group = unit[0].group
    if not group or group.lower() not in taken:
        return unit
    free = next(f"item{number}" for number in count(1) if f"item{number}" not in taken)
    newline = newline_of([line for other in result for line in other])
    return [written(f"{free}.{line.head.partition('.')[2]}", line.value, newline=newline) for line in unit]

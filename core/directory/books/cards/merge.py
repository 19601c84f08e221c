"""The three-way merge of cards: a client's card was made from an older one than ours is now.

Lines are compared in units: a line, or all lines of one group (``item1.TEL`` with ``item1.X-ABLABEL``). What only we
changed since the base is brought into the client's card; where both changed the same, the client's word stands, and
the contact's history keeps the other.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
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
    if theirs == base:
        return ours
    result, base_units, our_units = (_units(parse_card(text)) for text in (theirs, base, ours))
    touched = _names(_missing(result, base_units)) | _names(_missing(base_units, result))
    removed = Counter(_key(unit) for unit in _missing(base_units, our_units) if _single(unit) not in touched)
    there = {_key(unit) for unit in result}
    added = {_key(unit): unit for unit in _missing(our_units, base_units) if _single(unit) not in touched}
    woven = _woven(result, removed, [unit for key, unit in added.items() if key not in there])
    return theirs if woven == result else joined(line for unit in woven for line in unit)


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


def _woven(units: Sequence[Unit], removed: Counter[Key], added: Sequence[Unit]) -> list[Unit]:
    """The client's units without the removed ones and with the added ones: a property that stands once in the place of
    its old one, the others behind the last of their name or before ``END``."""
    once = {name: unit for unit in added if (name := _single(unit))}
    kept = list(_kept(units, removed, once))
    place_of_name = {unit[0].name: place for place, (unit, _now) in enumerate(kept)}
    behind: dict[int, list[Unit]] = {}
    free = _FreeGroups(unit for _unit, unit in kept)
    for unit in (*(unit for unit in added if not _single(unit)), *once.values()):
        behind.setdefault(place_of_name.get(unit[0].name, len(kept) - 2), []).append(free.moved(unit))
    standing = ((now, *behind.get(place, ())) for place, (_unit, now) in enumerate(kept))
    return [unit for units_here in standing for unit in units_here if unit]


def _kept(units: Iterable[Unit], removed: Counter[Key], once: dict[str, Unit]) -> Iterator[tuple[Unit, Unit]]:
    """Each unit with what stands in its place now, which may be nothing; takes what it used out of ``once``."""
    for unit in units:
        key = _key(unit)
        if new := once.pop(_single(unit) or "", None):
            yield unit, new
        elif removed[key] > 0:
            removed[key] -= 1
            yield unit, []
        else:
            yield unit, unit


class _FreeGroups:
    """Names of groups that no line has yet."""

    def __init__(self, units: Iterable[Unit]) -> None:
        lines = [line for unit in units for line in unit]
        self.newline = newline_of(lines)
        self.taken = {line.group.lower() for line in lines if line.group}
        self.names = (f"item{number}" for number in count(1))

    def moved(self, unit: Unit) -> Unit:
        """The unit under its own group's name, or under another if that is taken."""
        group = unit[0].group.lower()
        if not group or group not in self.taken:
            self.taken.add(group)
            return unit
        free = next(name for name in self.names if name not in self.taken)
        self.taken.add(free)
        return [written(f"{free}.{line.head.partition('.')[2]}", line.value, newline=self.newline) for line in unit]

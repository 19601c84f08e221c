"""From vCard 4.0 (RFC 6350) to 3.0 (RFC 2426): what clients are served, since macOS breaks on 4.0.

Only lines are changed that 3.0 says otherwise; properties that it does not know stay under their names, as it allows.
"""

from collections.abc import Sequence
from typing import Final
from uuid import uuid4

from core.directory.books.cards.fields import address_of, full_name, tel_text
from core.directory.books.cards.lines import (
    BadCard,
    Line,
    escape,
    head_of,
    joined,
    name_parts,
    newline_of,
    parse_card,
    unescape,
    written,
)

NOT_IN_3: Final = frozenset({"PREF", "ALTID", "PID", "VALUE", "MEDIATYPE", "INDEX", "LEVEL"})
MOST_LINES: Final = 5000
"""Far more than any person has numbers, or a group members."""

EMBEDDED: Final = frozenset({"PHOTO", "LOGO", "SOUND", "KEY"})


def as_stored(text: str) -> tuple[str, list[Line]]:
    """An uploaded card as it is stored: version 3.0, with a UID and a name; else byte for byte. With its lines.

    Raises ``BadCard`` if it is none, or says nobody's name, number or address.
    """
    text = text.removeprefix("\ufeff")
    lines = parse_card(text)
    if len(lines) > MOST_LINES:
        raise BadCard(f"The card has more than {MOST_LINES} lines.")
    if not full_name(lines):
        raise BadCard("The card has no name: FN, N, NICKNAME, ORG, EMAIL and TEL are all empty.")
    completed = _completed(_as_version_3(lines))
    return (text, lines) if completed == lines else (joined(completed), completed)


def uid_of(lines: Sequence[Line]) -> str:
    """The card's UID, unescaped."""
    return next((unescape(line.value).strip() for line in lines if line.name == "UID"), "")


def _completed(lines: Sequence[Line]) -> list[Line]:
    """With what 3.0 demands of every card."""
    found, newline = list(lines), newline_of(lines)
    name = full_name(found)
    if not any(line.name == "FN" and line.value.strip() for line in found):
        found = [line for line in found if line.name != "FN"]
        found.insert(2, written("FN:", escape(name), newline=newline))
    if not any(line.name == "N" for line in found):
        found.insert(2, written("N:", name_parts(name), newline=newline))
    if not uid_of(found):
        found = [line for line in found if line.name != "UID"]
        found.insert(2, written("UID:", str(uuid4()), newline=newline))
    return found


def _as_version_3(lines: Sequence[Line]) -> list[Line]:
    if not any(line.name == "VERSION" and line.value.strip() == "4.0" for line in lines):
        return list(lines)
    newline = newline_of(lines)
    return [_converted(line, newline) for line in lines]


def _converted(line: Line, newline: str) -> Line:
    if line.name == "VERSION":
        return written("VERSION:", "3.0", newline=newline)
    value, more = _value_and_params(line)
    params = [*_kept_params(line), *more]
    if value == line.value and params == list(line.params):
        return line
    return written(head_of(line, params), value, newline=newline)


def _value_and_params(line: Line) -> tuple[str, list[tuple[str, str]]]:
    """The value as 3.0 has it, and the parameters that say how it is encoded."""
    if line.name == "TEL":
        return escape(tel_text(line)), []
    if line.name == "EMAIL":
        return escape(address_of(line)), []
    if line.name == "UID" and line.value[:9].lower() == "urn:uuid:":
        return line.value[9:], []
    if line.name in EMBEDDED:
        return _embedded(line)
    return line.value, []


def _embedded(line: Line) -> tuple[str, list[tuple[str, str]]]:
    """``data:image/jpeg;base64,…`` becomes a binary value, also if its comma is escaped; an address stays one."""
    head, comma, data = line.value.partition(",")
    head = head.removesuffix("\\")
    if head[:5].lower() != "data:" or not comma or not head.lower().endswith(";base64"):
        return line.value, [("VALUE", "uri")]
    kind = head[5:].partition(";")[0].rpartition("/")[2].upper()
    return data, [("ENCODING", "b"), *([("TYPE", kind)] if kind else [])]


def _kept_params(line: Line) -> list[tuple[str, str]]:
    kept = [(name, value) for name, value in line.params if name not in NOT_IN_3]
    if ("PREF", "1") in line.params and "PREF" not in line.types():
        kept.append(("TYPE", "PREF"))
    return kept

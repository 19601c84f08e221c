"""The filter of an addressbook-query (RFC 6352, 10.5), decided on a card's lines.

``needles`` says what a matching card must contain in any case, so that the database looks at few cards; ``matches``
decides. Both collations compare without regard to case: ``i;unicode-casemap`` for all letters, ``i;ascii-casemap`` for
those of ASCII (RFC 4790, RFC 5051).
"""

import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from xml.etree.ElementTree import Element

from carddav.requests import CR
from core.directory.books.cards.fields import SEARCHED
from core.directory.books.cards.lines import Line, unescape

ASCII_LOWER: Final = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
COLLATIONS: Final[dict[str, Callable[[str], str]]] = {
    "i;unicode-casemap": str.casefold,
    "i;ascii-casemap": lambda text: text.translate(ASCII_LOWER),
    "i;octet": str,
    "default": str.casefold,
}
MATCH_TYPES: Final[dict[str, Callable[[str, str], bool]]] = {
    "equals": str.__eq__,
    "contains": str.__contains__,
    "starts-with": str.startswith,
    "ends-with": str.endswith,
}
SHORTEST_NEEDLE: Final = 3


class UnsupportedFilter(ValueError):
    """The filter cannot be understood; the argument is the precondition to answer (RFC 6352, 8.6)."""


@dataclass(frozen=True, slots=True)
class Needles:
    """Texts that a matching card holds in its searched properties: all of them, or with ``any_of`` at least one."""

    texts: Sequence[str]
    any_of: bool


def matches(filter_: Element, lines: Sequence[Line]) -> bool:
    """Whether the card fits; raises ``UnsupportedFilter``."""
    parts = [_prop_matches(part, lines) for part in filter_]
    return _combined(filter_, parts) if parts else True


def needles(filter_: Element) -> Needles | None:
    """What to look for first; None if the filter may fit cards that hold nothing in particular."""
    any_of = filter_.get("test", "anyof") != "allof"
    found = [_needle(part) for part in filter_]
    texts = [text for text in found if text is not None]
    if not texts or (any_of and len(texts) < len(found)):
        return None
    return Needles(texts, any_of)


def _needle(prop: Element) -> str | None:
    """The text that a matching property holds, if the filter on it leaves no other way to match."""
    if prop.get("name", "").upper() not in SEARCHED:
        return None
    texts = prop.findall(f"{CR}text-match")
    if len(prop) != len(texts) or not texts or (len(texts) > 1 and prop.get("test", "anyof") != "allof"):
        return None
    usable = (text.text or "" for text in texts if text.get("negate-condition") != "yes")
    return next((text for text in usable if _is_usable(text)), None)


def _is_usable(text: str) -> bool:
    """Long enough for the index, and without signs that stand otherwise in the stored words."""
    return len(text) >= SHORTEST_NEEDLE and not any(sign in text for sign in "\\;,\r\n")


def _prop_matches(prop: Element, lines: Sequence[Line]) -> bool:
    if prop.tag != f"{CR}prop-filter":
        raise UnsupportedFilter("CR:supported-filter")
    group, _dot, name = prop.get("name", "").upper().rpartition(".")
    found = [line for line in lines if line.name == name and group in ("", line.group.upper())]
    if prop.find(f"{CR}is-not-defined") is not None:
        return not found
    if not len(prop):
        return bool(found)
    return _combined(prop, [_part_matches(part, found) for part in prop])


def _part_matches(part: Element, lines: Sequence[Line]) -> bool:
    if part.tag == f"{CR}text-match":
        return _text_matches(part, [text for line in lines for text in _values(line)])
    if part.tag == f"{CR}param-filter":
        return _param_matches(part, lines)
    raise UnsupportedFilter("CR:supported-filter")


def _param_matches(part: Element, lines: Sequence[Line]) -> bool:
    name = part.get("name", "").upper()
    values = [value for line in lines for key, value in line.params if key == name]
    if part.find(f"{CR}is-not-defined") is not None:
        return bool(lines) and not values
    text = part.find(f"{CR}text-match")
    return bool(values) if text is None else _text_matches(text, values)


def _text_matches(element: Element, values: Sequence[str]) -> bool:
    collation = COLLATIONS.get(element.get("collation", "i;unicode-casemap"))
    if collation is None:
        raise UnsupportedFilter("CR:supported-collation")
    compare = MATCH_TYPES.get(element.get("match-type", "contains"))
    if compare is None:
        raise UnsupportedFilter("CR:supported-filter")
    wanted = collation(element.text or "")
    found = any(compare(collation(value), wanted) for value in values)
    return not found if element.get("negate-condition") == "yes" else found


def _values(line: Line) -> Iterator[str]:
    """The value as a whole, and as people read it."""
    yield line.value
    text = unescape(line.value)
    if text != line.value:
        yield text


def _combined(element: Element, parts: Sequence[bool]) -> bool:
    return all(parts) if element.get("test", "anyof") == "allof" else any(parts)

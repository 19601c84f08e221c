"""The content lines of a vCard: unfolding, parsing, folding, escaping (RFC 2425, 5.8; RFC 6350, 3).

``parse_card`` keeps the text of each line as it came, so that joining the lines gives the same bytes again.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

FOLD_OCTETS: Final = 75
LOGICAL_LINE: Final = re.compile(r"[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*(?:(?:\r?\n|\r)+|$)")
FOLD: Final = re.compile(r"\r?\n[ \t]")
NAME: Final = re.compile(r"(?:([A-Za-z0-9-]+)\.)?([A-Za-z0-9-]+)\Z")
ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
QUOTED_APART: Final = re.compile(r'"[^"]*"|[^;:"]+|[;:]')


class BadCard(ValueError):
    """This is no vCard that can be stored; the message says why, for the client's log."""


@dataclass(frozen=True, slots=True)
class Line:
    """One content line. ``raw`` is its text as it came, with folds and line end; ``value`` is unfolded, still escaped.

    ``params`` are pairs of a name in capitals and a value without quotes; a parameter of several values (``TYPE=A,B``,
    in version 4.0 also ``TYPE="a,b"``) stands there once a value, a bare word (``TEL;CELL:``) as ``TYPE``.
    """

    raw: str
    group: str
    name: str
    params: tuple[tuple[str, str], ...]
    value: str

    def types(self) -> frozenset[str]:
        """The TYPE parameters in capitals."""
        return frozenset(value.upper() for name, value in self.params if name == "TYPE")

    @property
    def head(self) -> str:
        """Everything before the value, unfolded, with the colon."""
        whole = unfolded(self.raw)
        return whole[: len(whole) - len(self.value)]


def parse_card(text: str) -> list[Line]:
    """The lines of one vCard 3.0 or 4.0, from ``BEGIN`` to ``END``; raises ``BadCard``."""
    if "\0" in text:
        raise BadCard("The card holds a NUL character.")
    lines = [_parsed(raw) for raw in LOGICAL_LINE.findall(text) if raw.strip()]
    if not lines or (lines[0].name, lines[0].value.strip().upper()) != ("BEGIN", "VCARD"):
        raise BadCard("The card does not begin with BEGIN:VCARD.")
    if (lines[-1].name, lines[-1].value.strip().upper()) != ("END", "VCARD"):
        raise BadCard("The card does not end with END:VCARD.")
    if any(line.name in {"BEGIN", "END"} for line in lines[1:-1]):
        raise BadCard("One address stands for one card; this holds several.")
    _refuse_other_versions(lines)
    return lines


def joined(lines: Iterable[Line]) -> str:
    """The card's text."""
    return "".join(line.raw for line in lines)


def written(head: str, value: str, *, newline: str = "\r\n") -> Line:
    """A new line from its head (``TEL;TYPE=CELL:``) and its escaped value."""
    return _parsed(fold(head + value, newline) + newline)


def head_of(line: Line, params: Iterable[tuple[str, str]]) -> str:
    """The line's head with other parameters; values with separating signs are quoted."""
    group = f"{line.group}." if line.group else ""
    return f"{group}{line.name}{''.join(_written_param(*param) for param in params)}:"


def name_parts(name: str) -> str:
    """``N`` from a name in one piece: the last word is the family name."""
    given, _space, family = name.rpartition(" ")
    parts = (family, given) if given else (name, "")
    return ";".join(escape_component(part) for part in (*parts, "", "", ""))


def newline_of(lines: Sequence[Line]) -> str:
    """How this card ends its lines."""
    return "\r\n" if lines[0].raw.endswith("\r\n") else "\n"


def unfolded(raw: str) -> str:
    """The logical line without folds and line end."""
    return FOLD.sub("", raw).rstrip("\r\n")


def fold(line: str, newline: str = "\r\n") -> str:
    """Cut at 75 octets, never inside a character."""
    if len(line.encode()) <= FOLD_OCTETS:
        return line
    return f"{newline} ".join(_pieces(line))


def escape(text: str) -> str:
    """A text value: backslash, comma and line ends are escaped; a semicolon is not, for many clients would show it."""
    escaped = text.replace("\\", "\\\\").replace(",", "\\,")
    return escaped.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")


def escape_component(text: str) -> str:
    """A part of a structured value (``N``, ``ADR``, ``ORG``), where a semicolon separates."""
    return escape(text).replace(";", "\\;")


def unescape(value: str) -> str:
    """The text that an escaped value stands for; a backslash before anything else stays."""
    if "\\" not in value:
        return value
    return ESCAPED.sub(_unescaped_sign, value)


def components(value: str) -> list[str]:
    """The unescaped parts of a structured value."""
    if "\\" not in value:
        return value.split(";")
    parts: list[list[str]] = [[]]
    for piece in re.findall(r"\\.|;|[^\\;]+|\\$", value, re.DOTALL):
        if piece == ";":
            parts.append([])
        else:
            parts[-1].append(piece)
    return [unescape("".join(part)) for part in parts]


def _parsed(raw: str) -> Line:
    whole = unfolded(raw)
    if '"' in whole.partition(":")[0]:
        return _parsed_quoted(raw, whole)
    head, colon, value = whole.partition(":")
    if not colon:
        raise BadCard(f"A line has no colon: {whole[:40]!r}.")
    name, *params = head.split(";")
    return _line(raw, name, params, value)


def _parsed_quoted(raw: str, whole: str) -> Line:
    """A head in which quotes may hide semicolons and colons."""
    place = 0
    parts: list[list[str]] = [[]]
    for piece in QUOTED_APART.finditer(whole):
        if piece.group() == ":":
            place = piece.end()
            break
        if piece.group() == ";":
            parts.append([])
        else:
            parts[-1].append(piece.group())
    if not place:
        raise BadCard(f"A line has no colon: {whole[:40]!r}.")
    name, *params = ("".join(part) for part in parts)
    return _line(raw, name, params, whole[place:])


def _line(raw: str, name: str, params: Sequence[str], value: str) -> Line:
    found = NAME.match(name.strip())
    if found is None:
        raise BadCard(f"This is no property name: {name[:40]!r}.")
    return Line(raw, found[1] or "", found[2].upper(), tuple(_params(params)), value)


def _params(params: Sequence[str]) -> Iterator[tuple[str, str]]:
    for param in params:
        name, equals, values = param.partition("=")
        if not equals:
            yield "TYPE", name.strip()
            continue
        key = name.strip().upper()
        for value in re.findall(r'"[^"]*"|[^,"]+', values):
            plain = value.strip('"')
            yield from ((key, one) for one in (plain.split(",") if key == "TYPE" else [plain]))


def _written_param(name: str, value: str) -> str:
    return f';{name}="{value}"' if any(sign in value for sign in ';:,"') else f";{name}={value}"


def _refuse_other_versions(lines: Sequence[Line]) -> None:
    versions = [line.value.strip() for line in lines if line.name == "VERSION"]
    if not versions:
        raise BadCard("The card does not say its VERSION.")
    if versions[0] not in {"3.0", "4.0"}:
        raise BadCard(f"Cards of version {versions[0][:10]!r} are not taken; send 3.0 or 4.0.")


def _pieces(line: str) -> Iterator[str]:
    piece: list[str] = []
    octets, limit = 0, FOLD_OCTETS
    for sign in line:
        size = len(sign.encode())
        if octets + size > limit:
            yield "".join(piece)
            piece, octets, limit = [], 0, FOLD_OCTETS - 1
        piece.append(sign)
        octets += size
    yield "".join(piece)


def _unescaped_sign(match: re.Match[str]) -> str:
    sign = match[1]
    if sign in "nN":
        return "\n"
    return sign if sign in "\\,;:" else match[0]

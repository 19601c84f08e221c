"""The earlier mail below an answer, as mail programs have it, so that the reader sees what is answered."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

QUOTED_CHARACTERS: Final = 20_000
QUOTED_LINES: Final = 200
NAME_CHARACTERS: Final = 120
CUT: Final = "> […]"
ATTRIBUTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "en": ("On {at}, {sender} wrote:", "%-d %b %Y at %H:%M"),
    "cs": ("Dne {at} {sender} napsal(a):", "%-d. %-m. %Y v %H:%M"),
    "pl": ("W dniu {at} {sender} pisze:", "%d.%m.%Y o %H:%M"),
}
"""Line and date by language. They stand here and not in the catalogues, because folding knows them by their shape."""


def quoted(text: str, *, sender: tuple[str, str], at: datetime, locale: str, time_zone: str) -> str:
    """``text`` with ``>`` before each line, below a line that says who wrote it when (RFC 3676, 4.5).

    ``sender`` is name and address, ``at`` is aware. Of a long text the first 20,000 characters and
    200 lines are quoted.
    """
    line, pattern = ATTRIBUTIONS.get(locale, ATTRIBUTIONS["en"])
    attribution = line.format(at=at.astimezone(_zone(time_zone)).strftime(pattern), sender=_shown(*sender))
    lines = [_quoted_line(old.rstrip()) for old in text[:QUOTED_CHARACTERS].strip("\r\n").split("\n")]
    is_cut = len(text) > QUOTED_CHARACTERS or len(lines) > QUOTED_LINES
    return "\n".join([attribution, *lines[:QUOTED_LINES], *([CUT] if is_cut else [])])


def _quoted_line(line: str) -> str:
    if not line:
        return ">"
    return f">{line}" if line.startswith(">") else f"> {line}"


def _shown(name: str, address: str) -> str:
    short = " ".join(name.split())[:NAME_CHARACTERS]
    return f"{short} <{address}>" if short and short != address else address or short


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")

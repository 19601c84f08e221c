"""Reading what browsers send: ids and short texts, whatever was typed."""

from typing import Final

NEEDLE_CHARACTERS: Final = 200


def as_id(text: object) -> int | None:
    """A posted id: None if empty, 0 (which nothing has) if it is no number."""
    typed = str(text or "").strip()
    if not typed:
        return None
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 19 else 0


def as_needle(text: str | None) -> str:
    """What to search for: one line, of a length that makes sense, storable."""
    return " ".join((text or "").replace("\0", " ").split())[:NEEDLE_CHARACTERS]

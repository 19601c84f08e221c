"""A tenant's colour, made legible: WCAG 2.2 asks for a contrast of 4.5 between text and what it stands on."""

import re
from dataclasses import dataclass
from typing import Final

ENOUGH: Final = 4.5
WHITE: Final = (255, 255, 255)
BLACK: Final = (0, 0, 0)
DARK_SURFACE: Final = (0x16, 0x17, 0x1B)
HOVER: Final = 0.14
TINT_LIGHT: Final = 0.09
TINT_DARK: Final = 0.24
STEPS: Final = 25
SEEN: Final = 1.5
"""Below this contrast a filled button melts into the page."""

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Accent:
    """A fill, the text on it, the fill under the pointer, and the colour as text in both themes; ``#rrggbb`` each."""

    fill: str
    on_fill: str
    hover: str
    ink_light: str
    ink_dark: str


def accent_of(colour: str) -> Accent | None:
    """What follows from a tenant's colour; None unless it is ``#rrggbb``."""
    if re.fullmatch("#[0-9a-fA-F]{6}", colour) is None:
        return None
    fill = _parsed(colour)
    on_fill = WHITE if contrast(fill, WHITE) >= ENOUGH else BLACK
    away = BLACK if on_fill == WHITE else WHITE
    return Accent(
        fill=_written(fill),
        on_fill=_written(on_fill),
        hover=_written(_mixed(fill, away, HOVER)),
        ink_light=_written(_legible(fill, towards=BLACK, on=_mixed(WHITE, fill, TINT_LIGHT))),
        ink_dark=_written(_legible(fill, towards=WHITE, on=_mixed(DARK_SURFACE, fill, TINT_DARK))),
    )


def is_seen(colour: str) -> bool:
    """Whether a fill of this colour, ``#rrggbb``, stands out from the page in both themes."""
    return all(contrast(_parsed(colour), page) >= SEEN for page in (WHITE, DARK_SURFACE))


def contrast(one: Colour, other: Colour) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _legible(colour: Colour, *, towards: Colour, on: Colour) -> Colour:
    """``colour``, moved ``towards`` black or white as far as text ``on`` that ground needs."""
    steps = (_mixed(colour, towards, step / STEPS) for step in range(STEPS + 1))
    return next((found for found in steps if contrast(found, on) >= ENOUGH), towards)


def _luminance(colour: Colour) -> float:
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _mixed(colour: Colour, other: Colour, share: float) -> Colour:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def _parsed(colour: str) -> Colour:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def _written(colour: Colour) -> str:
    return f"#{bytes(colour).hex()}"

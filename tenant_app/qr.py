"""QR codes (ISO/IEC 18004) as the one path of an SVG: a picture that needs no style and no file."""

from dataclasses import dataclass
from itertools import groupby
from typing import Final

import segno

QUIET_MODULES: Final = 4
"""The white frame that the standard asks for."""


@dataclass(frozen=True, slots=True)
class QrCode:
    """``size`` is the side in modules, with the quiet frame; ``path`` draws the dark ones, one unit a module."""

    size: int
    path: str


def qr_code(text: str) -> QrCode:
    """The smallest code that holds ``text`` and stays readable with 15 % of it damaged (level M)."""
    rows = [bytes(row) for row in segno.make_qr(text, error="m").matrix_iter(border=QUIET_MODULES)]
    return QrCode(len(rows), "".join(_dark_runs(y, row) for y, row in enumerate(rows)))


def _dark_runs(y: int, row: bytes) -> str:
    """A rectangle for each run of dark modules: far shorter than one for each module."""
    path, x = [], 0
    for is_dark, modules in groupby(row):
        width = len(list(modules))
        if is_dark:
            path.append(f"M{x} {y}h{width}v1h-{width}z")
        x += width
    return "".join(path)

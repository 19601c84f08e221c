"""A recording's loudness as the two paths of an SVG, one a side: a picture that needs no style and no script."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

LOUDEST: Final = 255
BAR_UNITS: Final = 4
GAP_UNITS: Final = 1.2
LANE_UNITS: Final = 40
QUIETEST_UNITS: Final = 2.0
"""Silence is drawn too: a lane without a line looks as if nothing had been recorded."""


@dataclass(frozen=True, slots=True)
class Waveform:
    """``caller`` and ``callee`` are paths in a view box of ``width`` by ``height`` units, the caller's above."""

    width: int
    height: int
    caller: str
    callee: str


def waveform(caller: Sequence[int], callee: Sequence[int]) -> Waveform:
    """Draw both sides; the values are peaks from 0 to 255 over the time of the recording."""
    bars = max(len(caller), len(callee), 1)
    return Waveform(
        width=bars * BAR_UNITS,
        height=2 * LANE_UNITS,
        caller=_lane(caller, middle=LANE_UNITS // 2),
        callee=_lane(callee, middle=LANE_UNITS + LANE_UNITS // 2),
    )


def _lane(peaks: Sequence[int], *, middle: int) -> str:
    """A bar for each peak, as far above the middle as below."""
    return "".join(_bar(place, peak, middle) for place, peak in enumerate(peaks))


def _bar(place: int, peak: int, middle: int) -> str:
    size = max(QUIETEST_UNITS, (LANE_UNITS - 4) * min(peak, LOUDEST) / LOUDEST)
    width = BAR_UNITS - GAP_UNITS
    return f"M{place * BAR_UNITS} {middle - size / 2:.1f}h{width:.1f}v{size:.1f}h-{width:.1f}z"

"""The picture of a recording."""

import re

from tenant_app.waveform import waveform


def heights(path: str) -> list[float]:
    """How high each bar is."""
    return [float(size) for size in re.findall(r"v([\d.]+)", path)]


def test_a_bar_is_as_high_as_its_peak_is_loud() -> None:
    wave = waveform([0, 128, 255], [255, 0, 0])
    quiet, middle, loud = heights(wave.caller)
    assert 0 < quiet < middle < loud
    assert heights(wave.callee)[0] == loud
    assert wave.width == 12


def test_the_sides_do_not_overlap() -> None:
    wave = waveform([255], [255])
    tops = {side: float(re.findall(r"M0 ([\d.]+)", path)[0]) for side, path in (("a", wave.caller), ("b", wave.callee))}
    assert tops["a"] + heights(wave.caller)[0] <= wave.height / 2 <= tops["b"]
    assert tops["b"] + heights(wave.callee)[0] <= wave.height


def test_a_recording_without_peaks_has_a_picture_of_nothing() -> None:
    wave = waveform([], [])
    assert (wave.caller, wave.callee) == ("", "")
    assert wave.width > 0

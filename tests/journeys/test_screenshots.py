"""The pictures that a designer looks through are taken, each in its language and width."""

from pathlib import Path

from playwright.sync_api import Browser

from tests.screenshots import LOOKS, SHOTS, take
from tests.support.stack import Stack

LANGUAGES = ("cs", "en")
"""English last: the owner keeps the language for the journeys after this one."""


def test_pictures_are_taken_before_and_after_the_sign_in(browser: Browser, stack: Stack, tmp_path: Path) -> None:
    shots = {name: SHOTS[name] for name in ("sign-in", "palette", "gallery")}
    take(browser, stack.url(), tmp_path, shots=shots, languages=LANGUAGES, looks=LOOKS[1:3])
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png")} == {
        f"{name}/{language}-{look.name}.png" for name in shots for language in LANGUAGES for look in LOOKS[1:3]
    }
    assert _width(tmp_path / "gallery" / "cs-light-375.png") == 375
    assert _width(tmp_path / "gallery" / "cs-dark-1280.png") == 1280
    assert (tmp_path / "index.html").read_text().count("<img") == 12


def _width(picture: Path) -> int:
    """From a PNG's header (ISO/IEC 15948, 11.2.2)."""
    return int.from_bytes(picture.read_bytes()[16:20], "big")

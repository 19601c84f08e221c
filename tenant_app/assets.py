"""Addresses of the bundled front end: names with a hash of the content, so that browsers may keep them for ever."""

import json
from functools import cache
from pathlib import Path
from typing import Final

DIST: Final = Path(__file__).parent / "static" / "dist"


@cache
def asset(name: str) -> str:
    """The address of the bundled file ``name``, such as ``app.js``."""
    return f"/static/dist/{_manifest()[name]}"


def asset_file(name: str) -> Path:
    """Where the bundled file ``name`` lies, for one that needs an address of its own."""
    return DIST / _manifest()[name]


def _manifest() -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads((DIST / "manifest.json").read_text())
    except FileNotFoundError as error:
        raise RuntimeError("the front end is not built: run ./centrala up") from error
    return found

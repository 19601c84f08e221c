"""Waiting until something holds, with a deadline; never for a fixed time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

STEP_S = 0.05


def wait_until(condition: Callable[[], T], *, deadline_s: float = 10.0, otherwise: Callable[[], str] = str) -> T:
    """The first true answer of ``condition``; after ``deadline_s`` an ``AssertionError`` with ``otherwise``."""
    deadline = time.monotonic() + deadline_s
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(STEP_S)
    raise AssertionError(f"did not become true within {deadline_s} s {otherwise()}".rstrip())

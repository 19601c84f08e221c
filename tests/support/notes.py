"""Measured figures in a test's output."""

import sys


def note(text: str) -> None:
    """Write a line that ``pytest -rA`` or ``-s`` shows."""
    sys.stdout.write(f"{text}\n")

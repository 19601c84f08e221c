"""The time, from one place, so that a test can hold it."""

from datetime import UTC, datetime

_held: list[datetime] = []


def now() -> datetime:
    """The current moment, aware, in UTC."""
    return _held[-1] if _held else datetime.now(UTC)


def hold(at: datetime) -> None:
    """Make ``now`` answer ``at`` (aware) until ``release``; for tests."""
    _held[:] = [at.astimezone(UTC)]


def release() -> None:
    """Let the time run again."""
    _held.clear()

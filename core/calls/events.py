"""Facts about calls."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A call is over, whatever became of it."""

    name: ClassVar[str] = "calls.call_ended"
    call_id: int


@dataclass(frozen=True, slots=True)
class RecordingReady:
    """A call's recording can be played."""

    name: ClassVar[str] = "calls.recording_ready"
    call_id: int

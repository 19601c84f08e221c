"""Facts about who signs in."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class BrowserSeen:
    """Somebody signed in with a browser that is new to them, while they had others before."""

    name: ClassVar[str] = "identity.browser_seen"
    session_id: int

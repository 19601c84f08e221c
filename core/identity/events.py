"""Facts about who signs in."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class BrowserSeen:
    """Somebody signed in with a browser that is new to them, while they had others before."""

    name: ClassVar[str] = "identity.browser_seen"
    session_id: int


@dataclass(frozen=True, slots=True)
class ResetAsked:
    """Somebody asked for a link to a new password; ``user_id`` is 0 if nobody has the e-mail that they typed."""

    name: ClassVar[str] = "identity.reset_asked"
    user_id: int


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    """A user has another password than before."""

    name: ClassVar[str] = "identity.password_changed"
    user_id: int


@dataclass(frozen=True, slots=True)
class SecondFactorChanged:
    """Something happened to a user's second factor; ``change`` is one of ``second_factor.CHANGES``."""

    name: ClassVar[str] = "identity.second_factor_changed"
    user_id: int
    change: str

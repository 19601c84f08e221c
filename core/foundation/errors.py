"""What can go wrong, in few types.

Services raise these; each product translates them once (HTTP status, DAV status, SIP cause). Messages are for the
user: what happened, what was kept, what to do next.
"""

from collections.abc import Mapping

from core.foundation.i18n import Message, _


class CentralaError(Exception):
    """The base of all errors that a user may be told of."""

    def __init__(self, message: Message) -> None:
        super().__init__(str(message))
        self.message = message


class NotFound(CentralaError):
    """There is no such row, or not for this actor: another tenant's row is not found either."""

    def __init__(self, message: Message | None = None) -> None:
        super().__init__(message or _("This does not exist, or not for you."))


class Forbidden(CentralaError):
    """The actor may not do this."""

    def __init__(self, message: Message | None = None) -> None:
        super().__init__(message or _("You have no permission for this. Your administrator can grant it."))


class Invalid(CentralaError):
    """What was entered cannot be used; ``problems`` says per field why."""

    def __init__(self, problems: Mapping[str, Message]) -> None:
        super().__init__(next(iter(problems.values())))
        self.problems = dict(problems)


class Conflict(CentralaError):
    """Somebody else changed the same thing in the meantime."""


class TooLarge(CentralaError):
    """More than a limit allows; the message names the limit."""


class Unavailable(CentralaError):
    """Something outside does not answer; trying again later may help."""

"""Facts about mail."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class MailFiled:
    """A mail that came in stands in its ticket."""

    name: ClassVar[str] = "mail.filed"
    activity_id: int


@dataclass(frozen=True, slots=True)
class MailQueued:
    """A mail was written and waits to be sent."""

    name: ClassVar[str] = "mail.queued"
    activity_id: int


@dataclass(frozen=True, slots=True)
class MailNotSent:
    """A mail of ours did not arrive; ``state`` is ``refused``, ``uncertain``, ``partly`` or ``waits``."""

    name: ClassVar[str] = "mail.not_sent"
    outbound_mail_id: int
    state: str

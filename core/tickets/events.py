"""Facts about tickets."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class TicketOpened:
    """A ticket was opened, by a mail or by a colleague."""

    name: ClassVar[str] = "tickets.opened"
    ticket_id: int


@dataclass(frozen=True, slots=True)
class TicketChanged:
    """Something about a ticket changed: status, owner, customer, or a new activity."""

    name: ClassVar[str] = "tickets.changed"
    ticket_id: int

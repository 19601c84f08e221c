"""Facts about tickets."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class TicketOpened:
    """A ticket was opened, by a mail or by a colleague; ``by_id`` is 0 for the former."""

    name: ClassVar[str] = "tickets.opened"
    ticket_id: int
    by_id: int = 0


@dataclass(frozen=True, slots=True)
class TicketChanged:
    """Something about a ticket changed: status, owner, customer, or a new activity."""

    name: ClassVar[str] = "tickets.changed"
    ticket_id: int


@dataclass(frozen=True, slots=True)
class TicketAssigned:
    """Somebody else than the new owner made a ticket theirs; ``version`` is the ticket's by then."""

    name: ClassVar[str] = "tickets.assigned"
    ticket_id: int
    owner_id: int
    version: int

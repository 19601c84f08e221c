"""Which job follows which event. The whole of it stands here, on one screen."""

from typing import Final

from core.directory.events import CompanySaved, ContactSaved
from core.foundation.outbox import Event
from core.mail import jobs as _mail_jobs
from core.mail.events import MailFiled, MailQueued
from core.tickets.events import TicketChanged, TicketOpened

JOB_MODULES: Final = (_mail_jobs,)
"""Importing them registers their jobs."""

HANDLERS: Final[dict[type[Event], tuple[str, ...]]] = {
    ContactSaved: (),
    CompanySaved: (),
    TicketOpened: (),
    TicketChanged: (),
    MailFiled: (),
    MailQueued: (),
}


def jobs_after(event_name: str) -> tuple[str, ...]:
    """The jobs that follow the event of this name; raises ``LookupError`` if it is not wired."""
    for event, names in HANDLERS.items():
        if event.name == event_name:
            return names
    raise LookupError(f"event {event_name} is not in core.wiring")

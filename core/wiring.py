"""Which job follows which event. The whole of it stands here, on one screen."""

from typing import Final

from core.calls import jobs as _call_jobs
from core.calls.events import CallEnded, RecordingReady
from core.directory import jobs as _directory_jobs
from core.directory.events import BookChanged, ClientRevoked, CompanySaved, ContactDeleted, ContactSaved, DatabaseOpened
from core.foundation.outbox import Event
from core.identity.events import BrowserSeen, PasswordChanged, ResetAsked, SecondFactorChanged
from core.mail import jobs as _mail_jobs
from core.mail.events import MailFiled, MailNotSent, MailQueued
from core.notifications import jobs as _notification_jobs
from core.tickets import jobs as _ticket_jobs
from core.tickets.events import TicketAssigned, TicketChanged, TicketOpened

JOB_MODULES: Final = (_call_jobs, _directory_jobs, _mail_jobs, _notification_jobs, _ticket_jobs)
"""Importing them registers their jobs."""

HANDLERS: Final[dict[type[Event], tuple[str, ...]]] = {
    ContactSaved: ("tickets.refresh_words_of_contact",),
    ContactDeleted: ("tickets.refresh_missing_words",),
    CompanySaved: ("directory.refresh_words", "directory.refresh_cards", "tickets.refresh_words_of_company"),
    DatabaseOpened: ("directory.refresh_words_of_database", "tickets.refresh_words_of_database"),
    BookChanged: (),
    ClientRevoked: (),
    BrowserSeen: ("mail.tell_of_browser", "notifications.tell_of_browser"),
    PasswordChanged: ("mail.tell_of_password",),
    ResetAsked: ("mail.send_reset_link",),
    SecondFactorChanged: ("mail.tell_of_second_factor",),
    TicketOpened: ("notifications.tell_of_ticket",),
    TicketAssigned: ("notifications.tell_of_assignment",),
    TicketChanged: (),
    MailFiled: ("notifications.tell_of_mail_in",),
    MailQueued: ("notifications.tell_of_mail_out",),
    MailNotSent: ("notifications.tell_of_mail_not_sent",),
    CallEnded: ("notifications.tell_of_call",),
    RecordingReady: (),
}


def wired_events() -> tuple[str, ...]:
    """The names of all events that this release knows."""
    return tuple(event.name for event in HANDLERS)


def jobs_after(event_name: str) -> tuple[str, ...]:
    """The jobs that follow the event of this name; raises ``LookupError`` if it is not wired."""
    for event, names in HANDLERS.items():
        if event.name == event_name:
            return names
    raise LookupError(f"event {event_name} is not in core.wiring")

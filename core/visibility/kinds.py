"""The four kinds of things that are open to everyone or granted to user groups."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from core.directory.books.models import AddressBook, AddressBookEntry, AddressBookGrant
from core.directory.models import Company, Contact, ContactDatabase, ContactDatabaseGrant
from core.foundation.permissions import Permission
from core.mail.models import MailAddress
from core.tickets.models import Ticket, TicketCategory, TicketCategoryGrant
from core.timeline.models import Activity, Queue, QueueGrant


class Kind(StrEnum):
    """What is granted; the value stands in addresses."""

    DATABASE = "databases"
    QUEUE = "queues"
    CATEGORY = "categories"
    BOOK = "books"


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a thing, and so keeps it from being deleted: rows whose column ``thing_id`` names it."""

    name: str
    thing_id: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A kind's tables. With any of ``permissions`` somebody looks at its rows; ``subject`` names it in the history."""

    model: Any
    grant: Any
    thing_id: Any
    subject: str
    permissions: frozenset[Permission]
    contents: tuple[Contents, ...]


GRANTED: Final = {
    Kind.DATABASE: Granted(
        model=ContactDatabase,
        grant=ContactDatabaseGrant,
        thing_id=ContactDatabaseGrant.database_id,
        subject="contact_database",
        permissions=frozenset({Permission.CONTACTS_READ, Permission.COMPANIES_READ}),
        contents=(
            Contents("contacts", Contact.database_id),
            Contents("companies", Company.database_id),
        ),
    ),
    Kind.QUEUE: Granted(
        model=Queue,
        grant=QueueGrant,
        thing_id=QueueGrant.queue_id,
        subject="queue",
        permissions=frozenset({Permission.TICKETS_READ, Permission.CALLS_READ}),
        contents=(
            Contents("tickets", Ticket.queue_id),
            Contents("activities", Activity.queue_id),
            Contents("addresses", MailAddress.queue_id),
        ),
    ),
    Kind.CATEGORY: Granted(
        model=TicketCategory,
        grant=TicketCategoryGrant,
        thing_id=TicketCategoryGrant.category_id,
        subject="ticket_category",
        permissions=frozenset({Permission.TICKETS_READ}),
        contents=(
            Contents("tickets", Ticket.category_id),
            Contents("addresses", MailAddress.category_id),
        ),
    ),
    Kind.BOOK: Granted(
        model=AddressBook,
        grant=AddressBookGrant,
        thing_id=AddressBookGrant.address_book_id,
        subject="address_book",
        permissions=frozenset({Permission.CONTACTS_READ}),
        contents=(Contents("contacts", AddressBookEntry.address_book_id),),
    ),
}

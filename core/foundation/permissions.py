"""Everything that a permission group can allow.

A user belongs to exactly one permission group (TC-6). Services ask the actor; pages hide what would be refused.
"""

from enum import StrEnum


class Permission(StrEnum):
    """One thing that a user may do; stored by value."""

    CONTACTS_READ = "contacts.read"
    CONTACTS_WRITE = "contacts.write"
    COMPANIES_READ = "companies.read"
    COMPANIES_WRITE = "companies.write"
    BOOKS_MANAGE = "books.manage"
    TICKETS_READ = "tickets.read"
    TICKETS_WRITE = "tickets.write"
    TICKETS_REPLY = "tickets.reply"
    OUTBOX_READ = "outbox.read"
    CALLS_READ = "calls.read"
    CALLS_MAKE = "calls.make"
    RECORDINGS_PLAY = "recordings.play"
    LINES_MANAGE = "lines.manage"
    PEOPLE_MANAGE = "people.manage"

"""Everything that a permission group can allow, and how it is told to people.

A user belongs to exactly one permission group (TC-6). Services ask the actor; pages hide what would be refused.
``CATALOGUE`` groups the permissions by the part of the product that they open; a permission without an entry there
could be granted by nobody, so a test refuses it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.foundation.i18n import Message, _


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
    PEOPLE_READ = "people.read"
    PEOPLE_MANAGE = "people.manage"
    PEOPLE_BLOCK = "people.block"
    PEOPLE_DELETE = "people.delete"
    SETTINGS_MANAGE = "settings.manage"
    AUDIT_READ = "audit.read"


ADMINISTRATION: Final = frozenset(
    {
        Permission.PEOPLE_READ,
        Permission.PEOPLE_MANAGE,
        Permission.PEOPLE_BLOCK,
        Permission.PEOPLE_DELETE,
        Permission.LINES_MANAGE,
        Permission.SETTINGS_MANAGE,
        Permission.AUDIT_READ,
    }
)
"""What people who work with customers do not need: a group of agents begins without these."""


class Kind(StrEnum):
    """What a permission gives: ``access`` lets pages be opened and looked at, ``right`` lets something be done."""

    ACCESS = "access"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Explained:
    """A permission as people read it: its name, and in a sentence what somebody can do with it."""

    permission: Permission
    kind: Kind
    name: Message
    explanation: Message


@dataclass(frozen=True, slots=True)
class Module:
    """A part of the product with its permissions, access first."""

    code: str
    name: Message
    permissions: tuple[Explained, ...]


def _access(permission: Permission, name: Message, explanation: Message) -> Explained:
    return Explained(permission, Kind.ACCESS, name, explanation)


def _right(permission: Permission, name: Message, explanation: Message) -> Explained:
    return Explained(permission, Kind.RIGHT, name, explanation)


CATALOGUE: Final = (
    Module(
        "contacts",
        _("Contacts and companies"),
        (
            _access(
                Permission.CONTACTS_READ,
                _("See contacts"),
                _("Opens the list of contacts, their pages, address books and own synced phones."),
            ),
            _access(
                Permission.COMPANIES_READ,
                _("See companies"),
                _("Opens the list of companies and their pages."),
            ),
            _right(
                Permission.CONTACTS_WRITE,
                _("Change contacts"),
                _("Create, change and delete contacts, also from a phone, and put them into address books."),
            ),
            _right(
                Permission.COMPANIES_WRITE,
                _("Change companies"),
                _("Create companies, and change what is known of them."),
            ),
            _right(
                Permission.BOOKS_MANAGE,
                _("Manage address books"),
                _("Create, change and delete address books, and decide whose phones they reach. Sees every book."),
            ),
        ),
    ),
    Module(
        "tickets",
        _("Tickets and e-mail"),
        (
            _access(
                Permission.TICKETS_READ,
                _("See tickets"),
                _("Opens the list of tickets, and the mails and files in them."),
            ),
            _access(
                Permission.OUTBOX_READ,
                _("See the outbox"),
                _("Shows mails on their way out, exactly as they leave, and what held them up."),
            ),
            _right(
                Permission.TICKETS_WRITE,
                _("Work on tickets"),
                _("Open tickets, take them, change their state, category and customer."),
            ),
            _right(
                Permission.TICKETS_REPLY,
                _("Write e-mails"),
                _("Answer in tickets and write new e-mails in the company's name."),
            ),
        ),
    ),
    Module(
        "calls",
        _("Calls"),
        (
            _access(
                Permission.CALLS_READ,
                _("See calls"),
                _("Opens the log of calls and shows who is calling."),
            ),
            _right(
                Permission.CALLS_MAKE,
                _("Make and take calls"),
                _("Has a line of one's own and looks after the devices that ring on it."),
            ),
            _right(
                Permission.RECORDINGS_PLAY,
                _("Listen to recordings"),
                _("Plays and downloads recordings of the calls that the user sees."),
            ),
            _right(
                Permission.LINES_MANAGE,
                _("Manage lines"),
                _("Gives lines to people, sets up devices, trunks and the company's numbers."),
            ),
        ),
    ),
    Module(
        "people",
        _("People and settings"),
        (
            _access(
                Permission.PEOPLE_READ,
                _("See people"),
                _("Opens the list of users and their pages: what they may do, their lines, phones and history."),
            ),
            _access(
                Permission.AUDIT_READ,
                _("See the audit log"),
                _("Shows who changed what and when, before and after, and exports it."),
            ),
            _right(
                Permission.PEOPLE_MANAGE,
                _("Manage people"),
                _("Manages users and user groups, looks up who sees what, and revokes anybody's synced phone."),
            ),
            _right(
                Permission.PEOPLE_BLOCK,
                _("Block people"),
                _("Blocks users, which signs them out at once, and lets them in again."),
            ),
            _right(
                Permission.PEOPLE_DELETE,
                _("Delete people"),
                _("Deletes users for good, with their lines and synced phones, and hands on what they looked after."),
            ),
            _right(
                Permission.SETTINGS_MANAGE,
                _("Manage company settings"),
                _("Sets the company's name, logo, colour, languages, country, opening hours and holidays."),
            ),
        ),
    ),
)


def explained(permission: Permission) -> Explained:
    """How the permission is told to people."""
    return next(entry for module in CATALOGUE for entry in module.permissions if entry.permission is permission)

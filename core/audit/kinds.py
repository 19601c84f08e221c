"""What the history speaks of: the kinds of things, who may read of them, and the words for their fields and codes.

Whoever records changes of a new kind adds it to ``KINDS``: what stands in no line there is told only to those who see
the whole tenant. A field with a name of its own goes into ``FIELDS``, one that holds ids into ``LINKS``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from core.calls.models import Call, Device, PhoneLine, Trunk, TrunkNumber
from core.directory.books.models import AddressBook, SyncedClient
from core.directory.models import Company, Contact, ContactDatabase
from core.foundation.i18n import Message, _
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.models import PermissionGroup, UserAccount, UserGroup
from core.identity.openid.models import OpenIdProvider
from core.mail.models import OutboundMail
from core.tenants.models import HolidayRule
from core.tickets.models import Ticket, TicketCategory
from core.timeline.models import Queue

AUDIT_LOG: Final = "audit_log"
"""Under this kind the log notes that it was exported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of thing whose changes are recorded.

    ``title`` is the column that names one, and the field that is recorded when one is made. With ``is_granted`` its
    rows are seen by some and not by others: changes are told only of rows that the reader sees. ``permission`` opens
    the pages on which its values stand anyway.
    """

    name: Message
    model: Any = None
    title: str = "name"
    is_granted: bool = False
    permission: Permission | None = None


KINDS: Final[Mapping[str, Kind]] = {
    "user": Kind(name=_("User"), model=UserAccount),
    "permission_group": Kind(name=_("Permission group"), model=PermissionGroup),
    "user_group": Kind(name=_("User group"), model=UserGroup),
    "openid_provider": Kind(name=_("Sign-in provider"), model=OpenIdProvider),
    "contact_database": Kind(name=_("Database of contacts"), model=ContactDatabase, is_granted=True),
    "queue": Kind(name=_("Queue"), model=Queue, is_granted=True),
    "ticket_category": Kind(name=_("Ticket category"), model=TicketCategory, is_granted=True),
    "address_book": Kind(name=_("Address book"), model=AddressBook, is_granted=True),
    "synced_client": Kind(name=_("Phone or program"), model=SyncedClient),
    "phone_line": Kind(name=_("Line"), model=PhoneLine, title="number"),
    "device": Kind(name=_("Device"), model=Device),
    "trunk": Kind(name=_("Trunk"), model=Trunk),
    "trunk_number": Kind(name=_("Number of the company"), model=TrunkNumber, title="number"),
    "company_settings": Kind(name=_("Company settings")),
    "opening_hours": Kind(name=_("Business hours")),
    "holiday_rule": Kind(name=_("Holiday"), title="day", model=HolidayRule),
    AUDIT_LOG: Kind(name=_("Audit log")),
    "contact": Kind(name=_("Contact"), model=Contact, is_granted=True, permission=Permission.CONTACTS_READ),
    "company": Kind(name=_("Company"), model=Company, is_granted=True, permission=Permission.COMPANIES_READ),
    "ticket": Kind(name=_("Ticket"), model=Ticket, title="title", is_granted=True, permission=Permission.TICKETS_READ),
    "call": Kind(name=_("Call"), model=Call, title="from_number", is_granted=True, permission=Permission.CALLS_READ),
    "outbound_mail": Kind(
        name=_("E-mail sent"),
        model=OutboundMail,
        title="subject",
        is_granted=True,
        permission=Permission.OUTBOX_READ,
    ),
}

LINKS: Final[Mapping[str, str]] = {
    "user_id": "user",
    "owner_id": "user",
    "person": "user",
    "permission_group_id": "permission_group",
    "parent_id": "user_group",
    "groups": "user_group",
    "grants": "user_group",
    "line_id": "phone_line",
    "trunk_id": "trunk",
    "database_id": "contact_database",
    "book_id": "address_book",
    "company_id": "company",
    "contact_id": "contact",
    "ticket_id": "ticket",
    "category_id": "ticket_category",
    "queue_id": "queue",
}
"""Fields that hold an id, a list of ids, or of lists that begin with one: of which kind."""

FIELDS: Final[Mapping[str, Message]] = {
    "name": _("Name"),
    "email": _("E-mail"),
    "password": _("Password"),
    "is_blocked": _("Blocked"),
    "viewed_as": _("Looks at the app as"),
    "linked_account": _("Account to sign in with"),
    "issuer": _("Issuer"),
    "client_id": _("Client id"),
    "client_secret": _("Client secret"),
    "domains": _("E-mail domains"),
    "counts_as_factor": _("Counts as second factor"),
    "is_owner": _("Owner"),
    "sessions": _("Signed-in browsers"),
    "second_factor": _("Second factor"),
    "app_secret": _("App with codes"),
    "codes_left": _("Recovery codes left"),
    "passkeys": _("Passkeys"),
    "passkey_refused": _("Passkey refused as a copy"),
    "permission_group_id": _("Permission group"),
    "permissions": _("Permissions"),
    "groups": _("User groups"),
    "members": _("Members"),
    "parent_id": _("Group above"),
    "place": _("Place in the list"),
    "everyone_sees": _("Everyone sees it"),
    "channel": _("Channel"),
    "number": _("Number"),
    "caller_id": _("Callers see"),
    "user_id": _("Person"),
    "person": _("Person"),
    "line_id": _("Line"),
    "trunk_id": _("Trunk"),
    "kind": _("Kind"),
    "external_number": _("Number outside"),
    "ring_delay_s": _("Rings after (s)"),
    "ring_time_s": _("Rings for (s)"),
    "is_enabled": _("Switched on"),
    "host": _("Server"),
    "port": _("Port"),
    "transport": _("Transport"),
    "username": _("User name"),
    "database_id": _("Database"),
    "audience": _("For whom"),
    "sync_policy": _("How far it goes"),
    "grants": _("Who gets it"),
    "count": _("Contacts in it"),
    "state": _("State"),
    "status": _("State"),
    "title": _("Title"),
    "category_id": _("Category"),
    "queue_id": _("Queue"),
    "owner_id": _("Owner"),
    "contact_id": _("Contact"),
    "company_id": _("Company"),
    "ticket_id": _("Ticket"),
    "book_id": _("Address book"),
    "phones": _("Phone numbers"),
    "emails": _("E-mails"),
    "job_title": _("Job title"),
    "registration_number": _("Registration number"),
    "vat_number": _("VAT number"),
    "website": _("Website"),
    "street": _("Street"),
    "postal_code": _("Postal code"),
    "city": _("City"),
    "country": _("Country"),
    "note": _("Note"),
    "locale": _("Language"),
    "theme": _("Theme"),
    "time_zone": _("Time zone"),
    "accent": _("Brand colour"),
    "logo": _("Logo"),
    "day": _("Day"),
    "open_on_holiday": _("Works on a public holiday"),
    "monday": _("Monday"),
    "tuesday": _("Tuesday"),
    "wednesday": _("Wednesday"),
    "thursday": _("Thursday"),
    "friday": _("Friday"),
    "saturday": _("Saturday"),
    "sunday": _("Sunday"),
    "export": _("Exported"),
    "since": _("From"),
    "until": _("To"),
    "text": _("Words"),
}

CODES: Final[Mapping[str, Mapping[str, Message]]] = {
    "kind": {code: kind.name for code, kind in KINDS.items()}
    | {"call_centre": _("Call centre"), "back_office": _("Back office")}
    | {"sip": _("SIP phone or softphone"), "external": _("Number outside")},
    "second_factor": {
        "optional": _("Everybody decides for themselves"),
        "required": _("Asked of everybody"),
        "passkey": _("A passkey, of everybody"),
    },
    "status": {"open": _("Open"), "waiting": _("Waiting"), "closed": _("Closed")},
    "state": {
        "active": _("In use"),
        "wiping": _("Being emptied"),
        "revoked": _("Revoked"),
        "queued": _("On its way"),
        "held": _("Held"),
        "sent": _("Sent"),
    },
    "sync_policy": {"phone_book": _("Phone book"), "app_only": _("App only"), "none": _("Nowhere")},
    "logo": {"old": _("the logo before"), "new": _("a new logo")},
    "channel": {"email": _("E-mail"), "call": _("Call"), "sms": _("SMS")},
    "label": {"mobile": _("Mobile"), "work": _("Work"), "home": _("Private"), "other": _("Other")},
}
"""Values that are codes, by their field; ``label`` are the kinds of numbers and addresses."""


def kind_name(code: str) -> Message | str:
    """What a kind is called."""
    return KINDS[code].name if code in KINDS else _plain(code)


def field_name(code: str) -> Message | str:
    """What a field is called."""
    return FIELDS.get(code) or _plain(code)


def title_field(code: str) -> str:
    """Which field names a thing of the kind."""
    return KINDS[code].title if code in KINDS else "name"


def readable_kinds(work: Work) -> list[str]:
    """The kinds of which the actor may read at all, in their order."""
    return [code for code, kind in KINDS.items() if kind.permission is None or work.actor.may(kind.permission)]


def _plain(code: str) -> str:
    """The words of a code that has no name of its own."""
    return code.removesuffix("_id").replace("_", " ").capitalize()

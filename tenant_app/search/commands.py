"""What the command palette offers besides people and cases: pages to open and things to create.

A command names no permission: it is offered to whoever the page behind its address lets in.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from flask import current_app, request
from flask_babel import lazy_gettext

from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from tenant_app.languages import say
from tenant_app.navigation import PLACES
from tenant_app.pages import access_of
from tenant_app.sections import PATH as SETTINGS
from tenant_app.sections import visible_sections


@dataclass(frozen=True, slots=True)
class Command:
    """A page under the name by which it is looked for; ``panel_id`` opens it in the static panel."""

    url: str
    label: Any
    icon: str
    panel_id: str = ""


CREATING: Final = (
    Command("/contacts/new", lazy_gettext("New contact"), "user-plus"),
    Command("/companies/new", lazy_gettext("New company"), "building-2"),
    Command("/mail/new", lazy_gettext("New e-mail"), "mail", panel_id="mail-new"),
    Command("/books/new", lazy_gettext("New address book"), "book-user"),
    Command("/synced/new", lazy_gettext("Add a phone or program"), "smartphone"),
    Command("/lines/new", lazy_gettext("New line"), "phone"),
    Command("/lines/trunks/new", lazy_gettext("New trunk"), "server"),
    Command("/people/new", lazy_gettext("New user"), "user-plus"),
    Command("/people/invite", lazy_gettext("Invite several people"), "mail"),
    Command("/settings/permission-groups/new", lazy_gettext("New permission group"), "shield-check"),
    Command("/settings/sign-in/new?kind=generic", lazy_gettext("New sign-in provider"), "log-in"),
    Command("/settings/user-groups/new", lazy_gettext("New user group"), "users"),
)
PAGES: Final = (
    *(Command(place.path, place.label, place.icon) for place in PLACES),
    Command("/tickets/?owner=me", lazy_gettext("My open tickets"), "ticket"),
    Command("/tickets/?owner=none", lazy_gettext("Unassigned tickets"), "ticket"),
    Command("/calls/?which=missed", lazy_gettext("Missed calls"), "phone-missed"),
    Command("/books/", lazy_gettext("Address books"), "book-user"),
    Command("/synced/", lazy_gettext("Phones and programs"), "smartphone"),
    Command("/lines/mine", lazy_gettext("My line"), "phone"),
    Command("/lines/spare", lazy_gettext("Phones without a line"), "phone"),
    Command("/settings/permission-groups/compare", lazy_gettext("Compare permission groups"), "shield-check"),
    Command("/notifications/", lazy_gettext("Notifications"), "bell"),
    Command("/notifications/settings", lazy_gettext("Notification settings"), "bell"),
    Command("/security/", lazy_gettext("Security"), "shield-check"),
    Command("/search", lazy_gettext("Search everything"), "search"),
)


def creating(work: Work) -> Iterator[Command]:
    """What the actor may create."""
    return (command for command in CREATING if _may_open(work, command.url))


def pages(work: Work) -> Iterator[Command]:
    """The pages that the actor may open, each once: the places, what is reached from them, the settings' sections."""
    sections = visible_sections(work.actor.may)
    known = {command.url: command for command in PAGES if command.url != SETTINGS or sections}
    for section in sections:
        known.setdefault(section.path, Command(section.path, say(section.name), section.icon))
    return (command for command in known.values() if _may_open(work, command.url))


def _may_open(work: Work, url: str) -> bool:
    """Whether the view behind the address lets the actor in."""
    adapter = current_app.create_url_adapter(request)
    if adapter is None:
        return False
    endpoint, _arguments = adapter.match(urlsplit(url).path, method="GET")
    access = access_of(current_app.view_functions[endpoint])
    return access in {"signed in", "public"} or (access is not None and work.actor.may(Permission(access)))

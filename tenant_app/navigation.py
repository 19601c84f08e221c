"""The left navigation: the framework's menu, filled from one table."""

from dataclasses import dataclass
from typing import Any, Final

from flask import current_app, request
from flask_babel import lazy_gettext

from core.foundation.permissions import Permission

HOME: Final = "home"
BELOW: Final = {"/contacts/": ("/books/",), "/calls/": ("/lines/",)}
"""Pages that are reached from a place and belong to it, though their address begins otherwise."""


@dataclass(frozen=True, slots=True)
class Place:
    """One entry of the navigation; ``name`` is the permission it needs, or a plain word for everybody."""

    name: str
    path: str
    label: Any
    icon: str


PLACES: Final = (
    Place(HOME, "/", lazy_gettext("Home"), "house"),
    Place(Permission.TICKETS_READ.value, "/tickets/", lazy_gettext("Tickets"), "ticket"),
    Place(Permission.CONTACTS_READ.value, "/contacts/", lazy_gettext("Contacts"), "contact"),
    Place(Permission.COMPANIES_READ.value, "/companies/", lazy_gettext("Companies"), "building-2"),
    Place(Permission.CALLS_READ.value, "/calls/", lazy_gettext("Calls"), "phone"),
    Place(Permission.OUTBOX_READ.value, "/outbox/", lazy_gettext("Outbox"), "send"),
)


def add_places(builder: Any) -> None:
    """Register the places with the framework's menu."""
    for place in PLACES:
        builder.menu.add_link(place.name, href=place.path, icon=place.icon, label=place.label)


def navigation() -> list[dict[str, object]]:
    """The places that the viewer may open, with ``current`` on the one that is open."""
    entries = current_app.appbuilder.menu.get_data()  # type: ignore[attr-defined]  # set by the framework
    return [{**entry, "current": _is_current(entry["url"])} for entry in entries]


def _is_current(path: str) -> bool:
    return request.path == path if path == "/" else request.path.startswith((path, *BELOW.get(path, ())))

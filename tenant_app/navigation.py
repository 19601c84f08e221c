"""The left navigation: the framework's menu, filled from one table."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import current_app, request
from flask_babel import lazy_gettext

from core.foundation.permissions import Permission
from tenant_app import sections

HOME: Final = "home"
BELOW: Final = {
    "/contacts/": ("/books/",),
    "/calls/": ("/lines/mine", "/lines/"),
    sections.PATH: ("/lines/", "/people/", "/synced/all"),
}
"""Pages that are reached from a place and belong to it, though their address begins otherwise. The longest beginning
decides; of two that are the same, the place that comes later."""


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
    Place("settings", sections.PATH, lazy_gettext("Settings"), "settings"),
)


def add_places(builder: Any) -> None:
    """Register the places with the framework's menu."""
    for place in PLACES:
        builder.menu.add_link(place.name, href=place.path, icon=place.icon, label=place.label)


def navigation() -> list[dict[str, object]]:
    """The places that the viewer may open, with ``current`` on the one that is open."""
    entries = current_app.appbuilder.menu.get_data()  # type: ignore[attr-defined]  # set by the framework
    shown = [entry for entry in entries if entry["url"] != sections.PATH or sections.visible_sections()]
    current = _current_of([entry["url"] for entry in shown])
    return [{**entry, "current": entry["url"] == current} for entry in shown]


def _current_of(paths: Sequence[str]) -> str | None:
    """The place that the page belongs to, of those that are shown."""
    begin = ((start, path) for path in paths if path != "/" for start in (path, *BELOW.get(path, ())))
    fitting = [(len(start), path) for start, path in begin if request.path.startswith(start)]
    if not fitting:
        return request.path if request.path == "/" else None
    longest = max(length for length, _path in fitting)
    return [path for length, path in fitting if length == longest][-1]

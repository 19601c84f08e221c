"""``GET /palette``: what the command palette shows, as a fragment.

Without words: what was looked at lately, what can be created, which pages there are. With words: whom and what they
find. The browser knows the ids of what was looked at, never a name: names come from here, for who may see them still.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from core.directory.queries import Choice, company_choices, contact_choices
from core.directory.recent import companies_by_id, contacts_by_id
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.service import colleagues
from core.tickets.choosing import ticket_choices, tickets_by_id
from tenant_app.pages import signed_in_only
from tenant_app.search.commands import Command, creating, pages
from tenant_app.typed import as_needle

FOUND: Final = 5
MOST_RECENT: Final = 8
RECENT: Final = re.compile(r"(contacts|companies|tickets)/([1-9]\d{0,17})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Option:
    """One line of the palette."""

    label: Any
    url: str
    icon: str
    hint: str = ""
    panel_id: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Lines under a heading; the browser filters ``fixed`` ones by itself while somebody types."""

    name: str
    heading: str
    options: Sequence[Option] = field(default=())
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be found and looked at: where its pages lie, who may, and the questions that find it."""

    path: str
    icon: str
    permission: Permission
    find: Callable[[Work, str, int], Sequence[Choice]]
    by_id: Callable[[Work, Sequence[int]], Sequence[Choice]]


KINDS: Final = {
    "contacts": Kind("/contacts/", "contact", Permission.CONTACTS_READ, contact_choices, contacts_by_id),
    "companies": Kind("/companies/", "building-2", Permission.COMPANIES_READ, company_choices, companies_by_id),
    "tickets": Kind("/tickets/", "ticket", Permission.TICKETS_READ, ticket_choices, tickets_by_id),
}


class Palette(BaseView):
    """Everything by keyboard."""

    route_base = "/palette"

    @expose("")
    @signed_in_only
    def index(self, work: Work) -> ResponseReturnValue:
        """The groups of lines for what is typed, or for the beginning."""
        text = as_needle(request.args.get("q"))
        groups = _found(work, text) if text else _at_first(work, request.args.get("recent", ""))
        return render_template("search/palette.html", groups=[group for group in groups if group.options], text=text)


def _at_first(work: Work, recent: str) -> Iterator[Group]:
    yield Group("recent", _("Recent"), _recent(work, recent), fixed=True)
    yield Group("create", _("Create"), _options(creating(work)), fixed=True)
    yield Group("pages", _("Go to"), _options(pages(work)), fixed=True)


def _found(work: Work, text: str) -> Iterator[Group]:
    """Whom and what the words find. Signs alone have no index and are left to the whole search."""
    if not any(sign.isalnum() for sign in text):
        return
    headings = {"contacts": _("Contacts"), "companies": _("Companies"), "tickets": _("Tickets")}
    for name, kind in KINDS.items():
        if work.actor.may(kind.permission):
            yield Group(name, headings[name], _as_options(kind, kind.find(work, text, FOUND)))
    if work.actor.may(Permission.TICKETS_READ):
        yield Group("colleagues", _("Colleagues"), _colleagues(work, text))


def _recent(work: Work, asked: str) -> list[Option]:
    """What the browser remembers, newest first, as far as it still exists for the actor."""
    wanted = [(found[1], int(found[2])) for found in RECENT.finditer(asked)][:MOST_RECENT]
    known: dict[tuple[str, int], Option] = {}
    for name, kind in KINDS.items():
        ids = [row_id for other, row_id in wanted if other == name]
        if ids and work.actor.may(kind.permission):
            choices = kind.by_id(work, ids)
            options = _as_options(kind, choices)
            known |= {(name, choice.id): option for choice, option in zip(choices, options, strict=True)}
    return [known[key] for key in dict.fromkeys(wanted) if key in known]


def _colleagues(work: Work, text: str) -> list[Option]:
    """Colleagues, each leading to their open tickets."""
    hint = _("open tickets")
    return [
        Option(person.name, f"/tickets/?owner={person.id}", "circle-user-round", hint)
        for person in colleagues(work, search=text)[:FOUND]
    ]


def _as_options(kind: Kind, choices: Sequence[Choice]) -> list[Option]:
    return [Option(choice.name, f"{kind.path}{choice.id}", kind.icon, choice.hint) for choice in choices]


def _options(offered: Iterator[Command]) -> list[Option]:
    return [Option(command.label, command.url, command.icon, panel_id=command.panel_id) for command in offered]

"""The columns of lists: which there are, which the viewer sees, and in which order.

The first column, which names the row, always stands and stands first. What a user chose is kept with their account; a
column that a later release has or has no more does no harm.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flask import request
from flask_babel import lazy_gettext
from werkzeug.datastructures import MultiDict

from core.foundation.errors import Invalid, NotFound
from core.foundation.i18n import _
from core.identity.service import DENSITIES
from tenant_app.security import viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column that can be shown. ``head`` is a CSS class of its heading; ``text`` is what it is called."""

    name: str
    text: Any
    head: str = ""
    is_usual: bool = True


@dataclass(frozen=True, slots=True)
class Offered:
    """A column in the chooser."""

    name: str
    text: Any
    is_shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ListView:
    """A list as its viewer wants it. ``columns`` are headings as the macro ``table`` takes them, with their ``name``;
    ``order`` is everything there is, in the order of the chooser; ``address`` is where the list stands."""

    name: str
    columns: Sequence[Mapping[str, Any]]
    order: Sequence[Offered]
    density: str
    is_own: bool
    address: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen."""

    columns: Sequence[str]
    density: str


LISTS: Final[Mapping[str, Sequence[Column]]] = {
    "contacts": (
        Column(name="company", text=lazy_gettext("Company")),
        Column(name="job_title", text=lazy_gettext("Job title"), is_usual=False),
        Column(name="phone", text=lazy_gettext("Phone")),
        Column(name="email", text=lazy_gettext("E-mail")),
        Column(name="owner", text=lazy_gettext("Owner")),
    ),
    "companies": (
        Column(name="city", text=lazy_gettext("City")),
        Column(name="phone", text=lazy_gettext("Phone")),
        Column(name="email", text=lazy_gettext("E-mail")),
        Column(name="contacts", text=lazy_gettext("Contacts"), head="number"),
        Column(name="owner", text=lazy_gettext("Owner")),
    ),
    "tickets": (
        Column(name="customer", text=lazy_gettext("Customer")),
        Column(name="company", text=lazy_gettext("Company")),
        Column(name="category", text=lazy_gettext("Category"), head="wide-only"),
        Column(name="owner", text=lazy_gettext("Owner")),
        Column(name="status", text=lazy_gettext("Status")),
        Column(name="last_activity", text=lazy_gettext("Last activity")),
    ),
    "calls": (
        Column(name="line", text=lazy_gettext("Line")),
        Column(name="outcome", text=lazy_gettext("Outcome")),
        Column(name="duration", text=lazy_gettext("Duration"), head="number"),
        Column(name="started", text=lazy_gettext("When")),
    ),
}


def list_view(name: str, *, without: Collection[str] = ()) -> ListView:
    """The list as the viewer wants it; columns in ``without`` say nothing here and are left out."""
    known = {column.name: column for column in LISTS[name]}
    person = viewer()
    stored = person.person.list_views.get(name) if person else None
    shown = (stored or {}).get("columns", [column.name for column in LISTS[name] if column.is_usual])
    shown = [code for code in shown if code in known]
    density = (stored or {}).get("density", DENSITIES[0])
    return ListView(
        name=name,
        columns=[_heading(known[code]) for code in shown if code not in without],
        order=[Offered(code, known[code].text, code in shown) for code in _in_order(shown, list(known))],
        density=density if density in DENSITIES else DENSITIES[0],
        is_own=stored is not None,
        address=request.full_path.rstrip("?"),
    )


def known_list(name: str) -> str:
    """The name, if there is such a list; raises ``NotFound``."""
    if name not in LISTS:
        raise NotFound
    return name


def read_choice(name: str, form: MultiDict[str, str]) -> Choice:
    """What the chooser posts: every column in ``order``, those that are shown in ``column``; ``up`` and ``down`` move.

    Raises ``NotFound`` for a list, ``Invalid`` for columns and row heights that there are not.
    """
    known = {column.name for column in LISTS[known_list(name)]}
    order, shown = form.getlist("order"), form.getlist("column")
    for code, step in ((form.get("up"), -1), (form.get("down"), 1)):
        if code in order:
            _move(order, order.index(code), step)
    density = form.get("density", DENSITIES[0])
    is_known = set(order) <= known and set(shown) <= set(order) and len(order) == len(set(order))
    if not is_known or density not in DENSITIES:
        raise Invalid({"columns": _("There is no such column. Open the list again.")})
    return Choice([code for code in order if code in shown], density)


def _move(order: list[str], at: int, step: int) -> None:
    to = min(max(at + step, 0), len(order) - 1)
    order.insert(to, order.pop(at))


def _heading(column: Column) -> Mapping[str, Any]:
    return {"name": column.name, "text": column.text, "class": column.head}


def _in_order(shown: Sequence[str], usual: Sequence[str]) -> list[str]:
    """All columns: the shown ones as they stand, each other one behind the one that it usually follows."""
    order = list(shown)
    for at, code in enumerate(usual):
        if code not in order:
            before = usual[at - 1] if at else None
            order.insert(order.index(before) + 1 if before in order else 0, code)
    return order

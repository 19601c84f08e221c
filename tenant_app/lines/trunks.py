"""``/lines/trunks…`` and ``/lines/numbers…``: the way to the telephone network, and which number rings whom."""

from collections.abc import Mapping

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from core.calls.lines import lines
from core.calls.trunks import (
    TrunkRow,
    add_number,
    change_trunk,
    create_trunk,
    remove_number,
    remove_trunk,
    route_number,
    trunks,
)
from core.foundation.errors import Invalid, NotFound
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from tenant_app.languages import say
from tenant_app.lines.forms import Typed, as_trunk_draft, first_trunk, stored_trunk, typed_trunk
from tenant_app.lines.found import show_number
from tenant_app.pages import requires
from tenant_app.typed import as_id

NOTHING_TYPED: Mapping[str, str] = {}


class Trunks(BaseView):
    """Trunks and the company's numbers on them."""

    route_base = "/lines"

    @expose("/trunks")
    @requires(Permission.LINES_MANAGE)
    def index(self, work: Work) -> ResponseReturnValue:
        """Every trunk with its numbers."""
        return _page(work)

    @expose("/trunks/new")
    @requires(Permission.LINES_MANAGE)
    def new(self, work: Work) -> ResponseReturnValue:  # noqa: ARG002  # every page has a transaction
        """An empty form."""
        return _form(first_trunk(), trunk=None)

    @expose("/trunks/new", methods=["POST"])
    @requires(Permission.LINES_MANAGE)
    def create(self, work: Work) -> ResponseReturnValue:
        """Store a trunk."""
        values = typed_trunk(request.form)
        try:
            create_trunk(work, as_trunk_draft(values, is_enabled=True, is_new=True))
        except Invalid as error:
            return _form(values, trunk=None, error=error), 422
        flash(_("Trunk saved. Its numbers come next."), "success")
        return redirect("/lines/trunks", 303)

    @expose("/trunks/<int:trunk_id>/edit")
    @requires(Permission.LINES_MANAGE)
    def edit(self, work: Work, trunk_id: int) -> ResponseReturnValue:
        """The form with what is stored."""
        trunk = _trunk(work, trunk_id)
        return _form(stored_trunk(trunk), trunk=trunk)

    @expose("/trunks/<int:trunk_id>/edit", methods=["POST"])
    @requires(Permission.LINES_MANAGE)
    def change(self, work: Work, trunk_id: int) -> ResponseReturnValue:
        """Store the changes."""
        trunk, values = _trunk(work, trunk_id), typed_trunk(request.form)
        is_enabled = request.form.get("is_enabled") == "1"
        try:
            change_trunk(work, trunk_id, as_trunk_draft(values, is_enabled=is_enabled, is_new=False))
        except Invalid as error:
            return _form(values, trunk=trunk, error=error, is_enabled=is_enabled), 422
        flash(_("Trunk saved."), "success")
        return redirect("/lines/trunks", 303)

    @expose("/trunks/<int:trunk_id>/remove", methods=["POST"])
    @requires(Permission.LINES_MANAGE)
    def remove(self, work: Work, trunk_id: int) -> ResponseReturnValue:
        """Remove it with its numbers."""
        remove_trunk(work, trunk_id)
        flash(_("Trunk removed."), "success")
        return redirect("/lines/trunks", 303)

    @expose("/trunks/<int:trunk_id>/numbers", methods=["POST"])
    @requires(Permission.LINES_MANAGE)
    def add(self, work: Work, trunk_id: int) -> ResponseReturnValue:
        """Add a number of the company."""
        number, line_id = request.form.get("number", ""), as_id(request.form.get("line_id"))
        try:
            add_number(work, number, trunk_id, line_id)
        except Invalid as error:
            typed = {"trunk_id": str(trunk_id), "number": number, "line_id": str(line_id or "")}
            return _page(work, typed=typed, error=error), 422
        flash(_("Number added."), "success")
        return redirect("/lines/trunks", 303)

    @expose("/numbers/<int:number_id>/route", methods=["POST"])
    @requires(Permission.LINES_MANAGE)
    def route(self, work: Work, number_id: int) -> ResponseReturnValue:
        """Let it ring another line, or none."""
        route_number(work, number_id, as_id(request.form.get("line_id")))
        flash(_("Number saved."), "success")
        return redirect("/lines/trunks", 303)

    @expose("/numbers/<int:number_id>/remove", methods=["POST"])
    @requires(Permission.LINES_MANAGE)
    def drop(self, work: Work, number_id: int) -> ResponseReturnValue:
        """Remove a number."""
        remove_number(work, number_id)
        flash(_("Number removed."), "success")
        return redirect("/lines/trunks", 303)


def _page(work: Work, *, typed: Mapping[str, str] = NOTHING_TYPED, error: Invalid | None = None) -> str:
    return render_template(
        "lines/trunks.html",
        trunks=trunks(work),
        targets=[(line.id, f"{line.number} · {line.user_name}") for line in lines(work)],
        typed=typed,
        errors={field: say(message) for field, message in error.problems.items()} if error else {},
        show=show_number,
    )


def _form(
    values: Typed, *, trunk: TrunkRow | None, error: Invalid | None = None, is_enabled: bool | None = None
) -> str:
    return render_template(
        "lines/trunk_form.html",
        trunk=trunk,
        values=values,
        is_enabled=(trunk.is_enabled if trunk else True) if is_enabled is None else is_enabled,
        errors={field: say(message) for field, message in error.problems.items()} if error else {},
    )


def _trunk(work: Work, trunk_id: int) -> TrunkRow:
    found = next((trunk for trunk in trunks(work) if trunk.id == trunk_id), None)
    if found is None:
        raise NotFound
    return found

"""``/lines/…``: who is dialled by which number, and everybody's own line."""

from collections.abc import Mapping

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from core.calls.lines import LineRow, free_number, lines, my_line, remove_line, set_line
from core.calls.trunks import trunks
from core.foundation.errors import Invalid
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.service import colleagues
from tenant_app.languages import say
from tenant_app.lines.found import line_of, show_number
from tenant_app.pages import requires
from tenant_app.typed import as_id


class Lines(BaseView):
    """The numbers by which users are dialled."""

    route_base = "/lines"

    @expose("/")
    @requires(Permission.LINES_MANAGE)
    def index(self, work: Work) -> ResponseReturnValue:
        """Every line with its devices and whether they can be reached."""
        return render_template("lines/list.html", lines=lines(work), show=show_number)

    @expose("/mine")
    @requires(Permission.CALLS_MAKE)
    def mine(self, work: Work) -> ResponseReturnValue:
        """The viewer's own line."""
        return render_template("lines/detail.html", line=my_line(work), show=show_number, is_mine=True)

    @expose("/new")
    @requires(Permission.LINES_MANAGE)
    def new(self, work: Work) -> ResponseReturnValue:
        """An empty form."""
        values = {"user_id": request.args.get("user_id", ""), "number": free_number(work), "caller_id": ""}
        return _form(work, values, line=None, status=200)

    @expose("/new", methods=["POST"])
    @requires(Permission.LINES_MANAGE)
    def create(self, work: Work) -> ResponseReturnValue:
        """Give somebody a line."""
        return _save(work, request.form, line=None)

    @expose("/<int:line_id>")
    @requires(Permission.LINES_MANAGE)
    def show(self, work: Work, line_id: int) -> ResponseReturnValue:
        """A line and its devices."""
        return render_template("lines/detail.html", line=line_of(work, line_id), show=show_number, is_mine=False)

    @expose("/<int:line_id>/edit")
    @requires(Permission.LINES_MANAGE)
    def edit(self, work: Work, line_id: int) -> ResponseReturnValue:
        """The form with what is stored."""
        line = line_of(work, line_id)
        values = {"user_id": str(line.user_id), "number": line.number, "caller_id": line.caller_id}
        return _form(work, values, line=line, status=200)

    @expose("/<int:line_id>/edit", methods=["POST"])
    @requires(Permission.LINES_MANAGE)
    def change(self, work: Work, line_id: int) -> ResponseReturnValue:
        """Store another number or caller id."""
        return _save(work, request.form, line=line_of(work, line_id))

    @expose("/<int:line_id>/remove", methods=["POST"])
    @requires(Permission.LINES_MANAGE)
    def remove(self, work: Work, line_id: int) -> ResponseReturnValue:
        """Remove it with its devices."""
        remove_line(work, line_id)
        flash(_("Line removed."), "success")
        return redirect("/lines/", 303)


def _save(work: Work, form: Mapping[str, str], *, line: LineRow | None) -> ResponseReturnValue:
    user_id = line.user_id if line else as_id(form.get("user_id")) or 0
    values = {"user_id": str(user_id or ""), "number": form.get("number", ""), "caller_id": form.get("caller_id", "")}
    problems = {} if user_id else {"user_id": str(_("Choose whose line it is."))}
    try:
        line_id = set_line(work, user_id, values["number"], values["caller_id"]) if user_id else 0
    except Invalid as error:
        problems = {field: say(message) for field, message in error.problems.items()}
    if problems:
        return _form(work, values, line=line, status=422, errors=problems)
    flash(_("Line saved."), "success")
    return redirect(f"/lines/{line_id}", 303)


def _form(
    work: Work,
    values: Mapping[str, str],
    *,
    line: LineRow | None,
    status: int,
    errors: Mapping[str, str] | None = None,
) -> ResponseReturnValue:
    """The form; the caller ids to choose from are the company's own numbers."""
    taken = {known.user_id for known in lines(work)}
    owned = [number.number for trunk in trunks(work) for number in trunk.numbers]
    page = render_template(
        "lines/form.html",
        line=line,
        values=values,
        errors=errors or {},
        people=[(person.id, person.name) for person in colleagues(work) if person.id not in taken],
        caller_ids=[(number, show_number(number)) for number in owned],
    )
    return page, status

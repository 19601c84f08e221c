"""``/people/invite``: several people from one table, looked at before anybody is invited."""

from collections.abc import Mapping, Sequence

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import ngettext

from core.foundation.errors import Invalid
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.people.guards import permission_choices
from core.people.importing import InvitedRow, checked_rows, decoded, invite_rows, read_table, written
from tenant_app.languages import say
from tenant_app.pages import requires
from tenant_app.typed import as_id


class Inviting(BaseView):
    """A table of new people."""

    route_base = "/people"

    @expose("/invite")
    @requires(Permission.PEOPLE_MANAGE)
    def form(self, work: Work) -> ResponseReturnValue:
        """An empty table."""
        return _page(work, "")

    @expose("/invite", methods=["POST"])
    @requires(Permission.PEOPLE_MANAGE)
    def take(self, work: Work) -> ResponseReturnValue:
        """Show what would happen to every row; with ``go=invite`` let it happen, and keep what could not be used."""
        text = _typed()
        try:
            table = read_table(text)
            usual = as_id(request.form.get("permission_group_id"))
            rows = checked_rows(work, table, permission_group_id=usual)
        except Invalid as error:
            return _page(work, text, errors={field: say(words) for field, words in error.problems.items()}), 422
        if request.form.get("go") != "invite":
            return _page(work, text, rows=rows, unknown=table.unknown)
        invited, left = invite_rows(work, rows), [row for row in rows if row.problems]
        words = ngettext("%(num)d person invited.", "%(num)d people invited.", invited)
        if not left:
            flash(words, "success")
            return redirect("/people/?state=invited", 303)
        rest = written(table, left)
        again = checked_rows(work, read_table(rest), permission_group_id=usual)
        return _page(work, rest, rows=again, unknown=table.unknown, done=words if invited else "")


def _typed() -> str:
    """The chosen file's text, else what stands in the field."""
    file = request.files.get("file")
    raw = file.read() if file is not None and file.filename else b""
    return decoded(raw) if raw else request.form.get("table", "")


def _page(
    work: Work,
    text: str,
    *,
    rows: Sequence[InvitedRow] = (),
    unknown: Sequence[str] = (),
    done: str = "",
    errors: Mapping[str, str] | None = None,
) -> str:
    return render_template(
        "people/invite.html",
        text=text,
        rows=rows,
        unknown=unknown,
        done=done,
        errors=errors or {},
        usual=request.form.get("permission_group_id", ""),
        permission_groups=[(one.id, one.name) for one in permission_choices(work) if one.is_assignable],
        names={one.id: one.name for one in permission_choices(work)},
        ready=sum(1 for row in rows if not row.problems),
        manages_lines=work.actor.may(Permission.LINES_MANAGE),
    )

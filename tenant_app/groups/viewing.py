"""``/settings/permission-groups/<id>/view`` and ``/view-as/end``: looking at the app as a group would."""

from flask import flash, redirect
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from core.foundation.errors import Conflict, Forbidden
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.viewing import begin_view, end_view
from tenant_app.languages import say
from tenant_app.pages import requires, signed_in_only
from tenant_app.security import viewer

GROUPS = "/settings/permission-groups/"


class ViewAs(BaseView):
    """Begun on a group's page, ended from the notice that every page carries."""

    route_base = ""

    @expose(f"{GROUPS}<int:group_id>/view", methods=["POST"])
    @requires(Permission.PEOPLE_MANAGE)
    def begin(self, work: Work, group_id: int) -> ResponseReturnValue:
        """To the start page, as the group sees it."""
        try:
            begin_view(work, group_id, token=_token())
        except Conflict as error:
            flash(say(error.message), "error")
            return redirect(f"{GROUPS}{group_id}", 303)
        return redirect("/", 303)

    @expose("/view-as/end", methods=["POST"])
    @signed_in_only
    def end(self, work: Work) -> ResponseReturnValue:
        """Back to the group's page, as oneself."""
        group_id = end_view(work, token=_token())
        if group_id is None:
            return redirect("/", 303)
        flash(_("You see Centrala as yourself again."), "success")
        return redirect(f"{GROUPS}{group_id}", 303)


def _token() -> str:
    person = viewer()
    if person is None:  # only a signed-in person comes here
        raise Forbidden
    return person.id

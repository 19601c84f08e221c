"""``/settings/second-factor/``: whether the company asks everybody for a second factor."""

from collections.abc import Mapping
from typing import Final

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from core.foundation.errors import Invalid
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.security_policy import Asked, ask_of_all, asked_of_all, unready_people
from tenant_app.languages import say
from tenant_app.pages import requires

PATH: Final = "/settings/second-factor/"
NO_ERRORS: Final[Mapping[str, str]] = {}


class SecondFactorSettings(BaseView):
    """What the company asks of everybody's sign-in."""

    route_base = "/settings/second-factor"

    @expose("/")
    @requires(Permission.SETTINGS_MANAGE)
    def index(self, work: Work) -> ResponseReturnValue:
        """What holds, and who would have to set one up."""
        return _page(work, asked_of_all(work))

    @expose("/", methods=["POST"])
    @requires(Permission.SETTINGS_MANAGE)
    def change(self, work: Work) -> ResponseReturnValue:
        """Store it."""
        wanted = request.form.get("second_factor", "")
        try:
            ask_of_all(work, wanted)
        except Invalid as error:
            return _page(work, wanted, {field: say(text) for field, text in error.problems.items()}), 422
        flash(_("Saved. It holds from everybody's next page on."), "success")
        return redirect(PATH, 303)


def _page(work: Work, chosen: str, errors: Mapping[str, str] = NO_ERRORS) -> str:
    return render_template(
        "settings/second_factor.html",
        chosen=chosen,
        unready=unready_people(work, Asked.REQUIRED),
        without_passkey=unready_people(work, Asked.PASSKEY),
        sees_people=work.actor.may(Permission.PEOPLE_READ),
        errors=errors,
    )

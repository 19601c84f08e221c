"""``/preferences/…`` and ``/theme.css``."""

from flask import Response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from core.foundation.colours import accent_of
from core.foundation.unit_of_work import Work
from core.identity.service import choose_language, choose_list_view, choose_theme, reset_list_view
from tenant_app.columns import known_list, read_choice
from tenant_app.hosts import current_tenant
from tenant_app.pages import public, signed_in_only
from tenant_app.paths import local_path


class Preferences(BaseView):
    """Choices that follow the user to every browser."""

    route_base = ""

    @expose("/preferences/theme", methods=["POST"])
    @signed_in_only
    def theme(self, work: Work) -> ResponseReturnValue:
        """Store the theme and go back."""
        choose_theme(work, request.form.get("theme", ""))
        return _back()

    @expose("/preferences/language", methods=["POST"])
    @signed_in_only
    def language(self, work: Work) -> ResponseReturnValue:
        """Store the language and go back."""
        choose_language(work, request.form.get("locale", ""))
        return _back()

    @expose("/preferences/lists/<name>", methods=["POST"])
    @signed_in_only
    def list(self, work: Work, name: str) -> ResponseReturnValue:
        """Store which columns of a list are shown, and how high its rows are; or forget both."""
        if "reset" in request.form:
            reset_list_view(work, known_list(name))
        else:
            choice = read_choice(name, request.form)
            choose_list_view(work, name, choice.columns, density=choice.density)
        return _back()

    @expose("/theme.css")
    @public
    def style(self) -> ResponseReturnValue:
        """The tenant's accent as custom properties, with what must be legible on it; empty if it has none."""
        css = render_template("preferences/theme.css", accent=accent_of(current_tenant().accent or ""))
        return Response(css, mimetype="text/css", headers={"Cache-Control": "private, max-age=300"})


def _back() -> ResponseReturnValue:
    if request.headers.get("HX-Request") or request.headers.get("X-Requested-With"):
        return "", 204
    return redirect(local_path(request.form.get("next")), 303)

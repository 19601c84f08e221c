"""``/settings/``: what can be set, for those who may set some of it."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from core.foundation.errors import Forbidden
from core.foundation.unit_of_work import Work
from tenant_app.pages import signed_in_only
from tenant_app.sections import find_sections, visible_groups


class Settings(BaseView):
    """The sections, and a search over them and over single settings."""

    route_base = "/settings"

    @expose("/")
    @signed_in_only
    def index(self, work: Work) -> ResponseReturnValue:  # noqa: ARG002  # every page has a transaction
        """The sections that the viewer may open, or what fits ``q``; 403 for whom there are none."""
        groups = visible_groups()
        if not groups:
            raise Forbidden
        text = request.args.get("q", "").strip()
        return render_template("settings/index.html", groups=groups, text=text, found=find_sections(text))

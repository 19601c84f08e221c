"""``/lines/spare``: phones that nobody has, from which a new user's SIP account is chosen."""

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from core.calls.lines import lines
from core.calls.spare import give_device, release_device, remove_spare, spare_devices
from core.foundation.errors import Conflict
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from tenant_app.languages import say
from tenant_app.lines.found import device_of
from tenant_app.pages import requires
from tenant_app.typed import as_id


class SparePhones(BaseView):
    """Phones on no line."""

    route_base = "/lines"

    @expose("/spare")
    @requires(Permission.LINES_MANAGE)
    def index(self, work: Work) -> ResponseReturnValue:
        """Every phone that nobody has, and the lines that it could ring on."""
        choices = [(line.id, f"{line.number} {line.user_name}") for line in lines(work)]
        return render_template("lines/spare.html", devices=spare_devices(work), lines=choices)

    @expose("/devices/<int:device_id>/release", methods=["POST"])
    @requires(Permission.LINES_MANAGE)
    def release(self, work: Work, device_id: int) -> ResponseReturnValue:
        """Take a phone from its line and keep it."""
        line, device = device_of(work, device_id)
        try:
            release_device(work, device_id)
        except Conflict as error:
            flash(say(error.message), "error")
        else:
            flash(_("%(name)s is kept without a line.", name=device.name), "success")
        return redirect(f"/lines/{line.id}", 303)

    @expose("/spare/<int:spare_id>/give", methods=["POST"])
    @requires(Permission.LINES_MANAGE)
    def give(self, work: Work, spare_id: int) -> ResponseReturnValue:
        """Put it on the line ``line_id``."""
        line_id = as_id(request.form.get("line_id")) or 0
        try:
            give_device(work, spare_id, line_id)
        except Conflict as error:
            flash(say(error.message), "error")
            return redirect("/lines/spare", 303)
        flash(_("The phone rings on this line now."), "success")
        return redirect(f"/lines/{line_id}", 303)

    @expose("/spare/<int:spare_id>/remove", methods=["POST"])
    @requires(Permission.LINES_MANAGE)
    def remove(self, work: Work, spare_id: int) -> ResponseReturnValue:
        """Remove it for good."""
        remove_spare(work, spare_id)
        flash(_("Device removed."), "success")
        return redirect("/lines/spare", 303)

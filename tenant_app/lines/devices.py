"""``/lines/…/devices`` and ``/lines/devices/…``: what rings on a line, and what a new phone has to be told."""

from collections.abc import Mapping

from flask import Response, flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from core.calls.lines import (
    DeviceRow,
    LineRow,
    NewDevice,
    add_device,
    change_device,
    remove_device,
    renew_password,
)
from core.foundation.errors import Conflict, Invalid
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from tenant_app.device_passwords import page_of_password, password_in, taken_password
from tenant_app.languages import say
from tenant_app.lines.forms import Typed, as_device_draft, first_device, stored_device, switched, typed_device
from tenant_app.lines.found import device_of, line_of, line_url, show_number
from tenant_app.lines.provisioning import MEDIA_TYPE, linphone_configuration
from tenant_app.lines.server import sip_server
from tenant_app.pages import public, requires
from tenant_app.qr import qr_code


class Devices(BaseView):
    """SIP phones and numbers outside; of one's own line for everybody who calls."""

    route_base = "/lines"

    @expose("/<int:line_id>/devices/new")
    @requires(Permission.CALLS_MAKE)
    def new(self, work: Work, line_id: int) -> ResponseReturnValue:
        """An empty form."""
        return _form(work, line_of(work, line_id), first_device())

    @expose("/<int:line_id>/devices/new", methods=["POST"])
    @requires(Permission.CALLS_MAKE)
    def create(self, work: Work, line_id: int) -> ResponseReturnValue:
        """Add it; a phone's password is shown on the next page."""
        line, values = line_of(work, line_id), typed_device(request.form)
        try:
            added = add_device(work, line_id, as_device_draft(values))
        except Invalid as error:
            return _form(work, line, values, error=error), 422
        except Conflict as error:
            return _form(work, line, values, problem=say(error.message)), 409
        if added.password is None:
            flash(_("Device added."), "success")
            return redirect(line_url(work, line), 303)
        return _to_password(added)

    @expose("/devices/<int:device_id>/edit")
    @requires(Permission.CALLS_MAKE)
    def edit(self, work: Work, device_id: int) -> ResponseReturnValue:
        """The form with what is stored."""
        line, device = device_of(work, device_id)
        values = stored_device(device, external_number=show_number(device.external_number))
        return _form(work, line, values, device=device)

    @expose("/devices/<int:device_id>/edit", methods=["POST"])
    @requires(Permission.CALLS_MAKE)
    def change(self, work: Work, device_id: int) -> ResponseReturnValue:
        """Store another name, number, or when it rings."""
        line, device = device_of(work, device_id)
        values = typed_device(request.form, kind=device.kind)
        try:
            change_device(work, device_id, as_device_draft(values, is_enabled=device.is_enabled))
        except Invalid as error:
            return _form(work, line, values, device=device, error=error), 422
        flash(_("Device saved."), "success")
        return redirect(line_url(work, line), 303)

    @expose("/devices/<int:device_id>/switch", methods=["POST"])
    @requires(Permission.CALLS_MAKE)
    def switch(self, work: Work, device_id: int) -> ResponseReturnValue:
        """Switch it on or off: ``on`` is 1 or 0."""
        line, device = device_of(work, device_id)
        is_enabled = request.form.get("on") == "1"
        change_device(work, device_id, switched(device, is_enabled=is_enabled))
        text = _("%(name)s rings again.", name=device.name), _("%(name)s does not ring any more.", name=device.name)
        flash(text[0] if is_enabled else text[1], "success")
        return redirect(line_url(work, line), 303)

    @expose("/devices/<int:device_id>/password", methods=["POST"])
    @requires(Permission.CALLS_MAKE)
    def renew(self, work: Work, device_id: int) -> ResponseReturnValue:
        """Give it a new password, shown on the next page."""
        device_of(work, device_id)
        return _to_password(renew_password(work, device_id))

    @expose("/devices/<int:device_id>/ready")
    @requires(Permission.CALLS_MAKE)
    def ready(self, work: Work, device_id: int) -> ResponseReturnValue:
        """What the phone has to be told: once. Whoever comes back is told that the password is gone."""
        line, device = device_of(work, device_id)
        token, sealed = taken_password()
        back = line_url(work, line)
        if sealed is None or sealed.device_id != device.id:
            return _secret(make_response(render_template("lines/shown.html", device=device, back=back), 410))
        link = f"{request.host_url}lines/setup/{token}"
        page = render_template(
            "lines/ready.html",
            line=line,
            device=device,
            back=back,
            password=sealed.password,
            until=sealed.until,
            server=sip_server(),
            link=link,
            code=qr_code(link),
        )
        return _secret(make_response(page))

    @expose("/devices/<int:device_id>/remove", methods=["POST"])
    @requires(Permission.CALLS_MAKE)
    def remove(self, work: Work, device_id: int) -> ResponseReturnValue:
        """Remove it."""
        line, _device = device_of(work, device_id)
        remove_device(work, device_id)
        flash(_("Device removed."), "success")
        return redirect(line_url(work, line), 303)

    @expose("/setup/<token>")
    @public
    def setup(self, token: str) -> ResponseReturnValue:
        """The settings as Linphone reads them from the code; a quarter of an hour long, and only with its secret."""
        sealed = password_in(token)
        if sealed is None:
            return _secret(make_response(render_template("lines/gone.html"), 410))
        body = linphone_configuration(sip_server(), username=sealed.username, password=sealed.password)
        return _secret(Response(body, mimetype=MEDIA_TYPE))


def _to_password(device: NewDevice) -> ResponseReturnValue:
    return redirect(page_of_password(device), 303)


def _form(
    work: Work,
    line: LineRow,
    values: Typed,
    *,
    device: DeviceRow | None = None,
    error: Invalid | None = None,
    problem: str = "",
) -> str:
    errors: Mapping[str, str] = {field: say(text) for field, text in error.problems.items()} if error else {}
    back = line_url(work, line)
    return render_template(
        "lines/device_form.html", line=line, device=device, values=values, errors=errors, problem=problem, back=back
    )


def _secret(response: Response) -> Response:
    """Kept by no cache and told to no other page."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    return response

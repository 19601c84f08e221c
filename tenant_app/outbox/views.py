"""``/outbox/…``."""

from typing import Final

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext

from core.foundation.errors import Conflict, Invalid
from core.foundation.i18n import _
from core.foundation.permissions import Permission
from core.foundation.settings import settings
from core.foundation.unit_of_work import Work
from core.mail.queries import OUTBOX_PAGE, outbox, outbox_mail
from core.mail.sending import resend
from tenant_app.languages import say
from tenant_app.pages import requires
from tenant_app.typed import as_id

STATES: Final = ("held", "queued", "sending", "sent", "refused", "uncertain")
MOST_ROWS: Final = 500


class Outbox(BaseView):
    """Mails on their way out."""

    route_base = "/outbox"

    @expose("/")
    @requires(Permission.OUTBOX_READ)
    def index(self, work: Work) -> ResponseReturnValue:
        """The list, newest first, all or in one state."""
        state = request.args.get("state") or None
        if state is not None and state not in STATES:
            raise Invalid({"state": _("There is no such state.")})
        before, limit = as_id(request.args.get("before")), _rows_wanted(request.args.get("rows"))
        page = outbox(work, state=state, before_id=before, limit=limit)
        return render_template("outbox/list.html", page=page, state=state, sends=bool(settings().outgoing_smtp_url))

    @expose("/<int:outbound_id>")
    @requires(Permission.OUTBOX_READ)
    def show(self, work: Work, outbound_id: int) -> ResponseReturnValue:
        """One mail exactly as it leaves."""
        return _page(work, outbound_id)

    @expose("/<int:outbound_id>/resend", methods=["POST"])
    @requires(Permission.TICKETS_REPLY)
    def resend(self, work: Work, outbound_id: int) -> ResponseReturnValue:
        """Send it again, because somebody asks for it."""
        try:
            resend(work, outbound_id)
        except Conflict as error:
            work.actor.require(Permission.OUTBOX_READ)
            return _page(work, outbound_id, problem=say(error.message)), 409
        flash(gettext("The e-mail is on its way again."), "success")
        return redirect(f"/outbox/{outbound_id}" if work.actor.may(Permission.OUTBOX_READ) else "/", 303)


def _rows_wanted(text: str | None) -> int:
    """How many rows a refresh asks for: as many as the reader has loaded, within reason."""
    return min(max(as_id(text) or 0, OUTBOX_PAGE), MOST_ROWS)


def _page(work: Work, outbound_id: int, *, problem: str | None = None) -> str:
    mail = outbox_mail(work, outbound_id)
    return render_template("outbox/detail.html", mail=mail, problem=problem, sends=bool(settings().outgoing_smtp_url))

"""``/security/linked/…``: the accounts elsewhere with which one signs in."""

from flask import flash, redirect
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from core.foundation.unit_of_work import Work
from core.identity.openid.linked import unlink_account
from tenant_app.pages import signed_in_only


class LinkedAccounts(BaseView):
    """Shown on the page of one's security."""

    route_base = "/security/linked"

    @expose("/<int:link_id>/remove", methods=["POST"])
    @signed_in_only
    def remove(self, work: Work, link_id: int) -> ResponseReturnValue:
        """Forget one."""
        unlink_account(work, link_id)
        flash(_("Removed. That account is not linked to you any more."), "success")
        return redirect("/security/#linked-title", 303)

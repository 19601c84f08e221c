"""``/security/…``: one's own sign-ins and password."""

from collections.abc import Mapping
from typing import Final

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_babel import ngettext

from core.foundation.errors import Invalid, Unavailable
from core.foundation.unit_of_work import Work
from core.identity.agents import browser_name
from core.identity.openid.linked import my_linked_accounts
from core.identity.own_account import change_password
from core.identity.passkeys import my_passkeys
from core.identity.passwords import check_new_password
from core.identity.recovery_codes import FEW
from core.identity.second_factor import factor_of
from core.identity.security_policy import is_asked_of_all
from core.identity.sessions import accept_browsers, end_other_sessions, end_session, my_sessions, new_browsers
from core.notifications.service import read_about_browsers
from tenant_app.languages import say
from tenant_app.pages import signed_in_only
from tenant_app.proofs import is_proven
from tenant_app.security import Viewer, viewer

NO_ERRORS: Final[Mapping[str, str]] = {}
HOME: Final = "/security/"


class Account(BaseView):
    """One's own security."""

    route_base = "/security"

    @expose("/")
    @signed_in_only
    def show(self, work: Work) -> ResponseReturnValue:
        """All of it on one page."""
        return _page(work)

    @expose("/notice")
    @signed_in_only
    def notice(self, work: Work) -> ResponseReturnValue:
        """What every page says on top while a new browser waits to be looked at."""
        found = bool(new_browsers(work, _me().id))
        return render_template("shell/browser_notice.html", has_new_browser=found)

    @expose("/sessions/<int:session_id>/end", methods=["POST"])
    @signed_in_only
    def end(self, work: Work, session_id: int) -> ResponseReturnValue:
        """Sign one browser out."""
        if end_session(work, session_id):
            flash(_("Signed out. Whoever it was knew your password: change it now."), "warning")
            return redirect(f"{HOME}#password-title", 303)
        flash(_("Signed out there."), "success")
        return redirect(HOME, 303)

    @expose("/sessions/end-others", methods=["POST"])
    @signed_in_only
    def end_others(self, work: Work) -> ResponseReturnValue:
        """Sign every other browser out."""
        flash(_signed_out_elsewhere(end_other_sessions(work, _me().id)), "success")
        return redirect(HOME, 303)

    @expose("/sessions/accept", methods=["POST"])
    @signed_in_only
    def accept(self, work: Work) -> ResponseReturnValue:
        """It was me."""
        accept_browsers(work, _me().id)
        read_about_browsers(work)
        return redirect(HOME, 303)

    @expose("/password", methods=["POST"])
    @signed_in_only
    def password(self, work: Work) -> ResponseReturnValue:
        """A new password, for the present one."""
        wanted, again = request.form.get("password", ""), request.form.get("password_again", "")
        try:
            problems = _problems_of_password(wanted, again)
            if problems:
                return _page(work, errors=problems), 422
            ended = change_password(work, wanted, again, token=_me().id)
        except Unavailable as error:
            return _page(work, errors={"current_password": say(error.message)}), 429
        except Invalid as error:
            return _page(work, errors=_said(error)), 422
        flash(f"{_('Your password is changed.')} {_signed_out_elsewhere(ended) if ended else ''}".strip(), "success")
        return redirect(HOME, 303)


def _problems_of_password(wanted: str, again: str) -> dict[str, str]:
    """Everything that is wrong with the form at once."""
    problems: dict[str, str] = {}
    if not is_proven(_me(), request.form.get("current_password", "")):
        problems["current_password"] = _("This is not your password.")
    try:
        check_new_password(wanted, again)
    except Invalid as error:
        problems |= _said(error)
    return problems


def _page(work: Work, *, errors: Mapping[str, str] = NO_ERRORS) -> str:
    token = _me().id
    return render_template(
        "account/security.html",
        sessions=my_sessions(work, token),
        unseen=new_browsers(work, token),
        passkeys=my_passkeys(work),
        factor=factor_of(work, _me().user_id),
        few_codes=FEW,
        is_asked_of_all=is_asked_of_all(work),
        linked=my_linked_accounts(work),
        errors=errors,
        browser_name=lambda agent: say(browser_name(agent)),
    )


def _signed_out_elsewhere(count: int) -> str:
    return str(ngettext("Signed out in %(num)d other browser.", "Signed out in %(num)d other browsers.", count))


def _said(error: Invalid) -> dict[str, str]:
    return {field: say(message) for field, message in error.problems.items()}


def _me() -> Viewer:
    person = viewer()
    if person is None:  # only a signed-in person comes here
        raise RuntimeError
    return person

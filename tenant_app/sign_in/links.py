"""``/sign-in/forgotten``, ``/reset/<token>``, ``/welcome/<token>``: choosing a password with a mailed link."""

from collections.abc import Mapping
from typing import Final

from flask import flash, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_login import login_user

from core.foundation.actor import Actor, Door, system_actor
from core.foundation.addresses import NotAnAddress, checked_address
from core.foundation.errors import Invalid, NotFound, Unavailable
from core.foundation.unit_of_work import unit_of_work
from core.identity.links import LinkHolder, LinkKind, link_holder
from core.identity.recovery import ask_reset, choose_password
from core.identity.second_step import Step, open_or_ask
from core.identity.sign_in import signed_in
from tenant_app.browsers import remember, this_browser
from tenant_app.hosts import current_tenant
from tenant_app.languages import say
from tenant_app.pages import public
from tenant_app.security import Viewer
from tenant_app.sign_in.second_step import ask

NO_ERRORS: Final[Mapping[str, str]] = {}


class Links(BaseView):
    """What somebody can do who cannot sign in yet, or any more."""

    route_base = ""

    @expose("/sign-in/forgotten")
    @public
    def forgotten(self) -> ResponseReturnValue:
        """One field: to whom a link is sent."""
        return render_template("sign_in/forgotten.html", email=request.args.get("email", "")[:320], asked=False)

    @expose("/sign-in/forgotten", methods=["POST"])
    @public
    def ask(self) -> ResponseReturnValue:
        """Say the same whether anybody has this e-mail or not."""
        typed = request.form.getlist("email")
        try:
            email = checked_address(typed[0] if len(typed) == 1 else "")
        except NotAnAddress:
            problem = _("Enter the one e-mail address with which you sign in.")
            return render_template("sign_in/forgotten.html", email=", ".join(typed), error=problem, asked=False), 422
        try:
            with unit_of_work(_product()) as work:
                ask_reset(work, email, address=request.remote_addr or "")
        except Unavailable as error:
            problem = say(error.message)
            return render_template("sign_in/forgotten.html", email=email, error=problem, asked=False), 429
        return render_template("sign_in/forgotten.html", email=email, asked=True)

    @expose("/reset/<token>")
    @public
    def reset(self, token: str) -> ResponseReturnValue:
        """The form of a new password."""
        return _shown(LinkKind.RESET, token)

    @expose("/reset/<token>", methods=["POST"])
    @public
    def choose_new(self, token: str) -> ResponseReturnValue:
        """Store it; one signs in with it oneself, so that it is in one's memory, or the browser's."""
        chosen = _chosen(LinkKind.RESET, token)
        if not isinstance(chosen, LinkHolder):
            return chosen
        session.clear()
        flash(_("Your password is changed, and you are signed out everywhere. Sign in with the new one."), "success")
        return redirect("/sign-in", 303)

    @expose("/welcome/<token>")
    @public
    def welcome(self, token: str) -> ResponseReturnValue:
        """The form of a first password."""
        return _shown(LinkKind.INVITATION, token)

    @expose("/welcome/<token>", methods=["POST"])
    @public
    def begin(self, token: str) -> ResponseReturnValue:
        """Store it and go in."""
        chosen = _chosen(LinkKind.INVITATION, token)
        if not isinstance(chosen, LinkHolder):
            return chosen
        browser = this_browser()
        with unit_of_work(_product()) as work:
            opened = open_or_ask(work, chosen.user_id, browser)
            person = None if isinstance(opened, Step) else signed_in(work, opened)
        if isinstance(opened, Step):
            return ask(opened)
        session.clear()
        if person is not None:
            login_user(Viewer(opened, person))
        return remember(browser, make_response(redirect("/", 303)))


def _shown(kind: LinkKind, token: str) -> ResponseReturnValue:
    try:
        with unit_of_work(_product()) as work:
            holder = link_holder(work, kind, token)
    except NotFound:
        return _spent(kind)
    return _form(kind, holder, NO_ERRORS)


def _chosen(kind: LinkKind, token: str) -> LinkHolder | ResponseReturnValue:
    """Whose password it is now, or the page that says why not."""
    try:
        with unit_of_work(_product()) as work:
            holder = link_holder(work, kind, token)
        with unit_of_work(_product()) as work:
            return choose_password(
                work, kind, token, request.form.get("password", ""), request.form.get("password_again", "")
            )
    except NotFound:
        return _spent(kind)
    except Invalid as error:
        return _form(kind, holder, {field: say(message) for field, message in error.problems.items()}), 422


def _form(kind: LinkKind, holder: LinkHolder, errors: Mapping[str, str]) -> str:
    return render_template(
        "sign_in/choose.html", holder=holder, is_invitation=kind is LinkKind.INVITATION, errors=errors
    )


def _spent(kind: LinkKind) -> ResponseReturnValue:
    """One answer for links unknown, used and too old (ATTACKS 32, 33)."""
    return render_template("sign_in/spent.html", is_invitation=kind is LinkKind.INVITATION), 410


def _product() -> Actor:
    return system_actor(current_tenant().id, door=Door.WEB)

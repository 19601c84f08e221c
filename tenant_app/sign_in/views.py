"""``/sign-in`` and ``/sign-out``."""

from flask import make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_login import login_user, logout_user

from core.foundation.actor import Door, system_actor
from core.foundation.errors import Unavailable
from core.foundation.unit_of_work import Work, unit_of_work
from core.identity.attempts import begin_attempt
from core.identity.openid.providers import offers
from core.identity.second_step import Step
from core.identity.sessions import Browser
from core.identity.sign_in import sign_in, sign_out, signed_in
from tenant_app.browsers import remember, this_browser
from tenant_app.hosts import current_tenant
from tenant_app.languages import say
from tenant_app.pages import public, signed_in_only, while_setting_up
from tenant_app.paths import local_path
from tenant_app.security import Viewer, viewer
from tenant_app.sign_in.forms import SignInForm
from tenant_app.sign_in.second_step import ask


class SignIn(BaseView):
    """The door of the staff web app."""

    route_base = ""

    @expose("/sign-in")
    @public
    def form(self) -> ResponseReturnValue:
        """The form; a signed-in viewer goes on to where they wanted."""
        if viewer() is not None:
            return redirect(local_path(request.args.get("next")), 303)
        return _form_page(SignInForm(), 200)

    @expose("/sign-in", methods=["POST"])
    @public
    def enter(self) -> ResponseReturnValue:
        """Check and go on; a refusal keeps what was typed, but for the password."""
        form = SignInForm()
        if not form.validate():
            return _form_page(form, 422)
        browser = this_browser()
        try:
            person = _try(form.email.data, form.password.data, browser)
        except Unavailable as error:
            return _form_page(form, 429, problem=say(error.message))
        if person is None:
            return _form_page(form, 422, problem=_("E-mail and password do not belong together."))
        if isinstance(person, Step):
            return ask(person)
        session.clear()
        login_user(person)
        return remember(browser, make_response(redirect(local_path(request.args.get("next")), 303)))

    @expose("/sign-out", methods=["POST"])
    @signed_in_only
    @while_setting_up
    def leave(self, work: Work) -> ResponseReturnValue:
        """End this browser's session on the server as well."""
        person = viewer()
        if person is not None:
            sign_out(work, person.id)
        logout_user()
        session.clear()
        return redirect("/sign-in", 303)


def _try(email: str, password: str, browser: Browser) -> Viewer | Step | None:
    actor = system_actor(current_tenant().id, door=Door.WEB)
    with unit_of_work(actor) as work:
        attempt = begin_attempt(work, email, address=browser.address)
    with unit_of_work(actor) as work:
        opened = sign_in(work, attempt, password, browser=browser)
        if opened is None or isinstance(opened, Step):
            return opened
        person = signed_in(work, opened)
        return Viewer(opened, person) if person else None


def _form_page(form: SignInForm, status: int, *, problem: str | None = None) -> ResponseReturnValue:
    with unit_of_work(system_actor(current_tenant().id, door=Door.WEB)) as work:
        found = offers(work)
    wanted = local_path(request.args.get("next"))
    return render_template("sign_in/form.html", form=form, problem=problem, offers=found, wanted=wanted), status

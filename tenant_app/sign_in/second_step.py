"""``/sign-in/code``: the second factor, asked for after the right password. Nobody is signed in before."""

from typing import Final

from flask import flash, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_login import login_user

from core.foundation.actor import Actor, Door, system_actor
from core.foundation.errors import NotFound, Unavailable
from core.foundation.unit_of_work import unit_of_work
from core.identity.attempts import begin_attempt
from core.identity.second_factor import WRONG_CODE
from core.identity.second_step import Step, finish_with_code, step_holder
from core.identity.sessions import Browser
from core.identity.sign_in import signed_in
from tenant_app.browsers import remember, this_browser
from tenant_app.hosts import current_tenant
from tenant_app.languages import say
from tenant_app.pages import public
from tenant_app.paths import code_url, local_path, sign_in_url
from tenant_app.security import Viewer, viewer

KEPT: Final = "second_step"
"""Under this name the browser's session holds the random token of the step."""


class SecondStep(BaseView):
    """The door behind the door."""

    route_base = ""

    @expose("/sign-in/code")
    @public
    def form(self) -> ResponseReturnValue:
        """The form, of the app's code or of a recovery code."""
        if viewer() is not None:
            return redirect(_wanted(), 303)
        try:
            return _form()
        except NotFound as error:
            return _begin_again(error)

    @expose("/sign-in/code", methods=["POST"])
    @public
    def enter(self) -> ResponseReturnValue:
        """Check and go on; what was wrong with a code is not said."""
        browser = this_browser()
        try:
            person = _try(session.get(KEPT, ""), request.form.get("code", ""), browser)
        except NotFound as error:
            return _begin_again(error)
        except Unavailable as error:
            return _refused(say(error.message), 429)
        if person is None:
            return _refused(say(WRONG_CODE), 422)
        session.clear()
        login_user(person)
        return remember(browser, make_response(redirect(_wanted(), 303)))


def ask(step: Step, *, wanted: str = "") -> ResponseReturnValue:
    """To the form, with the step's token in the browser's session, and on to ``wanted`` or what the address says."""
    session.clear()
    session[KEPT] = step.token
    return redirect(code_url(wanted or _wanted()), 303)


def _try(token: str, code: str, browser: Browser) -> Viewer | None:
    with unit_of_work(_product()) as work:
        attempt = begin_attempt(work, step_holder(work, token).email, address=browser.address)
    with unit_of_work(_product()) as work:
        opened = finish_with_code(work, attempt, token, code, browser=browser)
        person = signed_in(work, opened) if opened else None
        return Viewer(opened, person) if opened and person else None


def _refused(problem: str, status: int) -> ResponseReturnValue:
    try:
        return _form(problem=problem), status
    except NotFound as error:
        return _begin_again(error)


def _begin_again(error: NotFound) -> ResponseReturnValue:
    session.pop(KEPT, None)
    if request.method == "POST":
        flash(say(error.message), "warning")
    return redirect(sign_in_url(_wanted()), 303)


def _form(*, problem: str = "") -> str:
    with unit_of_work(_product()) as work:
        holder = step_holder(work, session.get(KEPT, ""))
    return render_template(
        "sign_in/code.html",
        problem=problem,
        takes_app_codes=holder.takes_app_codes,
        has_passkey=holder.has_passkey,
        is_recovery=request.args.get("way") == "recovery",
        app_url=code_url(_wanted()),
        recovery_url=f"{code_url(_wanted())}&way=recovery",
    )


def _wanted() -> str:
    return local_path(request.args.get("next"))


def _product() -> Actor:
    return system_actor(current_tenant().id, door=Door.WEB)

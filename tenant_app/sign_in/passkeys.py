"""``/sign-in/passkey`` and ``/sign-in/code/passkey``: a passkey in place of the password, or after it.

The page's script asks for a challenge (``…/options``), lets the browser answer it and sends the form. A challenge is
used up by the first answer, whatever becomes of it; what was wrong with an answer is not said.
"""

from typing import Final

from flask import Response, flash, make_response, redirect, request, session
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _
from flask_login import login_user

from core.foundation.actor import Actor, Door, system_actor
from core.foundation.errors import NotFound, Unavailable
from core.foundation.unit_of_work import unit_of_work
from core.identity.attempts import begin_attempt
from core.identity.ceremonies import Purpose, take_challenge
from core.identity.passkeys import ask_passkey, sign_in_with_passkey
from core.identity.second_step import finish_with_passkey, step_holder
from core.identity.sessions import Browser
from core.identity.sign_in import signed_in
from tenant_app.browsers import remember, this_browser
from tenant_app.hosts import current_tenant
from tenant_app.languages import say
from tenant_app.pages import public
from tenant_app.paths import code_url, local_path, sign_in_url
from tenant_app.security import Viewer
from tenant_app.sign_in.second_step import KEPT as STEP

KEPT: Final = "passkey"
"""Under this name the browser's session holds the random token of the challenge."""


class PasskeySignIn(BaseView):
    """The door for who has a passkey."""

    route_base = ""

    @expose("/sign-in/passkey/options", methods=["POST"])
    @public
    def ask(self) -> ResponseReturnValue:
        """A challenge for whoever's passkey answers."""
        with unit_of_work(_product()) as work:
            session[KEPT], options = ask_passkey(work, Purpose.SIGN_IN)
        return _told(options)

    @expose("/sign-in/passkey", methods=["POST"])
    @public
    def enter(self) -> ResponseReturnValue:
        """Check the answer and go on: a passkey stands for password and second factor."""
        browser, back = this_browser(), sign_in_url(_wanted())
        try:
            person = _try(browser)
        except Unavailable as error:
            return _back(back, say(error.message))
        return _entered(person, browser) if person else _back(back, _not_let_in())

    @expose("/sign-in/code/passkey/options", methods=["POST"])
    @public
    def ask_holder(self) -> ResponseReturnValue:
        """A challenge for the passkeys of who has given the right password."""
        with unit_of_work(_product()) as work:
            holder = step_holder(work, session.get(STEP, ""))
            session[KEPT], options = ask_passkey(work, Purpose.SECOND_STEP, holder.user_id)
        return _told(options)

    @expose("/sign-in/code/passkey", methods=["POST"])
    @public
    def enter_after_password(self) -> ResponseReturnValue:
        """Check the answer of the second factor and go on."""
        browser = this_browser()
        try:
            person = _try_after_password(browser)
        except NotFound as error:
            return _back(sign_in_url(_wanted()), say(error.message))
        except Unavailable as error:
            return _back(code_url(_wanted()), say(error.message))
        return _entered(person, browser) if person else _back(code_url(_wanted()), _not_let_in())


def _try(browser: Browser) -> Viewer | None:
    with unit_of_work(_product()) as work:
        asked = take_challenge(work, Purpose.SIGN_IN, session.pop(KEPT, ""))
        if asked is None:
            return None
        attempt = begin_attempt(work, f"passkey:{browser.address}", address=browser.address)
    with unit_of_work(_product()) as work:
        opened = sign_in_with_passkey(work, attempt, asked, request.form.get("credential", ""), browser=browser)
        person = signed_in(work, opened) if opened else None
        return Viewer(opened, person) if opened and person else None


def _try_after_password(browser: Browser) -> Viewer | None:
    token = session.get(STEP, "")
    with unit_of_work(_product()) as work:
        holder = step_holder(work, token)
        asked = take_challenge(work, Purpose.SECOND_STEP, session.pop(KEPT, ""))
        if asked is None:
            return None
        attempt = begin_attempt(work, holder.email, address=browser.address)
    answer = request.form.get("credential", "")
    with unit_of_work(_product()) as work:
        opened = finish_with_passkey(work, attempt, token, asked, answer, browser=browser)
        person = signed_in(work, opened) if opened else None
        return Viewer(opened, person) if opened and person else None


def _entered(person: Viewer, browser: Browser) -> ResponseReturnValue:
    session.clear()
    login_user(person)
    return remember(browser, make_response(redirect(_wanted(), 303)))


def _back(url: str, words: str) -> ResponseReturnValue:
    flash(words, "error")
    return redirect(url, 303)


def _not_let_in() -> str:
    return str(_("This passkey does not let you in. Try again, or choose another way."))


def _told(options: str) -> Response:
    return Response(options, mimetype="application/json", headers={"Cache-Control": "no-store"})


def _wanted() -> str:
    return local_path(request.args.get("next"))


def _product() -> Actor:
    return system_actor(current_tenant().id, door=Door.WEB)

"""``/security/second-factor/…``: setting up one's second factor, moving it, recovery codes, turning it off.

A proof is asked for first: the password, and of whoever has a second factor already a code of it. Whoever must set one
up before anything else, and has signed in a moment ago, has just given theirs.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from flask import Response, flash, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from core.foundation import clock
from core.foundation.errors import Conflict, Invalid, Unavailable
from core.foundation.unit_of_work import Work
from core.identity.second_factor import (
    WRONG_CODE,
    begin_app,
    confirm_app,
    factor_of,
    new_codes,
    pending_app,
    refuse_turning_off,
    turn_off,
)
from core.identity.security_policy import Asked, asked_of_all
from tenant_app import sealing
from tenant_app.hosts import current_tenant
from tenant_app.languages import say
from tenant_app.pages import signed_in_only, while_setting_up
from tenant_app.paths import local_path
from tenant_app.proofs import is_proven, wrong_proof
from tenant_app.qr import qr_code
from tenant_app.security import Viewer, viewer

Errors = Mapping[str, str]
NO_ERRORS: Final[Errors] = {}
HOME: Final = "/security/"
PATH: Final = "/security/second-factor/"
PURPOSE: Final = b"centrala recovery codes 1"
SHOWN_ONCE: Final = "recovery_codes"
"""Under this name the browser's session holds the sealed recovery codes until they are shown."""
JUST_NOW: Final = timedelta(minutes=10)


class SecondFactor(BaseView):
    """What one is asked for after the password."""

    route_base = "/security/second-factor"

    @expose("/")
    @signed_in_only
    @while_setting_up
    def begin(self, work: Work) -> ResponseReturnValue:
        """What it is about, and the proof."""
        return _begin_page(work)

    @expose("/", methods=["POST"])
    @signed_in_only
    @while_setting_up
    def make(self, work: Work) -> ResponseReturnValue:
        """A new secret for an app, which the next page shows."""
        if not has_just_signed_in(me()):
            problem = _problem_of_proof(work)
            if problem:
                return _begin_page(work, errors=problem[0]), problem[1]
        begin_app(work)
        return redirect(_onward("app"), 303)

    @expose("/app")
    @signed_in_only
    @while_setting_up
    def app(self, work: Work) -> ResponseReturnValue:
        """The code to scan, and a field for what the app shows then."""
        return _app_page(work)

    @expose("/app", methods=["POST"])
    @signed_in_only
    @while_setting_up
    def confirm(self, work: Work) -> ResponseReturnValue:
        """The app shows the right code: so it counts from now on."""
        try:
            codes = confirm_app(work, request.form.get("code", ""))
        except Invalid as error:
            return _app_page(work, errors={field: say(text) for field, text in error.problems.items()}, status=422)
        except Conflict as error:
            flash(say(error.message), "warning")
            return redirect(_onward(""), 303)
        if codes:
            return redirect(onward_codes(codes), 303)
        flash(_("The codes of this app are asked for from now on. Your recovery codes stay."), "success")
        return redirect(back(), 303)

    @expose("/codes")
    @signed_in_only
    @while_setting_up
    def codes(self, work: Work) -> ResponseReturnValue:
        """The recovery codes: once. Whoever comes back is told that they are not shown again."""
        sealed = sealing.unseal(session.pop(SHOWN_ONCE, ""), purpose=PURPOSE, tenant_id=work.actor.tenant_id)
        if sealed is None or sealed.id != work.actor.user_id:
            return _secret(make_response(render_template("account/codes_shown.html"), 410))
        heading = _("Recovery codes of %(email)s at %(company)s", email=me().email, company=current_tenant().name)
        page = render_template("account/codes.html", codes=sealed.text, heading=heading, back=back())
        return _secret(make_response(page))

    @expose("/codes/new")
    @signed_in_only
    def ask_codes(self, work: Work) -> ResponseReturnValue:
        """The proof for new recovery codes."""
        if not factor_of(work, me().user_id).is_on:
            return redirect(HOME, 303)
        return _codes_page(work)

    @expose("/codes/new", methods=["POST"])
    @signed_in_only
    def renew(self, work: Work) -> ResponseReturnValue:
        """Ten new ones, shown on the next page."""
        problem = _problem_of_proof(work)
        if problem:
            return _codes_page(work, errors=problem[0]), problem[1]
        try:
            return redirect(onward_codes(new_codes(work)), 303)
        except Conflict as error:
            flash(say(error.message), "warning")
            return redirect(HOME, 303)

    @expose("/off")
    @signed_in_only
    def ask_off(self, work: Work) -> ResponseReturnValue:
        """The proof for turning the app off, with what follows."""
        if not factor_of(work, me().user_id).has_app:
            return redirect(HOME, 303)
        try:
            refuse_turning_off(work)
        except Conflict as error:
            flash(say(error.message), "error")
            return redirect(HOME, 303)
        return _off_page(work)

    @expose("/off", methods=["POST"])
    @signed_in_only
    def off(self, work: Work) -> ResponseReturnValue:
        """No code of an app from now on; without a passkey, the password alone."""
        try:
            refuse_turning_off(work)
            problem = _problem_of_proof(work)
            if problem:
                return _off_page(work, errors=problem[0]), problem[1]
            turn_off(work)
        except Conflict as error:
            flash(say(error.message), "error")
            return redirect(HOME, 303)
        left = (
            _("Passkeys are asked for.")
            if factor_of(work, me().user_id).is_on
            else _("The password alone lets you in.")
        )
        flash(f"{_('The codes of your app are off.')} {left}", "success")
        return redirect(HOME, 303)


def _begin_page(work: Work, *, errors: Errors = NO_ERRORS) -> str:
    return render_template(
        "account/begin.html",
        has_app=factor_of(work, me().user_id).has_app,
        wants_passkey=asked_of_all(work) is Asked.PASSKEY,
        asks_password=not has_just_signed_in(me()),
        must=me().person.must_set_up,
        errors=errors,
        back=back(),
    )


def _app_page(work: Work, *, errors: Errors = NO_ERRORS, status: int = 200) -> ResponseReturnValue:
    pending = pending_app(work)
    if pending is None:
        return redirect(_onward(""), 303)
    page = render_template(
        "account/app.html",
        code=qr_code(pending.uri),
        secret=" ".join(pending.secret[place : place + 4] for place in range(0, len(pending.secret), 4)),
        uri=pending.uri,
        must=me().person.must_set_up,
        errors=errors,
        back=back(),
    )
    return _secret(make_response(page, status))


def _codes_page(work: Work, *, errors: Errors = NO_ERRORS) -> str:
    return render_template("account/new_codes.html", factor=factor_of(work, me().user_id), errors=errors, back=HOME)


def _off_page(work: Work, *, errors: Errors = NO_ERRORS) -> str:
    return render_template("account/off.html", factor=factor_of(work, me().user_id), errors=errors, back=HOME)


def _problem_of_proof(work: Work) -> tuple[Errors, int] | None:
    """What was wrong with password and code, and the answer's status; None if the proof was given."""
    password, code = request.form.get("current_password", ""), request.form.get("code", "")
    words = {"current_password": _("This is not your password."), "code": say(WRONG_CODE)}
    try:
        if factor_of(work, me().user_id).has_app:
            wrong = wrong_proof(me(), password, code)
        else:
            wrong = None if is_proven(me(), password) else "current_password"
    except Unavailable as error:
        return {"current_password": say(error.message)}, 429
    return ({wrong: words[wrong]}, 422) if wrong else None


def has_just_signed_in(person: Viewer) -> bool:
    """Whether somebody who cannot go on without a second factor has given the password a moment ago."""
    at = person.person.signed_in_at
    return person.person.must_set_up and at is not None and clock.now() - at < JUST_NOW


def onward_codes(codes: Sequence[str]) -> str:
    """Keep new recovery codes for the page at this address, which shows them once."""
    text = "\n".join(codes)
    session[SHOWN_ONCE] = sealing.seal(me().user_id, text, purpose=PURPOSE, tenant_id=current_tenant().id)
    return _onward("codes")


def _onward(page: str) -> str:
    """Another page of this feature, which leads back to where one wanted."""
    query = request.query_string.decode()
    return f"{PATH}{page}?{query}" if "next" in request.args else f"{PATH}{page}"


def back() -> str:
    """Where one goes on afterwards: where one wanted, or to one's security."""
    return local_path(request.args["next"]) if "next" in request.args else HOME


def _secret(response: Response) -> Response:
    """A page that no cache keeps."""
    response.headers["Cache-Control"] = "no-store"
    return response


def me() -> Viewer:
    """The viewer: only a signed-in person comes here."""
    person = viewer()
    if person is None:
        raise RuntimeError
    return person

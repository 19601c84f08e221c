"""``/security/passkeys/…``: making, renaming and deleting one's passkeys."""

from collections.abc import Mapping
from typing import Final

from flask import flash, make_response, redirect, render_template, request, session
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from core.foundation.errors import Conflict, Invalid, Unavailable
from core.foundation.unit_of_work import Work
from core.identity.agents import browser_name
from core.identity.passkeys import (
    LONGEST_NAME,
    add_passkey,
    begin_passkey,
    delete_passkey,
    my_passkey,
    passkey_options,
    refuse_deleting,
    rename_passkey,
)
from core.identity.second_factor import factor_of
from tenant_app.account.second_factor import HOME, back, has_just_signed_in, me, onward_codes
from tenant_app.languages import say
from tenant_app.pages import signed_in_only, while_setting_up
from tenant_app.proofs import is_proven

Errors = Mapping[str, str]
NO_ERRORS: Final[Errors] = {}
PATH: Final = "/security/passkeys/"
KEPT: Final = "passkey_creation"
"""Under this name the browser's session holds the random token of the challenge that a new passkey signs."""


class Passkeys(BaseView):
    """One's own passkeys."""

    route_base = "/security/passkeys"

    @expose("/new")
    @signed_in_only
    @while_setting_up
    def new(self, work: Work) -> ResponseReturnValue:
        """What it is about, and the proof."""
        return _new_page(work)

    @expose("/new", methods=["POST"])
    @signed_in_only
    @while_setting_up
    def begin(self, work: Work) -> ResponseReturnValue:
        """A challenge that the next page's passkey signs."""
        problem = None if has_just_signed_in(me()) else _problem_of_proof()
        if problem:
            return _new_page(work, errors=problem[0]), problem[1]
        try:
            session[KEPT] = begin_passkey(work)
        except Conflict as error:
            return _with_words(error)
        return redirect(_onward("create"), 303)

    @expose("/create")
    @signed_in_only
    @while_setting_up
    def create(self, work: Work) -> ResponseReturnValue:
        """The name, and the button at which the browser asks for finger, face or PIN."""
        return _create_page(work, say(browser_name(request.user_agent.string))[:LONGEST_NAME])

    @expose("/create", methods=["POST"])
    @signed_in_only
    @while_setting_up
    def add(self, work: Work) -> ResponseReturnValue:
        """Keep what the browser made."""
        name, answer = request.form.get("name", ""), request.form.get("credential", "")
        try:
            codes = add_passkey(work, session.get(KEPT, ""), answer, name=name)
        except Invalid as error:
            return _create_page(work, name, errors=_said(error), status=422)
        except Conflict as error:
            session.pop(KEPT, None)
            flash(say(error.message), "error")
            return redirect(_onward("new"), 303)
        session.pop(KEPT, None)
        flash(_("Passkey added."), "success")
        return redirect(onward_codes(codes) if codes else back(), 303)

    @expose("/<int:passkey_id>/rename")
    @signed_in_only
    def name(self, work: Work, passkey_id: int) -> ResponseReturnValue:
        """A field for another name."""
        found = my_passkey(work, passkey_id)
        return render_template("account/passkey_name.html", name=found.name, errors=NO_ERRORS, longest=LONGEST_NAME)

    @expose("/<int:passkey_id>/rename", methods=["POST"])
    @signed_in_only
    def rename(self, work: Work, passkey_id: int) -> ResponseReturnValue:
        """Call it otherwise."""
        name = request.form.get("name", "")
        try:
            rename_passkey(work, passkey_id, name)
        except Invalid as error:
            page = render_template("account/passkey_name.html", name=name, errors=_said(error), longest=LONGEST_NAME)
            return page, 422
        flash(_("Passkey renamed."), "success")
        return redirect(HOME, 303)

    @expose("/<int:passkey_id>/delete")
    @signed_in_only
    def ask_delete(self, work: Work, passkey_id: int) -> ResponseReturnValue:
        """The proof, with what follows."""
        try:
            return _delete_page(work, passkey_id)
        except Conflict as error:
            return _with_words(error)

    @expose("/<int:passkey_id>/delete", methods=["POST"])
    @signed_in_only
    def delete(self, work: Work, passkey_id: int) -> ResponseReturnValue:
        """It lets nobody in any more."""
        my_passkey(work, passkey_id)
        problem = _problem_of_proof()
        try:
            if problem:
                return _delete_page(work, passkey_id, errors=problem[0]), problem[1]
            delete_passkey(work, passkey_id)
        except Conflict as error:
            return _with_words(error)
        flash(
            _("Passkey deleted. It may still be offered by the device that holds it; delete it there too."), "success"
        )
        return redirect(HOME, 303)


def _new_page(work: Work, *, errors: Errors = NO_ERRORS) -> str:
    return render_template(
        "account/passkey_new.html",
        is_first=not factor_of(work, me().user_id).is_on,
        asks_password=not has_just_signed_in(me()),
        must=me().person.must_set_up,
        errors=errors,
        back=back(),
    )


def _create_page(work: Work, name: str, *, errors: Errors = NO_ERRORS, status: int = 200) -> ResponseReturnValue:
    options = passkey_options(work, session.get(KEPT, ""))
    if options is None:
        return redirect(_onward("new"), 303)
    page = render_template(
        "account/passkey_create.html",
        options=options,
        name=name,
        longest=LONGEST_NAME,
        must=me().person.must_set_up,
        errors=errors,
        back=back(),
    )
    response = make_response(page, status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _delete_page(work: Work, passkey_id: int, *, errors: Errors = NO_ERRORS) -> str:
    found = my_passkey(work, passkey_id)
    refuse_deleting(work)
    return render_template(
        "account/passkey_delete.html", passkey=found, factor=factor_of(work, me().user_id), errors=errors
    )


def _problem_of_proof() -> tuple[Errors, int] | None:
    try:
        if is_proven(me(), request.form.get("current_password", "")):
            return None
    except Unavailable as error:
        return {"current_password": say(error.message)}, 429
    return {"current_password": _("This is not your password.")}, 422


def _with_words(error: Conflict) -> ResponseReturnValue:
    flash(say(error.message), "error")
    return redirect(HOME, 303)


def _onward(page: str) -> str:
    query = request.query_string.decode()
    return f"{PATH}{page}?{query}" if "next" in request.args else f"{PATH}{page}"


def _said(error: Invalid) -> dict[str, str]:
    return {field: say(message) for field, message in error.problems.items()}

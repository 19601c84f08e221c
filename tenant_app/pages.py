"""How a view is entered: who may, and in which transaction.

Every view method carries exactly one of three decorators; a test lists the routes and finds one that carries none.
``requires`` opens one unit of work for the request and hands it in; an answer of 400 or more rolls it back. Whoever
must set up a second factor first reaches only views marked ``while_setting_up``.
"""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Concatenate, Final, ParamSpec

from flask import Response, current_app, make_response, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from core.foundation.errors import Forbidden
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work, unit_of_work
from tenant_app.paths import set_up_url, sign_in_url
from tenant_app.security import Viewer, viewer

P = ParamSpec("P")
WorkingView = Callable[Concatenate[Any, Work, P], ResponseReturnValue]
View = Callable[Concatenate[Any, P], ResponseReturnValue]

ACCESS = "_centrala_access"
WHILE_SETTING_UP: Final = "_centrala_while_setting_up"
CHANGES_NOTHING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
WHILE_VIEWING: Final = frozenset({"ViewAs.end", "SignIn.leave"})


def requires(permission: Permission) -> Callable[[WorkingView[P]], View[P]]:
    """For viewers with ``permission``; others are sent to sign in, or get 403."""

    def decorate(view: WorkingView[P]) -> View[P]:
        return _working(view, permission)

    return decorate


def requires_outside(permission: Permission) -> Callable[[View[P]], View[P]]:
    """The same for a view that asks the network, and so opens a unit of work before and after that by itself."""

    def decorate(view: View[P]) -> View[P]:
        def entered(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            person = viewer()
            if person is None:
                return _to_sign_in()
            if person.person.must_set_up:
                return _to_set_up()
            _refuse_without(permission)
            return view(self, *args, **kwargs)

        update_wrapper(entered, view)
        setattr(entered, ACCESS, permission.value)
        return entered

    return decorate


def signed_in_only(view: WorkingView[P]) -> View[P]:
    """For every signed-in viewer."""
    return _working(view, None)


def public(view: View[P]) -> View[P]:
    """For everybody; the view opens its own unit of work if it needs one."""
    setattr(view, ACCESS, "public")
    return view


def while_setting_up(view: WorkingView[P]) -> WorkingView[P]:
    """Also for whoever has no second factor yet where the company asks for one; below one of the other decorators."""
    setattr(view, WHILE_SETTING_UP, True)
    return view


def refuse_changes_while_viewing() -> None:
    """Nothing is changed by somebody who looks at the app as a permission group does; they end that, or sign out."""
    if request.method in CHANGES_NOTHING or request.endpoint in WHILE_VIEWING:
        return
    person = viewer()
    if person is not None and person.view_as is not None:
        raise Forbidden(
            _(
                "You look at Centrala as the group “%(name)s” does, so nothing was changed. End the view first.",
                name=person.view_as.group_name,
            )
        )


def access_of(view: object) -> str | None:
    """What a view's decorator asks for: a permission's value, ``signed in`` or ``public``; None without a decorator."""
    return getattr(view, ACCESS, None)


def _working(view: WorkingView[P], permission: Permission | None) -> View[P]:
    def entered(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        person = viewer()
        if person is None:
            return _to_sign_in()
        if person.person.must_set_up and not getattr(view, WHILE_SETTING_UP, False):
            return _to_set_up()
        _refuse_without(permission)
        return _in_unit_of_work(person, lambda work: view(self, work, *args, **kwargs))

    update_wrapper(entered, view)
    setattr(entered, ACCESS, permission.value if permission else "signed in")
    return entered


def _refuse_without(permission: Permission | None) -> None:
    if permission is None:
        return
    noun, verb = permission.value.split(".")
    if not current_app.appbuilder.sm.has_access(f"can_{verb}", noun):  # type: ignore[attr-defined]  # set by the framework
        raise Forbidden


def _in_unit_of_work(person: Viewer, answer: Callable[[Work], ResponseReturnValue]) -> Response:
    with unit_of_work(person.actor()) as work:
        response = make_response(answer(work))
        if response.status_code >= 400:
            work.session.rollback()
        return response


def _to_sign_in() -> ResponseReturnValue:
    """To the sign-in page and back; a fragment leaves its page as it is, which says so (failures.js)."""
    if request.headers.get("HX-Request"):
        return Response(status=401)
    return redirect(sign_in_url(request.full_path.rstrip("?") if request.method == "GET" else "/"), 303)


def _to_set_up() -> ResponseReturnValue:
    """To where a second factor is set up, and back; what was sent is not done."""
    if request.method != "GET" or request.headers.get("HX-Request"):
        raise Forbidden(_("Your company asks everybody for a second factor. Open any page to set yours up first."))
    return redirect(set_up_url(request.full_path.rstrip("?")), 303)

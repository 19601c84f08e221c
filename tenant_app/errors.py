"""Errors of core as pages: one place, one table."""

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, g, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from core.foundation.errors import CentralaError, Conflict, Forbidden, Invalid, NotFound, TooLarge, Unavailable
from tenant_app.languages import say
from tenant_app.paths import local_path, sign_in_url
from tenant_app.security import forget_viewer, viewer

STATUS: Final[dict[type[CentralaError], int]] = {
    NotFound: 404,
    Forbidden: 403,
    Invalid: 422,
    Conflict: 409,
    TooLarge: 413,
    Unavailable: 503,
}

log = structlog.get_logger()


DOORS: Final = {
    "SignIn.enter",
    "SecondStep.enter",
    "PasskeySignIn.ask",
    "PasskeySignIn.ask_holder",
    "PasskeySignIn.enter",
    "PasskeySignIn.enter_after_password",
    "Links.ask",
    "Links.choose_new",
    "Links.begin",
}
"""Forms for those who are not signed in: their token did not end with a session."""

AWAY: Final = (OperationalError, InterfaceError, PoolTimeoutError)


def install(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(CentralaError, _answering(_told))
    app.register_error_handler(CSRFError, _answering(_forged))
    app.register_error_handler(HTTPException, _answering(_http))
    app.register_error_handler(DataError, _answering(_unstorable))
    app.register_error_handler(IntegrityError, _answering(_clashing))
    for away in AWAY:
        app.register_error_handler(away, _database_away)
    app.register_error_handler(Exception, _answering(_unexpected))


def _answering(handler: Callable[[Any], ResponseReturnValue]) -> Callable[[Any], ResponseReturnValue]:
    """``handler``, which may find while it asks for the viewer's language that the database is away."""

    def answer(error: Exception) -> ResponseReturnValue:
        try:
            return handler(error)
        except AWAY as away:
            return _database_away(away)

    return answer


def _told(error: CentralaError) -> ResponseReturnValue:
    return _page(STATUS[type(error)], say(error.message))


def _forged(_error: CSRFError) -> ResponseReturnValue:
    if viewer() is None and request.endpoint not in DOORS:
        return _signed_out()
    return _page(403, _("This form is no longer valid. Go back, reload the page and send it again."))


def _signed_out() -> ResponseReturnValue:
    """The form's token ended with the session; on its own page again, the browser shows the drafts that it keeps."""
    came_from = urlsplit(request.referrer or "")
    wanted = f"{came_from.path}?{came_from.query}".rstrip("?") if came_from.netloc == request.host else "/"
    words = {
        "error_code": 401,
        "error_title": _("Your session has ended"),
        "error_text": _("Nothing was sent or saved. A mail or an answer that you wrote is kept on this device."),
        "sign_in_url": sign_in_url(local_path(wanted)),
    }
    return make_response(render_template("shell/signed_out.html", **words), 401)


def _http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400:
        return error
    if status == 404 and "tenant" not in g:
        return "404: nothing is served under this name.\n", 404, {"Content-Type": "text/plain; charset=utf-8"}
    known = {
        404: _("There is no such page."),
        405: _("This page does not take this kind of request."),
        413: _("That is more than fits into one request."),
    }
    response = _page(status, known.get(status, _("The request could not be answered.")))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(error.valid_methods)
    return response


def _unstorable(error: DataError) -> ResponseReturnValue:
    """A NUL in a text, or a number beyond what the database counts: an address that leads nowhere, or a bad form."""
    log.warning("request_unstorable", endpoint=request.endpoint, error=type(error.orig).__name__)
    if request.view_args and request.method == "GET":
        return _page(404, _("There is no such page."))
    return _page(422, _("It holds a character or a number that cannot be stored. Nothing was saved."))


def _clashing(error: IntegrityError) -> ResponseReturnValue:
    """What a service overlooked and the database refused."""
    log.error("request_clashed", endpoint=request.endpoint, exc_info=error)
    return _page(409, _("This clashes with what is stored. Nothing was saved; reload the page and try again."))


def _database_away(error: Exception) -> ResponseReturnValue:
    log.error("database_away", endpoint=request.endpoint, error=type(error).__name__)
    forget_viewer()
    return _page(503, _("The database does not answer. Nothing was saved; try again in a moment."))


def _unexpected(error: Exception) -> ResponseReturnValue:
    log.error("request_failed", endpoint=request.endpoint, exc_info=error)
    return _page(500, _("Something broke on our side. Nothing was saved, and it has been logged."))


def _page(status: int, message: str) -> Response:
    titles = {
        403: _("Not allowed"),
        404: _("This page is not here"),
        409: _("Somebody was faster"),
        413: _("Too large"),
        422: _("This could not be used"),
        503: _("Not available right now"),
    }
    title = titles.get(status, _("Something went wrong"))
    words = {"error_code": status, "error_title": title, "error_text": message}
    response = make_response(render_template("shell/error.html", **words), status)
    if status == 503:
        response.headers["Retry-After"] = "5"
    return response

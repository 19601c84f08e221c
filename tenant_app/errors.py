"""Errors of core as pages: one place, one table."""

from typing import Final

import structlog
from flask import Flask, g, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

from core.foundation.errors import CentralaError, Conflict, Forbidden, Invalid, NotFound, TooLarge, Unavailable
from tenant_app.languages import say

STATUS: Final[dict[type[CentralaError], int]] = {
    NotFound: 404,
    Forbidden: 403,
    Invalid: 422,
    Conflict: 409,
    TooLarge: 413,
    Unavailable: 503,
}

log = structlog.get_logger()


def install(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(CentralaError, _told)
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(DBAPIError, _database)
    app.register_error_handler(PoolTimeoutError, _database)
    app.register_error_handler(Exception, _unexpected)


def _told(error: CentralaError) -> ResponseReturnValue:
    return _page(STATUS[type(error)], say(error.message))


def _forged(_error: CSRFError) -> ResponseReturnValue:
    return _page(403, _("This form is no longer valid. Go back, reload the page and send it again."))


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
    return _page(status, known.get(status, _("The request could not be answered.")))


def _database(error: Exception) -> ResponseReturnValue:
    log.error("database_unavailable", error=type(error).__name__)
    return _plain_page(503, "503: the database does not answer; nothing was saved. Try again in a moment.\n")


def _unexpected(error: Exception) -> ResponseReturnValue:
    log.error("request_failed", endpoint=request.endpoint, exc_info=error)
    return _page(500, _("Something broke on our side. Nothing was saved, and it has been logged."))


def _page(status: int, message: str) -> ResponseReturnValue:
    if "tenant" not in g:
        return _plain_page(status, f"{status}: {message}\n")
    titles = {
        403: _("Not allowed"),
        404: _("This page is not here"),
        409: _("Somebody was faster"),
        413: _("Too large"),
        422: _("This could not be used"),
        503: _("Not available right now"),
    }
    title = titles.get(status, _("Something went wrong"))
    return render_template("shell/error.html", error_code=status, error_title=title, error_text=message), status


def _plain_page(status: int, text: str) -> ResponseReturnValue:
    return text, status, {"Content-Type": "text/plain; charset=utf-8", "Retry-After": "5"}

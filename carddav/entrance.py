"""Where a request comes in: who asks, one transaction, errors as HTTP has them.

An answer of 400 or more leaves nothing behind; the transaction is committed before the answer goes out.
"""

import base64
import binascii
import gzip
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Final

import structlog

from carddav.answers import CHALLENGE, Answer, Refused, plain
from carddav.requests import Place, place_of
from carddav.verbs import Environ, Verbs, make_radicale, options
from core.directory.books import serving
from core.directory.books.cards.lines import BadCard
from core.directory.books.uploads import Stale
from core.directory.books.visits import Throttled, Unknown, Visit, count_failure, visit
from core.foundation.errors import CentralaError, Conflict, Forbidden, Invalid, NotFound, TooLarge, Unavailable

log = structlog.get_logger()

WELL_KNOWN: Final = "/.well-known/carddav"
GZIP_FROM_BYTES: Final = 2048
STATUS_OF: Final[dict[type[CentralaError], HTTPStatus]] = {
    Stale: HTTPStatus.PRECONDITION_FAILED,
    Forbidden: HTTPStatus.FORBIDDEN,
    NotFound: HTTPStatus.NOT_FOUND,
    Invalid: HTTPStatus.BAD_REQUEST,
    Conflict: HTTPStatus.CONFLICT,
    TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
}

StartResponse = Callable[[str, list[tuple[str, str]]], object]


class Entrance:
    """The WSGI application."""

    def __init__(self) -> None:
        self.verbs = Verbs(make_radicale())

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        answer = self._answered(environ)
        body, headers = _packed(answer, environ)
        headers["Content-Length"] = str(len(body))
        start_response(f"{answer.status.value} {answer.status.phrase}", list(headers.items()))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    def _answered(self, environ: Environ) -> Answer:
        path = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")
        if path in {WELL_KNOWN, f"{WELL_KNOWN}/"}:
            return Answer(HTTPStatus.MOVED_PERMANENTLY, headers={"Location": "/dav/"})
        if environ["REQUEST_METHOD"] == "OPTIONS":
            return options()
        credentials = _credentials(environ.get("HTTP_AUTHORIZATION", ""))
        if credentials is None:
            return plain(HTTPStatus.UNAUTHORIZED, headers=CHALLENGE)
        try:
            return self._signed_in(credentials, place_of(path), environ)
        except Refused as refused:
            return refused.answer
        except BadCard as error:
            return plain(HTTPStatus.BAD_REQUEST, str(error))
        except CentralaError as error:
            return plain(STATUS_OF[type(error)], str(error.message))
        except Exception:  # one request must not end the process; its reason is logged
            log.exception("dav_failed", method=environ["REQUEST_METHOD"])
            return plain(HTTPStatus.INTERNAL_SERVER_ERROR)

    def _signed_in(self, credentials: tuple[str, str], place: Place | None, environ: Environ) -> Answer:
        username, password = credentials
        address, agent = environ.get("REMOTE_ADDR", ""), environ.get("HTTP_USER_AGENT", "")
        try:
            with visit(username, password, address=address, agent=agent) as entered:
                if place is None:
                    raise Refused(plain(HTTPStatus.NOT_FOUND))
                return self._kept(entered, place, environ)
        except Throttled:
            return plain(HTTPStatus.TOO_MANY_REQUESTS, "Too many attempts. Wait 15 minutes.", {"Retry-After": "900"})
        except Unknown:
            count_failure(username, address=address)
            return plain(HTTPStatus.UNAUTHORIZED, headers=CHALLENGE)
        except Forbidden:
            if place is not None and place.href and environ["REQUEST_METHOD"] in {"PUT", "DELETE"}:
                self._serve_again(credentials, place, environ)
            raise

    def _kept(self, entered: Visit, place: Place, environ: Environ) -> Answer:
        answer = self.verbs.answer(entered, place, environ)
        if answer.status >= HTTPStatus.BAD_REQUEST and not answer.is_kept:
            raise Refused(answer)
        return answer

    def _serve_again(self, credentials: tuple[str, str], place: Place, environ: Environ) -> None:
        """Whoever may not write gets the server's card again, over what stands in the phone (ATTACKS 56)."""
        with visit(*credentials, address=environ.get("REMOTE_ADDR", "")) as entered:
            book = entered.book(place.collection)
            if book is not None and not entered.is_wiping and place.username == entered.username:
                serving.serve_again(entered, book, place.href)


def _credentials(header: str) -> tuple[str, str] | None:
    scheme, _space, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        username, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (username, password) if colon else None


def _packed(answer: Answer, environ: Environ) -> tuple[bytes, dict[str, str]]:
    headers = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff", **answer.headers}
    if len(answer.body) < GZIP_FROM_BYTES or "gzip" not in environ.get("HTTP_ACCEPT_ENCODING", ""):
        return answer.body, headers
    return gzip.compress(answer.body, compresslevel=1, mtime=0), headers | {
        "Content-Encoding": "gzip",
        "Vary": "Accept-Encoding",
    }

"""What goes back to a client: status, headers, bytes; and the multistatus documents (RFC 4918, 13), built as text.

A listing of 50,000 entries is one string of repeated pieces; an element tree of it would take seconds.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final
from xml.sax.saxutils import escape

NOT_XML: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
DAV_CLASSES: Final = "1, 3, addressbook, extended-mkcol"
XML: Final = {"Content-Type": "application/xml; charset=utf-8"}
NAMESPACES: Final = 'xmlns="DAV:" xmlns:CR="urn:ietf:params:xml:ns:carddav"'
DECLARATION: Final = '<?xml version="1.0" encoding="utf-8"?>\n'
OK: Final = "<status>HTTP/1.1 200 OK</status></propstat>"
GONE: Final = "<status>HTTP/1.1 404 Not Found</status></response>"
CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="Centrala address books", charset="UTF-8"'}
CONTENT_TYPE: Final = "text/vcard; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer. ``is_kept``: what was noted on the way to it stays, although it refuses."""

    status: HTTPStatus
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    is_kept: bool = False


class Refused(Exception):
    """The request is answered so, and nothing of what it did stays."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(str(answer.status))
        self.answer = answer


def plain(status: HTTPStatus, text: str = "", headers: Mapping[str, str] | None = None) -> Answer:
    """A line of text for the client's log."""
    body = f"{text or status.phrase}\n".encode()
    return Answer(status, body, {"Content-Type": "text/plain; charset=utf-8", **(headers or {})})


def failed_condition(status: HTTPStatus, name: str) -> Answer:
    """A DAV error with the precondition that failed (RFC 4918, 16), as ``D:valid-sync-token``."""
    prefix = "CR:" if name.startswith("CR:") else ""
    element = f"{prefix}{name.partition(':')[2]}"
    body = f"{DECLARATION}<error {NAMESPACES}><{element}/></error>"
    return Answer(status, body.encode(), XML)


def multistatus(responses: Iterable[str], *, token: str | None = None) -> Answer:
    """The responses in one document, with the sync token that belongs to them."""
    tail = f"<sync-token>{escape(token)}</sync-token>" if token is not None else ""
    body = f"{DECLARATION}<multistatus {NAMESPACES}>{''.join(responses)}{tail}</multistatus>".encode()
    return Answer(HTTPStatus.MULTI_STATUS, body, {"DAV": DAV_CLASSES, **XML})


def gone(address: str) -> str:
    """The response for something that is not there."""
    return f"<response><href>{address}</href>{GONE}"


def card_data(card: str) -> str:
    """A card as element text: line ends stay as they are (a parser would make LF of a bare CR LF), and signs that XML
    cannot hold become spaces."""
    text = escape(card).replace("\r", "&#13;")
    return NOT_XML.sub(" ", text) if NOT_XML.search(text) else text

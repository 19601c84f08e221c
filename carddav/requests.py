"""What a request asks for: its place, its condition, its XML. Everything is bounded before it is read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from carddav.answers import Refused, plain

PREFIX: Final = "/dav"
MOST_CARD_BYTES: Final = 5 * 2**20
MOST_XML_BYTES: Final = 20 * 2**20
"""A multiget may name every card of a large book."""

PLAIN_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._~-]*\Z")
"""An entry's name that every client writes in the same way."""

CHUNK: Final = 64 * 1024
CHARSET: Final = re.compile(r"charset\s*=\s*\"?([A-Za-z0-9._-]+)", re.IGNORECASE)
D: Final = "{DAV:}"
CR: Final = "{urn:ietf:params:xml:ns:carddav}"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request goes: the root (all empty), a home, a book in it, or an entry of the book.

    An entry's name is percent-encoded in one way, however the client wrote it: so it is stored, and needs no encoding
    in an answer.
    """

    username: str = ""
    collection: str = ""
    href: str = ""


def place_of(path: str) -> Place | None:
    """The place of a decoded path; None if there is nothing of the kind."""
    if path in {"", "/", PREFIX, f"{PREFIX}/"}:
        return Place()
    if not path.startswith(f"{PREFIX}/") or "\0" in path:
        return None
    parts = path.removeprefix(f"{PREFIX}/").split("/")
    if parts[-1] == "" and len(parts) < 4:
        parts.pop()
    if len(parts) > 3 or any(part in {"", ".", ".."} for part in parts):
        return None
    return Place(*(quote(part, safe="") for part in parts))


def href_of(address: str, place: Place) -> str | None:
    """The entry's name in an address that a client sent back (whole or only its path), if it is of this book."""
    folder, _slash, name = address.rpartition("/")
    if folder == f"{PREFIX}/{place.username}/{place.collection}" and PLAIN_NAME.match(name):
        return name
    found = place_of(unquote(urlsplit(address.strip()).path))
    is_here = found is not None and (found.username, found.collection) == (place.username, place.collection)
    return found.href if found is not None and is_here and found.href else None


def read_body(environ: Mapping[str, Any], *, limit: int) -> bytes:
    """The request's body, with or without a length; refuses (413) what is larger before it is read."""
    too_large = Refused(plain(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"More than {limit} bytes are not taken."))
    length = environ.get("CONTENT_LENGTH") or ""
    if length and not length.isdigit():
        raise Refused(plain(HTTPStatus.BAD_REQUEST, "Content-Length is no number."))
    if length and int(length) > limit:
        raise too_large
    chunks, size = [], 0
    left = int(length) if length else limit + 1
    while left > 0 and (chunk := environ["wsgi.input"].read(min(CHUNK, left))):
        chunks.append(chunk)
        size += len(chunk)
        left -= len(chunk)
        if size > limit:
            raise too_large
    if length and size < int(length):
        raise Refused(plain(HTTPStatus.BAD_REQUEST, "The body ends before its length."))
    return b"".join(chunks)


def read_card(environ: Mapping[str, Any]) -> str:
    """The card's text in the request's character set, which is UTF-8 if it names none."""
    body = read_body(environ, limit=MOST_CARD_BYTES)
    named = CHARSET.search(environ.get("CONTENT_TYPE") or "")
    charset = named[1] if named else "utf-8"
    try:
        return body.decode(charset)
    except (UnicodeDecodeError, LookupError) as error:
        raise Refused(plain(HTTPStatus.BAD_REQUEST, f"The card is not in {charset}.")) from error


def read_xml(environ: Mapping[str, Any]) -> Element | None:
    """The document of a PROPFIND or REPORT; None if there is none. Entities and external references are refused."""
    body = read_body(environ, limit=MOST_XML_BYTES)
    if not body.strip():
        return None
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise Refused(plain(HTTPStatus.BAD_REQUEST, "The XML cannot be read.")) from error
    return root

"""A CardDAV client of the tests' own: requests to the WSGI application, and the answers' parts."""

import base64
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from carddav.entrance import Entrance
from core.directory.books.clients import NewClient

D = "{DAV:}"
CR = "{urn:ietf:params:xml:ns:carddav}"
NAMESPACES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav" xmlns:CS="http://calendarserver.org/ns/"'


@cache
def entrance() -> Entrance:
    """The application, made once."""
    return Entrance()


@dataclass(frozen=True)
class DavAnswer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body."""
        return self.body.decode()

    @property
    def tree(self) -> ElementTree.Element:
        """The body as XML."""
        return ElementTree.fromstring(self.body)  # noqa: S314  # our own answer

    @property
    def token(self) -> str:
        """The sync token of a report."""
        return self.tree.findtext(f"{D}sync-token") or ""

    def rows(self) -> dict[str, str | None]:
        """The last part of each address, with its etag; None for what is gone."""
        return {
            (row.findtext(f"{D}href") or "").rstrip("/").rpartition("/")[2]: row.findtext(f".//{D}getetag")
            for row in self.tree.findall(f"{D}response")
        }


@dataclass(frozen=True)
class DavClient:
    """One synced client, in one of its books."""

    username: str
    password: str
    collection: str = ""
    agent: str = "Test/1.0"
    address: str = "127.0.0.1"

    @property
    def base(self) -> str:
        """The book's path."""
        return f"/dav/{self.username}/{self.collection}/"

    def ask(self, method: str, path: str, body: str | bytes = b"", **headers: str) -> DavAnswer:
        """One request; header names with underscores. ``chunked=True`` sends no length."""
        raw = body.encode() if isinstance(body, str) else body
        found: dict[str, Any] = {}
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": path.encode().decode("latin-1"),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": self.address,
            "HTTP_USER_AGENT": self.agent,
            "CONTENT_LENGTH": str(len(raw)),
            "wsgi.input": io.BytesIO(raw),
        }
        if self.password:
            pair = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
            environ["HTTP_AUTHORIZATION"] = f"Basic {pair}"
        for name, value in headers.items():
            environ["CONTENT_TYPE" if name == "Content_Type" else f"HTTP_{name.upper()}"] = value
        if environ.get("HTTP_TRANSFER_ENCODING"):
            del environ["CONTENT_LENGTH"]

        def start_response(status: str, answered: list[tuple[str, str]]) -> None:
            found.update(status=int(status.split()[0]), headers=dict(answered))

        chunks = b"".join(entrance()(environ, start_response))
        return DavAnswer(found["status"], found["headers"], chunks)

    def put(self, href: str, card: str | bytes, **headers: str) -> DavAnswer:
        """Store a card."""
        return self.ask("PUT", self.base + href, card, Content_Type="text/vcard; charset=utf-8", **headers)

    def get(self, href: str) -> DavAnswer:
        """A card."""
        return self.ask("GET", self.base + href)

    def sync(self, token: str = "", *, with_data: bool = False) -> DavAnswer:
        """What changed since ``token``."""
        data = "<C:address-data/>" if with_data else ""
        return self.report(
            f"<D:sync-collection {NAMESPACES}><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>"
            f"<D:prop><D:getetag/>{data}</D:prop></D:sync-collection>"
        )

    def multiget(self, *hrefs: str) -> DavAnswer:
        """Cards by name."""
        named = "".join(f"<D:href>{self.base}{quote(href)}</D:href>" for href in hrefs)
        return self.report(
            f"<C:addressbook-multiget {NAMESPACES}><D:prop><D:getetag/><C:address-data/></D:prop>{named}"
            "</C:addressbook-multiget>"
        )

    def query(self, filters: str, *, test: str = "anyof", tail: str = "") -> DavAnswer:
        """Cards that fit."""
        return self.report(
            f"<C:addressbook-query {NAMESPACES}><D:prop><D:getetag/><C:address-data/></D:prop>"
            f'<C:filter test="{test}">{filters}</C:filter>{tail}</C:addressbook-query>'
        )

    def report(self, body: str) -> DavAnswer:
        """A report on the book."""
        return self.ask("REPORT", self.base, body, Depth="0")

    def propfind(self, path: str, *names: str, depth: str = "0") -> DavAnswer:
        """Properties of a path."""
        props = "".join(f"<{name}/>" for name in names)
        body = f"<D:propfind {NAMESPACES}><D:prop>{props}</D:prop></D:propfind>"
        return self.ask("PROPFIND", path, body, Depth=depth)


def client_of(new: NewClient, book_id: int | str, **more: str) -> DavClient:
    """The client that was just added, in one of its books."""
    return DavClient(new.username, new.password, str(book_id), **more)

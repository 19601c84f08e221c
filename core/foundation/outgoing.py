"""The installation's own requests to addresses that somebody else named: a push service, a server of another company.

Such an address could lead back inside: to 127.1, to ``::ffff:169.254.169.254``, or by a name that resolves to something
else the second time. So the name is resolved once, every address that it has must be public, and the connection goes to
one of those just looked at. Only HTTPS; redirects are answers like any other and never followed (ATTACK 38).
"""

import http.client
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Timer
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from core.foundation.errors import Unavailable
from core.foundation.i18n import _
from core.foundation.settings import settings

TIMEOUT_S: Final = 10.0
WHOLE_S: Final = 20.0
"""However slowly an answer trickles in."""
MOST_ANSWER_BYTES: Final = 1_000_000
URL_CHARACTERS: Final = 2_000
TRANSLATED: Final = ip_network("64:ff9b::/96")
"""IPv4 addresses as a NAT64 gateway reaches them (RFC 6052)."""


class Refused(Exception):
    """The address must not be asked; the message says why, without naming it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status. Names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def ask(method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
    """Send one request. Raises ``Refused`` for an address that must not be asked, ``Unavailable`` if nobody answers."""
    parts = checked_url(url)
    connection = _connection(parts)
    end = Timer(WHOLE_S, connection.give_up)
    end.daemon = True
    end.start()
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        response = connection.getresponse()
        content = response.read(MOST_ANSWER_BYTES)
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, content)
    except (OSError, http.client.HTTPException) as error:
        raise Unavailable(_("The server does not answer.")) from error
    finally:
        end.cancel()
        connection.close()


def checked_url(url: str) -> SplitResult:
    """The parts of an address that may be asked as far as its text tells; raises ``Refused``."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused("no address") from None
    schemes = {"https", "http"} if settings().private_destinations else {"https"}
    if len(url) > URL_CHARACTERS or not url.isascii() or not url.isprintable() or " " in url:
        raise Refused("no address")
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        raise Refused("not https")
    if parts.username is not None or parts.password is not None:
        raise Refused("holds a password")
    return parts


def is_public(address: str) -> bool:
    """Whether an IP address is one that anybody on the internet reaches, also inside an IPv6 one that carries it."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return all(one.is_global and not one.is_multicast and not one.is_reserved for one in _carried(found))


def _carried(found: IPv4Address | IPv6Address) -> list[IPv4Address | IPv6Address]:
    """The address, or the IPv4 ones that it stands for."""
    if isinstance(found, IPv4Address):
        return [found]
    if found.ipv4_mapped:
        return [found.ipv4_mapped]
    if found.sixtofour:
        return [found.sixtofour]
    if found.teredo:
        return list(found.teredo)
    if found in TRANSLATED:
        return [IPv4Address(int(found) & 0xFFFFFFFF)]
    return [found]


class _Guarded(http.client.HTTPConnection):
    """A connection to an address that was looked at, under the name that was asked for."""

    def __init__(self, host: str, port: int, *, context: ssl.SSLContext | None) -> None:
        super().__init__(host, port, timeout=TIMEOUT_S)
        self.context = context
        self.default_port = http.client.HTTPS_PORT if context else http.client.HTTP_PORT  # left out of the Host header

    def connect(self) -> None:
        self.sock = _connected(self.host, self.port)
        if self.context is not None:
            secure = self.context.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock = secure
            secure.do_handshake()

    def give_up(self) -> None:
        """Let whoever waits for it see its end; the method of TLS would forget its state under the reader's hands."""
        with suppress(OSError):
            socket.socket.shutdown(self.sock, socket.SHUT_RDWR)


def _connection(parts: SplitResult) -> _Guarded:
    is_secure = parts.scheme == "https"
    port = parts.port or (http.client.HTTPS_PORT if is_secure else http.client.HTTP_PORT)
    return _Guarded(parts.hostname or "", port, context=_context() if is_secure else None)


def _connected(host: str, port: int) -> socket.socket:
    """A socket to the first address that answers; raises ``Refused`` if any of them is not public."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if not settings().private_destinations and not all(is_public(str(place[0])) for *_rest, place in found):
        raise Refused("not a public address")
    problem: OSError = OSError("no address")
    for family, kind, protocol, _name, place in found:
        try:
            return _open(family, kind, protocol, place)
        except OSError as error:
            problem = error
    raise problem


def _open(family: int, kind: int, protocol: int, place: Any) -> socket.socket:
    opened = socket.socket(family, kind, protocol)
    opened.settimeout(TIMEOUT_S)
    try:
        opened.connect(place)
    except OSError:
        opened.close()
        raise
    return opened


@cache
def _context() -> ssl.SSLContext:
    return ssl.create_default_context()

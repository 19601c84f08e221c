"""A push service of the tests' own, and browsers that it serves: what arrives is verified and decrypted there."""

import base64
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import http_ece
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from core.notifications.subscriptions import BrowserKeys


def coded(plain: bytes) -> str:
    """Base64url without padding, as browsers write it."""
    return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """What was written so."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Browser:
    """A browser with keys of its own (RFC 8291, 3.1)."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    auth: bytes = b"0123456789abcdef"

    @property
    def keys(self) -> BrowserKeys:
        """What the page sends to the server."""
        point = self.key.public_key().public_bytes(
            serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
        )
        return BrowserKeys(endpoint=self.endpoint, p256dh=coded(point), auth=coded(self.auth))

    def opened(self, body: bytes) -> Any:
        """What the service worker is given."""
        return json.loads(http_ece.decrypt(body, private_key=self.key, auth_secret=self.auth, version="aes128gcm"))


@dataclass(frozen=True, slots=True)
class Received:
    """One push as the service got it. Names of headers are in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes

    def claims(self) -> tuple[dict[str, Any], str]:
        """The claims of the signature and the key that made it, once verified (RFC 8292); raises if it is forged."""
        scheme, _space, rest = self.headers["authorization"].partition(" ")
        assert scheme == "vapid"
        parts = dict(part.split("=", 1) for part in rest.replace(" ", "").split(","))
        signed, _dot, signature = parts["t"].rpartition(".")
        both = decoded(signature)
        der = encode_dss_signature(int.from_bytes(both[:32], "big"), int.from_bytes(both[32:], "big"))
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(parts["k"]))
        key.verify(der, signed.encode(), ec.ECDSA(hashes.SHA256()))
        return json.loads(decoded(signed.partition(".")[2])), parts["k"]


class PushService:
    """Takes pushes; ``statuses`` are what it answers next, ``201`` once they are used up."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.received: list[Received] = []
        self.statuses: list[int] = []
        self.location = ""

    def browser(self, name: str) -> Browser:
        """A browser that it serves."""
        return Browser(endpoint=f"{self.url}/{name}")


@contextmanager
def push_service() -> Iterator[PushService]:
    """The service, on loopback, until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            service.received.append(Received(self.path, headers, body))
            self.send_response(service.statuses.pop(0) if service.statuses else 201)
            if service.location:
                self.send_header("Location", service.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *_args: object) -> None:  # noqa: A002  # the library's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    service = PushService(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def nobody_listens() -> str:
    """An address at which nobody answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/gone"

"""Phones over TCP, TLS and WebSocket: they are called over the connection that they opened, and gone with it."""

import base64
import re
import secrets
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import pytest

from tests.support.edge import DEMO, Edge, phone
from tests.support.sip import Message, Phone, Worker, answer_to, messages_of, parse
from tests.support.waiting import wait_until

URI = f"sip:{DEMO}"


@dataclass
class Connected:
    """A phone on a connection: how it writes, and what comes in."""

    device: Phone
    transport: str
    write: Callable[[bytes], None]
    messages: Iterator[Message]

    def register(self) -> Message:
        """Register, answering the challenge; the last answer."""
        challenged = self._ask()
        authorization = self.device.authorization(challenged, "REGISTER", URI)
        self.device.sequence += 1
        return self._ask(authorization)

    def _ask(self, *headers: str) -> Message:
        text = self.device.request("REGISTER", URI, *headers, to=self.device.user)
        contact = f"Contact: <sip:{self.device.user}@nowhere.invalid;transport={self.transport.lower()}>"
        text = re.sub(rb"Contact: \S+", contact.encode(), text.replace(b"/UDP", f"/{self.transport}".encode()))
        self.write(text)
        return next(self.messages)


@contextmanager
def over_tcp(edge: Edge, device: Phone) -> Iterator[Connected]:
    """Plain TCP."""
    with socket.create_connection(("127.0.0.1", edge.port), timeout=5) as line:
        yield Connected(device, "TCP", line.sendall, messages_of(line))


@contextmanager
def over_tls(edge: Edge, device: Phone) -> Iterator[Connected]:
    """TLS, with the edge's certificate as the only one that is trusted."""
    context = ssl.create_default_context(cafile=str(edge.kamailio.folder / "certificate.pem"))
    with (
        socket.create_connection(("127.0.0.1", edge.settings.sips_port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as line,
    ):
        yield Connected(device, "TLS", line.sendall, messages_of(line))


@contextmanager
def over_websocket(edge: Edge, device: Phone) -> Iterator[Connected]:
    """A browser's WebSocket (RFC 7118)."""
    with socket.create_connection(("127.0.0.1", edge.settings.sip_ws_port), timeout=5) as line:
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        line.sendall(
            f"GET / HTTP/1.1\r\nHost: {DEMO}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Protocol: sip\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        assert line.recv(4096).startswith(b"HTTP/1.1 101")
        yield Connected(device, "WS", lambda text: line.sendall(frame(text)), frames_of(line))


Over = Callable[[Edge, Phone], AbstractContextManager[Connected]]
OVER = pytest.mark.parametrize("over", [over_tcp, over_tls, over_websocket])


@OVER
def test_it_registers_and_is_called_over_its_connection(edge: Edge, worker: Worker, over: Over) -> None:
    with over(edge, phone(edge, "102")) as connected:
        assert connected.register().status == 200
        worker.begin(f"sip:102@{edge.realms[DEMO]}")
        request = next(connected.messages)
        assert request.first.startswith("INVITE sip:102@nowhere.invalid")
        connected.write(answer_to(request, 486, tag="phone"))


@OVER
def test_with_its_connection_the_registration_ends(edge: Edge, worker: Worker, over: Over) -> None:
    with over(edge, phone(edge, "102")) as connected:
        connected.register()
    wait_until(lambda: worker.call(f"sip:102@{edge.realms[DEMO]}").status == 480)


def test_a_caller_who_gives_up_ends_the_call_at_the_worker(edge: Edge, worker: Worker) -> None:
    worker.answer_invite = 180
    device = phone(edge, "101")
    challenged = device.send("INVITE", f"sip:102@{DEMO}", to="102")
    device.sequence += 1
    authorization = device.authorization(challenged, "INVITE", f"sip:102@{DEMO}")
    invite = device.request("INVITE", f"sip:102@{DEMO}", authorization, to="102")
    device.write(invite)
    wait_until(lambda: worker.calls)
    cancel = re.sub(rb"Proxy-Authorization: [^\r]*\r\n", b"", invite).replace(b"INVITE sip", b"CANCEL sip")
    device.write(cancel.replace(b" INVITE\r\n", b" CANCEL\r\n"))
    wait_until(lambda: [message for message in worker.heard if message.first.startswith("CANCEL ")])


def test_a_worker_that_gives_up_ends_the_ringing(edge: Edge, worker: Worker) -> None:
    device = phone(edge, "102")
    device.register()
    door = worker.begin(f"sip:102@{edge.realms[DEMO]}")
    invite = device.receive()
    device.write(answer_to(invite, 180, tag="phone"))
    ringing = next(message for message in messages_of(door) if message.status == 180)
    door.sendall(
        (
            f"CANCEL sip:102@{edge.realms[DEMO]} SIP/2.0\r\nVia: {ringing['via']}\r\nFrom: {ringing['from']}\r\n"
            f"To: <sip:102@{edge.realms[DEMO]}>\r\nCall-ID: {ringing['call-id']}\r\nCSeq: 1 CANCEL\r\n"
            "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        ).encode()
    )
    assert device.receive().first.startswith("CANCEL ")


def test_nothing_but_a_websocket_is_served_there(edge: Edge) -> None:
    with socket.create_connection(("127.0.0.1", edge.settings.sip_ws_port), timeout=5) as line:
        line.sendall(b"GET /etc/passwd HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
        assert line.recv(4096).startswith(b"HTTP/1.1 404")


def frame(text: bytes) -> bytes:
    """One masked text frame (RFC 6455, 5.2)."""
    mask = secrets.token_bytes(4)
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(text))
    return b"\x81" + bytes([0x80 | 126]) + len(text).to_bytes(2, "big") + mask + masked


def frames_of(line: socket.socket) -> Iterator[Message]:
    """The messages in the server's frames; those of the protocol itself are passed over."""
    while True:
        kind, length = _exactly(line, 2)
        if length == 126:
            length = int.from_bytes(_exactly(line, 2), "big")
        body = _exactly(line, length)
        if kind & 0x0F in {1, 2}:
            yield parse(body)


def _exactly(line: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        found += line.recv(length - len(found)) or pytest.fail("the connection was closed")
    return found

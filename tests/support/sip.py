"""SIP by hand: messages as text, a phone on a UDP socket, a worker on TCP. Independent of what is tested."""

import contextlib
import hashlib
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

ANSWER_S: Final = 5.0
COPIED: Final = ("via", "record-route", "from", "call-id", "cseq")


@dataclass(frozen=True, slots=True)
class Message:
    """A request or an answer: its first line, its header lines in order, its body."""

    first: str
    headers: tuple[tuple[str, str], ...]
    body: str = ""

    @property
    def status(self) -> int:
        """The status of an answer; 0 for a request."""
        return int(self.first.split()[1]) if self.first.startswith("SIP/2.0") else 0

    @property
    def method(self) -> str:
        """What a request asks for, or what an answer answers."""
        return self["cseq"].split()[1]

    @property
    def uri(self) -> str:
        """Where a request is for."""
        return self.first.split()[1]

    def __getitem__(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")

    def all(self, name: str) -> list[str]:
        """Every value of a header that may stand more than once."""
        return [value for key, value in self.headers if key == name]


def parse(text: bytes) -> Message:
    """The message in ``text``; header names in lower case."""
    head, _blank, body = text.decode(errors="replace").partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return Message(first, tuple((name.strip().lower(), value.strip()) for name, _colon, value in pairs), body)


def answer_to(request: Message, status: int, *headers: str, tag: str = "worker") -> bytes:
    """An answer with what every answer copies from its request."""
    to = request["to"] if ";tag=" in request["to"] else f"{request['to']};tag={tag}"
    copied = [f"{name}: {value}" for name, value in request.headers if name in COPIED]
    lines = [f"SIP/2.0 {status} Answer", *copied, f"To: {to}", *headers, "Content-Length: 0", "", ""]
    return "\r\n".join(lines).encode()


def digest(ha1: str, *, method: str, uri: str, challenge: str, username: str) -> str:
    """The value of an Authorization header (RFC 2617, MD5, qop=auth)."""
    said = dict(part.split("=", 1) for part in challenge.removeprefix("Digest ").split(", "))
    realm, nonce = said["realm"].strip('"'), said["nonce"].strip('"')
    ha2, cnonce, count = _md5(f"{method}:{uri}"), secrets.token_hex(8), "00000001"
    response = _md5(f"{ha1}:{nonce}:{count}:{cnonce}:auth:{ha2}")
    return (
        f'Digest username="{username}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}", '
        f'algorithm=MD5, qop=auth, nc={count}, cnonce="{cnonce}"'
    )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


@dataclass
class Phone:
    """A phone of a user: one UDP socket, which talks to the edge alone."""

    edge_port: int
    user: str
    password: str
    domain: str
    authorize_as: str = ""
    address: str = "127.0.0.1"
    port: int = 0
    line: socket.socket = field(init=False)
    call_id: str = field(default_factory=lambda: secrets.token_hex(8))
    sequence: int = 0
    sent: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.line.bind((self.address, self.port))
        self.port = self.line.getsockname()[1]
        self.line.settimeout(ANSWER_S)

    def register(self, *, expires: int = 600, headers: tuple[str, ...] = ()) -> Message:
        """Register, answering the challenge; the last answer."""
        return self.ask("REGISTER", f"sip:{self.domain}", f"Expires: {expires}", *headers, to=self.user)

    def invite(self, number: str, *headers: str) -> Message:
        """Call ``number``, answering the challenge; the first final answer."""
        return self.ask("INVITE", f"sip:{number}@{self.domain}", *headers, to=number)

    def ask(self, method: str, uri: str, *headers: str, to: str) -> Message:
        """Send a request; if it is challenged, once more with the answer to the challenge."""
        first = self.send(method, uri, *headers, to=to)
        if first.status not in {401, 407} or not self.password:
            return first
        return self.send(method, uri, self.authorization(first, method, uri), *headers, to=to)

    def authorization(self, challenged: Message, method: str, uri: str) -> str:
        """The header that answers a challenge."""
        challenge = challenged["www-authenticate"] or challenged["proxy-authenticate"]
        username = self.authorize_as or self.user
        realm = challenge.partition('realm="')[2].partition('"')[0]
        ha1 = _md5(f"{username}:{realm}:{self.password}")
        name = "Authorization" if challenged.status == 401 else "Proxy-Authorization"
        return f"{name}: {digest(ha1, method=method, uri=uri, challenge=challenge, username=username)}"

    def receive_answer_to_register(self, timeout_s: float) -> Message:
        """Send one REGISTER; its answer if one comes in time, else ``TimeoutError``."""
        self.write(self.request("REGISTER", f"sip:{self.domain}", to=self.user))
        return self.receive(timeout_s)

    def send(self, method: str, uri: str, *headers: str, to: str) -> Message:
        """Send one request as it is; its first final answer."""
        self.sequence += 1
        self.write(self.request(method, uri, *headers, to=to))
        while True:
            answer = self.receive()
            if answer.status >= 200 and answer["cseq"].startswith(f"{self.sequence} "):
                return answer

    def request(self, method: str, uri: str, *headers: str, to: str) -> bytes:
        """The text of a request."""
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.address}:{self.port};branch=z9hG4bK{secrets.token_hex(8)};rport",
            f"From: <sip:{self.user}@{self.domain}>;tag={self.call_id[:6]}",
            f"To: <sip:{to}@{self.domain}>",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self.sequence} {method}",
            f"Contact: <sip:{self.user}@{self.address}:{self.port}>",
            "Max-Forwards: 70",
            *headers,
            "Content-Length: 0",
            "",
            "",
        ]
        return "\r\n".join(lines).encode()

    def write(self, text: bytes) -> None:
        """Send ``text`` as one datagram."""
        self.sent.append(text)
        self.line.sendto(text, ("127.0.0.1", self.edge_port))

    def receive(self, timeout_s: float = ANSWER_S) -> Message:
        """The next message but keep-alives; raises ``TimeoutError``."""
        self.line.settimeout(timeout_s)
        while True:
            text = self.line.recv(65535)
            if len(text) > 8 and not text.startswith(b"OPTIONS"):
                return parse(text)


@dataclass
class Worker:
    """What stands behind the edge: it answers OPTIONS and calls, and keeps every other request."""

    port: int
    edge_port: int
    heard: list[Message] = field(default_factory=list)
    answer_invite: int = 200
    connections: list[socket.socket] = field(default_factory=list)

    @property
    def calls(self) -> list[Message]:
        """The INVITEs so far."""
        return [message for message in self.heard if message.first.startswith("INVITE ")]

    def begin(self, uri: str, *headers: str) -> socket.socket:
        """Send an INVITE through the edge's inner door; the connection."""
        name = secrets.token_hex(6)
        lines = [
            f"INVITE {uri} SIP/2.0",
            f"Via: SIP/2.0/TCP 127.0.0.1:{self.port};branch=z9hG4bK{name}",
            f"From: <sip:caller@127.0.0.1>;tag={name}",
            f"To: <{uri}>",
            f"Call-ID: {name}",
            "CSeq: 1 INVITE",
            f"Contact: <sip:127.0.0.1:{self.port};transport=tcp>",
            "Max-Forwards: 70",
            *headers,
            "Content-Length: 0",
            "",
            "",
        ]
        door = socket.create_connection(("127.0.0.1", self.edge_port), timeout=ANSWER_S)
        self.connections.append(door)
        door.sendall("\r\n".join(lines).encode())
        return door

    def call(self, uri: str, *headers: str) -> Message:
        """Send an INVITE through the edge's inner door; the first final answer."""
        for message in messages_of(self.begin(uri, *headers)):
            if message.status >= 200:
                return message
        raise TimeoutError("the edge closed the door")

    def serve(self, server: socket.socket) -> None:
        """Take connections until the socket is closed."""
        with contextlib.suppress(OSError):
            while True:
                connection, _address = server.accept()
                self.connections.append(connection)
                threading.Thread(target=self._listen, args=(connection,), daemon=True).start()

    def _listen(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            for message in messages_of(connection):
                if message.first.startswith("OPTIONS "):
                    connection.sendall(answer_to(message, 200))
                elif not message.status:
                    self.heard.append(message)
                    if not message.first.startswith("ACK "):
                        contact = f"Contact: <sip:127.0.0.1:{self.port};transport=tcp>"
                        connection.sendall(answer_to(message, self.answer_invite, contact))


def messages_of(connection: socket.socket) -> Iterator[Message]:
    """The messages of a stream, as they come (RFC 3261, 18.3)."""
    buffer = b""
    while True:
        head, blank, rest = buffer.partition(b"\r\n\r\n")
        length = int(parse(head)["content-length"] or 0) if blank else 0
        if blank and len(rest) >= length:
            buffer = rest[length:]
            if head.strip():
                yield parse(head + blank + rest[:length])
            continue
        if not (more := connection.recv(65535)):
            return
        buffer += more


@contextmanager
def running_worker(port: int, edge_port: int) -> Iterator[Worker]:
    """A worker on ``port`` until the block ends."""
    worker = Worker(port, edge_port)
    with socket.create_server(("127.0.0.1", port)) as server:
        thread = threading.Thread(target=worker.serve, args=(server,), daemon=True)
        thread.start()
        try:
            yield worker
        finally:
            server.shutdown(socket.SHUT_RDWR)
            for connection in worker.connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
                connection.close()
            thread.join(5)

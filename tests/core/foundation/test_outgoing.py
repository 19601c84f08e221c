"""Requests to addresses that somebody else named never lead inside (ATTACK 38)."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest

from core.foundation import outgoing
from core.foundation.errors import Unavailable
from core.foundation.outgoing import Refused, ask, is_public
from core.foundation.settings import settings
from tests.support.cast import Cast
from tests.support.push import PushService, nobody_listens, push_service

PUBLIC = "93.184.215.14"
pytestmark = [pytest.mark.attack(38), pytest.mark.usefixtures("cast")]


@pytest.fixture
def inside() -> Iterator[PushService]:
    """A service on loopback that nobody from outside may reach."""
    with push_service() as running:
        yield running


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every address that a connection was tried to."""
    tried: list[Any] = []

    def note(_self: socket.socket, place: Any) -> None:
        tried.append(place[0])
        raise OSError("this far and no further")

    monkeypatch.setattr(socket.socket, "connect", note)
    return tried


def resolving(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
    """Let names resolve to these addresses, to the next ones each time."""
    left = list(answers)

    def answer(_host: str, port: int, **_more: object) -> list[Any]:
        found = left.pop(0) if len(left) > 1 else left[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", answer)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104  # an address to refuse
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:db8::1",
        "no address",
    ],
)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c", f"::ffff:{PUBLIC}"])
def test_an_address_outside_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0"]
)
def test_loopback_is_refused_however_it_is_written(inside: PushService, asked: list[Any], host: str) -> None:
    port = inside.url.rpartition(":")[2]
    with pytest.raises((Refused, Unavailable)):
        ask("POST", f"https://{host}:{port}/")
    assert asked == []
    assert inside.received == []


def test_a_name_with_one_address_inside_is_refused(monkeypatch: pytest.MonkeyPatch, asked: list[Any]) -> None:
    resolving(monkeypatch, [PUBLIC, "127.0.0.1"])
    with pytest.raises(Refused):
        ask("POST", "https://push.example/")
    assert asked == []


def test_the_connection_goes_to_the_address_that_was_looked_at(
    monkeypatch: pytest.MonkeyPatch, asked: list[Any]
) -> None:
    """A name that resolves to something else the second time (DNS rebinding) is not asked for a second time."""
    resolving(monkeypatch, [PUBLIC], ["127.0.0.1"])
    with pytest.raises(Unavailable):
        ask("POST", "https://push.example/")
    assert asked == [PUBLIC]


@pytest.mark.parametrize("url", ["http://push.example/", "ftp://push.example/", "//push.example/", "push.example", ""])
def test_only_https_is_asked(asked: list[Any], url: str) -> None:
    with pytest.raises(Refused):
        ask("POST", url)
    assert asked == []


def test_a_redirect_is_an_answer_and_not_followed(monkeypatch: pytest.MonkeyPatch, inside: PushService) -> None:
    monkeypatch.setattr(outgoing, "settings", lambda: replace(settings(), private_destinations=True))
    with push_service() as other:
        inside.statuses, inside.location = [307], f"{other.url}/stolen"
        answer = ask("POST", f"{inside.url}/first", body=b"secret")
        assert answer.status == 307
        assert answer.headers["location"] == f"{other.url}/stolen"
        assert other.received == []


def test_nobody_there_is_said_so(monkeypatch: pytest.MonkeyPatch, cast: Cast) -> None:
    monkeypatch.setattr(outgoing, "settings", lambda: replace(settings(), private_destinations=True))
    with pytest.raises(Unavailable):
        ask("GET", nobody_listens())


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"])
def test_a_trickle_comes_to_an_end(monkeypatch: pytest.MonkeyPatch, head: bytes) -> None:
    monkeypatch.setattr(outgoing, "settings", lambda: replace(settings(), private_destinations=True))
    monkeypatch.setattr(outgoing, "WHOLE_S", 0.5)
    began = time.monotonic()
    with trickling(head) as url, suppress(Unavailable):  # nothing came in time
        assert len(ask("GET", url).body) < 100
    assert time.monotonic() - began < 5


@contextmanager
def trickling(head: bytes) -> Iterator[str]:
    """A server that says ``head`` and then a byte now and then; gives its address."""
    is_over = threading.Event()

    def serve(server: socket.socket) -> None:
        connection, _address = server.accept()
        with connection, suppress(OSError):
            connection.sendall(head)
            while not is_over.wait(0.05):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        finally:
            is_over.set()
            thread.join(10)

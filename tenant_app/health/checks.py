"""Looking at each part of the installation; every check answers within three seconds."""

import socket
from dataclasses import dataclass
from typing import Final

import psycopg
import redis

from core.foundation.heartbeat import living_processes
from core.foundation.settings import settings

EXPECTED: Final = ("relay", "worker-1")
TIMEOUT_S: Final = 3


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the installation and whether it answers."""

    name: str
    is_alive: bool


def look_around() -> list[Part]:
    """All parts, in the order in which they depend on each other."""
    living = _living()
    return [
        Part("database", _database_answers()),
        Part("queue", living is not None),
        *(Part(name, living is not None and name in living) for name in EXPECTED),
        Part("carddav", _port_answers(settings().dav_port)),
        Part("smtp", _port_answers(settings().smtp_port)),
    ]


def _database_answers() -> bool:
    """By a connection of its own: one of the pool would wait without end for a server that hangs."""
    url = settings().database_url.replace("postgresql+psycopg://", "postgresql://")
    try:
        with psycopg.connect(url, connect_timeout=TIMEOUT_S, autocommit=True) as connection:
            return connection.execute("select true").fetchone() == (True,)
    except psycopg.Error:
        return False


def _living() -> frozenset[str] | None:
    try:
        with redis.Redis.from_url(settings().redis_url, socket_timeout=TIMEOUT_S) as valkey:
            return living_processes(valkey)
    except redis.RedisError:
        return None


def _port_answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S):
            return True
    except OSError:
        return False

"""Looking at each part of the installation; every check answers within three seconds."""

import socket
from dataclasses import dataclass
from typing import Final

import redis
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from core.foundation.heartbeat import living_processes
from core.foundation.settings import settings
from core.foundation.unit_of_work import outside_tenants

EXPECTED: Final = ("relay", "worker-1")
TIMEOUT_S: Final = 3.0


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
        Part("smtp", _port_answers(settings().smtp_port)),
    ]


def _database_answers() -> bool:
    try:
        with outside_tenants() as session:
            return session.scalar(text("select true")) is True
    except (DBAPIError, PoolTimeoutError):
        return False


def _living() -> frozenset[str] | None:
    try:
        return living_processes(redis.Redis.from_url(settings().redis_url, socket_timeout=TIMEOUT_S))
    except redis.RedisError:
        return None


def _port_answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S):
            return True
    except OSError:
        return False

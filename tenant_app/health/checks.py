"""Looking at each part of the installation; every check answers within three seconds."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import psycopg
import redis

from core.foundation.heartbeat import Condition, condition_of, living_processes
from core.foundation.settings import settings

EXPECTED: Final = ("relay", "worker-1")
TIMEOUT_S: Final = 3


class State(StrEnum):
    """How a part is. Off and building are no fault: the machine may lack what telephony needs, or not have it yet."""

    ALIVE = "alive"
    DOWN = "down"
    OFF = "off"
    BUILDING = "building"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the installation and how it is."""

    name: str
    state: State

    @property
    def is_alive(self) -> bool:
        """Whether it answers."""
        return self.state is State.ALIVE

    @property
    def is_down(self) -> bool:
        """Whether it should answer, and does not."""
        return self.state is State.DOWN


def look_around() -> list[Part]:
    """All parts, in the order in which they depend on each other."""
    living = _living()
    return [
        Part("database", _state(_database_answers())),
        Part("queue", _state(living is not None)),
        *(Part(name, _state(living is not None and name in living)) for name in EXPECTED),
        Part("carddav", _state(_port_answers(settings().dav_port))),
        Part("smtp", _state(_port_answers(settings().smtp_port))),
        Part("edge", _set_up_state("edge", living, lambda: _port_answers(settings().sip_port, settings().sip_host))),
        Part("gateway", _set_up_state("gateway", living, lambda: _gateways() <= (living or frozenset()))),
    ]


def _state(answers: bool) -> State:
    return State.ALIVE if answers else State.DOWN


def _set_up_state(part: str, living: frozenset[str] | None, answers: Callable[[], bool]) -> State:
    """How a part of telephony is: what whoever sets it up says, until that is done. Without the queue nobody knows."""
    if living is None:
        return State.OFF
    try:
        with redis.Redis.from_url(settings().redis_url, socket_timeout=TIMEOUT_S) as valkey:
            condition = condition_of(valkey, part)
    except redis.RedisError:
        return State.OFF
    return _state(answers()) if condition is Condition.ON else State(condition.value)


def _gateways() -> frozenset[str]:
    return frozenset(f"gateway-{number}" for number in range(settings().gateway_workers))


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


def _port_answers(port: int, host: str = "127.0.0.1") -> bool:
    try:
        with socket.create_connection((host, port), timeout=TIMEOUT_S):
            return True
    except OSError:
        return False

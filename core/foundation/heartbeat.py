"""Which processes live: each says so every two seconds, in Valkey, with a word that fades after six.

A process may add figures of its own. Parts that are not always there, such as telephony, have a condition beside it,
which whoever sets them up writes.
"""

import json
import threading
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

import redis
import structlog

from core.foundation.settings import settings

BEAT_S: Final = 2.0
FADE_S: Final = 6
PREFIX: Final = "alive:"
CONDITION: Final = "condition:"

Figures = Mapping[str, int]

log = structlog.get_logger()


class Condition(StrEnum):
    """How far the setting up of a part has come."""

    OFF = "off"
    BUILDING = "building"
    ON = "on"


def start_heartbeat(process: str, *, figures: Callable[[], Figures] | None = None) -> None:
    """Say from a background thread that ``process`` (such as ``worker-1``) lives, until it ends.

    ``figures`` is asked at every beat, from that thread: it must not wait for anything.
    """
    threading.Thread(target=_beat, args=(process, figures), daemon=True, name="heartbeat").start()


def living_processes(valkey: redis.Redis) -> frozenset[str]:
    """The names that were heard of in the last seconds. Raises ``redis.RedisError``."""
    return frozenset(key.decode().removeprefix(PREFIX) for key in valkey.scan_iter(match=f"{PREFIX}*", count=100))


def figures_of(valkey: redis.Redis, process: str) -> Figures:
    """What ``process`` said of itself at its last beat; nothing if it is silent. Raises ``redis.RedisError``."""
    said = valkey.get(f"{PREFIX}{process}")
    found = json.loads(said) if isinstance(said, bytes) else {}
    return found if isinstance(found, dict) else {}


def say_condition(valkey: redis.Redis, part: str, condition: Condition) -> None:
    """Say how far ``part`` is; to be repeated, since it fades like a heartbeat. Raises ``redis.RedisError``."""
    valkey.set(f"{CONDITION}{part}", condition.value, ex=FADE_S)


def condition_of(valkey: redis.Redis, part: str) -> Condition:
    """What was said of ``part``; off if nobody says anything. Raises ``redis.RedisError``."""
    said = valkey.get(f"{CONDITION}{part}")
    return Condition(said.decode()) if isinstance(said, bytes) else Condition.OFF


def _beat(process: str, figures: Callable[[], Figures] | None) -> None:
    valkey = redis.Redis.from_url(settings().redis_url, socket_timeout=2)
    pause = threading.Event()
    while True:
        try:
            valkey.set(f"{PREFIX}{process}", json.dumps(dict(figures())) if figures else b"1", ex=FADE_S)
        except redis.RedisError:
            log.debug("heartbeat_missed", process=process)
        pause.wait(BEAT_S)

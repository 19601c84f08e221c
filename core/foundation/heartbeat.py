"""Which processes live: each says so every two seconds, in Valkey, with a word that fades after six."""

import threading
from typing import Final

import redis
import structlog

from core.foundation.settings import settings

BEAT_S: Final = 2.0
FADE_S: Final = 6
PREFIX: Final = "alive:"

log = structlog.get_logger()


def start_heartbeat(process: str) -> None:
    """Say from a background thread that ``process`` (such as ``worker-1``) lives, until it ends."""
    threading.Thread(target=_beat, args=(process,), daemon=True, name="heartbeat").start()


def living_processes(valkey: redis.Redis) -> frozenset[str]:
    """The names that were heard of in the last seconds. Raises ``redis.RedisError``."""
    return frozenset(key.decode().removeprefix(PREFIX) for key in valkey.scan_iter(match=f"{PREFIX}*", count=100))


def _beat(process: str) -> None:
    valkey = redis.Redis.from_url(settings().redis_url, socket_timeout=2)
    pause = threading.Event()
    while True:
        try:
            valkey.set(f"{PREFIX}{process}", b"1", ex=FADE_S)
        except redis.RedisError:
            log.debug("heartbeat_missed", process=process)
        pause.wait(BEAT_S)

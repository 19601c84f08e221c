"""One listener per process, many streams.

The listener holds one PostgreSQL connection outside the pool; streams hold none. A stream that falls behind loses the
oldest messages, and is told to refresh everything.
"""

import json
import queue
import threading
from collections import defaultdict
from functools import cache
from typing import Final

import psycopg
import structlog

from core.foundation.live import CHANNEL
from core.foundation.settings import settings

BACKLOG: Final = 200
REFRESH: Final = "refresh"

log = structlog.get_logger()

Stream = queue.SimpleQueue[str]


class Hub:
    """Passes each tenant's messages to the tenant's streams."""

    def __init__(self) -> None:
        self._streams: dict[int, set[Stream]] = defaultdict(set)
        self._lock = threading.Lock()

    def open(self, tenant_id: int) -> Stream:
        """A new stream of the tenant's messages (JSON texts)."""
        stream: Stream = queue.SimpleQueue()
        with self._lock:
            self._streams[tenant_id].add(stream)
        return stream

    def close(self, tenant_id: int, stream: Stream) -> None:
        """Forget the stream."""
        with self._lock:
            self._streams[tenant_id].discard(stream)
            if not self._streams[tenant_id]:
                del self._streams[tenant_id]

    def count(self) -> int:
        """How many streams are open in this process."""
        with self._lock:
            return sum(len(streams) for streams in self._streams.values())

    def pass_on(self, payload: str) -> None:
        """Give one notification to the streams of its tenant."""
        message = json.loads(payload)
        self._put(message.pop("tenant"), json.dumps(message))

    def refresh_all(self) -> None:
        """Tell every stream that something may have been missed."""
        with self._lock:
            tenants = list(self._streams)
        for tenant_id in tenants:
            self._put(tenant_id, json.dumps({"topic": REFRESH, "ids": []}))

    def listen_for_ever(self) -> None:
        """Listen; reconnect when the connection breaks, then have everybody refresh."""
        url = settings().database_url.replace("postgresql+psycopg://", "postgresql://")
        pause = threading.Event()
        while True:
            try:
                with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
                    connection.execute(f"listen {CHANNEL}")
                    self.refresh_all()
                    for notice in connection.notifies():
                        self.pass_on(notice.payload)
            except psycopg.OperationalError as error:
                log.warning("live_listener_waits", error=type(error).__name__)
            pause.wait(1.0)

    def _put(self, tenant_id: int, message: str) -> None:
        with self._lock:
            streams = list(self._streams.get(tenant_id, ()))
        for stream in streams:
            if stream.qsize() < BACKLOG:
                stream.put(message)


@cache
def hub() -> Hub:
    """This process's hub; the first call starts its listener."""
    made = Hub()
    threading.Thread(target=made.listen_for_ever, daemon=True, name="live").start()
    return made

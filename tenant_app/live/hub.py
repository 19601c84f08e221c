"""One listener per process, many streams.

The listener holds one PostgreSQL connection outside the pool; streams hold none. A stream that falls behind loses what
it has not read, and is told to refresh everything instead. A new stream begins with what was said in the last seconds:
its page may have been rendered just before. Messages carry when they came (``at``, seconds since 1970), and a page
ignores those that are older than itself.
"""

import json
import os
import queue
import threading
import time
from collections import defaultdict, deque
from typing import Final

import psycopg
import structlog

from core.foundation.live import CHANNEL
from core.foundation.settings import settings

BACKLOG: Final = 200
LOOK_S: Final = 2.0
REMEMBERED_S: Final = 20.0
PAUSE_S: Final = 1.0
REFRESH: Final = json.dumps({"topic": "refresh", "ids": []})

log = structlog.get_logger()

Stream = queue.SimpleQueue[str]


class Hub:
    """Passes each tenant's messages to the tenant's streams."""

    def __init__(self) -> None:
        self._streams: dict[int, set[Stream]] = defaultdict(set)
        self._recent: deque[tuple[float, int, str]] = deque(maxlen=BACKLOG)
        self._lock = threading.Lock()
        self._stopping = threading.Event()

    def open(self, tenant_id: int) -> Stream:
        """A new stream of the tenant's messages (JSON texts), from the last seconds on."""
        stream: Stream = queue.SimpleQueue()
        oldest = time.time() - REMEMBERED_S
        with self._lock:
            for at, owner, message in self._recent:
                if owner == tenant_id and at >= oldest:
                    stream.put(message)
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
        tenant_id, at = message.pop("tenant"), time.time()
        text = json.dumps({**message, "at": round(at, 3)})
        with self._lock:
            self._recent.append((at, tenant_id, text))
        self._put(tenant_id, text)

    def refresh_all(self) -> None:
        """Tell every stream that something may have been missed."""
        with self._lock:
            tenants = list(self._streams)
        for tenant_id in tenants:
            self._put(tenant_id, REFRESH)

    def listen_for_ever(self) -> None:
        """Listen until ``stop``; reconnect when the connection breaks, then have everybody refresh."""
        url = settings().database_url.replace("postgresql+psycopg://", "postgresql://")
        while not self._stopping.is_set():
            try:
                self._listen(url)
            except Exception as error:  # noqa: BLE001  # without this loop no browser of this process hears anything
                log.warning("live_listener_waits", error=type(error).__name__)
            self._stopping.wait(PAUSE_S)

    def stop(self) -> None:
        """End the listening within two seconds."""
        self._stopping.set()

    def _listen(self, url: str) -> None:
        with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
            connection.execute(f"listen {CHANNEL}")
            self.refresh_all()
            while not self._stopping.is_set():
                for notice in connection.notifies(timeout=LOOK_S):
                    self.pass_on(notice.payload)

    def _put(self, tenant_id: int, message: str) -> None:
        with self._lock:
            streams = list(self._streams.get(tenant_id, ()))
        for stream in streams:
            if stream.qsize() >= BACKLOG:
                _empty(stream)
                stream.put(REFRESH)
            else:
                stream.put(message)


def _empty(stream: Stream) -> None:
    try:
        while True:
            stream.get_nowait()
    except queue.Empty:
        return


_hubs: list[Hub] = []
_making = threading.Lock()


def hub() -> Hub:
    """This process's hub; the first call starts its listener."""
    with _making:
        if not _hubs:
            _hubs.append(Hub())
            threading.Thread(target=_hubs[0].listen_for_ever, daemon=True, name="live").start()
        return _hubs[0]


os.register_at_fork(after_in_child=_hubs.clear)  # a thread does not come along into a forked process

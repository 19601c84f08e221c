"""Our CardDAV server beside a Radicale as it comes: the same cards, the same requests, one run.

``python -m tests.bench.carddav 10000 50000`` prints for each number of cards the medians in milliseconds as a client
sees them on a kept connection, and how many times faster ours is. It needs a calm machine and some minutes: Radicale
looks through 50,000 files. The bar stands in ``TARGETS_MS`` (10,000 cards) and ``TARGET_RATIOS`` (50,000 cards).
"""

import argparse
import base64
import gzip
import http.client
import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Final

from tests.bench.card_servers import Card, Server, card, our_server, stock_server

ROUNDS: Final = 40
BUDGET_S: Final = 8.0
"""Of one operation: what takes seconds is asked fewer times."""

TIMEOUT_S: Final = 900.0
BATCH: Final = 50
NEW_CARDS: Final = 10_000_000
"""The numbers of cards that are put, so that they meet none of the book."""

LISTING: Final = "PROPFIND depth 1"
TARGETS_MS: Final = {
    LISTING: 60.0,
    "first sync": 60.0,
    f"multiget of {BATCH}": 5.0,
    "query by e-mail": 8.0,
    "PUT new": 5.0,
    "PUT changed": 5.0,
    "sync after one change": 8.0,
}
TARGET_RATIOS: Final = {
    LISTING: 30.0,
    "sync after one change": 300.0,
    "PUT new": 100.0,
    "PUT changed": 100.0,
    "query by name": 100.0,
}
NAMESPACES: Final = 'xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav" xmlns:S="http://calendarserver.org/ns/"'
TOKEN: Final = re.compile(rb"<(?:\w+:)?sync-token>([^<]+)<")


@dataclass
class Client:
    """A program that keeps its connection and takes compressed answers, as phones do."""

    server: Server
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=TIMEOUT_S)

    def ask(
        self, method: str, href: str = "", body: str = "", **headers: str
    ) -> tuple[float, bytes, Mapping[str, str]]:
        """One request: seconds until its answer was read, the answer, its headers."""
        pair = base64.b64encode(f"{self.server.username}:{self.server.password}".encode()).decode()
        kind = "text/vcard; charset=utf-8" if method == "PUT" else "application/xml; charset=utf-8"
        sent = {"Authorization": f"Basic {pair}", "Accept-Encoding": "gzip", "Content-Type": kind}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        started = time.perf_counter()
        self.connection.request(method, self.server.base + href, body.encode(), sent)
        answer = self.connection.getresponse()
        raw = answer.read()
        elapsed = time.perf_counter() - started
        if answer.status not in {200, 201, 204, 207}:
            raise SystemExit(f"{self.server.label}: {method} {href} answers {answer.status}: {raw[:300]!r}")
        packed = answer.getheader("Content-Encoding") == "gzip"
        return elapsed, gzip.decompress(raw) if packed else raw, dict(answer.getheaders())

    def report(self, kind: str, content: str, **headers: str) -> tuple[float, bytes]:
        """A report on the book."""
        body = f'<?xml version="1.0"?><{kind} {NAMESPACES}>{content}</{kind}>'
        elapsed, answer, _headers = self.ask("REPORT", "", body, **headers)
        return elapsed, answer


class Operations:
    """What phones and mail programs ask, one method each, which answers its seconds."""

    def __init__(self, client: Client, cards: Sequence[Card]) -> None:
        self.client = client
        self.cards = cards
        self.places = count(1, step=37)
        self.numbers = count(NEW_CARDS)
        self.token = ""
        self.etags: dict[str, str] = {}

    def by_name(self) -> dict[str, Callable[[], float]]:
        """All of them, in the order in which they are measured."""
        return {
            LISTING: self.listing,
            "PROPFIND depth 0": self.change_tag,
            "first sync": self.first_sync,
            f"multiget of {BATCH}": self.multiget,
            "GET": self.get,
            "query by e-mail": self.query_by_email,
            "query by name": self.query_by_name,
            "PUT new": self.put_new,
            "PUT changed": self.put_changed,
            "sync after one change": self.sync_after_change,
            "sync without change": self.sync,
            "DELETE": self.delete,
        }

    def listing(self) -> float:
        """Every card's etag."""
        elapsed, answer = self._propfind("<getetag/><resourcetype/>", depth="1")
        self._expect(answer, b"getetag>", at_least=2 * len(self.cards))
        return elapsed

    def change_tag(self) -> float:
        """Whether anything changed, as clients without sync-collection ask."""
        return self._propfind("<S:getctag/><sync-token/><displayname/>", depth="0")[0]

    def first_sync(self) -> float:
        """Everything, with a token for the next time."""
        self.token = ""
        elapsed, answer = self._sync()
        self._expect(answer, b"getetag>", at_least=2 * len(self.cards))
        return elapsed

    def multiget(self) -> float:
        """Fifty cards."""
        wanted = [self._next() for _place in range(BATCH)]
        hrefs = "".join(f"<href>{self.client.server.base}{one.href}</href>" for one in wanted)
        prop = "<prop><getetag/><C:address-data/></prop>"
        elapsed, answer = self.client.report("C:addressbook-multiget", prop + hrefs, Depth="0")
        self._expect(answer, b"BEGIN:VCARD", at_least=len({one.href for one in wanted}))
        return elapsed

    def get(self) -> float:
        """One card."""
        return self.client.ask("GET", self._next().href)[0]

    def query_by_email(self) -> float:
        """Who writes under this address, as a mail program asks."""
        return self._query("EMAIL", f"person{self._next().number}@")

    def query_by_name(self) -> float:
        """Who is called so, as somebody types."""
        return self._query("FN", f" {self._next().number}")

    def put_new(self) -> float:
        """A card that was not there."""
        new = card(next(self.numbers))
        elapsed, _answer, headers = self.client.ask("PUT", new.href, new.text, If_None_Match="*")
        self.etags[new.href] = headers.get("ETag", "")
        return elapsed

    def put_changed(self) -> float:
        """A card over its earlier self, as long as nobody else changed it."""
        one = self._next()
        etag = self.client.ask("GET", one.href)[2]["ETag"]
        return self.client.ask("PUT", one.href, self._retitled(one), If_Match=etag)[0]

    def sync_after_change(self) -> float:
        """The one card that changed."""
        self._sync()
        one = self._next()
        self.client.ask("PUT", one.href, self._retitled(one))
        elapsed, answer = self._sync()
        self._expect(answer, one.href.encode(), at_least=1)
        return elapsed

    def sync(self) -> float:
        """Nothing new."""
        return self._sync()[0]

    def delete(self) -> float:
        """One of the cards that were put."""
        if not self.etags:
            self.put_new()
        return self.client.ask("DELETE", self.etags.popitem()[0])[0]

    def _next(self) -> Card:
        """Cards from all over the book."""
        return self.cards[next(self.places) % len(self.cards)]

    def _retitled(self, one: Card) -> str:
        return one.text.replace("TITLE:Buyer", f"TITLE:Buyer {time.monotonic_ns()}")

    def _propfind(self, wanted: str, *, depth: str) -> tuple[float, bytes]:
        body = f'<?xml version="1.0"?><propfind {NAMESPACES}><prop>{wanted}</prop></propfind>'
        elapsed, answer, _headers = self.client.ask("PROPFIND", "", body, Depth=depth)
        return elapsed, answer

    def _sync(self) -> tuple[float, bytes]:
        content = f"<sync-token>{self.token}</sync-token><sync-level>1</sync-level><prop><getetag/></prop>"
        elapsed, answer = self.client.report("sync-collection", content, Depth="0")
        found = TOKEN.search(answer)
        self.token = found[1].decode() if found else ""
        return elapsed, answer

    def _query(self, name: str, text: str) -> float:
        match = f'<C:text-match collation="i;unicode-casemap" match-type="contains">{text}</C:text-match>'
        content = (
            "<prop><getetag/><C:address-data/></prop>"
            f'<C:filter test="anyof"><C:prop-filter name="{name}">{match}</C:prop-filter></C:filter>'
        )
        elapsed, answer = self.client.report("C:addressbook-query", content, Depth="1")
        self._expect(answer, text.encode(), at_least=1)
        return elapsed

    def _expect(self, answer: bytes, sign: bytes, *, at_least: int) -> None:
        if answer.count(sign) < at_least:
            raise SystemExit(f"{self.client.server.label}: {sign!r} stands there {answer.count(sign)} times")


@dataclass(frozen=True, slots=True)
class Figure:
    """An operation's times in milliseconds: the very first, then median and best of those after it."""

    first_ms: float
    median_ms: float
    best_ms: float


def measured(server: Server, cards: Sequence[Card]) -> dict[str, Figure]:
    """Every operation's figure; each is told as soon as it is there, since the whole takes minutes."""
    found = {}
    for name, operation in Operations(Client(server), cards).by_name().items():
        found[name] = _repeated(operation)
        print(f"{server.label}: {name} {found[name].median_ms:.1f} ms", file=sys.stderr, flush=True)
    return found


def _repeated(operation: Callable[[], float]) -> Figure:
    started = time.monotonic()
    times = [operation()]
    while len(times) <= ROUNDS and (len(times) < 2 or time.monotonic() - started < BUDGET_S):
        times.append(operation())
    return Figure(1000 * times[0], 1000 * statistics.median(times[1:]), 1000 * min(times[1:]))


def table(cards: int, ours: Mapping[str, Figure], stock: Mapping[str, Figure]) -> str:
    """The figures side by side; a bar that is missed is marked. ``best`` is what a calm machine would come near to."""
    head = f"{'operation':<24}{'ours':>8}{'best':>8}{'bar':>6}"
    rows = [head + (f"{'stock':>10}{'ratio':>8}{'bar':>6}" if stock else "")]
    for name, figure in ours.items():
        bar = TARGETS_MS.get(name) if cards == 10_000 else None
        row = f"{name:<24}{figure.median_ms:8.1f}{figure.best_ms:8.1f}{bar or '':>6}"
        is_missed = bar is not None and figure.median_ms > bar
        if name in stock:
            ratio = stock[name].median_ms / figure.median_ms
            wanted = TARGET_RATIOS.get(name) if cards == 50_000 else None
            row += f"{stock[name].median_ms:10.1f}{ratio:8.0f}{wanted or '':>6}"
            is_missed = is_missed or (wanted is not None and ratio < wanted)
        rows.append(f"{row}{'  missed' if is_missed else ''}")
    first = {"ours": ours, "stock": stock}
    colds = [f"{label} {figures[LISTING].first_ms:.0f}" for label, figures in first.items() if figures]
    return "\n".join([*rows, f"the very first {LISTING}: {', '.join(colds)}"])


def main() -> None:
    """Print a table for each number of cards."""
    arguments = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("cards", type=int, nargs="*", default=[10_000])
    arguments.add_argument("--ours-only", action="store_true", help="without the other server, which takes its time")
    asked = arguments.parse_args()
    for number in asked.cards:
        cards = [card(place) for place in range(number)]
        with tempfile.TemporaryDirectory(prefix="centrala-bench-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            folder.chmod(0o755)
            with our_server(folder, cards) as server:
                ours = measured(server, cards)
            stock: dict[str, Figure] = {}
            if not asked.ours_only:
                with stock_server(folder, cards) as server:
                    stock = measured(server, cards)
            load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
            print(
                f"\n{number:,} cards, {load}; medians in ms\n{table(number, ours, stock)}", flush=True
            )  # it is what a benchmark is for


if __name__ == "__main__":
    main()

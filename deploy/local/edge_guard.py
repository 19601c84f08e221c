"""Runs Kamailio: ends all of it with its first process, and turns what it says into log lines without anybody's data.

``python -m deploy.local.edge_guard CONFIGURATION COMMAND…`` ends when Kamailio does, and Kamailio when it does. Killed
hard, Kamailio's first process leaves its children behind, which hold its ports: they are ended here, at once or at the
next start.
"""

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Final

GRACE_S: Final = 2.0
QUIET_S: Final = 60.0
LOOK_S: Final = 0.2
OURS: Final = re.compile(r"ALERT: <script>: (?P<event>sip_[a-z_]+) source=(?P<source>[0-9a-fA-F.:]+)$")
THEIRS: Final = re.compile(
    r"(?P<level>[A-Z]+): (?P<module>\S+) \[(?P<file>[\w./-]+):(?P<line>\d+)\]: (?P<function>\w+)\(\): (?P<text>.*)$"
)
QUOTES_NOBODY: Final = frozenset(
    {"core/cfg.y", "core/sr_module.c", "core/tcp_main.c", "core/udp_server.c", "tls_domain.c", "km_pg_con.c"}
)
"""Source files whose messages speak of files, ports and connections alone; all others may quote what a phone sent."""


@dataclass
class Digest:
    """Turns Kamailio's lines into ours: each place in its source speaks once a minute."""

    spoke_at: dict[str, float] = field(default_factory=dict)

    def lines(self, said: Iterable[str]) -> Iterator[str]:
        """The log lines, as JSON."""
        for line in said:
            if entry := self._entry(line.rstrip()):
                yield json.dumps({**entry, "timestamp": datetime.now(UTC).isoformat()})

    def _entry(self, line: str) -> dict[str, str] | None:
        if found := OURS.search(line):
            return {"event": found["event"], "source": found["source"], "level": "warning"}
        if not (found := THEIRS.search(line)):
            return None
        place = f"{found['module']} {found['file']}:{found['line']} {found['function']}"
        now = time.monotonic()
        if now - self.spoke_at.get(place, -QUIET_S) < QUIET_S:
            return None
        self.spoke_at[place] = now
        entry = {"event": "kamailio", "place": place, "level": found["level"].lower()}
        return {**entry, "text": found["text"]} if found["file"] in QUOTES_NOBODY else entry


def main(configuration: str, command: list[str]) -> int:
    """Run Kamailio until it ends; its exit code."""
    end(leftovers(configuration))
    reader, writer = os.pipe()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=writer)  # noqa: S603  # our own configuration
    os.close(writer)

    def hand_on(number: int, _frame: FrameType | None) -> None:
        process.send_signal(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, hand_on)
    hand_lines_on(process, reader)
    end(leftovers(configuration))
    return process.wait()


def hand_lines_on(process: "subprocess.Popen[bytes]", reader: int) -> None:
    """Write down what it says until its first process has ended; its children may hold the pipe open longer."""
    digest, rest = Digest(), b""
    while process.poll() is None:
        ready, _none, _nothing = select.select([reader], [], [], LOOK_S)
        if not ready:
            continue
        *whole, rest = (rest + os.read(reader, 1 << 16)).split(b"\n")
        for line in digest.lines(text.decode(errors="replace") for text in whole):
            sys.stdout.write(line + "\n")
        sys.stdout.flush()


def leftovers(configuration: str) -> list[int]:
    """Kamailio's processes with this configuration, whoever started them."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if words[0].endswith(b"/kamailio") and configuration.encode() in words:
                    found.append(int(entry.name))
    return found


def end(pids: list[int]) -> None:
    """Ask them to end, then make them."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + GRACE_S
        while any(_lives(pid) for pid in pids) and time.monotonic() < deadline:
            time.sleep(0.02)


def _lives(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))

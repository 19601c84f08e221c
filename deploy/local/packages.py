"""Debian packages: which are missing, and installing them where that is allowed, without their daemons."""

import os
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

SCRIPT: Final = Path(__file__).with_name("install.sh")

installing: Final[set[int]] = set()
"""Processes that install packages: ending them half-way would leave the system's package database broken."""


class PackagesMissing(RuntimeError):
    """Packages are missing and may not or cannot be installed; the message names them."""


def missing(packages: Iterable[str]) -> list[str]:
    """Those of ``packages`` that are not installed; all of them where there is no dpkg."""
    wanted = list(packages)
    if shutil.which("dpkg-query") is None:
        return wanted
    command = ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *wanted]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603  # our own names
    installed = {line.split()[0] for line in listed.splitlines() if line.endswith(" installed")}
    return [name for name in wanted if name not in installed]


def install(packages: Sequence[str], *, log: Path) -> None:
    """Install those that are missing. A process of its own session does it, which outlives us rather than break off.

    Raises:
        PackagesMissing: they are missing still; the message says which and how to install them.
    """
    wanted = missing(packages)
    if not wanted:
        return
    by_hand = f"apt-get install {' '.join(wanted)}"
    if (as_root := _as_root()) is None:
        raise PackagesMissing(f"Debian packages are missing: {by_hand}")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603  # our own script
            [*as_root, "sh", str(SCRIPT), *wanted],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    installing.add(process.pid)
    try:
        process.wait()
    finally:
        installing.discard(process.pid)
    if left := missing(wanted):
        raise PackagesMissing(f"Debian packages could not be installed: apt-get install {' '.join(left)} ({log})")


def _as_root() -> list[str] | None:
    """What to write before a command so that it runs as root; None if we may not."""
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") is None:
        return None
    allowed = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)  # noqa: S607  # found on PATH
    return ["sudo", "-n"] if allowed.returncode == 0 else None

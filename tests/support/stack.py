"""The whole product as ``./centrala up`` runs it, in a folder and on ports of the test's own."""

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.places import ROOT
from tests.support.ports import free_port
from tests.support.waiting import wait_until

READY = "Centrala runs. Ctrl-C stops it."
OUTPUT = "up.log"
SET_UP_S = 180.0
STOP_S = 15.0
PORTS = ("DAV", "SIP", "SIPS", "SIP_WS", "SIP_EDGE", "GATEWAY")
DEMO_PASSWORD = "Centrala-2026!"


@dataclass(frozen=True)
class Stack:
    """A running installation with the demo companies."""

    process: "subprocess.Popen[bytes]"
    environment: Mapping[str, str]
    folder: Path
    web_port: int
    smtp_port: int

    @property
    def output(self) -> str:
        """What ``up`` has printed so far."""
        return (self.folder / OUTPUT).read_text()

    def url(self, tenant: str = "demo") -> str:
        """The address of a company's web app."""
        return f"http://{tenant}.localhost:{self.web_port}"

    def health(self) -> tuple[int, dict[str, str]]:
        """Status and parts of ``/health``; status 0 while nothing answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.web_port, timeout=10)
        try:
            connection.request("GET", "/health", headers={"Accept": "application/json"})
            answer = connection.getresponse()
            parts: dict[str, str] = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            return 0, {}
        finally:
            connection.close()
        return answer.status, parts

    def pid_of(self, program: str) -> int:
        """The process that the supervisor runs under this name; 0 while it runs none."""
        shown = self.command("status").stdout.decode()
        rows = (line.split() for line in shown.splitlines() if line.startswith(f"{program} "))
        return next((int(row[2]) for row in rows if row[1] == "RUNNING"), 0)

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        """Run another command of this installation, such as ``status``."""
        return command(*arguments, **self.environment)


def command(*arguments: str, **settings: str) -> "subprocess.CompletedProcess[bytes]":
    """Run a command of ``./centrala`` where the environment sets nothing but ``settings``."""
    return subprocess.run(  # noqa: S603  # our own commands
        [sys.executable, "-m", "deploy.local", *arguments],
        cwd=ROOT,
        env={**_foreign_environment(), **settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=60,
    )


@contextmanager
def running_stack(**settings: str) -> Iterator[Stack]:
    """Run everything until the block ends. ``settings`` are further variables of the environment."""
    with tempfile.TemporaryDirectory(prefix="centrala-stack-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        stack = start_stack(folder, **settings)
        try:
            yield stack
        finally:
            stop_stack(stack)


def start_stack(folder: Path, **settings: str) -> Stack:
    """Start an installation whose data lie in ``folder``; returns when it says that it runs."""
    stack = begin_stack(folder, **settings)
    wait_until(lambda: READY in stack.output or stack.process.poll() is not None, deadline_s=SET_UP_S)
    assert stack.process.poll() is None, stack.output
    return stack


def begin_stack(folder: Path, **settings: str) -> Stack:
    """Begin to start it, without waiting."""
    web_port, smtp_port = free_port(), free_port()
    environment = {
        **_foreign_environment(),
        "CENTRALA_VAR": str(folder / "var"),
        "CENTRALA_WEB_PORT": str(web_port),
        "CENTRALA_SMTP_PORT": str(smtp_port),
        **{f"CENTRALA_{name}_PORT": str(free_port()) for name in PORTS},
        **settings,
    }
    with (folder / OUTPUT).open("wb") as output:
        process = subprocess.Popen(  # our own command
            [sys.executable, "-m", "deploy.local", "up"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    return Stack(process, environment, folder, web_port, smtp_port)


def stop_stack(stack: Stack, number: int = signal.SIGINT) -> int:
    """Stop it as Ctrl-C does; answers the exit code."""
    if stack.process.poll() is None:
        stack.process.send_signal(number)
    return stack.process.wait(STOP_S)


def processes_of(stack: Stack) -> list[int]:
    """Every process that belongs to the installation, by what stands on its command line or in its environment."""
    entries = (entry for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [int(entry.name) for entry in entries if _belongs(entry, str(stack.folder))]


def _belongs(entry: Path, folder: str) -> bool:
    try:
        words = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
    except OSError:
        return False
    return folder.encode() in words


def _foreign_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not _is_ours(name)}


def _is_ours(name: str) -> bool:
    return (name.startswith("CENTRALA_") and name != "CENTRALA_VENV") or name in {"DATABASE_URL", "REDIS_URL"}

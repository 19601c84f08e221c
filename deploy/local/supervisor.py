"""The processes of one machine under supervisord: its configuration, its start and end, its states."""

import contextlib
import ctypes
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from xmlrpc.client import Fault, ServerProxy

from supervisor.xmlrpc import SupervisorTransport

from deploy.local.accounts import server_account
from deploy.local.packages import installing
from deploy.local.places import ROOT, VAR, Installation, process_environment
from deploy.local.postgres import server_environment
from deploy.telephony.cache import python_path

STOP_S: Final = 8.5
GROUPS: Final = ("servers", "ours")
ANSWER_S: Final = 15.0
PR_SET_CHILD_SUBREAPER: Final = 36
LOG: Final = VAR / "log" / "centrala.log"
SOCKET_FOLDER: Final = VAR / "run" / "socket-folder"
LOG_KEPT_BYTES: Final = 50 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One process to run. ``group`` is ``servers``, which start first and end last, or ``ours``.

    One that ``waits`` is not started with its group, but when what it needs has been set up.
    """

    name: str
    command: Sequence[str]
    group: str
    stop_signal: str = "TERM"
    account: str | None = None
    waits: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """How a process is: ``RUNNING``, ``STARTING``, ``STOPPED``, ``BACKOFF``, ``FATAL``, …"""

    name: str
    state: str
    pid: int
    running_s: int


def programs(found: Installation) -> list[Program]:
    """Everything that this installation runs."""
    return [*_servers(found), *_ours(found), *_telephony(found)]


def gateway_names(found: Installation) -> list[str]:
    """The names of the workers that carry calls."""
    return [f"gateway-{number}" for number in range(found.settings.gateway_workers)]


def _servers(found: Installation) -> Iterator[Program]:
    if found.postgres:
        account = server_account()
        clean = ["env", "-i", *(f"{name}={value}" for name, value in server_environment().items())]
        yield Program(
            name="postgres",
            command=[*clean, *found.postgres.command()],
            group="servers",
            stop_signal="INT",
            account=account.name if account else None,
        )
    if found.valkey:
        yield Program(name="valkey", command=found.valkey.command(), group="servers")


def _ours(found: Installation) -> Iterator[Program]:
    in_memory = ["--worker-tmp-dir", "/dev/shm"] if os.access("/dev/shm", os.W_OK) else []  # noqa: S108  # heartbeat files
    gunicorn = [
        sys.executable, "-m", "gunicorn", "tenant_app.wsgi:app", "--preload", "--worker-class", "gthread",
        "--workers", "2", "--threads", "600", "--bind", f"127.0.0.1:{found.settings.web_port}",
        "--timeout", "60", "--graceful-timeout", "3", "--no-control-socket", "--log-level", "warning", *in_memory,
    ]  # fmt: skip
    yield Program(name="web", command=gunicorn, group="ours")
    yield Program(name="carddav", command=[sys.executable, "-m", "carddav"], group="ours")
    yield Program(name="relay", command=[sys.executable, "-m", "core.worker", "relay"], group="ours")
    yield Program(name="worker", command=[sys.executable, "-m", "core.worker", "1"], group="ours")
    yield Program(name="smtp", command=[sys.executable, "-m", "core.mail.smtp"], group="ours")


def _telephony(found: Installation) -> Iterator[Program]:
    if found.kamailio is None:
        return
    yield Program(name="kamailio", command=found.kamailio.command(), group="ours", waits=True)
    for number, name in enumerate(gateway_names(found)):
        worker = [sys.executable, "-m", "telephony_gateway", str(number)]
        yield Program(name=name, command=["env", f"PYTHONPATH={python_path()}", *worker], group="ours", waits=True)


class Supervisor:
    """A running supervisord of this checkout, ours or another command's."""

    @property
    def _rpc(self) -> Any:
        """A fresh connection for each call: one that broke off, as during the start, stays unusable."""
        socket = _socket()
        if socket is None:
            raise FileNotFoundError(SOCKET_FOLDER)
        return ServerProxy("http://127.0.0.1", SupervisorTransport("", "", f"unix://{socket}"))

    def is_running(self) -> bool:
        """Whether it answers."""
        try:
            self._rpc.supervisor.getState()
        except (OSError, Fault):
            return False
        return True

    def states(self) -> list[State]:
        """The state of every process."""
        return [
            State(
                name=entry["name"],
                state=entry["statename"],
                pid=entry["pid"],
                running_s=max(0, entry["now"] - entry["start"]) if entry["pid"] else 0,
            )
            for entry in self._rpc.supervisor.getAllProcessInfo()
        ]

    def start_ours(self, found: Installation) -> None:
        """Start all processes of ours that wait for nothing, without waiting for them."""
        self.start([program.name for program in programs(found) if program.group == "ours" and not program.waits])

    def start(self, names: Sequence[str]) -> None:
        """Start these processes of ours, unless they run already, without waiting for them."""
        for name in names:
            with contextlib.suppress(Fault):  # it runs already
                self._rpc.supervisor.startProcess(f"ours:{name}", False)  # the protocol's own argument


@contextlib.contextmanager
def running(found: Installation) -> Iterator["subprocess.Popen[bytes]"]:
    """Run supervisord with the servers started, until the block ends; afterwards no process of it is left."""
    _adopt_orphans()
    _turn_log()
    path = _write_configuration(found)
    process = subprocess.Popen(  # noqa: S603  # our own configuration
        [*leash("TERM"), sys.executable, "-m", "supervisor.supervisord", "--nodaemon", "--configuration", str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=process_environment(found),
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        _end(process)
        _remove_socket()


def wait_for_answer(process: "subprocess.Popen[bytes]") -> Supervisor:
    """The supervisor as soon as it answers; raises ``RuntimeError`` if it ended or takes too long."""
    supervisor = Supervisor()
    deadline = time.monotonic() + ANSWER_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if supervisor.is_running():
            return supervisor
        time.sleep(0.05)
    raise RuntimeError(f"the supervisor did not start; {VAR / 'log' / 'supervisord.log'} says why")


def _socket() -> Path | None:
    """The control socket, if a folder was made for it."""
    try:
        folder = Path(SOCKET_FOLDER.read_text())
    except FileNotFoundError:
        return None
    return folder / "supervisor.sock" if folder.is_dir() else None


def _make_socket() -> Path:
    """A control socket in a private folder, under a name short enough for the kernel (108 bytes)."""
    SOCKET_FOLDER.parent.mkdir(parents=True, exist_ok=True)
    SOCKET_FOLDER.write_text(tempfile.mkdtemp(prefix="centrala-"))
    return Path(SOCKET_FOLDER.read_text()) / "supervisor.sock"


def _remove_socket() -> None:
    if socket := _socket():
        shutil.rmtree(socket.parent, ignore_errors=True)
    SOCKET_FOLDER.unlink(missing_ok=True)


def _write_configuration(found: Installation) -> Path:
    LOG.parent.mkdir(parents=True, exist_ok=True)
    path = VAR / "run" / "supervisord.conf"
    every = programs(found)
    sections = [_head(), *_groups(every), *(_section(program) for program in every)]
    path.write_text("\n\n".join(sections) + "\n")
    return path


def _head() -> str:
    user = "user=root\n" if os.geteuid() == 0 else ""
    return (
        f"[unix_http_server]\nfile={_socket() or _make_socket()}\nchmod=0700\n\n"
        f"[supervisord]\n{user}logfile={VAR}/log/supervisord.log\nlogfile_maxbytes=5MB\nlogfile_backups=2\n"
        f"loglevel=warn\npidfile={VAR}/run/supervisord.pid\nchildlogdir={VAR}/log\n\n"
        "[rpcinterface:supervisor]\n"
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface"
    )


def _groups(every: Sequence[Program]) -> Iterator[str]:
    """The groups, each of which starts and ends at once: ours before the servers that they need."""
    for priority, group in enumerate(GROUPS):
        if names := [program.name for program in every if program.group == group]:
            yield f"[group:{group}]\nprograms={','.join(names)}\npriority={priority}"


def _section(program: Program) -> str:
    lines = [
        f"[program:{program.name}]",
        f"command={shlex.join([*leash(program.stop_signal), *program.command]).replace('%', '%%')}",
        f"directory={ROOT if program.account is None else '/'}",
        f"autostart={'true' if program.group == 'servers' else 'false'}",
        "autorestart=true",
        "startsecs=1",
        "startretries=1000",
        f"stopsignal={program.stop_signal}",
        "stopwaitsecs=4",
        "killasgroup=true",
        "redirect_stderr=true",
        f"stdout_logfile={LOG}",
        "stdout_logfile_maxbytes=0",
    ]
    if program.account:
        lines.append(f"user={program.account}")
    return "\n".join(lines)


def leash(stop_signal: str) -> list[str]:
    """What to write before a command so that it ends when whoever started it is killed, and nothing is left behind."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", stop_signal, "--"] if setpriv else []


def _turn_log() -> None:
    if LOG.exists() and LOG.stat().st_size > LOG_KEPT_BYTES:
        LOG.replace(LOG.with_suffix(".log.1"))


def _adopt_orphans() -> None:
    """Become the parent of whatever supervisord leaves behind if it is killed, so that we can end it."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _end(process: "subprocess.Popen[bytes]") -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave anything behind
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
    for number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + 1.0
        while (left := _descendants(os.getpid(), spared=installing)) and time.monotonic() < deadline:
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            _reap()
            time.sleep(0.05)


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _descendants(ancestor: int, *, spared: Collection[int]) -> list[int]:
    """The processes below ``ancestor``, without those below ``spared``: a package that is being installed must be."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if fields[0] != "Z":
                children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [ancestor]
    while waiting:
        below = [pid for pid in children.get(waiting.pop(), []) if pid not in spared]
        found += below
        waiting += below
    return found

"""Telephony is set up beside everything else: packages, the edge, pjsua2; each part starts as soon as it can.

``set_up_beside`` does so from a thread of ``up`` and keeps telling how far it is: in ``var/run/telephony.json`` for
``status``, in Valkey for ``/health``. Nothing of it stops the rest of the product.
"""

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import redis

from core.foundation.heartbeat import BEAT_S, Condition, living_processes, say_condition
from deploy.local.edge_guard import end, leftovers
from deploy.local.kamailio import PACKAGES, Kamailio, is_installed
from deploy.local.packages import PackagesMissing, install, missing
from deploy.local.places import ROOT, VAR, Installation
from deploy.local.supervisor import Supervisor, gateway_names, leash
from deploy.telephony.__main__ import BUILT, WHEEL
from deploy.telephony.cache import WHEEL_LEGS, Kind, finished
from deploy.telephony.recipe import packages as build_packages

STATE: Final = VAR / "run" / "telephony.json"
BUILD_LOG: Final = VAR / "log" / "pjsua2.log"
PACKAGES_LOG: Final = VAR / "log" / "packages.log"
FIRST_ANSWER_S: Final = 20.0
PARTS: Final = ("edge", "gateway")


@dataclass(frozen=True, slots=True)
class Part:
    """How far a part is: its condition, since when (Unix time), and a sentence for people."""

    condition: Condition = Condition.OFF
    since: float = field(default_factory=time.time)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Telephony:
    """How far telephony is."""

    edge: Part = field(default_factory=Part)
    gateway: Part = field(default_factory=Part)


def telephony_of_this_checkout() -> Telephony:
    """What the running ``up`` last wrote down."""
    try:
        read = json.loads(STATE.read_text())
        return Telephony(**{name: _part(read[name]) for name in PARTS})
    except (FileNotFoundError, ValueError, KeyError):  # none yet, or written by another version
        return Telephony()


def _part(read: dict[str, Any]) -> Part:
    return Part(Condition(read["condition"]), float(read["since"]), str(read["note"]))


@contextmanager
def set_up_beside(found: Installation, supervisor: Supervisor) -> Iterator[None]:
    """Set telephony up from a thread until the block ends."""
    work = _SetUp(found, supervisor)
    thread = threading.Thread(target=work.run, daemon=True, name="telephony")
    teller = threading.Thread(target=work.tell, daemon=True, name="telephony-conditions")
    thread.start()
    teller.start()
    try:
        yield
    finally:
        work.break_off()


class _SetUp:
    """The work, and how far it is."""

    def __init__(self, found: Installation, supervisor: Supervisor) -> None:
        self.found = found
        self.supervisor = supervisor
        self.valkey = redis.Redis.from_url(found.settings.redis_url, socket_timeout=2)
        self.ended = threading.Event()
        self.state = Telephony()
        self.build: subprocess.Popen[bytes] | None = None
        self._say("edge", Condition.OFF, "not looked at yet")

    def run(self) -> None:
        """One part after the other; what fails is noted and the next is begun."""
        if self.found.kamailio is None:
            for part in PARTS:
                self._say(part, Condition.OFF, "off: CENTRALA_KAMAILIO_DATABASE_URL is not set")
            return
        end(leftovers(self.found.kamailio.configuration))
        if taken := taken_port(self.found):
            for part in PARTS:
                self._say(part, Condition.OFF, f"off: {taken}")
            return
        self._set_up_edge(self.found.kamailio)
        self._set_up_gateway()

    def tell(self) -> None:
        """Keep telling ``/health`` how far it is: what is said there fades."""
        while not self.ended.is_set():
            with suppress(redis.RedisError):
                say_condition(self.valkey, "edge", self.state.edge.condition)
                say_condition(self.valkey, "gateway", self.state.gateway.condition)
            self.ended.wait(BEAT_S)

    def break_off(self) -> None:
        """End the build; packages that are being installed are left to end by themselves."""
        self.ended.set()
        if self.build and self.build.poll() is None:
            self.build.send_signal(signal.SIGTERM)

    def _set_up_edge(self, kamailio: Kamailio) -> None:
        if not is_installed():
            self._say("edge", Condition.BUILDING, "installing Kamailio")
            try:
                install(PACKAGES, log=PACKAGES_LOG)
            except PackagesMissing as problem:
                self._say("edge", Condition.OFF, f"off: {problem}")
                return
        kamailio.prepare()
        if not self.ended.is_set():
            self.supervisor.start(["kamailio"])
            self._wait_until(lambda: kamailio.answers)
            self._say("edge", Condition.ON, "")

    def _set_up_gateway(self) -> None:
        if engine := finished(Kind.BUILT):
            return self._start_gateway(f"pjsua2 was built in {engine.made_in_s:.0f} s")
        self._say("gateway", Condition.BUILDING, "building pjsua2")
        note = ""
        if missing(build_packages()):
            try:
                install(build_packages(), log=PACKAGES_LOG)
            except PackagesMissing as problem:
                note = str(problem)
        code = self._build()
        if self.ended.is_set():
            return None
        if code == BUILT and (engine := finished(Kind.BUILT)):
            return self._start_gateway(f"pjsua2 was built in {engine.made_in_s:.0f} s")
        note = note or f"{BUILD_LOG} says why it was not built"
        if code == WHEEL:
            return self._start_gateway(f"pjsua2 from a wheel, {WHEEL_LEGS} legs a process: {note}")
        self._say("gateway", Condition.OFF, f"off: pjsua2 is missing. {note}")
        return None

    def _build(self) -> int:
        BUILD_LOG.parent.mkdir(parents=True, exist_ok=True)
        with BUILD_LOG.open("wb") as log:
            self.build = subprocess.Popen(  # noqa: S603  # our own module
                [*leash("TERM"), sys.executable, "-m", "deploy.telephony"],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self.build.wait()

    def _start_gateway(self, note: str) -> None:
        names = gateway_names(self.found)
        self.supervisor.start(names)
        self._wait_until(lambda: frozenset(names) <= living_processes(self.valkey))
        self._say("gateway", Condition.ON, note)

    def _wait_until(self, answers: Callable[[], bool]) -> None:
        """Give it time to answer for the first time, so that nobody hears of a part as down which only begins."""
        deadline = time.monotonic() + FIRST_ANSWER_S
        while time.monotonic() < deadline and not self.ended.is_set():
            with suppress(redis.RedisError):
                if answers():
                    return
            self.ended.wait(0.2)

    def _say(self, part: str, condition: Condition, note: str) -> None:
        self.state = replace(self.state, **{part: Part(condition, time.time(), note)})
        unfinished = STATE.with_suffix(".unfinished")
        unfinished.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(json.dumps(asdict(self.state)))
        unfinished.rename(STATE)


def taken_port(found: Installation) -> str | None:
    """Which of telephony's ports somebody else has, as a sentence that names the variable."""
    settings = found.settings
    ports = [
        ("CENTRALA_SIP_PORT", settings.sip_host, settings.sip_port, (socket.SOCK_DGRAM, socket.SOCK_STREAM)),
        ("CENTRALA_SIPS_PORT", settings.sip_host, settings.sips_port, (socket.SOCK_STREAM,)),
        ("CENTRALA_SIP_WS_PORT", settings.sip_host, settings.sip_ws_port, (socket.SOCK_STREAM,)),
        ("CENTRALA_SIP_EDGE_PORT", "127.0.0.1", settings.sip_edge_port, (socket.SOCK_STREAM,)),
        *(
            ("CENTRALA_GATEWAY_PORT", "127.0.0.1", settings.gateway_port + number, (socket.SOCK_STREAM,))
            for number in range(settings.gateway_workers)
        ),
    ]
    for variable, host, port, kinds in ports:
        for kind in kinds:
            if problem := _why_not(host, port, kind):
                return f"port {port} cannot be had ({problem}); set {variable} to a free one"
    return None


def _why_not(host: str, port: int, kind: socket.SocketKind) -> str | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror
    return None

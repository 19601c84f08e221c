"""Setting telephony up beside the rest: what is missing is named, the rest goes on; and the guard of the edge."""

import json
import socket
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from core.foundation.heartbeat import Condition
from core.foundation.settings import load_settings
from deploy.local import telephony
from deploy.local.edge_guard import Digest, end, leftovers
from deploy.local.kamailio import Kamailio
from deploy.local.packages import PackagesMissing
from deploy.local.places import Installation
from deploy.local.postgres import Postgres
from deploy.local.telephony import Telephony, set_up_beside, taken_port, telephony_of_this_checkout
from deploy.telephony.__main__ import WHEEL
from deploy.telephony.cache import Engine
from tests.support.database import environment_for
from tests.support.edge import PORTS
from tests.support.ports import free_port
from tests.support.waiting import wait_until

REFUSED = "ALERT: <script>: sip_auth_failed source=203.0.113.7"
QUOTING = " 3(811) ERROR: <core> [core/parser/msg_parser.c:337]: parse_headers(): bad header <To: Anna <sip:101@x>>"
TAKEN = " 0(81) ERROR: <core> [core/tcp_main.c:3158]: tcp_init(): bind(6) on 127.0.0.1:5060 : Address already in use"


class Started:
    """Instead of the supervisor: notes what is started."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def start(self, names: Sequence[str]) -> None:
        """Note it."""
        self.names += names


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """One with Kamailio and an engine, of which nothing runs."""
    monkeypatch.setattr(telephony, "STATE", tmp_path / "run" / "telephony.json")
    monkeypatch.setattr(telephony, "BUILD_LOG", tmp_path / "pjsua2.log")
    monkeypatch.setattr(telephony, "FIRST_ANSWER_S", 0.1)
    monkeypatch.setattr(telephony, "is_installed", lambda: True)
    monkeypatch.setattr(telephony, "missing", lambda _packages: [])
    monkeypatch.setattr(telephony, "finished", lambda kind: Engine(kind, tmp_path, 161.0))
    environment = environment_for(Postgres(tmp_path, 1), "none", tmp_path)
    environment |= {f"CENTRALA_{name}": str(free_port()) for name in PORTS}
    settings = load_settings({**environment, "CENTRALA_KAMAILIO_DATABASE_URL": "postgresql://edge:pw@127.0.0.1:1/x"})
    return Installation(None, None, Kamailio(tmp_path / "kamailio", settings), settings, {})


def set_up(installation: Installation) -> tuple[list[str], Telephony]:
    """Let it be set up; what was started, and how far it is."""
    started = Started()
    with set_up_beside(installation, started):  # type: ignore[arg-type]  # all of the supervisor that is asked
        wait_until(lambda: telephony_of_this_checkout().gateway.note)
    return started.names, telephony_of_this_checkout()


def test_what_is_there_is_started(installation: Installation) -> None:
    names, state = set_up(installation)
    assert names == ["kamailio", "gateway-0"]
    assert (state.edge.condition, state.gateway.condition) == (Condition.ON, Condition.ON)
    assert state.gateway.note == "pjsua2 was built in 161 s"


def test_without_kamailio_calls_are_set_up_all_the_same(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telephony, "is_installed", lambda: False)
    monkeypatch.setattr(telephony, "install", refuse)
    names, state = set_up(installation)
    assert names == ["gateway-0"]
    assert state.edge.condition is Condition.OFF
    assert "apt-get install kamailio" in state.edge.note


def refuse(_packages: Sequence[str], *, log: Path) -> None:
    """We may not install."""
    raise PackagesMissing("Debian packages are missing: apt-get install kamailio")


@pytest.mark.parametrize(
    ("code", "condition", "said"),
    [(WHEEL, Condition.ON, "4 legs a process"), (1, Condition.OFF, "pjsua2 is missing")],
)
def test_an_engine_that_cannot_be_built_is_told(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, code: int, condition: Condition, said: str
) -> None:
    monkeypatch.setattr(telephony, "finished", lambda _kind: None)
    monkeypatch.setattr(telephony, "leash", lambda _signal: ["sh", "-c", f"exit {code}", "--"])
    names, state = set_up_to_the_end(installation, condition)
    assert ("gateway-0" in names) is (condition is Condition.ON)
    assert said in state.gateway.note
    assert "pjsua2.log" in state.gateway.note


def set_up_to_the_end(installation: Installation, condition: Condition) -> tuple[list[str], Telephony]:
    """Let it be set up until calls are as expected."""
    started = Started()
    with set_up_beside(installation, started):  # type: ignore[arg-type]  # all of the supervisor that is asked
        wait_until(lambda: telephony_of_this_checkout().gateway.condition is condition and condition_is_final())
    return started.names, telephony_of_this_checkout()


def condition_is_final() -> bool:
    """Whether calls were looked at and are not being set up."""
    gateway = telephony_of_this_checkout().gateway
    return bool(gateway.note) and gateway.condition is not Condition.BUILDING


def test_a_build_that_is_going_on_ends_with_the_product(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telephony, "finished", lambda _kind: None)
    monkeypatch.setattr(telephony, "leash", lambda _signal: ["sh", "-c", "exec sleep 60", "--"])
    started = Started()
    with set_up_beside(installation, started):  # type: ignore[arg-type]  # all of the supervisor that is asked
        wait_until(lambda: telephony_of_this_checkout().gateway.condition is Condition.BUILDING)
    assert started.names == ["kamailio"]


def test_telephony_that_is_not_wanted_is_off(installation: Installation) -> None:
    names, state = set_up(replace(installation, kamailio=None))
    assert names == []
    assert "CENTRALA_KAMAILIO_DATABASE_URL" in state.edge.note


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_port_that_somebody_has_is_named_and_the_rest_goes_on(
    installation: Installation, kind: socket.SocketKind
) -> None:
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", installation.settings.sip_port))
        if kind is socket.SOCK_STREAM:
            other.listen()
        assert "CENTRALA_SIP_PORT" in str(taken_port(installation))
        names, state = set_up(installation)
    assert names == []
    assert str(installation.settings.sip_port) in state.edge.note


def test_a_state_that_nobody_wrote_is_off(installation: Installation) -> None:
    assert telephony_of_this_checkout().edge.condition is Condition.OFF
    telephony.STATE.parent.mkdir()
    telephony.STATE.write_text('{"edge": {"condi')
    assert telephony_of_this_checkout().edge.condition is Condition.OFF


# The guard


def test_the_guard_keeps_what_phones_sent_out_of_the_log() -> None:
    entries = [json.loads(line) for line in Digest().lines([REFUSED, QUOTING, TAKEN, "Listening on"])]
    assert [entry.get("source") for entry in entries] == ["203.0.113.7", None, None]
    assert [entry.get("text", "") for entry in entries][1] == ""
    assert "Address already in use" in entries[2]["text"]


def test_one_place_in_kamailio_speaks_once_a_minute() -> None:
    assert len(list(Digest().lines([QUOTING] * 100 + [REFUSED] * 3))) == 1 + 3


def test_the_guard_ends_what_was_left_behind(tmp_path: Path) -> None:
    program = tmp_path / "kamailio"
    program.symlink_to("/bin/sleep")
    left = subprocess.Popen([program, "60"])  # noqa: S603  # a stand-in, with its duration for a configuration
    wait_until(lambda: left.pid in leftovers("60"))  # a program has started a little before its arguments can be read
    end([left.pid])
    assert left.wait(5) != 0
    assert left.pid not in leftovers("60")

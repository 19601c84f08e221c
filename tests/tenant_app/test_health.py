"""What an operator's monitoring is told, and who is told nothing."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from core.foundation.heartbeat import (
    PREFIX,
    Condition,
    figures_of,
    living_processes,
    say_condition,
    start_heartbeat,
)
from deploy.local.places import ROOT
from deploy.local.postgres import Postgres
from tenant_app.health import checks
from tests.support.cast import Cast
from tests.support.database import environment_for, using
from tests.support.ports import free_port
from tests.support.valkey import RunningValkey, running_valkey
from tests.support.waiting import wait_until

ANSWERING = ("database", "queue", "relay", "worker-1", "carddav", "smtp")
ALIVE = {**dict.fromkeys(ANSWERING, "alive"), "edge": "off", "gateway": "off"}


@pytest.fixture
def healthy(app: Flask, cast: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningValkey]:
    """An installation of which every part answers; the queue is real."""
    monkeypatch.setattr(checks, "_port_answers", lambda *_where: True)
    with running_valkey(tmp_path / "valkey") as valkey, using({"REDIS_URL": valkey.url}):
        for name in ("relay", "worker-1"):
            valkey.client().set(f"{PREFIX}{name}", b"1")
        yield valkey


def test_everything_answers(app: Flask, healthy: RunningValkey) -> None:
    answer = app.test_client().get("/health", base_url="http://any.host.example")
    assert (answer.status_code, answer.json) == (200, ALIVE)


def test_a_worker_that_is_silent_is_down(app: Flask, healthy: RunningValkey) -> None:
    healthy.client().delete(f"{PREFIX}worker-1")
    answer = app.test_client().get("/health")
    assert (answer.status_code, answer.json) == (503, {**ALIVE, "worker-1": "down"})


def test_without_the_queue_nobody_knows_who_lives(app: Flask, healthy: RunningValkey) -> None:
    healthy.kill()
    expected = {**ALIVE, "queue": "down", "relay": "down", "worker-1": "down"}
    assert app.test_client().get("/health").json == expected


def test_without_the_database_the_page_still_stands(
    app: Flask, healthy: RunningValkey, server: tuple[Postgres, Path]
) -> None:
    environment = environment_for(Postgres(server[0].folder, 1), "cast", server[1])
    with using({"DATABASE_URL": environment["DATABASE_URL"]}):
        answer = app.test_client().get("/health", headers={"Accept": "text/html"})
        assert (answer.status_code, answer.mimetype) == (503, "text/html")
        assert "Something is down" in answer.text
        assert app.test_client().get("/health").json == {**ALIVE, "database": "down"}


@pytest.mark.parametrize(
    ("condition", "beats", "expected", "status"),
    [
        (Condition.OFF, False, "off", 200),
        (Condition.BUILDING, False, "building", 200),
        (Condition.ON, True, "alive", 200),
        (Condition.ON, False, "down", 503),
    ],
)
def test_telephony_that_is_not_there_yet_is_no_fault(
    app: Flask, healthy: RunningValkey, condition: Condition, beats: bool, expected: str, status: int
) -> None:
    say_condition(healthy.client(), "gateway", condition)
    if beats:
        healthy.client().set(f"{PREFIX}gateway-0", b"1")
    answer = app.test_client().get("/health")
    assert (answer.status_code, answer.json) == (status, {**ALIVE, "gateway": expected})


def test_a_process_may_tell_figures_of_its_own(healthy: RunningValkey) -> None:
    start_heartbeat("counting", figures=lambda: {"calls": 3})
    wait_until(lambda: figures_of(healthy.client(), "counting") == {"calls": 3})
    assert figures_of(healthy.client(), "relay") == figures_of(healthy.client(), "nobody") == {}


def test_a_queue_that_hangs_is_down_in_time(healthy: RunningValkey) -> None:
    assert healthy.process
    healthy.process.send_signal(19)
    began = time.monotonic()
    found = {part.name: part.is_alive for part in checks.look_around()}
    healthy.process.send_signal(18)
    assert not found["queue"]
    assert time.monotonic() - began < 3 * checks.TIMEOUT_S


def test_a_process_that_beats_is_known_to_live(healthy: RunningValkey) -> None:
    start_heartbeat("somebody")
    wait_until(lambda: "somebody" in living_processes(healthy.client()))
    assert 0 < healthy.client().ttl(f"{PREFIX}somebody") <= 6


def test_it_tells_nothing_about_companies(app: Flask, healthy: RunningValkey) -> None:
    for path in ("/health", "/metrics"):
        text = app.test_client().get(path, base_url="http://demo.localhost").text
        assert "demo" not in text.lower()
        assert "tenant" not in text


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("198.51.100.7", {}),
        ("::ffff:198.51.100.7", {}),
        ("127.0.0.1", {"X-Forwarded-For": "198.51.100.7"}),
        ("127.0.0.1", {"Forwarded": "for=198.51.100.7"}),
    ],
)
def test_figures_are_for_this_machine_only(app: Flask, cast: Cast, address: str, headers: dict[str, str]) -> None:
    answer = app.test_client().get("/metrics", environ_base={"REMOTE_ADDR": address}, headers=headers)
    assert answer.status_code == 404
    assert "centrala_request" not in answer.text


def test_requests_are_measured_by_endpoint_without_their_addresses(app: Flask, cast: Cast) -> None:
    client = app.test_client()
    client.get("/sign-in?next=/contacts/17", base_url="http://demo.localhost")
    figures = client.get("/metrics").text
    assert 'centrala_request_seconds_count{endpoint="SignIn.form",status="200"}' in figures
    assert "contacts/17" not in figures


# Forking


PRELOADED = """
import threading
from core.foundation import db
from tenant_app.live import hub
from tenant_app.wsgi import app
assert threading.active_count() == 1, threading.enumerate()
assert db.engine.cache_info().currsize == 0
assert hub._hubs == []
import os
db.engine(); hub._hubs.append(hub.Hub())
if (pid := os.fork()) == 0:
    os._exit(0 if db.engine.cache_info().currsize == 0 and hub._hubs == [] else 1)
assert os.waitpid(pid, 0)[1] == 0
"""


def environment() -> dict[str, str]:
    """What a process of the product needs from this test's settings."""
    names = ("DATABASE_URL", "REDIS_URL", "PATH", "HOME")
    return {name: value for name, value in os.environ.items() if name in names or name.startswith("CENTRALA_")}


def test_nothing_is_opened_before_the_fork_and_nothing_shared_after_it(cast: Cast) -> None:
    subprocess.run([sys.executable, "-c", PRELOADED], cwd=ROOT, env=environment(), check=True)  # noqa: S603  # our own code


def test_the_figures_of_all_web_processes_are_added_up(cast: Cast, tmp_path: Path) -> None:
    port = free_port()
    command = [
        sys.executable, "-m", "gunicorn", "tenant_app.wsgi:app", "--preload", "--worker-class", "gthread",
        "--workers", "2", "--threads", "4", "--bind", f"127.0.0.1:{port}", "--no-control-socket",
        "--log-level", "warning",
    ]  # fmt: skip
    process = subprocess.Popen(command, cwd=ROOT, env={**environment(), "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)})  # noqa: S603  # the product's own server
    try:
        wait_until(lambda: _status(port, "/sign-in") == 200, deadline_s=30)
        before = _sign_ins_served(port)
        for _ in range(20):
            assert _status(port, "/sign-in") == 200
        assert _sign_ins_served(port) == before + 20
    finally:
        process.terminate()
        process.wait(15)


def _ask(port: int, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Host": "demo.localhost"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        connection.close()


def _status(port: int, path: str) -> int:
    return _ask(port, path)[0]


def _sign_ins_served(port: int) -> float:
    wanted = 'centrala_request_seconds_count{endpoint="SignIn.form",status="200"}'
    lines = _ask(port, "/metrics")[1].splitlines()
    return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(wanted))

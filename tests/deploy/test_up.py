"""Starting, stopping and surviving: ``up`` with everything that can go wrong around it."""

import json
import os
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.demo.companies import DEMO, OTHER
from deploy.local.postgres import Postgres
from tests.support.ports import free_port
from tests.support.stack import Stack, begin_stack, command, processes_of, start_stack, stop_stack
from tests.support.waiting import wait_until

STOP_S = 10.0
OK, FAILED, NOT_RUNNING = 0, 1, 3

pytestmark = pytest.mark.xdist_group("up")


@pytest.fixture(scope="module")
def broken_off() -> Iterator[Stack]:
    """An installation whose first start was ended in the middle of its work."""
    with tempfile.TemporaryDirectory(prefix="centrala-up-", ignore_cleanup_errors=True) as name:
        path = Path(name)
        path.chmod(0o755)
        stack = begin_stack(path)
        wait_until(lambda: "demo companies …" in stack.output, deadline_s=120)
        stop_stack(stack)
        yield stack


@pytest.fixture(scope="module")
def folder(broken_off: Stack) -> Path:
    """Where an installation with its demo companies lies, set up and stopped."""
    assert stop_stack(start_stack(broken_off.folder)) == OK
    return broken_off.folder


@pytest.fixture
def var() -> Iterator[Path]:
    """A place for data that does not exist yet, where the database's account may enter."""
    with tempfile.TemporaryDirectory(prefix="centrala-var-") as name:
        Path(name).chmod(0o755)
        yield Path(name) / "var"


@contextmanager
def started(folder: Path, **settings: str) -> Iterator[Stack]:
    """The installation, started again; afterwards nothing of it runs, however the test went."""
    stack = start_stack(folder, **settings)
    try:
        yield stack
    finally:
        stop_stack(stack)
        for pid in processes_of(stack):
            os.kill(pid, signal.SIGKILL)


def supervisord_of(stack: Stack) -> int:
    """The supervisor's process."""
    return int((stack.folder / "var" / "run" / "supervisord.pid").read_text())


def is_gone(stack: Stack) -> bool:
    """Whether no process of the installation is left."""
    return not processes_of(stack)


def test_a_start_that_is_broken_off_leaves_no_process(broken_off: Stack) -> None:
    assert broken_off.process.wait(0) == OK
    assert processes_of(broken_off) == []


def test_a_start_that_was_broken_off_is_taken_up_again(folder: Path) -> None:
    with (
        started(folder),
        Postgres(folder / "var" / "postgres", remembered_port(folder)).superuser_connection("centrala") as connection,
    ):
        assert connection.execute("select count(*) from ticket").fetchone() == (DEMO.tickets + OTHER.tickets,)


def test_commands_find_the_running_installation_and_disturb_nothing(folder: Path) -> None:
    with started(folder) as stack:
        said = {name: stack.command(*name.split()) for name in ("up", "status", "demo", "reset --yes")}
        assert stack.health()[0] == 200
    assert [done.returncode for done in said.values()] == [FAILED, OK, OK, FAILED]
    assert b"runs already" in said["up"].stdout
    assert b"everything answers" in said["status"].stdout
    assert b"There are companies already" in said["demo"].stdout
    assert b"stop it first" in said["reset --yes"].stderr


def test_nothing_is_left_in_the_temporary_folder(folder: Path) -> None:
    with started(folder) as stack:
        socket_folder = Path((folder / "var" / "run" / "socket-folder").read_text())
        assert socket_folder.is_dir()
        stop_stack(stack)
    assert not socket_folder.exists()


def test_status_says_that_nothing_runs(folder: Path) -> None:
    done = command("status", CENTRALA_VAR=str(folder / "var"))
    assert (done.returncode, b"does not run" in done.stdout) == (NOT_RUNNING, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_in_time_and_leaves_no_process(folder: Path, number: signal.Signals) -> None:
    with started(folder) as stack:
        began = time.monotonic()
        assert stop_stack(stack, number) == OK
        assert time.monotonic() - began < STOP_S
        assert processes_of(stack) == []


def test_a_second_ctrl_c_does_not_leave_anything_behind(folder: Path) -> None:
    with started(folder) as stack:
        stack.process.send_signal(signal.SIGINT)
        assert stop_stack(stack) == OK
        assert processes_of(stack) == []


def test_a_killed_supervisor_ends_everything_and_is_told(folder: Path) -> None:
    with started(folder) as stack:
        os.kill(supervisord_of(stack), signal.SIGKILL)
        assert stack.process.wait(STOP_S) == FAILED
        wait_until(lambda: is_gone(stack))
        assert "supervisord.log" in stack.output


def test_nothing_outlives_a_killed_start_command(folder: Path) -> None:
    with started(folder) as stack:
        stack.process.kill()
        wait_until(lambda: is_gone(stack), deadline_s=STOP_S)


def test_it_starts_again_after_everything_was_killed_at_once(folder: Path) -> None:
    with started(folder) as stack:
        for pid in (stack.process.pid, supervisord_of(stack), *processes_of(stack)):
            kill(pid)
        wait_until(lambda: is_gone(stack))
    with started(folder) as stack:
        assert stack.health()[0] == 200


def kill(pid: int) -> None:
    """End the process now, if it lives."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def test_another_port_is_chosen_where_somebody_took_that_of_the_database(folder: Path) -> None:
    before = remembered_port(folder)
    with socket.create_server(("127.0.0.1", before)), started(folder) as stack:
        assert stack.health()[0] == 200
        assert remembered_port(folder) != before


def remembered_port(folder: Path) -> int:
    """The port that was chosen for PostgreSQL."""
    ports: dict[str, int] = json.loads((folder / "var" / "run" / "ports.json").read_text())
    return ports["POSTGRES"]


@pytest.mark.parametrize("variable", ["CENTRALA_WEB_PORT", "CENTRALA_SMTP_PORT", "CENTRALA_POSTGRES_PORT"])
def test_a_port_in_use_is_named_with_its_variable(var: Path, variable: str) -> None:
    ports = {"CENTRALA_WEB_PORT": str(free_port()), "CENTRALA_SMTP_PORT": str(free_port())}
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = command("up", CENTRALA_VAR=str(var), **{**ports, variable: str(port)})
    assert done.returncode == FAILED
    assert f"Port {port} is in use" in done.stderr.decode()
    assert variable in done.stderr.decode()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"CENTRALA_WEBPORT": "80"}, "CENTRALA_WEBPORT"),
        ({"CENTRALA_WEB_PORT": "http"}, "CENTRALA_WEB_PORT"),
        ({"DATABASE_URL": "postgresql://app@db.example/centrala"}, "CENTRALA_OWNER_DATABASE_URL"),
        ({"CENTRALA_SECRET_KEY": "short"}, "CENTRALA_SECRET_KEY"),
        ({"REDIS_URL": "redis://queue.example", "CENTRALA_VALKEY_PORT": "7000"}, "CENTRALA_VALKEY_PORT"),
    ],
)
def test_settings_that_cannot_be_used_refuse_to_start_in_one_line(
    var: Path, settings: dict[str, str], named: str
) -> None:
    done = command("up", CENTRALA_VAR=str(var), **settings)
    assert done.returncode == FAILED
    assert named in done.stderr.decode()
    assert len(done.stderr.decode().splitlines()) == 1


def test_reset_removes_everything(var: Path) -> None:
    data = var / "blobs" / "a"
    data.mkdir(parents=True)
    assert command("reset", "--yes", CENTRALA_VAR=str(var)).returncode == OK
    assert not var.exists()

"""Each process is killed in turn while mails arrive over SMTP."""

import json
import os
import signal
import smtplib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
import redis

from deploy.local.postgres import Postgres
from tests.support.mails import letter
from tests.support.stack import Stack, running_stack
from tests.support.waiting import wait_until

PROGRAMS = ("postgres", "valkey", "relay", "worker", "smtp", "web")
PART_OF = {"postgres": "database", "valkey": "queue", "worker": "worker-1"}
MAILS_BEFORE = 5
MAILS_IN_ALL = 40
RECOVERY_S = 60.0

pytestmark = pytest.mark.xdist_group("stack")


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """The product under its supervisor."""
    with running_stack() as running:
        yield running


@dataclass
class Sender:
    """A mail server that sends one mail after the other and tries each again until it is taken, as mail servers do."""

    stack: Stack
    name: str
    acknowledged: list[str] = field(default_factory=list)
    enough: threading.Event = field(default_factory=threading.Event)
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Send until every mail is acknowledged."""
        for number in range(MAILS_IN_ALL):
            title = f"{self.name} {number}"
            while not self._is_taken(title) and not self.stopping.is_set():
                self.stopping.wait(0.1)
            self.acknowledged.append(title)
            if number >= MAILS_BEFORE:
                self.enough.set()

    def _is_taken(self, title: str) -> bool:
        mail = letter(subject=title, Message_ID=f"<{title.replace(' ', '.')}@customer.example>")
        try:
            with smtplib.SMTP("127.0.0.1", self.stack.smtp_port, timeout=20) as server:
                server.sendmail("jana@customer.example", ["support@demo.localhost"], mail.as_bytes())
        except (OSError, smtplib.SMTPException):
            return False
        return True


@contextmanager
def sending(stack: Stack, name: str) -> Iterator[Sender]:
    """Mails arrive while the block runs; it ends when all were acknowledged."""
    sender = Sender(stack, name)
    thread = threading.Thread(target=sender.run, daemon=True)
    thread.start()
    try:
        assert sender.enough.wait(30)
        yield sender
        thread.join(RECOVERY_S)
        assert not thread.is_alive()
    finally:
        sender.stopping.set()


def titles(stack: Stack, name: str) -> list[str]:
    """The titles of all tickets that the mails of ``name`` have opened."""
    folder = Path(stack.environment["CENTRALA_VAR"]) / "postgres"
    port = int(_ports(stack)["POSTGRES"])
    with Postgres(folder, port).superuser_connection("centrala") as connection:
        rows = connection.execute("select title from ticket where title like %s", (f"{name} %",)).fetchall()
    return sorted(str(row[0]) for row in rows)


def _ports(stack: Stack) -> dict[str, int]:
    found: dict[str, int] = json.loads((Path(stack.environment["CENTRALA_VAR"]) / "run" / "ports.json").read_text())
    return found


def _titles_or_nothing(stack: Stack, name: str) -> list[str]:
    try:
        return titles(stack, name)
    except psycopg.OperationalError:
        return []


def kill(stack: Stack, program: str) -> None:
    """End the program's process as a crash would."""
    pid = wait_until(lambda: stack.pid_of(program), deadline_s=30)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: stack.pid_of(program) not in {0, pid}, deadline_s=RECOVERY_S)


def is_well(stack: Stack) -> bool:
    """Whether every part answers."""
    return stack.health()[0] == 200


@pytest.mark.parametrize("program", PROGRAMS)
def test_nothing_acknowledged_is_lost_when_a_process_is_killed(stack: Stack, program: str) -> None:
    wait_until(lambda: is_well(stack), deadline_s=RECOVERY_S)
    name = f"Killing {program}"
    with sending(stack, name) as sender:
        kill(stack, program)
    wait_until(lambda: len(_titles_or_nothing(stack, name)) >= MAILS_IN_ALL, deadline_s=RECOVERY_S)
    assert titles(stack, name) == sorted(sender.acknowledged)
    wait_until(lambda: is_well(stack), deadline_s=RECOVERY_S)


def test_an_emptied_queue_is_filled_again(stack: Stack) -> None:
    wait_until(lambda: is_well(stack), deadline_s=RECOVERY_S)
    password = (Path(stack.environment["CENTRALA_VAR"]) / "valkey" / "password").read_text()
    valkey = redis.Redis(host="127.0.0.1", port=_ports(stack)["VALKEY"], password=password)
    with sending(stack, "Emptying") as sender:
        valkey.flushall()
    wait_until(lambda: len(_titles_or_nothing(stack, "Emptying")) >= MAILS_IN_ALL, deadline_s=RECOVERY_S)
    assert titles(stack, "Emptying") == sorted(sender.acknowledged)


@pytest.mark.parametrize("program", ["postgres", "valkey", "relay", "worker", "smtp"])
def test_health_names_the_part_that_is_down(stack: Stack, program: str) -> None:
    """The process is stopped rather than killed, so that it stays down while we look."""
    wait_until(lambda: is_well(stack), deadline_s=RECOVERY_S)
    pid = wait_until(lambda: stack.pid_of(program), deadline_s=30)
    part = PART_OF.get(program, program)
    try:
        os.kill(pid, signal.SIGSTOP)
        wait_until(lambda: stack.health()[1].get(part) == "down", deadline_s=40)
        assert stack.health()[0] == 503
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_until(lambda: is_well(stack), deadline_s=RECOVERY_S)

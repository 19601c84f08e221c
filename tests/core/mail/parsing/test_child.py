"""The child that parses: limits hold, it is replaced, threads and forks share it safely."""

import base64
import os
import random
import resource
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.mail.parsing import child
from core.mail.parsing.child import ParseFailed, headers_in_child, parse_in_child
from tests.support.notes import note

MAIL = b"From: a@x.example\r\nSubject: %d\r\nDate: Mon, 2 Mar 2026 09:30:00 +0100\r\n\r\nbody"


def with_attachment(size_bytes: int) -> bytes:
    content = base64.encodebytes(random.Random(1).randbytes(size_bytes))  # noqa: S311  # anything will do
    return (
        b"From: a@x.example\r\nSubject: Large\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\n\r\nHello\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + content + b"--b--\r\n"
    )


def test_the_childs_answer_is_what_parsing_says() -> None:
    mail = parse_in_child(with_attachment(1_000))
    assert (mail.subject, mail.text, len(mail.attachments[0].content)) == ("Large", "Hello", 1_000)


@pytest.mark.attack(16)
def test_a_mail_that_takes_too_long_fails_and_the_next_is_parsed() -> None:
    with pytest.raises(ParseFailed) as failed:
        parse_in_child(with_attachment(2_000_000), timeout_s=0.005)
    assert failed.value.reason == "too_slow"
    assert parse_in_child(MAIL % 1).subject == "1"


@pytest.mark.attack(16)
def test_a_mail_that_takes_too_much_memory_fails_and_the_next_is_parsed() -> None:
    bomb = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 4_000_000
    started = time.monotonic()
    with pytest.raises(ParseFailed):
        parse_in_child(bomb)
    assert time.monotonic() - started < 6
    assert parse_in_child(MAIL % 2).subject == "2"


@pytest.mark.attack(16)
def test_nesting_beyond_reason_is_survived_and_the_headers_are_read() -> None:
    bomb = b"From: a@x.example\r\nSubject: Deep\r\n" + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (depth, depth) for depth in range(20_000)
    )
    started = time.monotonic()
    with pytest.raises(ParseFailed):
        parse_in_child(bomb)
    assert headers_in_child(bomb).subject == "Deep"
    assert time.monotonic() - started < 7


def test_a_40_mb_mail_is_parsed_in_time_and_memory() -> None:
    raw = with_attachment(29 * 2**20)
    started = time.monotonic()
    mail = parse_in_child(raw)
    note(f"{len(raw) / 2**20:.0f} MB parsed in {time.monotonic() - started:.1f} s")
    assert len(mail.attachments[0].content) == 29 * 2**20


def test_a_killed_child_is_replaced_without_loss() -> None:
    parse_in_child(MAIL % 3)
    os.kill(child._children[0].process.pid, signal.SIGKILL)  # noqa: SLF001  # that is what is tested
    assert parse_in_child(MAIL % 4).subject == "4"


def test_the_memory_limit_is_set_in_the_child() -> None:
    parse_in_child(MAIL % 5)
    limits = resource.prlimit(child._children[0].process.pid, resource.RLIMIT_AS)  # noqa: SLF001  # that is what is tested
    assert limits == (child.MEMORY_BYTES, child.MEMORY_BYTES)


def test_the_child_knows_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CENTRALA_SECRET_KEY", "a secret that a mail must not reach")
    if child._children:  # noqa: SLF001  # a child from before would not have it
        child._children[0].kill()  # noqa: SLF001
    parse_in_child(MAIL % 6)
    with open(f"/proc/{child._children[0].process.pid}/environ", "rb") as environment:  # noqa: PTH123, SLF001
        assert b"a secret" not in environment.read()


def test_threads_get_their_own_answers() -> None:
    with ThreadPoolExecutor(4) as threads:
        subjects = list(threads.map(lambda number: parse_in_child(MAIL % number).subject, range(60)))
    assert subjects == [str(number) for number in range(60)]


def test_a_forked_process_starts_a_child_of_its_own() -> None:
    parse_in_child(MAIL % 7)
    before = child._children[0].process.pid  # noqa: SLF001  # that is what is tested
    pid = os.fork()
    if pid == 0:
        mine = parse_in_child(MAIL % 8).subject == "8" and child._children[0].process.pid != before  # noqa: SLF001
        child._children[0].kill()  # noqa: SLF001
        os._exit(0 if mine else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert parse_in_child(MAIL % 9).subject == "9"
    assert child._children[0].process.pid == before  # noqa: SLF001


def test_the_child_is_replaced_after_many_mails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "MAILS_A_CHILD", 2)
    processes = set()
    for number in range(5):
        parse_in_child(MAIL % number)
        processes.add(child._children[0].process.pid)  # noqa: SLF001  # that is what is tested
    assert len(processes) >= 2

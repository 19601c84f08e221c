"""Parsing in a process that may be killed.

A child per calling process reads mails from a pipe and writes results back; it is killed and replaced when one takes
too long or too much memory, and after a few hundred mails or a large one. It has no secrets in its environment and may
write no file. Frames are lengths and bytes; a result is JSON followed by the attachments' bytes: what comes back from
hostile input is never unpickled.
"""

import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final

from core.mail.parsing.parse import parse_headers, parse_mail
from core.mail.parsing.parsed import Address, AttachmentPart, ParsedMail

TIMEOUT_S: Final = 5.0
MEMORY_BYTES: Final = 512 * 2**20
MAILS_A_CHILD: Final = 500
LARGE_BYTES: Final = 8 * 2**20
REQUEST: Final = struct.Struct(">cI")
LENGTHS: Final = struct.Struct(">II")
WHOLE: Final = b"M"
HEADERS: Final = b"H"
PR_SET_PDEATHSIG: Final = 1
CHUNK: Final = 1 << 16
ROOT: Final = Path(__file__).resolve().parents[3]


class ParseFailed(Exception):
    """The mail could not be parsed; ``reason`` is ``too_slow`` or ``crashed``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse_in_child(raw: bytes, *, timeout_s: float = TIMEOUT_S) -> ParsedMail:
    """Parse ``raw`` in this process's child; raises ``ParseFailed`` after ``timeout_s`` or if the child died."""
    return _asked(WHOLE, raw, timeout_s)


def headers_in_child(raw: bytes, *, timeout_s: float = TIMEOUT_S) -> ParsedMail:
    """Only what the headers of ``raw`` say, for a mail that ``parse_in_child`` failed on; raises ``ParseFailed``."""
    return _asked(HEADERS, raw, timeout_s)


def _asked(what: bytes, raw: bytes, timeout_s: float) -> ParsedMail:
    """Ask the child. One that died is asked once more in a fresh life: the mail before may have worn it out."""
    deadline = time.monotonic() + timeout_s
    with _lock:
        try:
            return _ask_once(what, raw, deadline)
        except (OSError, EOFError):
            pass
        try:
            return _ask_once(what, raw, deadline)
        except (OSError, EOFError) as error:
            raise ParseFailed("crashed") from error


def _ask_once(what: bytes, raw: bytes, deadline: float) -> ParsedMail:
    child = _living_child()
    try:
        return _decoded(*child.ask(what, raw, deadline))
    except TimeoutError as error:
        child.kill()
        raise ParseFailed("too_slow") from error
    except (OSError, EOFError):
        child.kill()
        raise


class _Child:
    """The running child, with the caller's process id: after a fork it belongs to the parent."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.parsed = 0
        self.process = subprocess.Popen(  # our own module
            [sys.executable, "-m", "core.mail.parsing.child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a traceback would quote the mail
            cwd=ROOT,
            env={"PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)])},
        )

    def ask(self, what: bytes, raw: bytes, deadline: float) -> tuple[bytes, bytes]:
        """Send one mail and wait for its result and its files until ``deadline`` (monotonic seconds)."""
        self.parsed += 1 if len(raw) < LARGE_BYTES else MAILS_A_CHILD
        _write_all(_pipe(self.process.stdin), REQUEST.pack(what, len(raw)), raw, deadline)
        stdout = _pipe(self.process.stdout)
        length, files_length = LENGTHS.unpack(_read_exactly(stdout, LENGTHS.size, deadline))
        return _read_exactly(stdout, length, deadline), _read_exactly(stdout, files_length, deadline)

    def is_usable(self) -> bool:
        """Whether it is ours, lives, and has not parsed too many."""
        return self.owner == os.getpid() and self.process.poll() is None and self.parsed < MAILS_A_CHILD

    def kill(self) -> None:
        """End it now."""
        if self in _children:
            _children.remove(self)
        if self.owner == os.getpid():
            self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                with contextlib.suppress(OSError):
                    _pipe(pipe).close()


_lock = threading.Lock()
_children: list[_Child] = []


def _forget_after_fork() -> None:
    """The child belongs to the parent, and a thread that held the lock is not here."""
    global _lock  # noqa: PLW0603  # a lock cannot be reset
    _lock = threading.Lock()
    _children.clear()


os.register_at_fork(after_in_child=_forget_after_fork)


def _living_child() -> _Child:
    if _children and not _children[-1].is_usable():
        _children[-1].kill()
    if not _children:
        _children.append(_Child())
    return _children[-1]


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise EOFError
    return stream


def _write_all(stream: IO[bytes], head: bytes, data: bytes, deadline: float) -> None:
    os.set_blocking(stream.fileno(), False)
    for piece in (head, data):
        view = memoryview(piece)
        while view:
            _wait(stream, deadline, writing=True)
            view = view[os.write(stream.fileno(), view[:CHUNK]) :]


def _read_exactly(stream: IO[bytes], length: int, deadline: float) -> bytes:
    data = bytearray()
    while len(data) < length:
        _wait(stream, deadline, writing=False)
        piece = os.read(stream.fileno(), min(CHUNK, length - len(data)))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)


def _wait(stream: IO[bytes], deadline: float, *, writing: bool) -> None:
    poll = select.poll()  # select() knows no descriptor above 1023
    poll.register(stream, select.POLLOUT if writing else select.POLLIN)
    if not poll.poll(max(deadline - time.monotonic(), 0) * 1000):
        raise TimeoutError


def _decoded(result: bytes, files: bytes) -> ParsedMail:
    fields = json.loads(result)

    def people(name: str) -> tuple[Address, ...]:
        return tuple(Address(**one) for one in fields[name])

    return ParsedMail(
        subject=fields["subject"],
        sender=Address(**fields["sender"]) if fields["sender"] else None,
        reply_to=people("reply_to"),
        to=people("to"),
        cc=people("cc"),
        message_id=fields["message_id"],
        in_reply_to=tuple(fields["in_reply_to"]),
        references=tuple(fields["references"]),
        sent_at=datetime.fromisoformat(fields["sent_at"]) if fields["sent_at"] else None,
        text=fields["text"],
        html=fields["html"],
        attachments=tuple(_attachments(fields["attachments"], files)),
        is_automatic=fields["is_automatic"],
        is_bounce=fields["is_bounce"],
        reported_ids=tuple(fields["reported_ids"]),
        notices=tuple(fields["notices"]),
    )


def _attachments(parts: list[dict[str, Any]], files: bytes) -> Iterator[AttachmentPart]:
    position = 0
    for part in parts:
        length = part.pop("length")
        yield AttachmentPart(**part, content=files[position : position + length])
        position += length


def _encoded(mail: ParsedMail) -> bytes:
    """The result without its files' bytes, as JSON."""
    bare = replace(mail, attachments=tuple(replace(part, content=b"") for part in mail.attachments))
    fields = asdict(bare)
    for entry, part in zip(fields["attachments"], mail.attachments, strict=True):
        del entry["content"]
        entry["length"] = len(part.content)
    return json.dumps(fields, default=_iso).encode("ascii")


def _iso(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


def _serve() -> None:
    """The child's life: mails in, results out, until the pipe closes or the parent dies."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    for nothing in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(nothing, (0, 0))
    while head := sys.stdin.buffer.read(REQUEST.size):
        what, length = REQUEST.unpack(head)
        read = parse_mail if what == WHOLE else parse_headers
        _answer(read(sys.stdin.buffer.read(length)))


def _answer(mail: ParsedMail) -> None:
    result = _encoded(mail)
    out = sys.stdout.buffer
    out.write(LENGTHS.pack(len(result), sum(len(part.content) for part in mail.attachments)))
    out.write(result)
    for part in mail.attachments:
        out.write(part.content)
    out.flush()


if __name__ == "__main__":
    _serve()

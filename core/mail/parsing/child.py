"""Parsing in a process that may be killed.

A child per calling process reads mails from a pipe and writes results back; it is killed and replaced when one takes
too long or too much memory, and after a few hundred mails. Frames are a 4-byte length and the bytes; a result is JSON,
its contents in base64: what comes back from hostile input is never unpickled.
"""

import base64
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
from dataclasses import asdict
from datetime import datetime
from typing import IO, Any, Final

from core.mail.parsing.parse import parse_mail
from core.mail.parsing.parsed import Address, AttachmentPart, ParsedMail

TIMEOUT_S: Final = 5.0
MEMORY_BYTES: Final = 512 * 2**20
MAILS_A_CHILD: Final = 500
LENGTH: Final = struct.Struct(">I")
PR_SET_PDEATHSIG: Final = 1
CHUNK: Final = 1 << 16


class ParseFailed(Exception):
    """The mail could not be parsed; ``reason`` is ``too_slow`` or ``crashed``."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def parse_in_child(raw: bytes, *, timeout_s: float = TIMEOUT_S) -> ParsedMail:
    """Parse ``raw`` in this process's child; raises ``ParseFailed`` after ``timeout_s`` or if the child died."""
    with _lock:
        child = _living_child()
        try:
            answer = child.ask(raw, time.monotonic() + timeout_s)
        except TimeoutError as error:
            child.kill()
            raise ParseFailed("too_slow") from error
        except (OSError, EOFError) as error:
            child.kill()
            raise ParseFailed("crashed") from error
    return _decoded(json.loads(answer))


class _Child:
    """The running child, with the caller's process id: after a fork it belongs to the parent."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self.parsed = 0
        self.process = subprocess.Popen(  # our own module
            [sys.executable, "-m", "core.mail.parsing.child"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def ask(self, raw: bytes, deadline: float) -> bytes:
        """Send one mail and wait for its result until ``deadline`` (monotonic seconds)."""
        self.parsed += 1
        _write_all(_pipe(self.process.stdin), LENGTH.pack(len(raw)) + raw, deadline)
        (length,) = LENGTH.unpack(_read_exactly(_pipe(self.process.stdout), LENGTH.size, deadline))
        return _read_exactly(_pipe(self.process.stdout), length, deadline)

    def is_usable(self) -> bool:
        """Whether it is ours, lives, and has not parsed too many."""
        return self.owner == os.getpid() and self.process.poll() is None and self.parsed < MAILS_A_CHILD

    def kill(self) -> None:
        """End it now."""
        if self.owner == os.getpid():
            self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                with contextlib.suppress(OSError):
                    _pipe(pipe).close()


_lock = threading.Lock()
_children: list[_Child] = []
os.register_at_fork(after_in_child=_children.clear)


def _living_child() -> _Child:
    if _children and not _children[-1].is_usable():
        _children.pop().kill()
    if not _children:
        _children.append(_Child())
    return _children[-1]


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise EOFError
    return stream


def _write_all(stream: IO[bytes], data: bytes, deadline: float) -> None:
    os.set_blocking(stream.fileno(), False)
    view = memoryview(data)
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
    left = deadline - time.monotonic()
    ready = select.select([] if writing else [stream], [stream] if writing else [], [], max(left, 0))
    if not (ready[0] or ready[1]):
        raise TimeoutError


def _decoded(fields: dict[str, Any]) -> ParsedMail:
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
        attachments=tuple(
            AttachmentPart(**{**part, "content": base64.b64decode(part["content"])}) for part in fields["attachments"]
        ),
        is_automatic=fields["is_automatic"],
        is_bounce=fields["is_bounce"],
        notices=tuple(fields["notices"]),
    )


def _encoded(mail: ParsedMail) -> bytes:
    def plain(value: object) -> str:
        if isinstance(value, bytes):
            return base64.b64encode(value).decode()
        if isinstance(value, datetime):
            return value.isoformat()
        raise TypeError(type(value).__name__)

    return json.dumps(asdict(mail), default=plain).encode("ascii")


def _serve() -> None:
    """The child's life: mails in, results out, until the pipe closes or the parent dies."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    while header := sys.stdin.buffer.read(LENGTH.size):
        raw = sys.stdin.buffer.read(LENGTH.unpack(header)[0])
        answer = _encoded(parse_mail(raw))
        sys.stdout.buffer.write(LENGTH.pack(len(answer)) + answer)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    _serve()

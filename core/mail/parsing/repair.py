"""Mending what broken writers send, before the standard library splits it."""

import re
from typing import Final

MAX_HEADER_BYTES: Final = 1_000_000
FIRST_EMPTY_LINE: Final = re.compile(rb"\r?\n\r?\n|\r\r")
FOLDED_BOUNDARY: Final = re.compile(rb'(boundary="[^"\r\n]{0,200})\r?\n([ \t][^"\r\n]{0,200}")', re.IGNORECASE)
HEADER: Final = re.compile(rb"[!-9;-~]+[ \t]*:")
KNOWN_HEADER: Final = re.compile(rb"(subject|from|to|date|message-id|mime-version|content-type):", re.IGNORECASE)


def repaired(raw: bytes, notices: set[str]) -> bytes:
    """``raw`` with a header block of bounded size whose broken lines hide no headers after them.

    Only what is parsed changes: the raw mail is kept as it came.
    """
    end = FIRST_EMPTY_LINE.search(raw)
    block = raw[: end.start()] if end else raw
    rest = raw[end.start() :] if end else b""
    if len(block) > MAX_HEADER_BYTES:
        notices.add("headers_cut")
        block = block[:MAX_HEADER_BYTES]
        rest = rest or b"\r\n\r\n"
    return FOLDED_BOUNDARY.sub(rb"\1\2", _without_broken_lines(block) + rest)


def _without_broken_lines(block: bytes) -> bytes:
    """Mark lines that are no headers, if well-known headers follow: otherwise the parser takes those for the body."""
    lines = block.splitlines(keepends=True)
    last_known = max((number for number, line in enumerate(lines) if KNOWN_HEADER.match(line)), default=-1)
    for number, line in enumerate(lines[: max(last_known, 0)]):
        is_mbox_mark = number == 0 and line.startswith(b"From ")
        if not is_mbox_mark and line[:1] not in b" \t" and not HEADER.match(line):
            lines[number] = b"X-Unreadable: " + line
    return b"".join(lines)

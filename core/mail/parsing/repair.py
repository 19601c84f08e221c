"""Mending what broken writers send, before the standard library splits it."""

import re
from typing import Final

MAX_HEADER_BYTES: Final = 1_000_000
MAX_FIELD_BYTES: Final = 64 * 1024
MAX_FIELDS: Final = 5_000
LONGEST_BLOCK: Final = 8_000_000
BEFORE_HEADERS: Final = re.compile(rb"(?:\xef\xbb\xbf)?(?:[ \t]*(?:\r\n|\r|\n))*")
FIRST_EMPTY_LINE: Final = re.compile(rb"\r?\n\r?\n|\r\r")
FOLDED_BOUNDARY: Final = re.compile(rb'(boundary="[^"\r\n]{0,200})\r?\n([ \t][^"\r\n]{0,200}")', re.IGNORECASE)
FOLDED_BOUNDARY_LIMIT: Final = 4_000_000
FIELD: Final = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
SPACED_NAME: Final = re.compile(rb"([!-9;-~]{1,200})[ \t]+:")
NO_SEMICOLON: Final = re.compile(rb"(content-type:[ \t]*[\w.+-]+/[\w.+-]+)(\s+[a-z-]+=)", re.IGNORECASE)
LINE: Final = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|\Z)")
KNOWN_FIELD: Final = re.compile(rb"(subject|from|to|date|message-id|mime-version|content-type)[ \t]*:", re.IGNORECASE)


def repaired(raw: bytes, notices: set[str]) -> bytes:
    """``raw`` with a header block of bounded size whose broken lines hide no headers after them.

    Only what is parsed changes: the raw mail is kept as it came.
    """
    block, rest = split_header_block(raw[_length_before_headers(raw) :])
    block = _without_broken_lines(_bounded(block, notices))
    if len(rest) < FOLDED_BOUNDARY_LIMIT:
        rest = FOLDED_BOUNDARY.sub(rb"\1\2", rest)
    return FOLDED_BOUNDARY.sub(rb"\1\2", block) + rest


def split_header_block(raw: bytes) -> tuple[bytes, bytes]:
    """The header block, and the rest with the empty line that begins it; an endless block ends at the limit."""
    end = FIRST_EMPTY_LINE.search(raw, 0, LONGEST_BLOCK)
    if end:
        return raw[: end.start()], raw[end.start() :]
    return raw[:LONGEST_BLOCK], b"\r\n\r\n" + raw[LONGEST_BLOCK:] if len(raw) > LONGEST_BLOCK else b""


def _length_before_headers(raw: bytes) -> int:
    """How many bytes of byte-order mark and empty lines stand before the first header."""
    found = BEFORE_HEADERS.match(raw[:1000])
    return found.end() if found else 0


def _without_broken_lines(block: bytes) -> bytes:
    """Mark lines that are no headers, if well-known headers follow: otherwise the parser takes those for the body."""
    lines = [line for line in LINE.findall(block) if line]
    last_known = max((number for number, line in enumerate(lines) if KNOWN_FIELD.match(line)), default=-1)
    for number, line in enumerate(lines):
        is_mbox_mark = number == 0 and line.startswith(b"From ")
        if is_mbox_mark or line[:1] in b" \t":
            continue
        if FIELD.match(line):
            lines[number] = SPACED_NAME.sub(rb"\1:", line, count=1)
        elif number < last_known:
            lines[number] = b"X-Unreadable: " + line
    return NO_SEMICOLON.sub(rb"\1;\2", b"".join(lines))


def _bounded(block: bytes, notices: set[str]) -> bytes:
    """The block with fields of bounded length and number; well-known fields survive a bomb of others."""
    if len(block) <= MAX_FIELD_BYTES and block.count(b"\n") <= MAX_FIELDS:
        return block
    fields = re.split(rb"(?:\r\n|\r|\n)(?![ \t])", block)
    kept = [_cut(field) for field in fields[:MAX_FIELDS]]
    kept += [_cut(field) for field in fields[MAX_FIELDS:] if KNOWN_FIELD.match(field)][:100]
    total, bounded = 0, []
    for field in kept:
        total += len(field)
        if total <= MAX_HEADER_BYTES or KNOWN_FIELD.match(field):
            bounded.append(field)
    cut = b"\r\n".join(bounded)
    if cut != b"\r\n".join(fields):
        notices.add("headers_cut")
    return cut[: 2 * MAX_HEADER_BYTES]


def _cut(field: bytes) -> bytes:
    return field if len(field) <= MAX_FIELD_BYTES else field[:MAX_FIELD_BYTES].rstrip(b"\r\n")

"""Splitting a mail into its parts: the standard library's parser, and help for it where boundaries are wrong.

The parser runs in its oldest policy, which only splits; values are read by ``words`` and ``headers``.
"""

import re
import secrets
from email import policy
from email.parser import BytesParser
from typing import Final

from core.mail.parsing.headers import MailMessage

SPLITTING: Final = policy.compat32.clone(max_line_length=0)
LONGEST_SEARCHED_BYTES: Final = 4_000_000
BEGINS_A_PART: Final = re.compile(
    rb"^--([^\r\n]{1,200})\r?\n(?=content-[a-z-]{1,40}[ \t]*:)", re.IGNORECASE | re.MULTILINE
)


def split(raw: bytes) -> MailMessage:
    """The mail as a tree of parts (RFC 2045, 2046)."""
    return BytesParser(policy=SPLITTING).parsebytes(raw)


def split_headers(raw: bytes) -> MailMessage:
    """The mail's headers; whatever follows them is one body."""
    return BytesParser(policy=SPLITTING).parsebytes(raw, headersonly=True)


def split_by_what_stands_there(part: MailMessage, body: bytes) -> None:
    """Give a multipart without parts those that its ``body`` shows; what shows none stays as it is.

    Delimiters count that only begin with the announced boundary (RFC 2046, 5.1.1), or else whatever line begins a part
    there: some writers fold the header so that its boundary is lost, and some gateways rewrite it.
    """
    lines = _delimiters(part, body) if len(body) <= LONGEST_SEARCHED_BYTES else None
    if lines is None:
        return
    boundary = secrets.token_hex(16).encode()
    marked = lines.sub(lambda line: b"--" + boundary + (line[1] or b""), body)
    kind = b"digest" if part.get_content_subtype() == "digest" else b"mixed"
    found = split(b"Content-Type: multipart/" + kind + b"; boundary=" + boundary + b"\r\n\r\n" + marked)
    if found.is_multipart():
        part.set_payload(found.get_payload())
        part.defects[:] = found.defects


def _delimiters(part: MailMessage, body: bytes) -> re.Pattern[bytes] | None:
    """What matches the lines between the parts, and in its group the end of the last one."""
    if announced := _boundary(part):
        lines = re.compile(rb"^--" + re.escape(announced) + rb"(--)?[^\r\n]*", re.MULTILINE)
        if lines.search(body):
            return lines
    if first := BEGINS_A_PART.search(body):
        return re.compile(rb"^--" + re.escape(first[1].rstrip()) + rb"(--)?[ \t]*(?=[\r\n]|\Z)", re.MULTILINE)
    return None


def _boundary(part: MailMessage) -> bytes:
    try:
        return str(part.get_boundary() or "").encode("utf-8", "surrogateescape")
    except (ValueError, LookupError, TypeError, AttributeError):
        return b""

"""Structured headers: addresses, Message-IDs, dates; and what they tell about who wrote."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeAlias

from core.mail.parsing.parsed import Address
from core.mail.parsing.words import clean, decode_header, raw_text

HEADER_LIMIT: Final = 64 * 1024
ADDRESS_LIMIT: Final = 500
MESSAGE_ID: Final = re.compile(r"<([^<>\s]{1,990})>")
ADDRESS: Final = re.compile(r"[^\s<>\"(),;:]+@[^\s<>\"(),;:]+")
COMMENT: Final = re.compile(r"\(([^()\\]*)\)")

MailMessage: TypeAlias = "Message[str, str]"


def values(message: MailMessage, name: str) -> list[str]:
    """All values of a header as they came, cut to the limit; foreign bytes are surrogate escapes."""
    wanted = name.lower()
    return [str(value)[:HEADER_LIMIT] for found, value in message.raw_items() if found.lower() == wanted]


def text_of(message: MailMessage, name: str) -> str:
    """The first value as text."""
    found = values(message, name)
    return decode_header(found[0]) if found else ""


def addresses(message: MailMessage, name: str, notices: set[str]) -> tuple[Address, ...]:
    """The addresses of a header, groups opened, malformed ones as far as they can be read (RFC 5322, 3.4)."""
    found: list[Address] = []
    for value in values(message, name):
        for piece in _split(raw_text(value)):
            if len(found) >= ADDRESS_LIMIT:
                notices.add("too_many_addresses")
                return tuple(found)
            address = _address(piece)
            if address is not None:
                found.append(address)
    return tuple(found)


def message_ids(message: MailMessage, name: str) -> tuple[str, ...]:
    """The Message-IDs of a header, without angle brackets, in order, each once."""
    found: dict[str, None] = {}
    for value in values(message, name):
        found.update(dict.fromkeys(clean(match) for match in MESSAGE_ID.findall(value)))
    return tuple(found)


def message_id(message: MailMessage) -> str | None:
    """The mail's own Message-ID; a value without brackets is taken as it stands."""
    found = message_ids(message, "Message-ID")
    bare = text_of(message, "Message-ID").strip("<> ")
    return found[0] if found else (bare[:990] or None)


def sent_at(message: MailMessage) -> datetime | None:
    """The Date header in UTC; None where it cannot be read or lies outside the calendar."""
    for value in values(message, "Date")[:1]:
        try:
            parsed = parsedate_to_datetime(value)
            return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    return None


def is_automatic(message: MailMessage) -> bool:
    """Whether no person wrote it (RFC 3834, and what servers add)."""
    submitted = text_of(message, "Auto-Submitted").partition(";")[0].strip().lower()
    precedence = text_of(message, "Precedence").lower()
    return (
        (bool(submitted) and submitted != "no")
        or precedence in {"bulk", "junk", "list", "auto_reply"}
        or any(message.get(name) is not None for name in ("List-Id", "X-Autoreply", "X-Autorespond", "X-Autoresponder"))
    )


def _split(value: str) -> Iterable[str]:
    """The comma-separated pieces, minding quotes, comments and brackets; a group's name and end fall away."""
    piece: list[str] = []
    quoted, depth, angled, escaped = False, 0, False, False
    for character in value:
        if escaped:
            escaped = False
        elif character == "\\" and (quoted or depth):
            escaped = True
        elif character == '"' and not depth:
            quoted = not quoted
        elif not quoted and character == "(":
            depth += 1
        elif not quoted and character == ")" and depth:
            depth -= 1
        elif not quoted and not depth and character in "<>":
            angled = character == "<"
        elif not quoted and not depth and not angled and character in ",;":
            yield "".join(piece)
            piece = []
            continue
        elif not quoted and not depth and not angled and character == ":":
            piece = []
            continue
        piece.append(character)
    yield "".join(piece)


def _address(piece: str) -> Address | None:
    text = piece.strip()
    if not text:
        return None
    before, opening, after = text.rpartition("<")
    if opening:
        inside = after.partition(">")[0].strip()
        found = ADDRESS.search(inside.rpartition(":")[2]) or ADDRESS.search(inside)
        address = found[0] if found else inside.replace(" ", "")
        return Address(_name(before), clean(address)) if address or before.strip() else None
    found = ADDRESS.search(COMMENT.sub(" ", text)) or ADDRESS.search(text)
    if found:
        comments = COMMENT.findall(text)
        return Address(decode_header(comments[0]).strip() if comments else "", clean(found[0]))
    return Address(_name(text), "")


def _name(text: str) -> str:
    stripped = text.strip()
    if len(stripped) > 1 and stripped[0] == stripped[-1] == '"':
        stripped = re.sub(r"\\(.)", r"\1", stripped[1:-1])
    return decode_header(stripped).strip(" \"'")


def has_any(message: Any, names: Iterable[str]) -> bool:
    """Whether one of the headers stands in the mail."""
    return any(message.get(name) is not None for name in names)

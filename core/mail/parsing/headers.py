"""Structured headers: addresses, Message-IDs, dates; and what they tell about who wrote."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime
from typing import Final, TypeAlias

from core.mail.parsing.parsed import Address
from core.mail.parsing.words import clean, decode_header, raw_text

HEADER_LIMIT: Final = 64 * 1024
ADDRESS_LIMIT: Final = 500
MESSAGE_ID: Final = re.compile(r"<([^<>\s]{1,990})>")
ADDRESS: Final = re.compile(r"(?<![^\s<>\"(),;:@])[^\s<>\"(),;:@]{1,128}@[^\s<>\"(),;:@]{1,255}")
ADDRESS_CHARACTERS: Final = 320
NAME_CHARACTERS: Final = 300
SUBJECT_CHARACTERS: Final = 2_000
MESSAGE_ID_BYTES: Final = 900
COMMENT: Final = re.compile(r"\(([^()\\]*)\)")

MailMessage: TypeAlias = "Message[str, str]"


def values(message: MailMessage, name: str) -> list[str]:
    """All values of a header as they came, cut to the limit; foreign bytes are surrogate escapes."""
    wanted = name.lower()
    return [str(value)[:HEADER_LIMIT] for found, value in message.raw_items() if found.lower() == wanted]


def text_of(message: MailMessage, name: str) -> str:
    """The first value as text; raw bytes are read in the charset of the mail's text, if it names one."""
    found = values(message, name)
    return decode_header(found[0], _charset(message)) if found else ""


def subject_of(message: MailMessage, notices: set[str]) -> str:
    """The subject, of a length that people can read."""
    subjects = (decode_header(value, _charset(message)) for value in values(message, "Subject")[:10])
    subject = next(filter(None, subjects), "")
    if len(subject) > SUBJECT_CHARACTERS:
        notices.add("headers_cut")
    return subject[:SUBJECT_CHARACTERS].strip()


def sender_of(message: MailMessage, notices: set[str]) -> Address | None:
    """Who wrote: the first of From, else Sender, that has an address; else whoever is named there."""
    found = [*addresses(message, "From", notices), *addresses(message, "Sender", notices)]
    return next((one for one in found if one.address), found[0] if found else None)


def addresses(message: MailMessage, name: str, notices: set[str]) -> tuple[Address, ...]:
    """The addresses of a header, groups opened, malformed ones as far as they can be read (RFC 5322, 3.4)."""
    found: list[Address] = []
    for value in values(message, name):
        for piece in _split(raw_text(value, _charset(message))):
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
        plain = decode_header(value) if "=?" in value else value  # forbidden (RFC 2047, 5), and sent all the same
        found.update(dict.fromkeys(_short_id(match) for match in MESSAGE_ID.findall(plain)))
    return tuple(found)


def message_id(message: MailMessage) -> str | None:
    """The mail's own Message-ID; a value without brackets is taken as it stands."""
    found = message_ids(message, "Message-ID")
    bare = text_of(message, "Message-ID").strip("<> ")
    return found[0] if found else (_short_id(bare) or None)


def sent_at(message: MailMessage) -> datetime | None:
    """The Date header in UTC; None where it cannot be read or lies outside the calendar."""
    for value in values(message, "Date")[:1]:
        try:
            parsed = parsedate_to_datetime(value[:200])
            return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            return None
    return None


def is_automatic(message: MailMessage) -> bool:
    """Whether no person wrote it (RFC 3834, and what servers add). A person may write through a mailing list."""
    submitted = text_of(message, "Auto-Submitted").partition(";")[0].strip().lower()
    precedence = text_of(message, "Precedence").lower()
    return (
        (bool(submitted) and submitted != "no")
        or precedence in {"bulk", "junk", "auto_reply"}
        or has_any(message, ("X-Autoreply", "X-Autorespond", "X-Autoresponder"))
    )


def _charset(message: MailMessage) -> str | None:
    """The first charset that the mail names, which its writer's program has likely used in raw headers too."""
    return next((found for part in (message, *_first_parts(message)) if (found := charset_of(part))), None)


def _first_parts(message: MailMessage) -> list[MailMessage]:
    payload = message.get_payload()
    children = payload if isinstance(payload, list) else []
    return [child for child in children[:2] if isinstance(child, Message)]


def charset_of(part: MailMessage) -> str | None:
    """The charset that a part names, if it can be read."""
    try:
        return part.get_content_charset()
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def _short_id(value: str) -> str:
    """A Message-ID that fits into an index; a longer one cannot be anybody's honest one."""
    return clean(value).encode()[:MESSAGE_ID_BYTES].decode(errors="ignore")


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
    text = piece.strip()[:HEADER_LIMIT]
    if not text:
        return None
    before, opening, after = text.rpartition("<")
    if opening:
        inside = after.partition(">")[0].strip()
        found = ADDRESS.search(inside.rpartition(":")[2]) or ADDRESS.search(inside)
        address = found[0] if found else inside.replace(" ", "")
        return _mailbox(_name(before), address) if address or before.strip() else None
    found = ADDRESS.search(COMMENT.sub(" ", text)) or ADDRESS.search(text)
    if found:
        comments = COMMENT.findall(text)
        return _mailbox(decode_header(comments[0]).strip() if comments else "", found[0])
    return _mailbox(_name(text), "")


def _mailbox(name: str, address: str) -> Address:
    """A mailbox of storable length; what is too long for an address cannot be one (RFC 5321, 4.5.3.1)."""
    cleaned = clean(address)
    return Address(name[:NAME_CHARACTERS], cleaned if len(cleaned) <= ADDRESS_CHARACTERS else "")


def _name(text: str) -> str:
    stripped = text.strip()
    if len(stripped) > 1 and stripped[0] == stripped[-1] == '"':
        stripped = re.sub(r"\\(.)", r"\1", stripped[1:-1])
    return decode_header(stripped).strip(" \"'")


def has_any(message: MailMessage, names: Iterable[str]) -> bool:
    """Whether one of the headers stands in the mail."""
    return any(message.get(name) is not None for name in names)

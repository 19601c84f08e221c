"""The walk over a mail's parts, with limits on everything that a stranger can make large.

The standard library's parser runs in its oldest policy, which only splits; values are read by ``words`` and
``headers``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from email import policy
from email.message import Message
from email.parser import BytesParser
from typing import Final

from core.mail.parsing import bounces, headers
from core.mail.parsing.headers import MailMessage
from core.mail.parsing.html import text_of_html
from core.mail.parsing.parsed import AttachmentPart, ParsedMail
from core.mail.parsing.repair import repaired
from core.mail.parsing.words import clean, decode_bytes, file_name

MAX_PARTS: Final = 1_000
MAX_DEPTH: Final = 50
MAX_TEXT_BYTES: Final = 1_000_000
EXTENSIONS: Final = {
    "text/plain": ".txt",
    "text/html": ".html",
    "text/calendar": ".ics",
    "message/rfc822": ".eml",
    "application/pdf": ".pdf",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
}


@dataclass
class _Found:
    """What the walk has gathered so far. ``texts`` are the body's pieces in order, ``htmls`` their HTML."""

    texts: list[str] = field(default_factory=list)
    htmls: list[str] = field(default_factory=list)
    attachments: list[AttachmentPart] = field(default_factory=list)
    notices: set[str] = field(default_factory=set)
    parts: int = 0


def parse_mail(raw: bytes) -> ParsedMail:
    """Read a mail (RFC 5322, 2045). Never raises for what a mail contains; may be slow or large, see ``child``."""
    found = _Found()
    message: MailMessage = BytesParser(policy=policy.compat32).parsebytes(repaired(raw, found.notices))
    _walk(message, found, Place(parent="", position=0, depth=0))
    sender = headers.addresses(message, "From", found.notices) or headers.addresses(message, "Sender", found.notices)
    return ParsedMail(
        subject=headers.text_of(message, "Subject"),
        sender=sender[0] if sender else None,
        reply_to=headers.addresses(message, "Reply-To", found.notices),
        to=headers.addresses(message, "To", found.notices),
        cc=headers.addresses(message, "Cc", found.notices),
        message_id=headers.message_id(message),
        in_reply_to=headers.message_ids(message, "In-Reply-To"),
        references=headers.message_ids(message, "References"),
        sent_at=headers.sent_at(message),
        text="\n".join(found.texts),
        html="\n".join(found.htmls) or None,
        attachments=tuple(found.attachments),
        is_automatic=headers.is_automatic(message),
        is_bounce=bounces.is_bounce(message),
        notices=tuple(sorted(found.notices)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a part stands: its parent's subtype (``mixed``, ``alternative``, …), its position there, how deep."""

    parent: str
    position: int
    depth: int


def _walk(part: MailMessage, found: _Found, place: Place) -> None:
    found.parts += 1
    if found.parts > MAX_PARTS:
        found.notices.add("too_many_parts")
    elif place.depth > MAX_DEPTH:
        found.notices.add("too_deep")
    elif part.get_content_maintype() == "multipart" and part.is_multipart():
        subtype = part.get_content_subtype()
        if subtype == "alternative":
            _walk_alternative(part, found, place.depth)
        else:
            for position, child in enumerate(_children(part)):
                _walk(child, found, Place(parent=subtype, position=position, depth=place.depth + 1))
    else:
        _take_leaf(part, found, place)


def _walk_alternative(part: MailMessage, found: _Found, depth: int) -> None:
    """One content in several forms: plain text for reading and HTML for showing; text is made where it is missing."""
    texts_before, htmls_before = len(found.texts), len(found.htmls)
    for position, child in enumerate(_children(part)):
        _walk(child, found, Place(parent="alternative", position=position, depth=depth + 1))
    texts, htmls = found.texts[texts_before:], found.htmls[htmls_before:]
    if htmls and not any(text.strip() for text in texts):
        found.texts[texts_before:] = [text_of_html(html) for html in htmls]


def _children(part: MailMessage) -> Iterator[MailMessage]:
    payload = part.get_payload()
    yield from (child for child in (payload if isinstance(payload, list) else ()) if isinstance(child, Message))


def _take_leaf(part: MailMessage, found: _Found, place: Place) -> None:
    """Decide between body and file as JMAP does (RFC 8621, 4.1.4)."""
    kind = part.get_content_type()
    if part.get_content_maintype() == "multipart":
        kind = "text/plain"  # it says multipart and has no parts (RFC 2046, 5.1.7: treat as plain text)
    disposition = str(part.get_content_disposition() or "")
    is_text = kind in {"text/plain", "text/html"} and disposition != "attachment"
    leads = place.position == 0 or (place.parent != "related" and not _raw_name(part))
    if is_text and leads:
        _take_text(kind, _text(part, found), found, place)
    else:
        found.attachments.append(_attachment(part, kind, disposition, len(found.attachments) + 1))


def _take_text(kind: str, text: str, found: _Found, place: Place) -> None:
    if kind == "text/html":
        found.htmls.append(text)
        if place.parent not in {"alternative", "related"} or not found.texts:
            found.texts.append(text_of_html(text))
    else:
        found.texts.append(text)


def _text(part: MailMessage, found: _Found) -> str:
    data = _bytes(part)
    if len(data) > MAX_TEXT_BYTES:
        found.notices.add("text_cut")
        data = data[:MAX_TEXT_BYTES]
    charset = part.get_content_charset(failobj="")
    text = decode_bytes(data, charset)
    if not charset and not data.isascii():
        found.notices.add("charset_guessed")
    return clean(text.replace("\r\n", "\n").replace("\r", "\n"))


def _bytes(part: MailMessage) -> bytes:
    """The part's content, its transfer encoding undone; an enclosed mail as its own bytes."""
    if part.get_content_type() == "message/rfc822" or part.is_multipart():
        return b"".join(child.as_bytes() for child in _children(part)) or _payload(part)
    return _payload(part)


def _payload(part: MailMessage) -> bytes:
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError):
        payload = None
    if isinstance(payload, bytes):
        return payload
    plain = part.get_payload()
    return plain.encode("utf-8", "surrogateescape") if isinstance(plain, str) else b""


def _raw_name(part: MailMessage) -> str | None:
    """The name as written, from the disposition or the type (RFC 2183, 2231)."""
    try:
        name = part.get_filename()
    except (ValueError, LookupError, TypeError):
        return None
    return name or None


def _attachment(part: MailMessage, kind: str, disposition: str, number: int) -> AttachmentPart:
    content_id = str(part.get("Content-ID") or "").strip().strip("<>").strip()
    return AttachmentPart(
        filename=file_name(_raw_name(part), fallback=f"part-{number}{EXTENSIONS.get(kind, '')}"),
        media_type=clean(kind)[:100],
        content=_bytes(part),
        content_id=clean(content_id)[:300] or None,
        is_inline=disposition == "inline" or (bool(content_id) and disposition != "attachment"),
    )

"""The walk over a mail's parts, with limits on everything that a stranger can make large."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.errors import (
    CloseBoundaryNotFoundDefect,
    InvalidBase64CharactersDefect,
    InvalidBase64LengthDefect,
    InvalidBase64PaddingDefect,
    StartBoundaryNotFoundDefect,
)
from email.message import Message
from html import escape
from typing import Final

from core.mail.parsing import bounces, headers
from core.mail.parsing.bodies import split_uuencoded, unflowed
from core.mail.parsing.headers import MailMessage
from core.mail.parsing.html import text_of_html
from core.mail.parsing.lifting import Lifted, lift_large_bodies
from core.mail.parsing.parsed import AttachmentPart, ParsedMail
from core.mail.parsing.repair import repaired, split_header_block
from core.mail.parsing.splitting import split, split_by_what_stands_there, split_headers
from core.mail.parsing.words import clean, decode_bytes, file_name, raw_text, storable

MAX_PARTS: Final = 1_000
MAX_DEPTH: Final = 50
MAX_DEPTH_OF_SPLITTING_ANEW: Final = 4
MAX_TEXT_BYTES: Final = 1_000_000
MAX_BODY_CHARACTERS: Final = 2_000_000
PARAMETRIC: Final = ("Content-Type", "Content-Disposition", "Content-ID")
TRANSFER_ENCODING: Final = re.compile(r"[A-Za-z0-9-]+")
META_CHARSET: Final = re.compile(rb"<meta[^>]{1,200}?charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
BROKEN_BASE64: Final = {InvalidBase64CharactersDefect, InvalidBase64LengthDefect, InvalidBase64PaddingDefect}
EXTENSIONS: Final = {
    "text/plain": ".txt",
    "text/html": ".html",
    "text/calendar": ".ics",
    "message/rfc822": ".eml",
    "application/pdf": ".pdf",
    "application/pkcs7-mime": ".p7m",
    "application/pkcs7-signature": ".p7s",
    "application/pgp-signature": ".asc",
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/gif": ".gif",
}


@dataclass
class _Found:
    """What the walk has gathered so far.

    ``texts`` are the body's pieces in order; ``htmls`` the same as HTML, each with whether the mail brought it so.
    """

    lifted: Lifted
    texts: list[str] = field(default_factory=list)
    htmls: list[tuple[str, bool]] = field(default_factory=list)
    attachments: list[AttachmentPart] = field(default_factory=list)
    notices: set[str] = field(default_factory=set)
    parts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a part stands.

    Attributes:
        parent: its parent's subtype (``mixed``, ``alternative``, …).
        position: its number there.
        depth: how many parts it stands in.
        is_choice: whether an ``alternative`` stands above: then HTML is no text beside the text, but another form.
        is_cut: whether it is the last part of a mail that ends too early.
    """

    parent: str
    position: int
    depth: int
    is_choice: bool = False
    is_cut: bool = False


def parse_mail(raw: bytes) -> ParsedMail:
    """Read a mail (RFC 5322, 2045). Never raises for what a mail contains; may be slow or large, see ``child``."""
    raw, lifted = lift_large_bodies(raw)
    found = _Found(lifted)
    message = split(repaired(raw, found.notices))
    _walk(message, found, Place(parent="", position=0, depth=0))
    text = _limited("\n".join(found.texts), found)
    has_html = any(is_html for _html, is_html in found.htmls)
    html = _limited("\n".join(html for html, _is_html in found.htmls), found) if has_html else None
    is_bounce = bounces.is_bounce(message, text)
    return replace(
        _envelope(message, found.notices),
        text=text,
        html=html,
        attachments=tuple(found.attachments),
        is_bounce=is_bounce,
        reported_ids=bounces.reported_ids(message, found.texts) if is_bounce else (),
        notices=tuple(sorted(found.notices)),
    )


def parse_headers(raw: bytes) -> ParsedMail:
    """What the headers alone say, for a mail whose body is beyond reading."""
    notices: set[str] = set()
    block, _rest = split_header_block(raw)
    message = split_headers(repaired(block, notices))
    return replace(_envelope(message, notices), notices=tuple(sorted(notices)))


def _envelope(message: MailMessage, notices: set[str]) -> ParsedMail:
    return ParsedMail(
        subject=headers.subject_of(message, notices),
        sender=headers.sender_of(message, notices),
        reply_to=headers.addresses(message, "Reply-To", notices),
        to=headers.addresses(message, "To", notices),
        cc=headers.addresses(message, "Cc", notices),
        message_id=headers.message_id(message),
        in_reply_to=headers.message_ids(message, "In-Reply-To"),
        references=headers.message_ids(message, "References"),
        sent_at=headers.sent_at(message),
        is_automatic=headers.is_automatic(message),
    )


def _limited(text: str, found: _Found) -> str:
    if len(text) > MAX_BODY_CHARACTERS:
        found.notices.add("text_cut")
    return text[:MAX_BODY_CHARACTERS]


def _walk(part: MailMessage, found: _Found, place: Place) -> None:
    found.parts += 1
    if found.parts > MAX_PARTS:
        found.notices.add("too_many_parts")
    elif place.depth > MAX_DEPTH:
        found.notices.add("too_deep")
    else:
        is_multipart = part.get_content_maintype() == "multipart"
        if is_multipart and not part.is_multipart() and place.depth <= MAX_DEPTH_OF_SPLITTING_ANEW:
            split_by_what_stands_there(part, _payload(part))
        _mend(part, found)
        if is_multipart and part.is_multipart():
            _walk_children(part, found, place)
        else:
            _take_leaf(part, found, place)


def _walk_children(part: MailMessage, found: _Found, place: Place) -> None:
    """All parts of a multipart. In an ``alternative``, text and HTML are one content; text is made if it is missing."""
    subtype = part.get_content_subtype()
    is_choice = subtype == "alternative"
    children = list(_children(part))
    ends_early = any(isinstance(defect, CloseBoundaryNotFoundDefect) for defect in part.defects)
    ends_early = ends_early and not _closed_within_text(part, children[-1])
    if ends_early:
        found.notices.add("incomplete")
    texts, htmls = len(found.texts), len(found.htmls)
    for position, child in enumerate(children):
        is_last = position == len(children) - 1
        _walk(
            child,
            found,
            Place(
                parent=subtype,
                position=position,
                depth=place.depth + 1,
                is_choice=is_choice or place.is_choice,
                is_cut=is_last and ends_early and (place.is_cut or place.depth == 0),
            ),
        )
    if is_choice and not place.is_choice:
        _complete_choice(found, texts, htmls)


def _closed_within_text(part: MailMessage, last: MailMessage) -> bool:
    """Whether the closing delimiter is glued to the last text; then it is taken away."""
    payload = last.get_payload()
    if not isinstance(payload, str):
        return False
    before, found, _after = payload.rpartition(f"--{part.get_boundary()}--")
    if found and before.isascii():  # other text was decoded already and cannot be put back
        last.set_payload(before)
    return bool(found)


def _complete_choice(found: _Found, texts_before: int, htmls_before: int) -> None:
    texts, htmls = found.texts[texts_before:], found.htmls[htmls_before:]
    if htmls and not any(text.strip() for text in texts):
        found.texts[texts_before:] = [text_of_html(html) for html, _is_html in htmls]
    if not htmls:
        found.htmls += [(_as_html(text), False) for text in texts]


def _children(part: MailMessage) -> Iterator[MailMessage]:
    payload = part.get_payload()
    yield from (child for child in (payload if isinstance(payload, list) else ()) if isinstance(child, Message))


def _mend(part: MailMessage, found: _Found) -> None:
    """Put a large body back; let the library see raw bytes in parameters, and a transfer encoding without more."""
    payload = part.get_payload()
    if isinstance(payload, str) and found.lifted.stands_in(payload):
        part.set_payload(found.lifted.back_in_text(payload))
    for name in PARAMETRIC:
        for value in headers.values(part, name)[:1]:
            if not value.isascii():
                part.replace_header(name, raw_text(value))
    for value in headers.values(part, "Content-Transfer-Encoding")[:1]:
        word = TRANSFER_ENCODING.search(value)
        part.replace_header("Content-Transfer-Encoding", word[0] if word else "7bit")


def _take_leaf(part: MailMessage, found: _Found, place: Place) -> None:
    """Decide between body and file as JMAP does (RFC 8621, 4.1.4)."""
    kind = part.get_content_type()
    has_no_parts = part.get_content_maintype() == "multipart"
    if has_no_parts:
        kind = "text/plain"  # it says multipart and has no parts (RFC 2046, 5.1.7: treat as plain text)
    disposition = str(part.get_content_disposition() or "")
    is_text = kind in {"text/plain", "text/html"} and disposition != "attachment"
    leads = place.position == 0 or (place.parent != "related" and not _raw_name(part))
    if is_text and leads:
        _take_text(kind, part, found, place)
    if not (is_text and leads) or (place.is_cut and _bytes(part, found).strip()) or _is_garbled(part, place):
        found.attachments.append(_attachment(part, disposition, found))


def _is_garbled(part: MailMessage, place: Place) -> bool:
    """Whether what is shown as text may be something else: then it is kept as a file too."""
    defects = {type(defect) for defect in part.defects}
    if StartBoundaryNotFoundDefect in defects:
        return place.depth == 0
    if not defects & BROKEN_BASE64:
        return False
    try:
        _payload(part).decode(headers.charset_of(part) or "ascii")
    except (UnicodeError, LookupError):
        return True
    return False


def _take_text(kind: str, part: MailMessage, found: _Found, place: Place) -> None:
    text = _text(kind, part, found)
    if kind == "text/html":
        found.htmls.append((text, True))
        if not place.is_choice:
            found.texts.append(text_of_html(text))
        return
    if "\nbegin " in f"\n{text}":
        text, files = split_uuencoded(text)
        found.attachments += [_uuencoded(name, content, len(found.attachments) + 1) for name, content in files]
    found.texts.append(text)
    if not place.is_choice:
        found.htmls.append((_as_html(text), False))


def _as_html(text: str) -> str:
    return "<div>" + escape(text).replace("\n", "<br>\n") + "</div>" if text.strip() else ""


def _uuencoded(name: str, content: bytes, number: int) -> AttachmentPart:
    return AttachmentPart(
        filename=file_name(name, fallback=f"part-{number}"),
        media_type="application/octet-stream",
        content=content,
        content_id=None,
        is_inline=False,
    )


def _text(kind: str, part: MailMessage, found: _Found) -> str:
    data = _bytes(part, found)
    if len(data) > MAX_TEXT_BYTES:
        found.notices.add("text_cut")
        data = data[:MAX_TEXT_BYTES]
    charset = headers.charset_of(part) or _meta_charset(kind, data)
    if not charset and not data.isascii():
        found.notices.add("charset_guessed")
    text = decode_bytes(data, charset).replace("\r\n", "\n").replace("\r", "\n")
    if kind == "text/plain" and _parameter(part, "format") == "flowed":
        text = unflowed(text, delete_space=_parameter(part, "delsp") == "yes")
    return storable(text)


def _meta_charset(kind: str, data: bytes) -> str | None:
    found = META_CHARSET.search(data[:4_000]) if kind == "text/html" else None
    return found[1].decode("ascii", "ignore") if found else None


def _parameter(part: MailMessage, name: str) -> str:
    try:
        return str(part.get_param(name, "", unquote=True) or "").strip().lower()
    except (ValueError, LookupError, TypeError):
        return ""


def _bytes(part: MailMessage, found: _Found) -> bytes:
    """The part's content, its transfer encoding undone; an enclosed mail as its own bytes."""
    if not part.is_multipart():
        return _payload(part)
    encoding = str(part.get("Content-Transfer-Encoding", "")).lower()
    enclosed = next(_children(part), None)
    if encoding in {"base64", "quoted-printable"} and enclosed is not None and not enclosed.keys():
        enclosed["Content-Transfer-Encoding"] = encoding  # forbidden (RFC 2046, 5.2.1), and sent all the same
        enclosed.set_payload(found.lifted.back_in_text(str(enclosed.get_payload())))
        return _payload(enclosed)
    return found.lifted.back_in(b"".join(_source(child) for child in _children(part)))


def _source(message: MailMessage) -> bytes:
    try:
        return message.as_bytes()
    except (LookupError, TypeError, ValueError, AttributeError, AssertionError):
        return _payload(message)


def _payload(part: MailMessage) -> bytes:
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError, AssertionError, AttributeError):
        payload = None
    if isinstance(payload, bytes):
        return payload
    plain = part.get_payload()
    return plain.encode("utf-8", "surrogateescape") if isinstance(plain, str) else b""


def _raw_name(part: MailMessage) -> str | None:
    """The name as written, from the disposition or the type (RFC 2183, 2231)."""
    try:
        name = part.get_filename()
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    return name or None


def _attachment(part: MailMessage, disposition: str, found: _Found) -> AttachmentPart:
    number = len(found.attachments) + 1
    kind = part.get_content_type()
    content_id = str(part.get("Content-ID") or "").strip().strip("<>").strip()
    return AttachmentPart(
        filename=file_name(_raw_name(part), fallback=f"{_title(part, number)}{EXTENSIONS.get(kind, '')}"),
        media_type=clean(kind)[:100],
        content=_bytes(part, found),
        content_id=clean(content_id)[:300] or None,
        is_inline=disposition == "inline" or (bool(content_id) and disposition != "attachment"),
    )


def _title(part: MailMessage, number: int) -> str:
    """What to call a part without a name: an enclosed mail by its subject, else by its place."""
    enclosed = next(_children(part), None) if part.get_content_type() == "message/rfc822" else None
    subject = headers.text_of(enclosed, "Subject") if enclosed is not None else ""
    return file_name(subject.replace("/", "-").replace("\\", "-")[:100], fallback=f"part-{number}")

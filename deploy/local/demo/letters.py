"""Customers' mails as their mail programs would write them (RFC 5322), with files drawn on the spot."""

import struct
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from html import escape
from typing import Final

from deploy.local.demo.people import Person
from deploy.local.demo.words import LANGUAGES


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The mail of ours that a customer answers. ``at`` is in the customer's own time."""

    message_id: str
    subject: str
    reply_to: str
    text: str
    who: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A mail to write. ``files`` names what hangs on it, or nothing."""

    person: Person
    to: str
    subject: str
    text: str
    message_id: str
    at: datetime
    is_html: bool
    files: str = ""
    answered: Answered | None = None


def render(letter: Letter) -> bytes:
    """The mail's bytes."""
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(letter.person.name, addr_spec=letter.person.email)
    message["To"] = Address(addr_spec=letter.to)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<{letter.message_id}>"
    if letter.answered:
        message["In-Reply-To"] = f"<{letter.answered.message_id}>"
        message["References"] = f"<{letter.answered.message_id}>"
    message.set_content(f"{letter.text}\n{_signature(letter.person)}{_quoted(letter)}")
    if letter.is_html:
        message.add_alternative(_html(letter), subtype="html")
    if letter.files:
        name, media_type, content = FILES[letter.files]()
        kind, _slash, subtype = media_type.partition("/")
        message.add_attachment(content, maintype=kind, subtype=subtype, filename=name)
    return message.as_bytes()


def _signature(person: Person) -> str:
    lines = ["", "-- ", person.name, f"{person.title}, {person.firm}".strip(", "), person.phone]
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def _attribution(letter: Letter, answered: Answered) -> str:
    return LANGUAGES[letter.person.language].wrote.format(at=answered.at, who=answered.who)


def _quoted(letter: Letter) -> str:
    if letter.answered is None:
        return ""
    lines = "\n".join(f"> {line}".rstrip() for line in letter.answered.text.splitlines())
    return f"\n{_attribution(letter, letter.answered)}\n{lines}\n"


def _html(letter: Letter) -> str:
    person = letter.person
    paragraphs = "".join(f"<p>{escape(part).replace(chr(10), '<br>')}</p>" for part in letter.text.split("\n\n"))
    quote = ""
    if letter.answered:
        text = escape(letter.answered.text).replace("\n", "<br>")
        quote = f"<div>{escape(_attribution(letter, letter.answered))}<blockquote>{text}</blockquote></div>"
    return (
        '<html><body style="font-family: Calibri, sans-serif; color: #1f2937">'
        f"{paragraphs}<table><tr><td style='border-left: 3px solid #b45309; padding-left: 8px'>"
        f"<b>{escape(person.name)}</b><br>{escape(person.title)} {escape(person.firm)}<br>{escape(person.phone)}"
        f"</td></tr></table>{quote}</body></html>"
    )


@cache
def _invoice() -> tuple[str, str, bytes]:
    lines = ["INVOICE 2026-0417", "", "1 x delivery and set-up", "Total 12 480,00 CZK", "Payable within 14 days"]
    return "faktura-2026-0417.pdf", "application/pdf", _pdf(lines)


@cache
def _plan() -> tuple[str, str, bytes]:
    return "půdorys 2. patro.pdf", "application/pdf", _pdf(["FLOOR PLAN", "", "12 desks, 2 meeting rooms, 1 kitchen"])


@cache
def _photo() -> tuple[str, str, bytes]:
    return "IMG_2041.png", "image/png", _png(480, 320)


FILES: Final[Mapping[str, Callable[[], tuple[str, str, bytes]]]] = {
    "invoice": _invoice,
    "plan": _plan,
    "photo": _photo,
}
"""Name, media type and bytes of each file."""


def _pdf(lines: list[str]) -> bytes:
    """A page with ``lines`` of plain ASCII (ISO 32000-1, 7.5)."""
    text = " ".join(f"({line}) Tj T*" for line in lines)
    content = f"BT /F1 18 Tf 72 760 Td 26 TL {text} ET".encode("ascii")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R "
            b"/Resources << /Font << /F1 4 0 R >> >> >>"
        ),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
    ]
    document, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(document))
        document += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size, start = len(objects) + 1, len(document)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, start)
    return document + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + trailer


def _png(width: int, height: int) -> bytes:
    """A box with a red light on a bench, in flat colours (RFC 2083)."""

    def colour(x: int, y: int) -> bytes:
        if (x - 330) ** 2 + (y - 130) ** 2 < 160:
            return b"\xdc\x26\x26"
        if 110 < x < 370 and 90 < y < 240:
            return b"\x37\x41\x51" if y < 200 else b"\x1f\x29\x37"
        return b"\xd6\xcf\xc4" if y < 240 else b"\xa8\x8b\x68"

    rows = b"".join(b"\0" + b"".join(colour(x, y) for x in range(width)) for y in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows, 9)), _chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

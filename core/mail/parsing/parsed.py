"""What parsing answers."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Address:
    """A mailbox (RFC 5322, 3.4): display name and address, each possibly empty."""

    name: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentPart:
    """A part that is not the body. ``filename`` is safe to show; ``content_id`` has no angle brackets."""

    filename: str
    media_type: str
    content: bytes
    content_id: str | None
    is_inline: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ParsedMail:
    """A mail. Message-IDs have no angle brackets, ``sent_at`` is aware (UTC), ``html`` is as it came.

    ``text`` is always readable: made from the HTML where there is no plain text. ``notices`` are codes of what was cut
    or guessed: ``headers_cut``, ``text_cut``, ``too_many_parts``, ``too_deep``, ``too_many_addresses``,
    ``charset_guessed``.
    """

    subject: str
    sender: Address | None
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    message_id: str | None
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    sent_at: datetime | None
    text: str
    html: str | None
    attachments: tuple[AttachmentPart, ...]
    is_automatic: bool
    is_bounce: bool
    notices: tuple[str, ...]

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
    ``charset_guessed``, ``incomplete`` (the mail ends before its parts do).

    ``is_automatic``: no person wrote it. ``is_bounce``: it reports a failed or delayed delivery; then ``reported_ids``
    are the Message-IDs that stand in the report, among them that of the mail which it is about.
    """

    subject: str = ""
    sender: Address | None = None
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    message_id: str | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    sent_at: datetime | None = None
    text: str = ""
    html: str | None = None
    attachments: tuple[AttachmentPart, ...] = ()
    is_automatic: bool = False
    is_bounce: bool = False
    reported_ids: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

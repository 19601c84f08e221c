"""Questions about mail: a ticket's thread, one mail's body and files, the outbox."""

import base64
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any, Final

from sqlalchemy import Select, func, select

from core.foundation.blobs import BlobId, read_blob
from core.foundation.errors import NotFound
from core.foundation.permissions import Permission
from core.foundation.read_log import How, record_read
from core.foundation.unit_of_work import Work
from core.identity.models import UserAccount
from core.mail.models import InboundMail, MailMessage, OutboundMail
from core.mail.parsing.folding import fold_reply
from core.mail.parsing.html import clean_html
from core.tickets.models import Ticket
from core.timeline.models import Activity, Attachment

INLINE_TYPES: Final = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
REMOTE_IMAGE: Final = re.compile(r"<img\b[^>]{0,2000}\bsrc\s*=\s*[\"']?\s*https?:", re.IGNORECASE)
TABLE_CELL: Final = re.compile(r"<t[dh][\s>]", re.IGNORECASE)
LINE_START: Final = re.compile(r"<(?:tr|p|br|li|div|h[1-6])[\s>/]", re.IGNORECASE)
PICTURE: Final = re.compile(r"<img\s", re.IGNORECASE)
LOOKED_AT_CHARACTERS: Final = 200_000
LAID_OUT_CELLS: Final = 6
INLINE_LIMIT_BYTES: Final = 10 * 2**20
THREAD_LIMIT: Final = 500
OUTBOX_PAGE: Final = 50
SOURCE_CHARACTERS: Final = 200_000
SHOWN_HEADERS: Final = frozenset(
    {"From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID", "In-Reply-To", "References"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """An attachment as it is listed. ``is_embedded``: a picture that the mail's HTML shows where it belongs."""

    id: int
    name: str
    media_type: str
    size_bytes: int
    is_embedded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadMail:
    """One mail of a ticket. Addresses are pairs of name and address.

    ``text`` is what is new in ``body``, ``quoted`` the rest.
    ``is_laid_out``: its HTML says more than its text, by a table or pictures. ``html_lines``: about how long it is.
    """

    activity_id: int
    direction: str
    sender: tuple[str, str]
    reply_to: Sequence[str]
    recipients: Sequence[tuple[str, str]]
    copies: Sequence[tuple[str, str]]
    subject: str
    body: str
    text: str
    quoted: str
    has_html: bool
    has_remote_images: bool
    is_laid_out: bool
    html_lines: int
    flags: Sequence[str]
    occurred_at: datetime
    user_id: int | None
    user_name: str | None
    files: Sequence[FileEntry]
    outbound_id: int | None
    outbound_state: str | None
    outbound_answer: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """A mail that was written, and how far it came."""

    id: int
    activity_id: int | None
    ticket_id: int | None
    ticket_number: int | None
    subject: str
    recipients: Sequence[str]
    state: str
    answer: str | None
    user_name: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class OutboxPage:
    """A page of the outbox, newest first; ``next_id`` continues it."""

    rows: Sequence[OutboxRow]
    next_id: int | None


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file to hand out."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class OutboxMail:
    """One mail of the outbox: its headers and text as a reader sees them, and how it is written for the wire.

    ``source`` is the message as it leaves (RFC 5322); both texts are cut after 200,000 characters.
    """

    row: OutboxRow
    headers: Sequence[tuple[str, str]]
    text: str
    source: str


def thread_of_ticket(work: Work, ticket_id: int) -> list[ThreadMail]:
    """The ticket's mails, oldest first: two statements."""
    work.actor.require(Permission.TICKETS_READ)
    query = (
        select(Activity, MailMessage, OutboundMail, UserAccount.name)
        .join(MailMessage, MailMessage.activity_id == Activity.id)
        .outerjoin(OutboundMail, OutboundMail.activity_id == Activity.id)
        .outerjoin(UserAccount, UserAccount.id == Activity.user_id)
        .where(Activity.ticket_id == ticket_id)
        .order_by(Activity.occurred_at, Activity.id)
        .limit(THREAD_LIMIT)
    )
    found = work.session.execute(query).all()
    files = _files_of(work, [row[0].id for row in found])
    return [_as_mail(*row, files=files[row[0].id]) for row in found]


def mail_body(work: Work, activity_id: int, *, with_remote_images: bool) -> str:
    """The mail's HTML, cleaned, with images of this very mail embedded (ATTACK 15). Empty if it has no HTML."""
    work.actor.require(Permission.TICKETS_READ)
    message = _message(work, activity_id)
    return clean_html(message.body_html or "", _inline_images(work, activity_id), with_remote_images=with_remote_images)


def attachment_file(work: Work, attachment_id: int) -> StoredFile:
    """An attachment's bytes; raises ``NotFound``."""
    work.actor.require(Permission.TICKETS_READ)
    attachment = work.session.get(Attachment, attachment_id)
    if attachment is None:
        raise NotFound
    return StoredFile(attachment.name, attachment.media_type, read_blob(work, BlobId(attachment.blob_id)))


def raw_mail(work: Work, activity_id: int) -> bytes:
    """The mail exactly as it came in or leaves (RFC 5322); raises ``NotFound``."""
    work.actor.require(Permission.TICKETS_READ)
    _message(work, activity_id)
    for model in (InboundMail, OutboundMail):
        blob_id = work.session.scalars(select(model.blob_id).where(model.activity_id == activity_id)).first()
        if blob_id is not None:
            return read_blob(work, BlobId(blob_id))
    raise NotFound


def outbox(
    work: Work, *, state: str | None = None, before_id: int | None = None, limit: int = OUTBOX_PAGE
) -> OutboxPage:
    """Mails that were written, newest first; one statement, one more notes the look."""
    work.actor.require(Permission.OUTBOX_READ)
    query = _outbox_query().order_by(OutboundMail.id.desc()).limit(limit + 1)
    if state is not None:
        query = query.where(OutboundMail.state == state)
    if before_id is not None:
        query = query.where(OutboundMail.id < before_id)
    rows = [_as_outbox_row(*row) for row in work.session.execute(query)]
    shown = rows[:limit]
    record_read(work, "ticket", [row.ticket_id for row in shown if row.ticket_id], how=How.LIST)
    return OutboxPage(shown, shown[-1].id if len(rows) > limit else None)


def outbox_mail(work: Work, outbound_mail_id: int) -> OutboxMail:
    """One mail that was written, exactly as it leaves; raises ``NotFound``.

    Of a notice that is out nothing but its head is shown: what it says is for its reader alone, such as a link that
    lets them in. While no outgoing server is set somebody has to hand it on, and that is the owner.
    """
    work.actor.require(Permission.OUTBOX_READ)
    found = work.session.execute(_outbox_query().where(OutboundMail.id == outbound_mail_id)).one_or_none()
    if found is None:
        raise NotFound
    row = _as_outbox_row(*found)
    record_read(work, "ticket", [row.ticket_id] if row.ticket_id else [], how=How.DETAIL)
    if row.activity_id is None and row.state != "held":
        return OutboxMail(row, headers=[], text="", source="")
    raw = read_blob(work, BlobId(found[0].blob_id))
    message = message_from_bytes(raw, policy=SMTP)
    body = message.get_body(("plain",)) if isinstance(message, EmailMessage) else None
    return OutboxMail(
        row,
        headers=[(name, str(value)) for name, value in message.items() if name in SHOWN_HEADERS],
        text=str(body.get_content())[:SOURCE_CHARACTERS] if body else "",
        source=raw.decode("utf-8", "replace").replace("\r\n", "\n")[:SOURCE_CHARACTERS],
    )


@dataclass(frozen=True, slots=True)
class Troubled:
    """How many mails wait for a person: the server said no, or nobody knows whether they arrived."""

    refused: int
    uncertain: int


def count_troubled(work: Work) -> Troubled:
    """The mails that wait for a person; one statement."""
    work.actor.require(Permission.OUTBOX_READ)
    states = ("refused", "uncertain")
    query = (
        select(OutboundMail.state, func.count())
        .outerjoin(Activity, Activity.id == OutboundMail.activity_id)
        .where(OutboundMail.state.in_(states))
        .group_by(OutboundMail.state)
    )
    found: dict[str, int] = dict(work.session.execute(query).all())
    return Troubled(*(found.get(state, 0) for state in states))


def _outbox_query() -> Select[*tuple[Any, ...]]:
    return (
        select(
            OutboundMail,
            func.coalesce(OutboundMail.subject, MailMessage.subject),
            Ticket.id,
            Ticket.number,
            UserAccount.name,
        )
        .outerjoin(Activity, Activity.id == OutboundMail.activity_id)
        .outerjoin(MailMessage, MailMessage.activity_id == Activity.id)
        .outerjoin(Ticket, Ticket.id == Activity.ticket_id)
        .outerjoin(UserAccount, UserAccount.id == Activity.user_id)
    )


def _as_outbox_row(
    mail: OutboundMail, subject: str, ticket_id: int | None, number: int | None, user_name: str | None
) -> OutboxRow:
    return OutboxRow(
        id=mail.id,
        activity_id=mail.activity_id,
        ticket_id=ticket_id,
        ticket_number=number,
        subject=subject,
        recipients=mail.envelope_to,
        state=mail.state,
        answer=mail.answer,
        user_name=user_name,
        created_at=mail.created_at,
    )


def _message(work: Work, activity_id: int) -> MailMessage:
    message = work.session.scalars(select(MailMessage).where(MailMessage.activity_id == activity_id)).one_or_none()
    if message is None:
        raise NotFound
    return message


def _files_of(work: Work, activity_ids: Sequence[int]) -> Mapping[int, list[FileEntry]]:
    files: dict[int, list[FileEntry]] = defaultdict(list)
    query = select(Attachment).where(Attachment.activity_id.in_(activity_ids)).order_by(Attachment.id)
    for attachment in work.session.scalars(query) if activity_ids else ():
        files[attachment.activity_id].append(
            FileEntry(
                id=attachment.id,
                name=attachment.name,
                media_type=attachment.media_type,
                size_bytes=attachment.size_bytes,
                is_embedded=attachment.content_id is not None and attachment.media_type in INLINE_TYPES,
            )
        )
    return files


def _as_mail(
    activity: Activity,
    message: MailMessage,
    outbound: OutboundMail | None,
    user_name: str | None,
    *,
    files: Sequence[FileEntry],
) -> ThreadMail:
    text, quoted = fold_reply(message.body_text)
    html = message.body_html or ""
    return ThreadMail(
        activity_id=activity.id,
        direction=activity.direction,
        sender=(message.sender[0], message.sender[1]),
        reply_to=[address for _name, address in message.reply_to if address],
        recipients=[(name, address) for name, address in message.recipients],
        copies=[(name, address) for name, address in message.copies],
        subject=message.subject,
        body=message.body_text,
        text=text,
        quoted=quoted,
        has_html=message.body_html is not None,
        has_remote_images=bool(REMOTE_IMAGE.search(html)),
        html_lines=len(LINE_START.findall(html[:LOOKED_AT_CHARACTERS])),
        is_laid_out=_is_laid_out(html, has_quote=bool(quoted.strip())),
        flags=message.flags,
        occurred_at=activity.occurred_at,
        user_id=activity.user_id,
        user_name=user_name,
        files=files,
        outbound_id=outbound.id if outbound else None,
        outbound_state=outbound.state if outbound else None,
        outbound_answer=outbound.answer if outbound else None,
    )


def _is_laid_out(html: str, *, has_quote: bool) -> bool:
    """Whether reading the text alone would lose something: a table with columns, or pictures.

    An answer in a conversation is read as text, since only there its history can be folded; signatures bring small
    tables and a logo, which nobody misses.
    """
    head = html[:LOOKED_AT_CHARACTERS]
    return not has_quote and (len(TABLE_CELL.findall(head)) >= LAID_OUT_CELLS or len(PICTURE.findall(head)) > 1)


def _inline_images(work: Work, activity_id: int) -> dict[str, str]:
    """Content-ID → data: URL for the mail's own images, as far as the limit on size allows."""
    query = select(Attachment).where(
        Attachment.activity_id == activity_id,
        Attachment.content_id.is_not(None),
        Attachment.media_type.in_(INLINE_TYPES),
    )
    images: dict[str, str] = {}
    room = INLINE_LIMIT_BYTES
    for attachment in work.session.scalars(query):
        room -= attachment.size_bytes
        if room < 0:
            break
        encoded = base64.b64encode(read_blob(work, BlobId(attachment.blob_id))).decode()
        images[str(attachment.content_id)] = f"data:{attachment.media_type};base64,{encoded}"
    return images

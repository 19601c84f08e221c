"""Putting a mail that came in where it belongs: parse, decide, store.

Reading the raw bytes, parsing them in a child process and writing the result are three steps; only the first and the
last hold a transaction. Filing twice does nothing the second time.
"""

from dataclasses import dataclass

import structlog
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from core.directory.models import Contact, ContactEmail
from core.foundation.actor import Actor
from core.foundation.blobs import BlobId, read_blob, store_blob
from core.foundation.i18n import _, translate
from core.foundation.live import tell
from core.foundation.outbox import emit
from core.foundation.unit_of_work import Work, unit_of_work
from core.identity.models import UserAccount
from core.mail.events import MailFiled
from core.mail.models import InboundMail, MailAddress, MailMessage, MailParticipant
from core.mail.parsing.child import ParseFailed, headers_in_child, parse_in_child
from core.mail.parsing.parsed import Address, AttachmentPart, ParsedMail
from core.mail.threading import ThreadingFacts, number_in_subject, ticket_to_join
from core.mail.tokens import ticket_of_message_id, ticket_of_recipient
from core.tenants.service import tenant_profile
from core.tickets.models import Ticket
from core.tickets.service import TicketDraft, locked_ticket, note_activity, open_ticket
from core.timeline.models import Activity
from core.timeline.service import ActivityDraft, FileDraft, attach_stored, record_activity

MAX_REFERENCES = 100
UNREADABLE = "unreadable"
RAW_NAME = "message.eml"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of parsing: the mail, or at least its headers and the code of the reason why there is no more."""

    mail: ParsedMail
    failure: str | None


def file_inbound(actor: Actor, inbound_mail_id: int) -> None:
    """File one mail that came in; does nothing if it is filed."""
    with unit_of_work(actor) as work:
        arrived = work.session.get(InboundMail, inbound_mail_id)
        if arrived is None or arrived.state != "received":
            return
        raw = read_blob(work, BlobId(arrived.blob_id))
    reading = _read(raw)
    with unit_of_work(actor) as work:
        arrived = work.session.get(InboundMail, inbound_mail_id, with_for_update=True)
        if arrived is not None and arrived.state == "received":
            _store(work, arrived, reading, raw)


def _read(raw: bytes) -> Reading:
    try:
        return Reading(parse_in_child(raw), None)
    except ParseFailed as failure:
        log.warning("mail_not_parsed", reason=failure.reason, size_bytes=len(raw))
        return Reading(_headers_at_least(raw), failure.reason)


def _headers_at_least(raw: bytes) -> ParsedMail:
    try:
        return headers_in_child(raw)
    except ParseFailed:
        return ParsedMail()


def _store(work: Work, arrived: InboundMail, reading: Reading, raw: bytes) -> None:
    mail, sender = reading.mail, _sender(reading.mail, arrived)
    _wait_for_copies(work, arrived)
    joined = ticket_to_join(_facts(work, arrived, mail, sender))
    earlier = _same_mail_filed_before(work, arrived, joined)
    if earlier is not None:
        arrived.state, arrived.activity_id = "filed", earlier
        return
    files = [(file, store_blob(work, file.content)) for file in _files(reading, raw)]
    ticket = locked_ticket(work, joined) if joined else _open_for(work, arrived, mail, sender)
    activity_id = record_activity(
        work,
        ActivityDraft(
            kind="email",
            direction="in",
            summary=mail.subject or ticket.title,
            occurred_at=arrived.received_at,
            ticket_id=ticket.id,
            contact_id=ticket.contact_id,
            company_id=ticket.company_id,
            queue_id=ticket.queue_id,
        ),
    )
    _store_message(work, activity_id, arrived, reading, sender)
    for file, blob_id in files:
        attach_stored(work, activity_id, file, blob_id)
    if not mail.is_bounce:
        _add_participant(work, ticket, sender)
    arrived.state = UNREADABLE if reading.failure else "filed"
    arrived.reason, arrived.activity_id = reading.failure, activity_id
    if joined:
        note_activity(work, ticket, reopen=not (mail.is_automatic or mail.is_bounce))
    emit(work, MailFiled(activity_id))
    if ticket.contact_id:
        tell(work, "contact", [ticket.contact_id])


def _sender(mail: ParsedMail, arrived: InboundMail) -> Address:
    """Who wrote, as the mail says; by the envelope where it does not."""
    if mail.sender is None:
        return Address("", arrived.sender)
    return mail.sender if mail.sender.address else Address(mail.sender.name, arrived.sender)


def _wait_for_copies(work: Work, arrived: InboundMail) -> None:
    """Let copies of one mail be filed one after the other, so that the second sees the first."""
    key = int.from_bytes(arrived.sha256[:8], "big", signed=True)
    work.session.execute(select(func.pg_advisory_xact_lock(key)))


def _same_mail_filed_before(work: Work, arrived: InboundMail, joined: int | None) -> int | None:
    """The activity of a byte-for-byte copy: a sender that missed our ``250``, or one mail to several of our addresses.

    A copy for another address of ours is the same thing only where it leads to the same ticket.
    """
    query = (
        select(InboundMail.activity_id, InboundMail.recipient, InboundMail.mail_address_id, Activity.ticket_id)
        .join(Activity, Activity.id == InboundMail.activity_id)
        .where(InboundMail.sha256 == arrived.sha256, InboundMail.id != arrived.id)
        .order_by(InboundMail.id)
    )
    for activity_id, recipient, mail_address_id, ticket_id in work.session.execute(query):
        is_same_address = mail_address_id == arrived.mail_address_id
        if recipient == arrived.recipient or ticket_id == joined or (joined is None and is_same_address):
            return activity_id
    return None


def _facts(work: Work, arrived: InboundMail, mail: ParsedMail, sender: Address) -> ThreadingFacts:
    realm = tenant_profile(work).realm
    answers = (*mail.in_reply_to, *reversed(mail.references))[:MAX_REFERENCES]
    ours = (ticket_of_message_id(message_id, realm=realm) for message_id in (*answers, *mail.reported_ids))
    return ThreadingFacts(
        recipient_ticket=_existing(work, ticket_of_recipient(arrived.recipient, realm=realm)),
        answered_ticket=_existing(work, next((ticket for ticket in ours if ticket), None)),
        quoted_ticket=_quoted_ticket(work, answers, sender),
        tagged_ticket=_tagged_ticket(work, mail.subject, sender),
    )


def _existing(work: Work, ticket_id: int | None) -> int | None:
    if ticket_id is None:
        return None
    return work.session.scalar(select(Ticket.id).where(Ticket.id == ticket_id))


def _quoted_ticket(work: Work, answers: tuple[str, ...], sender: Address) -> int | None:
    """The newest ticket that holds one of the answered messages and in which the sender takes part."""
    query = (
        select(Activity.ticket_id)
        .join(MailMessage, MailMessage.activity_id == Activity.id)
        .join(MailParticipant, MailParticipant.ticket_id == Activity.ticket_id)
        .where(MailMessage.message_id.in_(answers), MailMessage.message_id != "")
        .where(MailParticipant.address_lower == sender.address.lower())
        .order_by(Activity.id.desc())
    )
    return work.session.scalars(query).first() if answers and sender.address else None


def _tagged_ticket(work: Work, subject: str, sender: Address) -> int | None:
    """The ticket whose number stands in the subject, if the sender takes part in it."""
    number = number_in_subject(subject)
    query = (
        select(Ticket.id)
        .join(MailParticipant, MailParticipant.ticket_id == Ticket.id)
        .where(Ticket.number == number, MailParticipant.address_lower == sender.address.lower())
    )
    return work.session.scalar(query) if number and sender.address else None


def _open_for(work: Work, arrived: InboundMail, mail: ParsedMail, sender: Address) -> Ticket:
    address = work.session.get_one(MailAddress, arrived.mail_address_id)
    contact = _only_contact_with(work, sender.address)
    return open_ticket(
        work,
        TicketDraft(
            title=mail.subject or sender.name or sender.address or _nameless(work),
            category_id=address.category_id,
            queue_id=address.queue_id,
            contact_id=contact.id if contact else None,
            company_id=contact.company_id if contact else None,
            requester=sender.address,
        ),
    )


def _nameless(work: Work) -> str:
    return translate(_("Mail without subject and sender"), tenant_profile(work).locale)


def _only_contact_with(work: Work, address: str) -> Contact | None:
    """The contact who has this address; None if nobody or several have it, then a person decides."""
    query = (
        select(Contact)
        .join(ContactEmail, ContactEmail.contact_id == Contact.id)
        .where(ContactEmail.address_lower == address.lower())
        .distinct()
        .limit(2)
    )
    found = work.session.scalars(query).all() if address else []
    return found[0] if len(found) == 1 else None


def _store_message(work: Work, activity_id: int, arrived: InboundMail, reading: Reading, sender: Address) -> None:
    mail = reading.mail
    work.session.add(
        MailMessage(
            activity_id=activity_id,
            message_id=mail.message_id or "",
            in_reply_to=list((*mail.in_reply_to, *mail.references)[:MAX_REFERENCES]),
            sender=[sender.name, sender.address],
            reply_to=_pairs(mail.reply_to),
            recipients=_pairs(mail.to) or [["", arrived.recipient]],
            copies=_pairs(mail.cc),
            subject=mail.subject,
            body_text=mail.text,
            body_html=mail.html,
            flags=_flags(work, reading, sender),
            sent_at=mail.sent_at or arrived.received_at,
        )
    )


def _flags(work: Work, reading: Reading, sender: Address) -> list[str]:
    mail = reading.mail
    claims_colleague = work.session.scalar(
        select(func.count()).select_from(UserAccount).where(UserAccount.email == sender.address.lower())
    )
    flags = {
        UNREADABLE: reading.failure is not None,
        "claims_colleague": bool(claims_colleague),
        "automatic": mail.is_automatic,
        "bounce": mail.is_bounce,
    }
    return [name for name, holds in flags.items() if holds] + list(mail.notices)


def _add_participant(work: Work, ticket: Ticket, sender: Address) -> None:
    if sender.address:
        row = insert(MailParticipant).values(ticket_id=ticket.id, address_lower=sender.address.lower())
        work.session.execute(row.on_conflict_do_nothing())


def _files(reading: Reading, raw: bytes) -> list[FileDraft]:
    """The mail's attachments; of a mail that nobody could read, the mail itself."""
    files = [_file(part) for part in reading.mail.attachments]
    if reading.failure:
        files.append(FileDraft(name=RAW_NAME, media_type="message/rfc822", content=raw))
    return files


def _file(part: AttachmentPart) -> FileDraft:
    return FileDraft(
        name=part.filename,
        media_type=part.media_type,
        content=part.content,
        content_id=part.content_id,
        is_inline=part.is_inline,
    )


def _pairs(addresses: tuple[Address, ...]) -> list[list[str]]:
    return [[address.name, address.address] for address in addresses]

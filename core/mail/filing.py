"""Putting a mail that came in where it belongs: parse, decide, store.

Reading the raw bytes, parsing them in a child process and writing the result are three steps; only the first and the
last hold a transaction. Filing twice does nothing the second time.
"""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from core.directory.models import Contact, ContactEmail
from core.foundation import clock
from core.foundation.actor import Actor
from core.foundation.blobs import BlobId, read_blob
from core.foundation.live import tell
from core.foundation.outbox import emit
from core.foundation.unit_of_work import Work, unit_of_work
from core.identity.models import UserAccount
from core.mail.events import MailFiled
from core.mail.models import InboundMail, MailAddress, MailMessage, MailParticipant
from core.mail.parsing.child import ParseFailed, parse_in_child
from core.mail.parsing.parsed import Address, AttachmentPart, ParsedMail
from core.mail.threading import ThreadingFacts, number_in_subject, ticket_to_join
from core.mail.tokens import ticket_of_message_id, ticket_of_recipient
from core.tenants.service import tenant_profile
from core.tickets.models import Ticket
from core.tickets.service import TicketDraft, locked_ticket, note_activity, open_ticket
from core.timeline.models import Activity
from core.timeline.service import ActivityDraft, FileDraft, attach, record_activity

MAX_REFERENCES = 100
UNREADABLE = "unreadable"
RAW_NAME = "message.eml"


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of parsing: the mail, or the code of the reason why there is none."""

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
        return Reading(_nothing_read(), failure.reason)


def _nothing_read() -> ParsedMail:
    return ParsedMail(
        subject="",
        sender=None,
        reply_to=(),
        to=(),
        cc=(),
        message_id=None,
        in_reply_to=(),
        references=(),
        sent_at=None,
        text="",
        html=None,
        attachments=(),
        is_automatic=False,
        is_bounce=False,
        notices=(),
    )


def _store(work: Work, arrived: InboundMail, reading: Reading, raw: bytes) -> None:
    earlier = _same_mail_filed_before(work, arrived)
    if earlier is not None:
        arrived.state, arrived.activity_id = "filed", earlier
        return
    mail = reading.mail
    sender = mail.sender or Address("", arrived.sender)
    joined = ticket_to_join(_facts(work, arrived, mail, sender))
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
    for part in mail.attachments:
        attach(work, activity_id, _file(part))
    if reading.failure:
        attach(work, activity_id, FileDraft(name=RAW_NAME, media_type="message/rfc822", content=raw))
    _add_participant(work, ticket, sender)
    arrived.state = UNREADABLE if reading.failure else "filed"
    arrived.reason, arrived.activity_id = reading.failure, activity_id
    if joined:
        note_activity(work, ticket, reopen=not mail.is_automatic)
    emit(work, MailFiled(activity_id))
    if ticket.contact_id:
        tell(work, "contact", [ticket.contact_id])


def _same_mail_filed_before(work: Work, arrived: InboundMail) -> int | None:
    """The activity of a byte-for-byte copy: a sender that missed our ``250`` delivers again."""
    return work.session.scalars(
        select(InboundMail.activity_id).where(
            InboundMail.sha256 == arrived.sha256,
            InboundMail.recipient == arrived.recipient,
            InboundMail.id != arrived.id,
            InboundMail.activity_id.is_not(None),
        )
    ).first()


def _facts(work: Work, arrived: InboundMail, mail: ParsedMail, sender: Address) -> ThreadingFacts:
    realm = tenant_profile(work).realm
    answers = (*mail.in_reply_to, *reversed(mail.references))[:MAX_REFERENCES]
    ours = (ticket_of_message_id(message_id, realm=realm) for message_id in answers)
    recipient_ticket = _existing(work, ticket_of_recipient(arrived.recipient, realm=realm))
    answered_ticket = _existing(work, next((ticket for ticket in ours if ticket), None))
    quoted, tagged = _quoted_ticket(work, answers), _tagged_ticket(work, mail.subject)
    return ThreadingFacts(
        recipient_ticket=recipient_ticket,
        answered_ticket=answered_ticket,
        quoted_ticket=quoted,
        tagged_ticket=tagged,
        takes_part_in=_tickets_with(work, sender, [ticket for ticket in (quoted, tagged) if ticket]),
    )


def _existing(work: Work, ticket_id: int | None) -> int | None:
    if ticket_id is None:
        return None
    return work.session.scalar(select(Ticket.id).where(Ticket.id == ticket_id))


def _quoted_ticket(work: Work, answers: tuple[str, ...]) -> int | None:
    query = (
        select(Activity.ticket_id)
        .join(MailMessage, MailMessage.activity_id == Activity.id)
        .where(MailMessage.message_id.in_(answers), MailMessage.message_id != "")
        .order_by(Activity.id.desc())
    )
    return work.session.scalars(query).first() if answers else None


def _tagged_ticket(work: Work, subject: str) -> int | None:
    number = number_in_subject(subject)
    return work.session.scalar(select(Ticket.id).where(Ticket.number == number)) if number else None


def _tickets_with(work: Work, sender: Address, tickets: list[int]) -> frozenset[int]:
    query = select(MailParticipant.ticket_id).where(
        MailParticipant.ticket_id.in_(tickets), MailParticipant.address_lower == sender.address.lower()
    )
    return frozenset(work.session.scalars(query)) if tickets and sender.address else frozenset()


def _open_for(work: Work, arrived: InboundMail, mail: ParsedMail, sender: Address) -> Ticket:
    address = work.session.get_one(MailAddress, arrived.mail_address_id)
    contact = _only_contact_with(work, sender.address)
    return open_ticket(
        work,
        TicketDraft(
            title=mail.subject or sender.name or sender.address or "?",
            category_id=address.category_id,
            queue_id=address.queue_id,
            contact_id=contact.id if contact else None,
            company_id=contact.company_id if contact else None,
            requester=sender.address,
        ),
    )


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
            recipients=_pairs(mail.to) or [["", arrived.recipient]],
            copies=_pairs(mail.cc),
            subject=mail.subject,
            body_text=mail.text,
            body_html=mail.html,
            flags=_flags(work, reading, sender),
            sent_at=mail.sent_at or clock.now(),
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

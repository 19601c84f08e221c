"""Writing a mail: a reply in a ticket, or a new mail that opens one (D-MAIL-2).

What will leave is rendered here, once, as finished bytes with a stable Message-ID. Sending only carries them.
"""

import re
from dataclasses import dataclass, replace
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from core.directory.models import Contact
from core.foundation import clock
from core.foundation.addresses import NotAnAddress, checked_address
from core.foundation.blobs import store_blob
from core.foundation.errors import Invalid, NotFound
from core.foundation.i18n import Message, _
from core.foundation.jobs import enqueue
from core.foundation.live import tell
from core.foundation.outbox import emit
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.mail.events import MailQueued
from core.mail.models import MailAddress, MailMessage, MailParticipant, OutboundMail
from core.mail.quoting import quoted
from core.mail.tokens import new_message_id, reply_address
from core.tenants.service import tenant_profile
from core.tickets.models import Ticket, TicketCategory
from core.tickets.service import TicketDraft, locked_ticket, note_activity, open_ticket
from core.timeline.models import Activity, Queue
from core.timeline.service import ActivityDraft, record_activity

SEND_JOB: Final = "mail.send"
ON_THE_WIRE: Final = SMTP.clone(max_line_length=998)
"""Lines as long as RFC 5322 allows: the library would encode a foreign Message-ID that fits no shorter one."""
MAX_RECIPIENTS: Final = 100
MAX_TYPED_CHARACTERS: Final = MAX_RECIPIENTS * 320
"""An address has at most 254 characters (RFC 5321, 4.5.3.1.3); the rest is for a name."""
MAX_TEXT_CHARACTERS: Final = 1_000_000
MAX_SUBJECT_CHARACTERS: Final = 300
MAX_REFERENCES: Final = 20
TYPED_ADDRESS: Final = re.compile(r'(?:"[^"]*"|[^,;])+')
"""One address as typed; a comma between quotation marks belongs to a name."""
CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class MailDraft:
    """What somebody wrote. ``to`` and ``copies`` are addresses as typed, separated by commas or semicolons.

    ``quotes`` is the activity of a mail of the same ticket that is quoted below the text, None for no quote.
    """

    to: str
    copies: str = ""
    subject: str
    text: str
    quotes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Checked:
    to: list[str]
    copies: list[str]
    subject: str
    text: str


def reply_to_ticket(work: Work, ticket_id: int, draft: MailDraft) -> int:
    """Queue a mail in the ticket; answers its activity. Raises ``NotFound``, and ``Invalid`` with every problem."""
    work.actor.require(Permission.TICKETS_REPLY)
    checked = _check(draft)
    ticket = locked_ticket(work, ticket_id)
    if draft.quotes is not None:
        checked = replace(checked, text=f"{checked.text.rstrip()}\n\n{_quote(work, ticket, draft.quotes)}\n")
    address = _address_of(work, ticket)
    activity_id = _queue_mail(work, ticket, address, checked)
    note_activity(work, ticket, reopen=False)
    return activity_id


def _quote(work: Work, ticket: Ticket, activity_id: int) -> str:
    """The ticket's mail ``activity_id`` as a quote; raises ``Invalid`` if the ticket has no such mail."""
    query = (
        select(MailMessage, Activity.occurred_at)
        .join(Activity, Activity.id == MailMessage.activity_id)
        .where(Activity.ticket_id == ticket.id, Activity.id == activity_id)
    )
    found = work.session.execute(query).one_or_none()
    if found is None:
        raise Invalid({"quotes": _("The mail to quote is not in this ticket. Send it without the quote.")})
    message, at = found
    profile = tenant_profile(work)
    return quoted(
        message.body_text,
        sender=(message.sender[0], message.sender[1]),
        at=at,
        locale=profile.locale,
        time_zone=profile.time_zone,
    )


def write_mail(work: Work, draft: MailDraft, *, mail_address_id: int, contact_id: int | None = None) -> int:
    """Queue a mail that opens a ticket; answers the ticket's id."""
    work.actor.require(Permission.TICKETS_REPLY)
    checked = _check(draft)
    address = work.session.get(MailAddress, mail_address_id)
    if address is None or address.id not in {choice.id for choice in sender_choices(work)}:
        raise Invalid({"mail_address_id": _("There is no such queue.")})
    contact = work.session.get(Contact, contact_id) if contact_id else None
    if contact_id and contact is None:
        raise Invalid({"contact_id": _("There is no such contact.")})
    ticket = open_ticket(
        work,
        TicketDraft(
            title=checked.subject,
            category_id=address.category_id,
            queue_id=address.queue_id,
            contact_id=contact.id if contact else None,
            company_id=contact.company_id if contact else None,
            requester=checked.to[0],
        ),
    )
    _queue_mail(work, ticket, address, checked)
    return ticket.id


@dataclass(frozen=True, slots=True)
class SenderChoice:
    """An address of the tenant that mail can be sent from."""

    id: int
    address: str
    queue: str


def sender_choices(work: Work) -> list[SenderChoice]:
    """The tenant's addresses whose queue the actor may see, and the category in which their tickets open."""
    query = (
        select(MailAddress.id, MailAddress.address, Queue.name)
        .join(Queue, Queue.id == MailAddress.queue_id)
        .join(TicketCategory, TicketCategory.id == MailAddress.category_id)
        .where(MailAddress.tenant_id == work.actor.tenant_id)
        .order_by(MailAddress.id)
    )
    return [SenderChoice(*row) for row in work.session.execute(query)]


def first_address(work: Work) -> str | None:
    """The company's first address, which mail without a queue leaves from."""
    query = select(MailAddress.address).where(MailAddress.tenant_id == work.actor.tenant_id).order_by(MailAddress.id)
    return work.session.scalars(query.limit(1)).first()


def _check(draft: MailDraft) -> _Checked:
    problems: dict[str, Message] = {}
    to = _addresses("to", draft.to, problems)
    copies = _addresses("copies", draft.copies, problems)
    if not to and "to" not in problems:
        problems["to"] = _("Enter at least one recipient.")
    if len(to) + len(copies) > MAX_RECIPIENTS:
        problems["to"] = _("A mail can go to %(limit)s people at once; this has more.", limit=MAX_RECIPIENTS)
    subject = " ".join(CONTROLS.sub(" ", draft.subject).split())[:MAX_SUBJECT_CHARACTERS].strip()
    text = draft.text.replace("\r\n", "\n").replace("\0", "")
    if not subject:
        problems["subject"] = _("Enter a subject.")
    if not text.strip():
        problems["text"] = _("The mail is empty.")
    if len(text) > MAX_TEXT_CHARACTERS:
        problems["text"] = _("The text is longer than a million characters. Send it as a file.")
    if problems:
        raise Invalid(problems)
    return _Checked(to=to, copies=copies, subject=subject, text=text)


def _addresses(field: str, typed: str, problems: dict[str, Message]) -> list[str]:
    """The addresses in what was typed; each wrong one is named in ``problems`` (RFC 5321 syntax, no look-up)."""
    if len(typed) > MAX_TYPED_CHARACTERS:
        problems[field] = _("A mail can go to %(limit)s people at once; this has more.", limit=MAX_RECIPIENTS)
        return []
    found: dict[str, None] = {}
    wrong: list[str] = []
    for word in (word.strip() for word in TYPED_ADDRESS.findall(typed)):
        try:
            found.update({checked_address(word): None} if word else {})
        except NotAnAddress:
            wrong.append(word[:100])
    if wrong:
        problems[field] = _not_addresses(wrong)
    return list(found)


def _not_addresses(wrong: list[str]) -> Message:
    if len(wrong) == 1:
        return _("%(address)s is not an e-mail address.", address=wrong[0])
    return _("These are not e-mail addresses: %(addresses)s.", addresses=", ".join(wrong))


def _address_of(work: Work, ticket: Ticket) -> MailAddress:
    """The address that the ticket's queue sends from, else the tenant's first."""
    query = (
        select(MailAddress)
        .where(MailAddress.tenant_id == work.actor.tenant_id)
        .order_by((MailAddress.queue_id == ticket.queue_id).desc(), MailAddress.id)
    )
    address = work.session.scalars(query).first()
    if address is None:
        raise NotFound(_("No address is set up to send from."))
    return address


def _queue_mail(work: Work, ticket: Ticket, address: MailAddress, checked: _Checked) -> int:
    tenant = tenant_profile(work)
    host = address.address.partition("@")[2]
    message_id = new_message_id(realm=tenant.realm, ticket_id=ticket.id, host=host)
    subject = _tagged(checked.subject, ticket.number)
    activity_id = record_activity(
        work,
        ActivityDraft(
            kind="email",
            direction="out",
            summary=checked.subject,
            occurred_at=clock.now(),
            ticket_id=ticket.id,
            contact_id=ticket.contact_id,
            company_id=ticket.company_id,
            queue_id=ticket.queue_id,
        ),
    )
    answered = _thread_of(work, ticket)
    message = EmailMessage(policy=ON_THE_WIRE)
    message["From"] = HeaderAddress(tenant.name, addr_spec=address.address)
    message["To"] = [HeaderAddress(addr_spec=to) for to in checked.to]
    if checked.copies:
        message["Cc"] = [HeaderAddress(addr_spec=copy) for copy in checked.copies]
    message["Reply-To"] = HeaderAddress(
        tenant.name, addr_spec=reply_address(address.address, realm=tenant.realm, ticket_id=ticket.id)
    )
    message["Subject"] = subject
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{message_id}>"
    if answered:
        message["In-Reply-To"] = f"<{answered[-1]}>"
        message["References"] = " ".join(f"<{reference}>" for reference in _bounded(answered))
    message.set_content(checked.text)
    _store(work, activity_id, message_id=message_id, message=message, checked=checked, address=address)
    _add_participants(work, ticket, [*checked.to, *checked.copies])
    return activity_id


def _store(
    work: Work, activity_id: int, *, message_id: str, message: EmailMessage, checked: _Checked, address: MailAddress
) -> None:
    raw = message.as_bytes()
    tenant = tenant_profile(work)
    work.session.add(
        MailMessage(
            activity_id=activity_id,
            message_id=message_id,
            in_reply_to=str(message.get("References", "")).replace("<", "").replace(">", "").split(),
            sender=[tenant.name, address.address],
            recipients=[["", to] for to in checked.to],
            copies=[["", copy] for copy in checked.copies],
            subject=str(message["Subject"]),
            body_text=checked.text,
            flags=[],
            sent_at=clock.now(),
        )
    )
    outbound = OutboundMail(
        activity_id=activity_id,
        blob_id=store_blob(work, raw),
        envelope_from=address.address,
        envelope_to=[*checked.to, *checked.copies],
    )
    work.session.add(outbound)
    work.session.flush()
    enqueue(work, SEND_JOB, {"outbound_mail_id": outbound.id})
    emit(work, MailQueued(activity_id))
    tell(work, "outbox", [outbound.id])


def _thread_of(work: Work, ticket: Ticket) -> list[str]:
    """The Message-IDs of the ticket's mails, oldest first, each once, without reports that the customer never saw."""
    query = (
        select(MailMessage.message_id)
        .join(Activity, Activity.id == MailMessage.activity_id)
        .where(Activity.ticket_id == ticket.id, MailMessage.message_id != "", ~MailMessage.flags.contains(["bounce"]))
        .order_by(Activity.id)
    )
    return list(dict.fromkeys(message_id for message_id in work.session.scalars(query) if _is_plain(message_id)))


def _bounded(references: list[str]) -> list[str]:
    """Of a long conversation the first mail, by which programs find its thread, and the newest ones."""
    if len(references) <= MAX_REFERENCES:
        return references
    return [references[0], *references[1 - MAX_REFERENCES :]]


def _is_plain(message_id: str) -> bool:
    """Whether a foreign Message-ID can stand in our headers as it is."""
    return (
        message_id.isascii() and message_id.isprintable() and not set(message_id) & set("<> ") and len(message_id) < 500
    )


def _tagged(subject: str, number: int) -> str:
    tag = f"[#{number}]"
    return subject if tag in subject else f"{subject} {tag}"


def _add_participants(work: Work, ticket: Ticket, addresses: list[str]) -> None:
    rows = [{"ticket_id": ticket.id, "address_lower": address.lower()} for address in addresses]
    work.session.execute(insert(MailParticipant).values(rows).on_conflict_do_nothing())

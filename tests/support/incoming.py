"""Mail that comes in, without a network: taken in and filed as the product does it."""

from collections.abc import Iterable
from email.message import EmailMessage
from email.policy import SMTP

from sqlalchemy import select

from core.foundation.actor import Actor, Door, TenantId, system_actor
from core.foundation.unit_of_work import unit_of_work
from core.mail.filing import file_inbound
from core.mail.intake import Delivery, accept_mail, delivery_for
from core.mail.models import InboundMail, MailMessage
from core.tickets.models import Ticket
from core.timeline.models import Activity

SUPPORT = "support@demo.localhost"
CUSTOMER = "jana@customer.example"


def written(
    *,
    sender: str = CUSTOMER,
    subject: str = "Printer",
    text: str = "It does not print.",
    to: str = SUPPORT,
    headers: Iterable[tuple[str, str]] = (),
) -> bytes:
    """A plain mail as its writer's program sends it."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = sender, to, subject
    for name, value in headers:
        message[name] = value
    message.set_content(text)
    return message.as_bytes()


def product(tenant_id: TenantId) -> Actor:
    """The product itself, as the worker runs jobs."""
    return system_actor(tenant_id, door=Door.JOB)


def receive(raw: bytes, *, recipients: Iterable[str] = (SUPPORT,), sender: str = CUSTOMER) -> list[Ticket]:
    """Take the mail in for each recipient and file it; answers the ticket of each."""
    tickets = []
    for delivery in deliveries(recipients):
        accept_mail(raw, sender=sender, deliveries=[delivery])
        actor = product(delivery.tenant_id)
        inbound_mail_id = newest_inbound(actor)
        file_inbound(actor, inbound_mail_id)
        tickets.append(ticket_of(actor, inbound_mail_id))
    return tickets


def deliveries(recipients: Iterable[str]) -> list[Delivery]:
    """Where the recipients lead; each must lead somewhere."""
    found = [delivery_for(recipient) for recipient in recipients]
    known = [delivery for delivery in found if delivery is not None]
    if len(known) != len(found):
        raise AssertionError("nobody has one of the addresses")
    return known


def newest_inbound(actor: Actor) -> int:
    """The mail that came in last."""
    with unit_of_work(actor) as work:
        return work.session.scalars(select(InboundMail.id).order_by(InboundMail.id.desc()).limit(1)).one()


def ticket_of(actor: Actor, inbound_mail_id: int) -> Ticket:
    """The ticket that the mail went into."""
    with unit_of_work(actor) as work:
        query = (
            select(Ticket)
            .join(Activity, Activity.ticket_id == Ticket.id)
            .join(InboundMail, InboundMail.activity_id == Activity.id)
            .where(InboundMail.id == inbound_mail_id)
        )
        return work.session.scalars(query).one()


def messages_of(actor: Actor, ticket_id: int) -> list[MailMessage]:
    """The mails of a ticket, oldest first."""
    with unit_of_work(actor) as work:
        query = (
            select(MailMessage)
            .join(Activity, Activity.id == MailMessage.activity_id)
            .where(Activity.ticket_id == ticket_id)
            .order_by(Activity.id)
        )
        return list(work.session.scalars(query))

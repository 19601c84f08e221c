"""Mails as customers write them, and their way into a ticket without a server in between."""

from email.message import EmailMessage
from email.policy import SMTP

from sqlalchemy import select

from core.foundation.actor import Door, TenantId, system_actor
from core.foundation.unit_of_work import unit_of_work
from core.mail.filing import file_inbound
from core.mail.intake import accept_mail, delivery_for
from core.mail.models import InboundMail
from core.timeline.models import Activity


def letter(
    text: str = "It does not print.",
    *,
    sender: str = "Jana Malá <jana@customer.example>",
    to: str = "support@demo.localhost",
    subject: str = "Printer",
    html: str | None = None,
    **headers: str,
) -> EmailMessage:
    """A mail; further headers by name with ``_`` for ``-`` (``Message_ID="<1@customer.example>"``)."""
    message = EmailMessage(policy=SMTP)
    message["From"], message["To"], message["Subject"] = sender, to, subject
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


def receive(mail: EmailMessage | bytes, *, to: str = "support@demo.localhost") -> int:
    """Take the mail in and file it; answers its activity."""
    delivery = delivery_for(to)
    if delivery is None:
        raise LookupError(to)
    raw = mail if isinstance(mail, bytes) else mail.as_bytes()
    accept_mail(raw, sender="envelope@customer.example", deliveries=[delivery])
    actor = system_actor(delivery.tenant_id, door=Door.JOB)
    with unit_of_work(actor) as work:
        inbound_id = work.session.scalars(select(InboundMail.id).order_by(InboundMail.id.desc())).first() or 0
    file_inbound(actor, inbound_id)
    with unit_of_work(actor) as work:
        return work.session.get_one(InboundMail, inbound_id).activity_id or 0


def ticket_of(activity_id: int, *, tenant_id: TenantId) -> int:
    """The ticket in which an activity stands."""
    with unit_of_work(system_actor(tenant_id, door=Door.JOB)) as work:
        return work.session.get_one(Activity, activity_id).ticket_id or 0

"""Notices: mails of the product itself to one of its users, such as an invitation or a link to a new password.

They leave as other mails do and stand in the owner's outbox, but belong to no ticket and no contact. What they say lets
somebody in, so nobody else may read it once it is out.
"""

import secrets
from dataclasses import dataclass
from email.headerregistry import Address as HeaderAddress
from email.message import EmailMessage
from email.utils import format_datetime

from sqlalchemy import text

from core.foundation import clock
from core.foundation.blobs import store_blob
from core.foundation.i18n import Message, translate
from core.foundation.jobs import enqueue
from core.foundation.live import tell
from core.foundation.unit_of_work import Work
from core.mail.writing import ON_THE_WIRE, SEND_JOB, first_address
from core.tenants.service import primary_host, tenant_profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice to a user, in their language. ``paragraphs`` are joined by empty lines."""

    email: str
    name: str
    locale: str
    subject: Message
    paragraphs: tuple[Message | str, ...]


def queue_notice(work: Work, notice: Notice) -> int:
    """Let the notice leave after the commit; answers its id in the outbox. Who may send one, the caller has checked."""
    tenant = tenant_profile(work)
    sender = first_address(work) or f"no-reply@{primary_host(work)}"
    subject = translate(notice.subject, notice.locale)
    message = EmailMessage(policy=ON_THE_WIRE)
    message["From"] = HeaderAddress(tenant.name, addr_spec=sender)
    message["To"] = HeaderAddress(notice.name, addr_spec=notice.email)
    message["Subject"] = subject
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = f"<{secrets.token_hex(16)}@{sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's absence notice answers it
    message.set_content("\n\n".join(translate(paragraph, notice.locale) for paragraph in notice.paragraphs) + "\n")
    values = {
        "blob": store_blob(work, message.as_bytes()),
        "sender": sender,
        "recipient": notice.email,
        "subject": subject,
    }
    outbound_id: int = work.session.execute(_ADD, values).scalar_one()
    enqueue(work, SEND_JOB, {"outbound_mail_id": outbound_id})
    tell(work, "outbox", [outbound_id])
    return outbound_id


_ADD = text("select notice_add(:blob, :sender, :recipient, :subject)")

"""Taking a mail in: stored raw and committed before the sender hears ``250``."""

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import select

from core.foundation.actor import Door, TenantId, system_actor
from core.foundation.blobs import store_blob
from core.foundation.jobs import enqueue
from core.foundation.unit_of_work import outside_tenants, unit_of_work
from core.mail.models import InboundMail, MailAddress
from core.mail.parsing.words import clean

FILE_JOB = "mail.file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One recipient of a mail and where it leads. ``recipient`` keeps its plus part."""

    tenant_id: TenantId
    mail_address_id: int
    recipient: str


def delivery_for(recipient: str) -> Delivery | None:
    """Where mail for ``recipient`` goes; None if nobody here has the address."""
    if not recipient.isprintable():
        return None
    query = select(MailAddress.tenant_id, MailAddress.id).where(MailAddress.address == _plain_address(recipient))
    with outside_tenants() as session:
        row = session.execute(query).one_or_none()
    if row is None:
        return None
    return Delivery(tenant_id=TenantId(row.tenant_id), mail_address_id=row.id, recipient=recipient)


def accept_mail(raw: bytes, *, sender: str, deliveries: Iterable[Delivery]) -> None:
    """Store the mail once per delivery, each in its own tenant, and let it be filed.

    Returns after the commit. If a later tenant's store fails the sender tries again, and filing recognises the copy.
    """
    for delivery in deliveries:
        with unit_of_work(system_actor(delivery.tenant_id, door=Door.MAIL)) as work:
            mail = InboundMail(
                blob_id=store_blob(work, raw),
                sha256=hashlib.sha256(raw).digest(),
                mail_address_id=delivery.mail_address_id,
                sender=clean(sender),
                recipient=delivery.recipient,
                state="received",
            )
            work.session.add(mail)
            work.session.flush()
            enqueue(work, FILE_JOB, {"inbound_mail_id": mail.id})


def _plain_address(recipient: str) -> str:
    """The address without quotes, plus part and capitals; a domain in IDNA as people write it (RFC 5321, 5890)."""
    local, _at, domain = recipient.strip().lower().rpartition("@")
    if len(local) > 1 and local[0] == local[-1] == '"':
        local = local[1:-1].replace("\\", "")
    with suppress(UnicodeError):  # it is written so already
        domain = domain.encode("ascii").decode("idna")
    return f"{local.partition('+')[0]}@{domain}"

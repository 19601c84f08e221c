"""From a call to its ticket: the case is opened while the customer is still speaking."""

from typing import Final

from sqlalchemy import select

from core.calls.models import Call
from core.directory.models import Contact, ContactEmail
from core.directory.phones import shown_phone
from core.foundation.errors import Conflict, NotFound
from core.foundation.history import record_change
from core.foundation.i18n import Message, _, translate
from core.foundation.live import tell
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.tenants.service import tenant_profile
from core.tickets.queries import category_choices
from core.tickets.service import TicketDraft, open_ticket, take_ticket
from core.timeline.models import Activity

WITHHELD: Final = _("a withheld number")


def open_ticket_for_call(work: Work, call_id: int) -> int:
    """Open a ticket of the actor's own for the call, with its customer; a call that has one keeps it (D-MAIL-63).

    Answers the ticket's id. Raises ``NotFound``, ``Conflict`` where the actor sees no category. Emits ``TicketOpened``.
    """
    work.actor.require(Permission.TICKETS_WRITE)
    call = work.session.get(Call, call_id)
    activity = work.session.get(Activity, call.activity_id, with_for_update=True) if call else None
    if call is None or activity is None:
        raise NotFound
    if activity.ticket_id is not None:
        return activity.ticket_id
    categories = category_choices(work)
    if not categories:
        raise Conflict(_("There is no category that you could open a ticket in."))
    draft = TicketDraft(
        title=_title(work, call, activity.contact_id),
        category_id=min(choice.id for choice in categories),  # the oldest: what a company begins with
        contact_id=activity.contact_id,
        company_id=activity.company_id,
        requester=_address(work, activity.contact_id),
    )
    ticket = open_ticket(work, draft)
    take_ticket(work, ticket.id)
    activity.ticket_id = ticket.id
    work.session.flush()
    record_change(work, "call", call_id, before={"ticket_id": None}, after={"ticket_id": ticket.id})
    tell(work, "call", [call_id])
    if activity.contact_id:
        tell(work, "contact", [activity.contact_id])
    return ticket.id


def _title(work: Work, call: Call, contact_id: int | None) -> str:
    """ "Call from Jana Malá", in the company's language."""
    profile = tenant_profile(work)
    name = work.session.scalar(select(Contact.name).where(Contact.id == contact_id)) if contact_id else None
    number = call.to_number if call.direction == "out" else call.from_number
    shown = shown_phone(number, profile.country) if number.startswith("+") else number
    who = name or shown or translate(WITHHELD, profile.locale)
    title: Message = _("Call to %(who)s", who=who) if call.direction == "out" else _("Call from %(who)s", who=who)
    return translate(title, profile.locale)


def _address(work: Work, contact_id: int | None) -> str:
    """Where an answer goes: the contact's first e-mail address, if they have one."""
    query = select(ContactEmail.address).where(ContactEmail.contact_id == contact_id).order_by(ContactEmail.position)
    return (work.session.scalar(query.limit(1)) or "") if contact_id else ""

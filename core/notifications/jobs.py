"""News become notifications, and notifications go out. What goes out is looked at with its reader's eyes."""

from core.foundation.actor import Actor
from core.foundation.jobs import job
from core.foundation.unit_of_work import unit_of_work
from core.identity.acting import acting_as
from core.notifications import choosing
from core.notifications.mailing import mail_digest
from core.notifications.pushing import PUSH_TO_JOB, carry, parcel_for, push_to_browsers, settle
from core.notifications.service import remove_old


@job("notifications.tell_of_assignment")
def tell_of_assignment(actor: Actor, *, ticket_id: int, owner_id: int, version: int) -> None:
    """Tell the new owner of a ticket."""
    with unit_of_work(actor) as work:
        choosing.tell_of_assignment(work, ticket_id, owner_id=owner_id, version=version)


@job("notifications.tell_of_ticket")
def tell_of_ticket(actor: Actor, *, ticket_id: int, by_id: int = 0) -> None:
    """Tell those who asked for it of a new ticket."""
    with unit_of_work(actor) as work:
        choosing.tell_of_new_ticket(work, ticket_id, by_id=by_id)


@job("notifications.tell_of_mail_in")
def tell_of_mail_in(actor: Actor, *, activity_id: int) -> None:
    """Tell the ticket's owner of a customer's answer, or a mail's writer that it came back."""
    with unit_of_work(actor) as work:
        choosing.tell_of_mail_in(work, activity_id)


@job("notifications.tell_of_mail_out")
def tell_of_mail_out(actor: Actor, *, activity_id: int) -> None:
    """Tell the ticket's owner of a colleague's answer."""
    with unit_of_work(actor) as work:
        choosing.tell_of_mail_out(work, activity_id)


@job("notifications.tell_of_mail_not_sent")
def tell_of_mail_not_sent(actor: Actor, *, outbound_mail_id: int, state: str) -> None:
    """Tell a mail's writer that it did not leave."""
    with unit_of_work(actor) as work:
        choosing.tell_of_mail_not_sent(work, outbound_mail_id, state=state)


@job("notifications.tell_of_call")
def tell_of_call(actor: Actor, *, call_id: int) -> None:
    """Tell the owner of a line of a call that nobody answered."""
    with unit_of_work(actor) as work:
        choosing.tell_of_call(work, call_id)


@job("notifications.tell_of_browser")
def tell_of_browser(actor: Actor, *, session_id: int) -> None:
    """Tell a user of a browser that is new to them."""
    with unit_of_work(actor) as work:
        choosing.tell_of_browser(work, session_id)


@job(choosing.MAIL_JOB)
def mail(actor: Actor, *, user_id: int) -> None:
    """Mail a user what they have not read."""
    reader = _reader(actor, user_id)
    if reader is not None:
        with unit_of_work(reader) as work:
            mail_digest(work)


@job(choosing.PUSH_JOB)
def push(actor: Actor, *, notification_id: int, user_id: int) -> None:
    """Plan the pushes of one notification."""
    reader = _reader(actor, user_id)
    if reader is not None:
        with unit_of_work(reader) as work:
            push_to_browsers(work, notification_id)


@job(PUSH_TO_JOB)
def push_to(actor: Actor, *, notification_id: int, user_id: int, subscription_id: int, attempt: int) -> None:
    """Push one notification to one browser; no transaction is open while the push service answers."""
    reader = _reader(actor, user_id)
    if reader is None:
        return
    with unit_of_work(reader) as work:
        parcel = parcel_for(work, notification_id, subscription_id)
    if parcel is None:
        return
    answer = carry(parcel)
    with unit_of_work(reader) as work:
        settle(work, parcel, answer, notification_id=notification_id, attempt=attempt)


@job(choosing.CLEAR_JOB)
def clear(actor: Actor) -> None:
    """Remove old notifications."""
    with unit_of_work(actor) as work:
        remove_old(work)


def _reader(actor: Actor, user_id: int) -> Actor | None:
    with unit_of_work(actor) as work:
        return acting_as(work, user_id)

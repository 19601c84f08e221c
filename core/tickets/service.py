"""Opening, changing and pairing tickets."""

from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from core.directory.models import Company, Contact, ContactDatabase
from core.foundation import clock
from core.foundation.errors import Conflict, Invalid, NotFound
from core.foundation.history import record_change
from core.foundation.i18n import Message, _
from core.foundation.live import tell
from core.foundation.outbox import emit
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.models import UserAccount
from core.tickets.events import TicketAssigned, TicketChanged, TicketOpened
from core.tickets.models import Ticket, TicketCategory, TicketCounter
from core.timeline.models import Activity

STATUSES: Final = ("open", "waiting", "closed")
TITLE_CHARACTERS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketDraft:
    """A ticket to open. ``requester`` is the address of whoever asks."""

    title: str
    category_id: int
    queue_id: int | None = None
    contact_id: int | None = None
    company_id: int | None = None
    requester: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketPatch:
    """What to change; None leaves a field as it is. ``owner_id`` 0 takes the owner away."""

    title: str | None = None
    status: str | None = None
    category_id: int | None = None
    owner_id: int | None = None


def open_ticket(work: Work, draft: TicketDraft) -> Ticket:
    """Open a ticket under the tenant's next number; emits ``TicketOpened``."""
    work.actor.require(Permission.TICKETS_WRITE)
    ticket = Ticket(
        number=_next_number(work),
        title=_one_line(draft.title),
        category_id=draft.category_id,
        queue_id=draft.queue_id,
        contact_id=draft.contact_id,
        company_id=draft.company_id,
        requester=draft.requester,
        last_activity_at=clock.now(),
        status="open",
    )
    work.session.add(ticket)
    work.session.flush()
    refresh_search(work, ticket)
    record_change(work, "ticket", ticket.id, before={}, after={"title": ticket.title, "status": ticket.status})
    emit(work, TicketOpened(ticket.id, by_id=work.actor.user_id or 0))
    tell(work, "ticket", [ticket.id])
    return ticket


def change_ticket(work: Work, ticket_id: int, patch: TicketPatch, *, version: int) -> None:
    """Change a ticket that nobody else changed since ``version``.

    Raises ``NotFound``, ``Conflict`` for a stale version, ``Invalid`` for values that do not exist here.
    """
    work.actor.require(Permission.TICKETS_WRITE)
    ticket = locked_ticket(work, ticket_id)
    if ticket.version != version:
        raise Conflict(
            _("A colleague changed this ticket in the meantime. Nothing was saved; look at it again, then repeat.")
        )
    _refuse_unknown_values(work, patch)
    wanted = {field.name: getattr(patch, field.name) for field in fields(patch)}
    if patch.title is not None:
        wanted["title"] = _one_line(patch.title)
    changed = {name: value for name, value in wanted.items() if value is not None}
    if changed.get("owner_id") == 0:
        changed["owner_id"] = None
    apply_to_ticket(work, ticket, changed)


def take_ticket(work: Work, ticket_id: int) -> None:
    """Become the ticket's owner; raises ``Conflict`` if it has one."""
    work.actor.require(Permission.TICKETS_WRITE)
    ticket = locked_ticket(work, ticket_id)
    if ticket.owner_id == work.actor.user_id:
        return
    if ticket.owner_id is not None:
        owner = work.session.scalar(select(UserAccount.name).where(UserAccount.id == ticket.owner_id))
        raise Conflict(_("%(name)s took this ticket before you.", name=owner or "?"))
    apply_to_ticket(work, ticket, {"owner_id": work.actor.user_id})


def pair_ticket_with_contact(work: Work, ticket_id: int, contact_id: int) -> None:
    """Make the contact the ticket's customer; activities that had no contact follow."""
    work.actor.require(Permission.TICKETS_WRITE)
    ticket = locked_ticket(work, ticket_id)
    contact = work.session.get(Contact, contact_id)
    if contact is None:
        raise NotFound
    apply_to_ticket(work, ticket, {"contact_id": contact.id, "company_id": contact.company_id})
    work.session.execute(
        update(Activity)
        .where(Activity.ticket_id == ticket.id, Activity.contact_id.is_(None))
        .values(contact_id=contact.id, company_id=contact.company_id)
    )
    tell(work, "contact", [contact.id])


def note_activity(work: Work, ticket: Ticket, *, reopen: bool) -> None:
    """Move the ticket up because something happened in it; ``reopen`` opens it if it was waiting or closed."""
    ticket.last_activity_at = clock.now()
    apply_to_ticket(work, ticket, {"status": "open"} if reopen else {})


def apply_to_ticket(work: Work, ticket: Ticket, values: dict[str, Any]) -> None:
    """Write the values with history, event and live message; the ticket is locked by the caller."""
    before = {name: getattr(ticket, name) for name in values}
    for name, value in values.items():
        setattr(ticket, name, value)
    if record_change(work, "ticket", ticket.id, before=before, after=values):
        ticket.version += 1
    work.session.flush()
    refresh_search(work, ticket)
    emit(work, TicketChanged(ticket.id))
    owner_id = values.get("owner_id")
    if owner_id and owner_id not in {before["owner_id"], work.actor.user_id}:
        emit(work, TicketAssigned(ticket.id, owner_id, ticket.version))
    tell(work, "ticket", [ticket.id])


def refresh_search(work: Work, ticket: Ticket) -> None:
    """Write down what search finds the ticket by: number, title, requester, the contact's and the company's names.

    Names count only if everyone may see them: the ticket's readers are others than the contact's, and a search that
    hits tells the name (ATTACK 57).
    """
    words = [f"#{ticket.number}", ticket.title, ticket.requester]
    words += [_open_name(work, Contact, ticket.contact_id), _open_name(work, Company, ticket.company_id)]
    ticket.search_words = " ".join(word for word in words if word)


def locked_ticket(work: Work, ticket_id: int) -> Ticket:
    """The ticket, locked until the transaction ends; raises ``NotFound``."""
    ticket = work.session.get(Ticket, ticket_id, with_for_update=True)
    if ticket is None:
        raise NotFound
    return ticket


def _refuse_unknown_values(work: Work, patch: TicketPatch) -> None:
    problems: dict[str, Message] = {}
    if patch.title is not None and not patch.title.strip():
        problems["title"] = _("A ticket needs a title.")
    if patch.status is not None and patch.status not in STATUSES:
        problems["status"] = _("There is no such status.")
    if patch.category_id is not None and work.session.get(TicketCategory, patch.category_id) is None:
        problems["category_id"] = _("There is no such category.")
    if patch.owner_id:
        owner = work.session.get(UserAccount, patch.owner_id)
        if owner is None or owner.is_blocked:
            problems["owner_id"] = _("There is no such colleague.")
    if problems:
        raise Invalid(problems)


def _one_line(title: str) -> str:
    return " ".join(title.split())[:TITLE_CHARACTERS].strip()


def _next_number(work: Work) -> int:
    """One more than the last; the counter's row stays locked until the commit, so numbers have no gaps."""
    first = insert(TicketCounter).values(last_number=1)
    statement = first.on_conflict_do_update(
        index_elements=["tenant_id"], set_={"last_number": TicketCounter.last_number + 1}
    ).returning(TicketCounter.last_number)
    return work.session.scalars(statement).one()


def _open_name(work: Work, kind: type[Contact] | type[Company], row_id: int | None) -> str:
    """The name of a contact or company in a database that is open to everyone."""
    query = (
        select(kind.name)
        .join(ContactDatabase, ContactDatabase.id == kind.database_id)
        .where(kind.id == row_id, ContactDatabase.everyone_sees)
    )
    return (work.session.scalar(query) or "") if row_id else ""

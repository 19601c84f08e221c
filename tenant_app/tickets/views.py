"""``/tickets/…``: the list, a ticket's page, and what is done on it."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import format_decimal
from flask_babel import gettext as _

from core.calls.queries import calls_of_ticket
from core.foundation.errors import Conflict, Invalid, NotFound
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.service import colleagues
from core.mail.answering import Suggestion, suggest_answer
from core.mail.queries import ThreadMail, thread_of_ticket
from core.mail.writing import MailDraft, reply_to_ticket, sender_choices
from core.notifications.service import read_about_ticket
from core.tickets.queries import TicketDetail, list_tickets
from core.tickets.service import TicketPatch, change_ticket, pair_ticket_with_contact, take_ticket
from tenant_app.hosts import current_tenant
from tenant_app.languages import say
from tenant_app.pages import requires
from tenant_app.tickets.conversation import Opened, draft_key
from tenant_app.tickets.facts import ticket_facts
from tenant_app.tickets.filters import key_from_url, key_in_url, list_state, rows_wanted
from tenant_app.typed import as_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The composer below a conversation: what it holds, and what was suggested."""

    fields: MailDraft
    suggestion: Suggestion
    draft_key: str
    can_send: bool


class Tickets(BaseView):
    """Cases, and the mails that make them."""

    route_base = "/tickets"

    @expose("/")
    @requires(Permission.TICKETS_READ)
    def index(self, work: Work) -> ResponseReturnValue:
        """The list, by status, owner and words, page by page."""
        state = list_state(request.args)
        after, limit = key_from_url(request.args.get("after")), rows_wanted(request.args.get("rows"))
        page = list_tickets(work, state.as_filter(), after=after, limit=limit)
        return render_template(
            "tickets/list.html",
            page=page,
            state=state,
            count=format_decimal(page.count) + ("+" if page.count_is_capped else ""),
            more_url=state.url(after=key_in_url(page.next_key)) if page.next_key else None,
            addresses=[choice.address for choice in sender_choices(work)] if not page.rows else (),
            colleague=_colleague(work, state.colleague_id) if state.colleague_id else None,
        )

    @expose("/<int:ticket_id>")
    @requires(Permission.TICKETS_READ)
    def show(self, work: Work, ticket_id: int) -> ResponseReturnValue:
        """A ticket: its conversation, its facts, the answer. Whoever opens it has read what was told of it."""
        page = _page(work, ticket_id)
        if not request.headers.get("HX-Request"):  # a page that refreshes itself may have nobody before it
            read_about_ticket(work, ticket_id)
        return page

    @expose("/<int:ticket_id>/reply", methods=["POST"])
    @requires(Permission.TICKETS_REPLY)
    def reply(self, work: Work, ticket_id: int) -> ResponseReturnValue:
        """Queue an answer; a refused one keeps everything typed."""
        draft = MailDraft(
            to=request.form.get("to", ""),
            copies=request.form.get("copies", ""),
            subject=request.form.get("subject", ""),
            text=request.form.get("text", ""),
            quotes=as_id(request.form.get("quotes")),
        )
        try:
            activity_id = reply_to_ticket(work, ticket_id, draft)
            if request.form.get("then") == "close":
                _close(work, ticket_id)
        except Invalid as error:
            return _page(work, ticket_id, typed=draft, error=error)
        flash(_("The e-mail is on its way."), "success")
        flash(request.form.get("draft", ""), "draft-sent")
        return redirect(f"/tickets/{ticket_id}#mail-{activity_id}", 303)

    @expose("/<int:ticket_id>/change", methods=["POST"])
    @requires(Permission.TICKETS_WRITE)
    def change(self, work: Work, ticket_id: int) -> ResponseReturnValue:
        """Change status, category or owner, if nobody else changed the ticket since it was shown."""
        form = request.form
        patch = TicketPatch(
            status=form.get("status"), category_id=as_id(form.get("category_id")), owner_id=_owner(form.get("owner_id"))
        )
        try:
            change_ticket(work, ticket_id, patch, version=as_id(form.get("version")) or 0)
        except Conflict as error:
            return _page(work, ticket_id, problem=say(error.message), status=409)
        except Invalid as error:
            return _page(work, ticket_id, problem=say(error.message), status=422)
        return redirect(f"/tickets/{ticket_id}", 303)

    @expose("/<int:ticket_id>/take", methods=["POST"])
    @requires(Permission.TICKETS_WRITE)
    def take(self, work: Work, ticket_id: int) -> ResponseReturnValue:
        """Become the owner of a ticket that has none."""
        try:
            take_ticket(work, ticket_id)
        except Conflict as error:
            return _page(work, ticket_id, problem=say(error.message), status=409)
        return redirect(f"/tickets/{ticket_id}", 303)

    @expose("/<int:ticket_id>/pair", methods=["POST"])
    @requires(Permission.TICKETS_WRITE)
    def pair(self, work: Work, ticket_id: int) -> ResponseReturnValue:
        """Make a contact the ticket's customer."""
        pair_ticket_with_contact(work, ticket_id, as_id(request.form.get("contact_id")) or 0)
        flash(_("The ticket belongs to this contact now."), "success")
        return redirect(f"/tickets/{ticket_id}", 303)


def _colleague(work: Work, user_id: int) -> str:
    """The name of whose tickets are shown; raises ``NotFound``."""
    name = next((person.name for person in colleagues(work) if person.id == user_id), None)
    if name is None:
        raise NotFound
    return name


def _page(
    work: Work,
    ticket_id: int,
    *,
    typed: MailDraft | None = None,
    error: Invalid | None = None,
    problem: str | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    if error is not None or problem is not None:
        work.session.expire_all()
    facts = ticket_facts(work, ticket_id, needle=request.args.get("who"))
    thread = thread_of_ticket(work, ticket_id)
    page = render_template(
        "tickets/detail.html",
        ticket=facts.ticket,
        facts=facts,
        thread=thread,
        calls=calls_of_ticket(work, ticket_id),
        opened=Opened.from_url(request.args),
        answer=_answer(work, facts.ticket, thread, typed) if work.actor.may(Permission.TICKETS_REPLY) else None,
        errors={field: say(message) for field, message in error.problems.items()} if error else {},
        problem=problem,
    )
    return page, 422 if error is not None else status


def _answer(work: Work, ticket: TicketDetail, thread: Sequence[ThreadMail], typed: MailDraft | None) -> Answer:
    ours = [choice.address for choice in sender_choices(work)]
    suggestion = suggest_answer(thread, requester=ticket.requester, ours=ours, tenant=current_tenant())
    subject = ticket.title if ticket.title.lower().startswith("re:") else f"Re: {ticket.title}"
    first = MailDraft(to=suggestion.to, copies=suggestion.copies, subject=subject, text="", quotes=suggestion.answers)
    return Answer(
        fields=typed or first,
        suggestion=suggestion,
        draft_key=draft_key(ticket.id, thread, user_id=work.actor.user_id),
        can_send=bool(ours),
    )


def _close(work: Work, ticket_id: int) -> None:
    if work.actor.may(Permission.TICKETS_WRITE):
        facts = ticket_facts(work, ticket_id, needle=None)
        change_ticket(work, ticket_id, TicketPatch(status="closed"), version=facts.ticket.version)


def _owner(text: str | None) -> int | None:
    """None leaves the owner, 0 takes it away, as the service has it; an id that is none is one that nobody has."""
    if text is None:
        return None
    return (as_id(text) or -1) if text.strip() else 0

"""``/``."""

from dataclasses import dataclass
from typing import Final

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from core.foundation import clock
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.founding.steps import first_steps, show_first_steps
from core.mail.queries import count_troubled
from core.mail.writing import sender_choices
from core.tickets.queries import TicketFilter, TicketPage, count_tickets, list_tickets
from tenant_app.home.steps import told
from tenant_app.pages import requires, signed_in_only

NEWEST: Final = 8
MINE: Final = TicketFilter(status="open", owner="me")
UNASSIGNED: Final = TicketFilter(status="open", owner="none")
WAITING: Final = TicketFilter(status="waiting")


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketsToday:
    """The figures of the page, each equal to the list that it leads to, and the newest open tickets."""

    mine: int
    unassigned: int
    waiting: int
    newest: TicketPage


class Home(BaseView):
    """What a person sees first."""

    route_base = ""
    default_view = "index"

    @expose("/")
    @signed_in_only
    def index(self, work: Work) -> ResponseReturnValue:
        """What waits, as far as the viewer may read it."""
        return render_template(
            "home/index.html",
            today=clock.now(),
            tickets=_tickets(work) if work.actor.may(Permission.TICKETS_READ) else None,
            troubled=count_troubled(work) if work.actor.may(Permission.OUTBOX_READ) else None,
            addresses=[choice.address for choice in sender_choices(work)],
            steps=told(first_steps(work)),
        )

    @expose("/first-steps", methods=["POST"])
    @requires(Permission.SETTINGS_MANAGE)
    def put_away(self, work: Work) -> ResponseReturnValue:
        """Show the company's first steps to the viewer no more, or again."""
        shown = request.form.get("shown") == "1"
        show_first_steps(work, shown=shown)
        if not shown:
            flash(_("Settings brings the first steps back."), "success")
        return redirect("/", 303)


def _tickets(work: Work) -> TicketsToday:
    return TicketsToday(
        mine=count_tickets(work, MINE),
        unassigned=count_tickets(work, UNASSIGNED),
        waiting=count_tickets(work, WAITING),
        newest=list_tickets(work, TicketFilter(status="open"), limit=NEWEST),
    )

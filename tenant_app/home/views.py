"""``/``."""

from dataclasses import dataclass
from typing import Final

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from core.foundation import clock
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.mail.queries import count_troubled
from core.mail.writing import sender_choices
from core.tickets.queries import TicketFilter, TicketPage, count_tickets, list_tickets
from tenant_app.pages import signed_in_only

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
        )


def _tickets(work: Work) -> TicketsToday:
    return TicketsToday(
        mine=count_tickets(work, MINE),
        unassigned=count_tickets(work, UNASSIGNED),
        waiting=count_tickets(work, WAITING),
        newest=list_tickets(work, TicketFilter(status="open"), limit=NEWEST),
    )

"""``/search``: contacts, companies and tickets by words."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from core.directory.phones import shown_phone
from core.directory.queries import list_companies, list_contacts
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.tickets.queries import TicketFilter, list_tickets
from tenant_app.hosts import current_tenant
from tenant_app.pages import signed_in_only

NEEDLE_CHARACTERS = 200
TOP = 10


class Search(BaseView):
    """One field for everything that the viewer may read."""

    route_base = "/search"

    @expose("")
    @signed_in_only
    def index(self, work: Work) -> ResponseReturnValue:
        """The first ten of each kind."""
        text = " ".join(request.args.get("q", "").replace("\0", " ").split())[:NEEDLE_CHARACTERS]
        may = work.actor.may
        return render_template(
            "search/results.html",
            text=text,
            search_text=text,
            contacts=list_contacts(work, search=text, limit=TOP) if text and may(Permission.CONTACTS_READ) else None,
            companies=list_companies(work, search=text, limit=TOP) if text and may(Permission.COMPANIES_READ) else None,
            tickets=list_tickets(work, TicketFilter(search=text), limit=TOP)
            if text and may(Permission.TICKETS_READ)
            else None,
            show_phone=lambda number: shown_phone(number, current_tenant().country),
        )

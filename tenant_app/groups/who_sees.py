"""``/…/who-sees``: who can see a contact, a company, a ticket or an address book, and why (P-17, GD-25).

For everybody who sees it themselves. The answer comes from the policies (``core.visibility.watchers``), as it is now.
"""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.visibility.watchers import who_sees
from tenant_app.consequences import thing_name
from tenant_app.pages import requires


class WhoSees(BaseView):
    """One question for each kind of row; the dialog is part of its own page."""

    route_base = "/"

    @expose("/contacts/<int:contact_id>/who-sees")
    @requires(Permission.CONTACTS_READ)
    def contact(self, work: Work, contact_id: int) -> ResponseReturnValue:
        """Who can see a contact."""
        return _answer(work, "contact", contact_id, f"/contacts/{contact_id}")

    @expose("/companies/<int:company_id>/who-sees")
    @requires(Permission.COMPANIES_READ)
    def company(self, work: Work, company_id: int) -> ResponseReturnValue:
        """Who can see a company."""
        return _answer(work, "company", company_id, f"/companies/{company_id}")

    @expose("/tickets/<int:ticket_id>/who-sees")
    @requires(Permission.TICKETS_READ)
    def ticket(self, work: Work, ticket_id: int) -> ResponseReturnValue:
        """Who can see a ticket."""
        return _answer(work, "ticket", ticket_id, f"/tickets/{ticket_id}")

    @expose("/books/<int:book_id>/who-sees")
    @requires(Permission.CONTACTS_READ)
    def book(self, work: Work, book_id: int) -> ResponseReturnValue:
        """Who can see an address book."""
        return _answer(work, "address_book", book_id, f"/books/{book_id}")


def _answer(work: Work, relation: str, row_id: int, back: str) -> ResponseReturnValue:
    watched = who_sees(work, relation, row_id)
    return render_template(
        "groups/who_sees.html",
        watched=watched,
        deciding=thing_name(watched.kind, watched.thing),
        is_itself=relation == "address_book",
        back=back,
        url=request.path,
    )

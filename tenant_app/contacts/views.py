"""``/contacts/…``: the list, a contact's page, its form."""

from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from babel import Locale
from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import format_decimal, get_locale
from flask_babel import gettext as _

from core.calls.queries import calls_of_activities
from core.directory.books.clients import holders_of_contact
from core.directory.books.queries import books_of_contact
from core.directory.books.uploads import card_extras
from core.directory.checks import COUNTRIES
from core.directory.phones import shown_phone
from core.directory.queries import ContactDetail, company_choice, contact_detail, database_choices, list_contacts
from core.directory.service import change_contact, create_contact, delete_contact
from core.foundation.errors import Conflict, Invalid
from core.foundation.permissions import Permission
from core.foundation.sorting import sort_key
from core.foundation.unit_of_work import Work
from core.identity.service import colleagues
from core.tickets.queries import TicketFilter, TicketPage, list_tickets
from core.timeline.queries import activities_of_contact
from tenant_app.contacts.forms import (
    LINES,
    Typed,
    as_draft,
    bare,
    stored_values,
    typed_values,
    with_row_change,
)
from tenant_app.contacts.picking import PickedCompany, picked_company
from tenant_app.hosts import current_tenant
from tenant_app.languages import say
from tenant_app.pages import requires
from tenant_app.typed import as_id

TABS: Final = ("activities", "tickets", "history")
NEEDLE_CHARACTERS: Final = 200
TICKETS_SHOWN: Final = 20
NOTHING_PICKED: Final = PickedCompany(None)


class Contacts(BaseView):
    """People whom the company knows."""

    route_base = "/contacts"

    @expose("/")
    @requires(Permission.CONTACTS_READ)
    def index(self, work: Work) -> ResponseReturnValue:
        """The list, all of it or what a search finds, page by page."""
        text = " ".join(request.args.get("q", "").replace("\0", " ").split())[:NEEDLE_CHARACTERS]
        page = list_contacts(work, search=text, after=as_id(request.args.get("after")))
        count = format_decimal(page.count) + ("+" if page.count_is_capped else "")
        return render_template("contacts/list.html", page=page, text=text, count=count, show_phone=_show_phone)

    @expose("/new")
    @requires(Permission.CONTACTS_WRITE)
    def new(self, work: Work) -> ResponseReturnValue:
        """An empty form; ``name``, ``email``, ``phone`` and ``company_id`` in the address fill it."""
        return _form(work, _first_values(work), status=200)

    @expose("/new", methods=["POST"])
    @requires(Permission.CONTACTS_WRITE)
    def create(self, work: Work) -> ResponseReturnValue:
        """Store a new contact."""
        values = typed_values(request.form)
        values["database_id"] = values["database_id"] or _only_database(work)
        if with_row_change(values, request.form):
            return _form(work, values, status=200)
        picked = picked_company(work, values, stored=None)
        try:
            contact_id = create_contact(work, as_draft(values, company_id=picked.id))
        except Invalid as error:
            return _form(work, values, status=422, error=error, picked=picked)
        flash(_("Contact created."), "success")
        return redirect(f"/contacts/{contact_id}", 303)

    @expose("/<int:contact_id>")
    @requires(Permission.CONTACTS_READ)
    def show(self, work: Work, contact_id: int) -> ResponseReturnValue:
        """A contact: who it is, what happened, tickets, history."""
        contact = contact_detail(work, contact_id)
        tickets = _tickets(work, contact_id)
        tab = request.args.get("tab", "")
        tab = tab if tab in TABS and (tickets or tab != "tickets") else TABS[0]
        activities = activities_of_contact(work, contact_id) if tab == "activities" else []
        return render_template(
            "contacts/detail.html",
            contact=contact,
            tab=tab,
            tickets=tickets,
            contact_books=books_of_contact(work, contact_id),
            holders=holders_of_contact(work, contact_id),
            card_only=[extra.value for extra in card_extras(work, contact_id)],
            activities=activities,
            calls=calls_of_activities(work, [entry.id for entry in activities if entry.kind == "call"]),
            countries=_countries(str(get_locale())),
            show_phone=_show_phone,
        )

    @expose("/<int:contact_id>/edit")
    @requires(Permission.CONTACTS_WRITE)
    def edit(self, work: Work, contact_id: int) -> ResponseReturnValue:
        """The form with what is stored."""
        contact = contact_detail(work, contact_id)
        return _form(work, _stored(contact), contact=contact, version=contact.version, status=200)

    @expose("/<int:contact_id>/edit", methods=["POST"])
    @requires(Permission.CONTACTS_WRITE)
    def change(self, work: Work, contact_id: int) -> ResponseReturnValue:
        """Store the changes; if a colleague was faster, show both, so that the viewer can save again."""
        values, version = typed_values(request.form), as_id(request.form.get("version")) or 0
        contact = contact_detail(work, contact_id)
        values["database_id"] = values["database_id"] or contact.database_id
        if with_row_change(values, request.form):
            return _form(work, values, contact=contact, version=version, status=200)
        picked = picked_company(work, values, stored=contact.company_id)
        try:
            change_contact(work, contact_id, as_draft(values, company_id=picked.id), version=version)
        except Invalid as error:
            return _form(work, values, contact=contact, version=version, status=422, error=error, picked=picked)
        except Conflict as error:
            return _form(
                work, values, contact=contact, version=contact.version, status=409, conflict=say(error.message)
            )
        flash(_("Contact saved."), "success")
        return redirect(f"/contacts/{contact_id}", 303)

    @expose("/<int:contact_id>/delete", methods=["POST"])
    @requires(Permission.CONTACTS_WRITE)
    def delete(self, work: Work, contact_id: int) -> ResponseReturnValue:
        """Delete the contact that the viewer looked at; one that a colleague changed meanwhile stays."""
        try:
            delete_contact(work, contact_id, version=as_id(request.form.get("version")) or 0)
        except Conflict:
            flash(_("A colleague changed this contact in the meantime. Nothing was deleted."), "error")
            return redirect(f"/contacts/{contact_id}", 303)
        flash(_("Contact deleted. It goes from phones at their next sync."), "success")
        return redirect("/contacts/", 303)


def _form(
    work: Work,
    values: Typed,
    *,
    status: int,
    contact: ContactDetail | None = None,
    version: int | None = None,
    error: Invalid | None = None,
    picked: PickedCompany = NOTHING_PICKED,
    conflict: str | None = None,
) -> ResponseReturnValue:
    databases = [(choice.id, choice.name) for choice in database_choices(work)]
    if not values["database_id"] and databases:
        values["database_id"] = databases[0][0]
    page = render_template(
        "contacts/form.html",
        contact=contact,
        values=values,
        version=version,
        errors=_sentences(error, picked),
        namesakes=picked.namesakes,
        conflict=conflict,
        theirs=_differing(_stored(contact), values) if contact and conflict else {},
        databases=databases,
        owners=_owners(work, contact),
        countries=_countries(str(get_locale())),
    )
    return page, status


def _sentences(error: Invalid | None, picked: PickedCompany) -> dict[str, str]:
    """The problems in the viewer's language, the company's at the field in which it is typed."""
    sentences = {field: say(message) for field, message in error.problems.items()} if error else {}
    unknown = sentences.pop("company_id", None)
    return sentences | ({"company": picked.problem or unknown} if unknown else {})


def _differing(stored: Typed, typed: Typed) -> Mapping[str, Any]:
    """What a colleague stored, where it differs from what was typed."""
    fields = [field for field in (*LINES, "company", "phones", "emails") if bare(stored[field]) != bare(typed[field])]
    return {field: stored[field] for field in fields}


def _stored(contact: ContactDetail) -> Typed:
    return stored_values(contact, shown={way.value: _show_phone(way.value) for way in contact.phones})


def _first_values(work: Work) -> Typed:
    """An empty form, with what the address brings."""
    given = request.args
    values = typed_values(given)
    values["phones"] = [{"number": given.get("phone", ""), "label": "mobile"}]
    values["emails"] = [{"address": given.get("email", ""), "label": "work"}]
    company = None
    if work.actor.may(Permission.COMPANIES_READ) and (company_id := as_id(given.get("company_id"))):
        company = company_choice(work, company_id)
    values["company"] = values["company_shown"] = company.name if company else ""
    values["company_id"] = company.id if company else ""
    return values


def _only_database(work: Work) -> object:
    """The database of somebody who has no choice, and so no field for it."""
    databases = database_choices(work)
    return databases[0].id if len(databases) == 1 else ""


def _owners(work: Work, contact: ContactDetail | None) -> list[tuple[object, str]]:
    """Nobody, colleagues, and the present owner even if they left."""
    owners: list[tuple[object, str]] = [("", _("Nobody"))]
    owners += [(colleague.id, colleague.name) for colleague in colleagues(work)]
    if contact and contact.owner_id and contact.owner_id not in {owner for owner, _name in owners}:
        owners.append((contact.owner_id, contact.owner_name or ""))
    return owners


@cache
def _countries(language: str) -> Mapping[str, str]:
    """Names of countries by code, in a language and its alphabet."""
    territories = Locale.parse(language).territories
    names = {code: territories.get(code, code) for code in COUNTRIES}
    return dict(sorted(names.items(), key=lambda pair: sort_key(pair[1], language)))


def _tickets(work: Work, contact_id: int) -> TicketPage | None:
    if not work.actor.may(Permission.TICKETS_READ):
        return None
    return list_tickets(work, TicketFilter(contact_id=contact_id), limit=TICKETS_SHOWN)


def _show_phone(number: str) -> str:
    return shown_phone(number, current_tenant().country)

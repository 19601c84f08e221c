"""``/companies/…``: the list, a company's page, its form."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import cache
from typing import Any, Final

from babel import Locale
from flask import flash, jsonify, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import format_decimal, get_locale
from flask_babel import gettext as _

from core.calls.queries import calls_of_activities
from core.directory.checks import COUNTRIES
from core.directory.phones import shown_phone
from core.directory.queries import CompanyDetail, company_choices, company_detail, database_choices, list_companies
from core.directory.service import change_company, create_company
from core.foundation.errors import Conflict, Invalid
from core.foundation.permissions import Permission
from core.foundation.sorting import sort_key
from core.foundation.unit_of_work import Work
from core.identity.service import colleagues
from core.tickets.queries import TicketFilter, TicketPage, list_tickets
from core.timeline.queries import activities_of_company
from tenant_app.companies.forms import (
    LINES,
    Typed,
    as_draft,
    bare,
    stored_values,
    typed_values,
    with_row_change,
)
from tenant_app.hosts import current_tenant
from tenant_app.languages import say
from tenant_app.pages import requires
from tenant_app.typed import as_id

TABS: Final = ("activities", "contacts", "tickets", "history")
NEEDLE_CHARACTERS: Final = 200
TICKETS_SHOWN: Final = 20


class Companies(BaseView):
    """Organisations whom the company deals with."""

    route_base = "/companies"

    @expose("/")
    @requires(Permission.COMPANIES_READ)
    def index(self, work: Work) -> ResponseReturnValue:
        """The list, all of it or what a search finds, page by page."""
        text = _needle()
        page = list_companies(work, search=text, after=as_id(request.args.get("after")))
        count = format_decimal(page.count) + ("+" if page.count_is_capped else "")
        return render_template("companies/list.html", page=page, text=text, count=count, show_phone=_show_phone)

    @expose("/choices")
    @requires(Permission.COMPANIES_READ)
    def choices(self, work: Work) -> ResponseReturnValue:
        """What a picker offers for the letters typed: ``[{"id", "name", "hint"}]``."""
        return jsonify([asdict(choice) for choice in company_choices(work, _needle())])

    @expose("/new")
    @requires(Permission.COMPANIES_WRITE)
    def new(self, work: Work) -> ResponseReturnValue:
        """An empty form; ``name``, ``email`` and ``phone`` in the address fill it."""
        return _form(work, _first_values(), status=200)

    @expose("/new", methods=["POST"])
    @requires(Permission.COMPANIES_WRITE)
    def create(self, work: Work) -> ResponseReturnValue:
        """Store a new company."""
        values = typed_values(request.form)
        values["database_id"] = values["database_id"] or _only_database(work)
        if with_row_change(values, request.form):
            return _form(work, values, status=200)
        try:
            company_id = create_company(work, as_draft(values))
        except Invalid as error:
            return _form(work, values, status=422, error=error)
        flash(_("Company created."), "success")
        return redirect(f"/companies/{company_id}", 303)

    @expose("/<int:company_id>")
    @requires(Permission.COMPANIES_READ)
    def show(self, work: Work, company_id: int) -> ResponseReturnValue:
        """A company: who it is, what happened, tickets, history."""
        company = company_detail(work, company_id)
        tickets = _tickets(work, company_id)
        tab = request.args.get("tab", "")
        tab = tab if tab in TABS and (tickets or tab != "tickets") else TABS[0]
        activities = activities_of_company(work, company_id) if tab == "activities" else []
        return render_template(
            "companies/detail.html",
            company=company,
            tab=tab,
            tickets=tickets,
            activities=activities,
            calls=calls_of_activities(work, [entry.id for entry in activities if entry.kind == "call"]),
            countries=_countries(str(get_locale())),
            show_phone=_show_phone,
        )

    @expose("/<int:company_id>/edit")
    @requires(Permission.COMPANIES_WRITE)
    def edit(self, work: Work, company_id: int) -> ResponseReturnValue:
        """The form with what is stored."""
        company = company_detail(work, company_id)
        return _form(work, _stored(company), company=company, version=company.version, status=200)

    @expose("/<int:company_id>/edit", methods=["POST"])
    @requires(Permission.COMPANIES_WRITE)
    def change(self, work: Work, company_id: int) -> ResponseReturnValue:
        """Store the changes; if a colleague was faster, show both, so that the viewer can save again."""
        values, version = typed_values(request.form), as_id(request.form.get("version")) or 0
        company = company_detail(work, company_id)
        values["database_id"] = values["database_id"] or company.database_id
        if with_row_change(values, request.form):
            return _form(work, values, company=company, version=version, status=200)
        try:
            change_company(work, company_id, as_draft(values), version=version)
        except Invalid as error:
            return _form(work, values, company=company, version=version, status=422, error=error)
        except Conflict as error:
            return _form(
                work, values, company=company, version=company.version, status=409, conflict=say(error.message)
            )
        flash(_("Company saved."), "success")
        return redirect(f"/companies/{company_id}", 303)


def _needle() -> str:
    return " ".join(request.args.get("q", "").replace("\0", " ").split())[:NEEDLE_CHARACTERS]


def _form(
    work: Work,
    values: Typed,
    *,
    status: int,
    company: CompanyDetail | None = None,
    version: int | None = None,
    error: Invalid | None = None,
    conflict: str | None = None,
) -> ResponseReturnValue:
    databases = [(choice.id, choice.name) for choice in database_choices(work)]
    if not values["database_id"] and databases:
        values["database_id"] = databases[0][0]
    page = render_template(
        "companies/form.html",
        company=company,
        values=values,
        version=version,
        errors=_sentences(error),
        conflict=conflict,
        theirs=_differing(_stored(company), values) if company and conflict else {},
        databases=databases,
        owners=_owners(work, company),
        countries=_countries(str(get_locale())),
    )
    return page, status


def _sentences(error: Invalid | None) -> dict[str, str]:
    return {field: say(message) for field, message in error.problems.items()} if error else {}


def _differing(stored: Typed, typed: Typed) -> Mapping[str, Any]:
    """What a colleague stored, where it differs from what was typed."""
    fields = [field for field in (*LINES, "phones", "emails") if bare(stored[field]) != bare(typed[field])]
    return {field: stored[field] for field in fields}


def _stored(company: CompanyDetail) -> Typed:
    return stored_values(company, shown={way.value: _show_phone(way.value) for way in company.phones})


def _first_values() -> Typed:
    """An empty form, with what the address brings."""
    given = request.args
    values = typed_values(given)
    values["phones"] = [{"number": given.get("phone", ""), "label": "work"}]
    values["emails"] = [{"address": given.get("email", ""), "label": "work"}]
    return values


def _only_database(work: Work) -> object:
    """The database of somebody who has no choice, and so no field for it."""
    databases = database_choices(work)
    return databases[0].id if len(databases) == 1 else ""


def _owners(work: Work, company: CompanyDetail | None) -> list[tuple[object, str]]:
    """Nobody, colleagues, and the present owner even if they left."""
    owners: list[tuple[object, str]] = [("", _("Nobody"))]
    owners += [(colleague.id, colleague.name) for colleague in colleagues(work)]
    if company and company.owner_id and company.owner_id not in {owner for owner, _name in owners}:
        owners.append((company.owner_id, company.owner_name or ""))
    return owners


@cache
def _countries(language: str) -> Mapping[str, str]:
    """Names of countries by code, in a language and its alphabet."""
    territories = Locale.parse(language).territories
    names = {code: territories.get(code, code) for code in COUNTRIES}
    return dict(sorted(names.items(), key=lambda pair: sort_key(pair[1], language)))


def _tickets(work: Work, company_id: int) -> TicketPage | None:
    if not work.actor.may(Permission.TICKETS_READ):
        return None
    return list_tickets(work, TicketFilter(company_id=company_id), limit=TICKETS_SHOWN)


def _show_phone(number: str) -> str:
    return shown_phone(number, current_tenant().country)

"""``/people/…``: the list of users, a user's page and form."""

from collections.abc import Mapping
from typing import Any, Final

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from core.calls.lines import free_number
from core.calls.spare import spare_devices
from core.calls.trunks import trunks
from core.directory.phones import shown_phone
from core.foundation.errors import Conflict, Forbidden, Invalid
from core.foundation.permissions import CATALOGUE, Permission
from core.foundation.unit_of_work import Work
from core.identity.owners import is_owner
from core.identity.security_policy import is_asked_of_all
from core.identity.service import colleagues
from core.people.accounts import add_person, change_person
from core.people.guards import names_of, permission_choices, user_group_choices
from core.people.leaving import holdings_of
from core.people.queries import STATES, PersonDetail, history_of, people, person
from core.people.rights import rights_of
from core.visibility.kinds import Kind
from tenant_app.device_passwords import page_of_password
from tenant_app.hosts import current_tenant
from tenant_app.languages import LANGUAGE_NAMES, say
from tenant_app.pages import requires
from tenant_app.people.forms import (
    Typed,
    as_draft,
    as_filter,
    as_line_draft,
    first_values,
    list_url,
    stored_values,
    typed_values,
)
from tenant_app.typed import as_id

ASKED: Final = ("block", "delete", "factor")


class People(BaseView):
    """The users of the company."""

    route_base = "/people"

    @expose("/")
    @requires(Permission.PEOPLE_READ)
    def index(self, work: Work) -> ResponseReturnValue:
        """The list: all, or what a search finds, of a state and kind, page by page."""
        wanted = as_filter(request.args)
        page = people(work, wanted, after=as_id(request.args.get("after")))
        return render_template(
            "people/list.html",
            page=page,
            wanted=wanted,
            states=STATES,
            url=lambda **changed: list_url(wanted, **changed),
            is_owner=is_owner(work),
        )

    @expose("/new")
    @requires(Permission.PEOPLE_MANAGE)
    def new(self, work: Work) -> ResponseReturnValue:
        """An empty form, with a free line in it."""
        number = free_number(work) if work.actor.may(Permission.LINES_MANAGE) else ""
        return _form(work, first_values(number=number, locale=current_tenant().locale)), 200

    @expose("/new", methods=["POST"])
    @requires(Permission.PEOPLE_MANAGE)
    def create(self, work: Work) -> ResponseReturnValue:
        """Create somebody; a new SIP account's password is shown on the next page."""
        values = typed_values(request.form)
        line = as_line_draft(values) if work.actor.may(Permission.LINES_MANAGE) else None
        try:
            added = add_person(work, as_draft(values, request.form), line)
        except Invalid as error:
            return _form(work, values, errors=_sentences(error)), 422
        words = _("User created, invitation sent.") if values["way"] == "invitation" else _("User created.")
        flash(words, "success")
        url = page_of_password(added.device) if added.device else f"/people/{added.user_id}"
        return redirect(url, 303)

    @expose("/<int:user_id>")
    @requires(Permission.PEOPLE_READ)
    def show(self, work: Work, user_id: int) -> ResponseReturnValue:
        """What somebody may do and why, and their history; ``ask`` in the address asks before they go."""
        return page_of_person(work, user_id, ask=request.args.get("ask", ""))

    @expose("/<int:user_id>/edit")
    @requires(Permission.PEOPLE_MANAGE)
    def edit(self, work: Work, user_id: int) -> ResponseReturnValue:
        """The form with what is stored."""
        found = _changeable(work, user_id)
        return _form(work, stored_values(found, business_number=show_phone(found.row.business_number)), found)

    @expose("/<int:user_id>/edit", methods=["POST"])
    @requires(Permission.PEOPLE_MANAGE)
    def change(self, work: Work, user_id: int) -> ResponseReturnValue:
        """Store the changes."""
        found, values = _changeable(work, user_id), typed_values(request.form)
        line = as_line_draft(values) if work.actor.may(Permission.LINES_MANAGE) else None
        try:
            device = change_person(work, user_id, as_draft(values, request.form), line)
        except Invalid as error:
            return _form(work, values, found, errors=_sentences(error)), 422
        except Conflict as error:
            return _form(work, values, found, errors={"permission_group_id": say(error.message)}), 422
        flash(_("User saved."), "success")
        return redirect(page_of_password(device) if device else f"/people/{user_id}", 303)


def page_of_person(work: Work, user_id: int, *, ask: str = "", errors: Mapping[str, str] | None = None) -> str:
    """A person's page; ``ask`` (one of ``ASKED``) opens that dialog at once, with its ``errors``."""
    found = person(work, user_id)
    tab = "history" if request.args.get("tab") == "history" else "rights"
    return render_template(
        "people/detail.html",
        person=found,
        tab=tab,
        ask=ask if ask in ASKED else "",
        errors=errors or {},
        rights=rights_of(work, user_id),
        history=history_of(work, user_id) if tab == "history" else [],
        holdings=holdings_of(work, user_id),
        is_factor_asked_of_all=is_asked_of_all(work),
        groups=names_of(user_group_choices(work), found.group_ids),
        successors=[(one.id, one.name) for one in colleagues(work) if one.id != user_id],
        catalogue=CATALOGUE,
        kinds=list(Kind),
        languages=LANGUAGE_NAMES,
        show_phone=show_phone,
    )


def show_phone(number: str) -> str:
    """A number as the tenant's country writes it; a sender's name stays as it is."""
    return shown_phone(number, current_tenant().country) if number.startswith("+") else number


def _changeable(work: Work, user_id: int) -> PersonDetail:
    found = person(work, user_id)
    if not found.is_changeable:
        name = found.row.name
        raise Forbidden(_("%(name)s may do or see more than you. Only an owner can change them.", name=name))
    return found


def _sentences(error: Invalid) -> dict[str, str]:
    return {field: say(message) for field, message in error.problems.items()}


def _form(
    work: Work, values: Typed, found: PersonDetail | None = None, *, errors: Mapping[str, str] | None = None
) -> str:
    manages_lines = work.actor.may(Permission.LINES_MANAGE)
    owned: list[Any] = [number.number for trunk in trunks(work) for number in trunk.numbers] if manages_lines else []
    return render_template(
        "people/form.html",
        person=found,
        values=values,
        errors=errors or {},
        permission_groups=permission_choices(work),
        user_groups=user_group_choices(work),
        is_own=found is not None and found.row.id == work.actor.user_id,
        may_change_own_rights=is_owner(work),
        manages_lines=manages_lines,
        caller_ids=[(number, show_phone(number)) for number in owned],
        spare=spare_devices(work) if manages_lines else [],
        devices=holdings_of(work, found.row.id).devices if found else 0,
        languages=LANGUAGE_NAMES,
    )

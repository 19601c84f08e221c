"""``/settings/visibility/…``: which user groups see which databases, queues, categories and address books.

Those who manage people look; only owners change. Address books are changed where they are at home.
"""

from collections.abc import Mapping
from typing import Any, Final

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from core.foundation.errors import Conflict, Invalid, NotFound
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.owners import is_owner, require_owner
from core.identity.user_groups import user_groups
from core.visibility.kinds import Kind
from core.visibility.queries import ThingRow, thing, things
from core.visibility.service import (
    MADE_HERE,
    ThingDraft,
    change_thing,
    consequences_of_change,
    create_thing,
    delete_thing,
)
from tenant_app.consequences import contents_words, digest_of, named, sentences
from tenant_app.languages import say
from tenant_app.pages import requires
from tenant_app.typed import as_id

PATH: Final = "/settings/visibility/"
GROUP: Final = "group-"

Typed = dict[str, Any]
"""``name``, ``audience`` (``everyone`` or ``groups``), ``groups`` (ids), ``channel``."""


class Visibility(BaseView):
    """A list for each kind, and the form of a database, a queue or a category."""

    route_base = PATH.rstrip("/")

    @expose("/")
    @requires(Permission.PEOPLE_MANAGE)
    def index(self, work: Work) -> ResponseReturnValue:
        """The databases, which most people come for."""
        return _list(work, Kind.DATABASE)

    @expose("/<kind>/")
    @requires(Permission.PEOPLE_MANAGE)
    def of_kind(self, work: Work, kind: str) -> ResponseReturnValue:
        """All of a kind with who sees each."""
        return _list(work, _kind(kind))

    @expose("/<kind>/new")
    @requires(Permission.PEOPLE_MANAGE)
    def new(self, work: Work, kind: str) -> ResponseReturnValue:
        """An empty form."""
        require_owner(work)
        values: Typed = {"name": "", "audience": "everyone", "groups": frozenset(), "channel": "email"}
        return _form(work, _made_here(kind), values, status=200)

    @expose("/<kind>/new", methods=["POST"])
    @requires(Permission.PEOPLE_MANAGE)
    def create(self, work: Work, kind: str) -> ResponseReturnValue:
        """Store a new one."""
        found, values = _made_here(kind), _typed()
        try:
            create_thing(work, found, _draft(values))
        except Invalid as error:
            return _form(work, found, values, status=422, error=error)
        flash(_("Created."), "success")
        return redirect(f"{PATH}{kind}/", 303)

    @expose("/<kind>/<int:thing_id>")
    @requires(Permission.PEOPLE_MANAGE)
    def edit(self, work: Work, kind: str, thing_id: int) -> ResponseReturnValue:
        """The form with what is stored; of an address book, where it is changed."""
        found = _kind(kind)
        row = thing(work, found, thing_id)
        require_owner(work)
        if found not in MADE_HERE:
            return redirect(f"/books/{thing_id}/edit", 303)
        values: Typed = {
            "name": row.name,
            "audience": "everyone" if row.everyone_sees else "groups",
            "groups": frozenset(row.groups),
            "channel": row.channel,
        }
        return _form(work, found, values, status=200, row=row)

    @expose("/<kind>/<int:thing_id>", methods=["POST"])
    @requires(Permission.PEOPLE_MANAGE)
    def change(self, work: Work, kind: str, thing_id: int) -> ResponseReturnValue:
        """Store the changes. Before anybody sees more or less by them, the page says who and what, and asks."""
        found, values = _made_here(kind), _typed()
        row = thing(work, found, thing_id)
        try:
            differences = consequences_of_change(work, found, thing_id, _draft(values))
            digest = digest_of(differences)
            if differences and request.form.get("confirmed", "") != digest:
                asked = {"consequences": sentences(differences), "digest": digest}
                return _form(work, found, values, status=200, row=row, question=asked)
            change_thing(work, found, thing_id, _draft(values))
        except Invalid as error:
            return _form(work, found, values, status=422, row=row, error=error)
        flash(_("Saved."), "success")
        return redirect(f"{PATH}{kind}/", 303)

    @expose("/<kind>/<int:thing_id>/delete", methods=["POST"])
    @requires(Permission.PEOPLE_MANAGE)
    def delete(self, work: Work, kind: str, thing_id: int) -> ResponseReturnValue:
        """Delete one that nothing is in; otherwise its page says what is."""
        try:
            delete_thing(work, _made_here(kind), thing_id)
        except Conflict as error:
            flash(say(error.message), "error")
            return redirect(f"{PATH}{kind}/{thing_id}", 303)
        flash(_("Deleted."), "success")
        return redirect(f"{PATH}{kind}/", 303)


def _kind(text: str) -> Kind:
    if text not in set(Kind):
        raise NotFound
    return Kind(text)


def _made_here(text: str) -> Kind:
    kind = _kind(text)
    if kind not in MADE_HERE:
        raise NotFound
    return kind


def _typed() -> Typed:
    form = request.form
    groups = (as_id(name.removeprefix(GROUP)) for name in form if name.startswith(GROUP))
    return {
        "name": form.get("name", ""),
        "audience": form.get("audience", "groups"),
        "groups": frozenset(group_id for group_id in groups if group_id is not None),
        "channel": form.get("channel", ""),
    }


def _draft(values: Typed) -> ThingDraft:
    return ThingDraft(
        name=values["name"],
        everyone_sees=values["audience"] == "everyone",
        groups=values["groups"],
        channel=values["channel"],
    )


def _list(work: Work, kind: Kind) -> ResponseReturnValue:
    return render_template(
        "groups/visibility.html",
        kind=kind,
        rows=things(work, kind),
        is_owner=is_owner(work),
        is_made_here=kind in MADE_HERE,
        named=named,
        contents_words=contents_words,
    )


def _form(
    work: Work,
    kind: Kind,
    values: Typed,
    *,
    status: int,
    row: ThingRow | None = None,
    error: Invalid | None = None,
    question: Mapping[str, Any] | None = None,
) -> ResponseReturnValue:
    page = render_template(
        "groups/visibility_form.html",
        kind=kind,
        row=row,
        values=values,
        errors={field: say(message) for field, message in error.problems.items()} if error else {},
        nodes=user_groups(work),
        question=question,
        named=named,
        contents_words=contents_words,
    )
    return page, status

"""``/settings/user-groups/…``: who belongs together, as a tree, and what belonging lets people see."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from core.foundation.errors import Conflict, Invalid
from core.foundation.i18n import Message
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.owners import is_owner
from core.identity.user_groups import (
    UserGroupNode,
    create_user_group,
    move_user_group,
    rename_user_group,
    user_group,
    user_groups,
)
from core.visibility.consequences import consequences_of
from core.visibility.queries import seen_by_members
from core.visibility.service import delete_user_group
from tenant_app.consequences import contents_words, digest_of, sentences, thing_name
from tenant_app.groups.tree import Place, possible_parents, steps_among_siblings
from tenant_app.languages import say
from tenant_app.pages import requires
from tenant_app.typed import as_id

PATH: Final = "/settings/user-groups/"


@dataclass(frozen=True, slots=True)
class Question:
    """A move that changes what people see, and waits for a yes; ``digest`` says to what."""

    node: UserGroupNode
    place: Place
    consequences: list[str]
    digest: str


class UserGroups(BaseView):
    """The tree, a group with its people and what they see, and its form."""

    route_base = PATH.rstrip("/")

    @expose("/")
    @requires(Permission.PEOPLE_MANAGE)
    def index(self, work: Work) -> ResponseReturnValue:
        """The whole tree."""
        return _tree(work)

    @expose("/new")
    @requires(Permission.PEOPLE_MANAGE)
    def new(self, work: Work) -> ResponseReturnValue:
        """An empty form; ``parent_id`` in the address says below which group."""
        return _form(work, {"name": "", "parent_id": request.args.get("parent_id", "")}, status=200)

    @expose("/new", methods=["POST"])
    @requires(Permission.PEOPLE_MANAGE)
    def create(self, work: Work) -> ResponseReturnValue:
        """Store a new group as the last one of its place (TC-11, TC-13)."""
        values = _typed()
        try:
            create_user_group(work, values["name"], parent_id=as_id(values["parent_id"]))
        except Invalid as error:
            return _form(work, values, status=422, error=error)
        flash(_("User group created."), "success")
        return redirect(PATH, 303)

    @expose("/move", methods=["POST"])
    @requires(Permission.PEOPLE_MANAGE)
    def move(self, work: Work) -> ResponseReturnValue:
        """Put a group elsewhere. Before people see more or less by that, the page says who and what, and asks."""
        place = Place(as_id(request.form.get("parent_id")), as_id(request.form.get("before_id")))
        node = user_group(work, as_id(request.form.get("group_id")) or 0)
        try:
            if question := _ask(work, node, place, lambda: _move(work, node, place)):
                return _tree(work, question=question)
            _move(work, node, place)
        except (Invalid, Conflict) as error:
            return _tree(work, problem=error.message)
        return redirect(PATH, 303)

    @expose("/<int:team_id>")
    @requires(Permission.PEOPLE_MANAGE)
    def show(self, work: Work, team_id: int) -> ResponseReturnValue:
        """A group: its people, the groups below it, what its people see."""
        nodes = {node.id: node for node in user_groups(work)}
        return render_template(
            "groups/user_group.html",
            group=user_group(work, team_id),
            nodes=nodes,
            seen=seen_by_members(work, team_id),
            is_owner=is_owner(work),
            thing_name=thing_name,
            contents_words=contents_words,
        )

    @expose("/<int:team_id>/edit")
    @requires(Permission.PEOPLE_MANAGE)
    def edit(self, work: Work, team_id: int) -> ResponseReturnValue:
        """The form with what is stored; "Position" has none."""
        group = user_group(work, team_id)
        if group.is_position:
            return redirect(f"{PATH}{team_id}", 303)
        return _form(work, {"name": group.name, "parent_id": str(group.parent_id or "")}, status=200, group=group)

    @expose("/<int:team_id>/edit", methods=["POST"])
    @requires(Permission.PEOPLE_MANAGE)
    def change(self, work: Work, team_id: int) -> ResponseReturnValue:
        """Store another name or another place; asks first if people see more or less by that."""
        group, values = user_group(work, team_id), _typed()
        place = Place(as_id(values["parent_id"]), None)

        def save() -> None:
            rename_user_group(work, team_id, values["name"])
            if group.parent_id != place.parent_id:
                _move(work, group, place)

        try:
            if question := _ask(work, group, place, save):
                return _form(work, values, status=200, group=group, question=question)
            save()
        except Invalid as error:
            return _form(work, values, status=422, group=group, error=error)
        flash(_("User group saved."), "success")
        return redirect(f"{PATH}{team_id}", 303)

    @expose("/<int:team_id>/delete", methods=["POST"])
    @requires(Permission.PEOPLE_MANAGE)
    def delete(self, work: Work, team_id: int) -> ResponseReturnValue:
        """Delete a group that is empty; otherwise its page says who and what is in it (TC-18)."""
        try:
            delete_user_group(work, team_id)
        except Conflict as error:
            flash(say(error.message), "error")
            return redirect(f"{PATH}{team_id}", 303)
        flash(_("User group deleted."), "success")
        return redirect(PATH, 303)


def _typed() -> dict[str, str]:
    return {"name": request.form.get("name", ""), "parent_id": request.form.get("parent_id", "")}


def _move(work: Work, node: UserGroupNode, place: Place) -> None:
    move_user_group(work, node.id, parent_id=place.parent_id, before_id=place.before_id)


def _ask(work: Work, node: UserGroupNode, place: Place, change: Callable[[], None]) -> Question | None:
    """What to ask before the move; None if nobody's sight changes, or if exactly that was confirmed."""
    if node.parent_id == place.parent_id:
        return None
    differences = consequences_of(work, change)
    digest = digest_of(differences)
    if not differences or request.form.get("confirmed", "") == digest:
        return None
    return Question(node, place, sentences(differences), digest)


def _tree(work: Work, *, question: Question | None = None, problem: Message | None = None) -> ResponseReturnValue:
    nodes = user_groups(work)
    page = render_template(
        "groups/user_groups.html",
        nodes=nodes,
        steps=steps_among_siblings(nodes),
        question=question,
        problem=say(problem) if problem else None,
    )
    return page, 422 if problem else 200


def _form(
    work: Work,
    values: dict[str, str],
    *,
    status: int,
    group: UserGroupNode | None = None,
    error: Invalid | None = None,
    question: Question | None = None,
) -> ResponseReturnValue:
    page = render_template(
        "groups/user_group_form.html",
        group=group,
        values=values,
        errors={field: say(message) for field, message in error.problems.items()} if error else {},
        parents=possible_parents(user_groups(work), group),
        question=question,
    )
    return page, status

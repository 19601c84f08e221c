"""``/settings/permission-groups/…``: what users may do; built by owners, read by those who manage people."""

from collections.abc import Mapping, Sequence
from typing import Final

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from core.foundation.errors import Conflict, Invalid
from core.foundation.i18n import Message
from core.foundation.permissions import CATALOGUE, Permission
from core.foundation.unit_of_work import Work
from core.identity.owners import is_owner, require_owner
from core.identity.permission_groups import (
    PermissionGroupDetail,
    add_permission_group,
    change_permission_group,
    compare_groups,
    delete_permission_group,
    permission_group,
    permission_groups,
    problems_of_group,
    users_with_groups,
)
from tenant_app.groups.wizard import (
    Typed,
    checked_steps,
    consequences_of,
    next_step,
    step_of_problem,
    steps_of,
    stored_values,
    typed_values,
)
from tenant_app.languages import say
from tenant_app.pages import requires
from tenant_app.typed import as_id

PATH: Final = "/settings/permission-groups/"
NO_PROBLEMS: Mapping[str, Message] = {}


class PermissionGroups(BaseView):
    """The groups, their form, and two of them side by side."""

    route_base = PATH.rstrip("/")

    @expose("/")
    @requires(Permission.PEOPLE_MANAGE)
    def index(self, work: Work) -> ResponseReturnValue:
        """Every group with its numbers."""
        return render_template(
            "groups/permission_groups.html",
            groups=permission_groups(work),
            permission_count=len(Permission),
            is_owner=is_owner(work),
        )

    @expose("/compare")
    @requires(Permission.PEOPLE_MANAGE)
    def compare(self, work: Work) -> ResponseReturnValue:
        """Two groups, ``first`` and ``second`` of the address; ``all`` shows also what they have in common."""
        groups = permission_groups(work)
        chosen = [as_id(request.args.get(name)) for name in ("first", "second")]
        first, second = (permission_group(work, group_id) if group_id is not None else None for group_id in chosen)
        return render_template(
            "groups/compare.html",
            groups=groups,
            first=first,
            second=second,
            comparison=compare_groups(first, second) if first and second else None,
            shows_all=bool(request.args.get("all")),
            modules=CATALOGUE,
        )

    @expose("/new")
    @requires(Permission.PEOPLE_MANAGE)
    def new(self, work: Work) -> ResponseReturnValue:
        """The first step of an empty form; ``like`` in the address copies a group's permissions."""
        require_owner(work)
        like = as_id(request.args.get("like"))
        permissions = permission_group(work, like).permissions if like is not None else frozenset()
        return _step(work, Typed("", permissions, frozenset()), "name", group=None)

    @expose("/new", methods=["POST"])
    @requires(Permission.PEOPLE_MANAGE)
    def create(self, work: Work) -> ResponseReturnValue:
        """Another step, or store the group."""
        require_owner(work)
        return _go_on(work, group=None)

    @expose("/<int:group_id>")
    @requires(Permission.PEOPLE_MANAGE)
    def show(self, work: Work, group_id: int) -> ResponseReturnValue:
        """What the group allows and who is in it (TC-8)."""
        return render_template(
            "groups/permission_group.html",
            group=permission_group(work, group_id),
            groups=permission_groups(work),
            modules=CATALOGUE,
            is_owner=is_owner(work),
        )

    @expose("/<int:group_id>/edit")
    @requires(Permission.PEOPLE_MANAGE)
    def edit(self, work: Work, group_id: int) -> ResponseReturnValue:
        """The form with what is stored; ``step`` in the address begins at another step."""
        group = permission_group(work, group_id)
        require_owner(work)
        steps = steps_of(group)
        step = request.args.get("step", "")
        return _step(work, stored_values(group), step if step in steps else steps[0], group=group)

    @expose("/<int:group_id>/edit", methods=["POST"])
    @requires(Permission.PEOPLE_MANAGE)
    def change(self, work: Work, group_id: int) -> ResponseReturnValue:
        """Another step, or store the changes."""
        group = permission_group(work, group_id)
        require_owner(work)
        return _go_on(work, group=group)

    @expose("/<int:group_id>/delete", methods=["POST"])
    @requires(Permission.PEOPLE_MANAGE)
    def delete(self, work: Work, group_id: int) -> ResponseReturnValue:
        """Delete a group that nobody is in; otherwise its page says who is (TC-9)."""
        try:
            delete_permission_group(work, group_id)
        except Conflict as error:
            flash(say(error.message), "error")
            return redirect(f"{PATH}{group_id}", 303)
        flash(_("Permission group deleted."), "success")
        return redirect(PATH, 303)


def _go_on(work: Work, *, group: PermissionGroupDetail | None) -> ResponseReturnValue:
    typed, steps = typed_values(request.form), steps_of(group)
    if group is not None and group.is_owner:
        typed = Typed(group.name, group.permissions, typed.users)
    step, go = request.form.get("step", ""), request.form.get("go", "next")
    step = step if step in steps else steps[0]
    if go == "save":
        return _save(work, typed, group=group)
    following = next_step(steps, step, go)
    problems = _problems(work, typed, group, steps=checked_steps(steps, step, following))
    if problems:
        return _step(work, typed, step_of_problem(steps, problems), group=group, problems=problems)
    return _step(work, typed, following, group=group)


def _save(work: Work, typed: Typed, *, group: PermissionGroupDetail | None) -> ResponseReturnValue:
    try:
        if group is None:
            group_id = add_permission_group(work, typed.draft())
        else:
            group_id = group.id
            change_permission_group(work, group_id, typed.draft())
    except Invalid as error:
        step = step_of_problem(steps_of(group), error.problems)
        return _step(work, typed, step, group=group, problems=error.problems)
    except Conflict as error:
        if group is None or typed.version == group.version:
            raise
        newest = Typed(typed.name, typed.permissions, typed.users, group.version)
        return _step(work, newest, "summary", group=group, conflict=error.message)
    flash(_("Permission group saved.") if group else _("Permission group created."), "success")
    return redirect(f"{PATH}{group_id}", 303)


def _problems(
    work: Work, typed: Typed, group: PermissionGroupDetail | None, *, steps: Sequence[str]
) -> Mapping[str, Message]:
    """What is wrong at these steps; later ones were not seen yet."""
    problems = problems_of_group(work, typed.draft(), own_id=group.id if group else None)
    return {field: message for field, message in problems.items() if field in steps}


def _step(
    work: Work,
    typed: Typed,
    step: str,
    *,
    group: PermissionGroupDetail | None,
    problems: Mapping[str, Message] = NO_PROBLEMS,
    conflict: Message | None = None,
) -> ResponseReturnValue:
    users = users_with_groups(work)
    page = render_template(
        "groups/permission_group_form.html",
        group=group,
        typed=typed,
        step=step,
        steps=steps_of(group),
        errors={field: say(message) for field, message in problems.items()},
        conflict=say(conflict) if conflict else None,
        modules=CATALOGUE,
        users=users,
        own_user_id=work.actor.user_id,
        consequences=consequences_of(users, typed, group),
    )
    return page, 409 if conflict else 422 if problems else 200

"""``/people/<id>/…``: blocking, letting in again, deleting, and sending an invitation again."""

from collections.abc import Callable

from flask import flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from core.foundation.errors import Conflict, Invalid
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.people.invitations import send_invitation, withdraw_invitation
from core.people.leaving import block_person, delete_person, unblock_person
from core.people.queries import person
from core.people.second_factor import remove_second_factor
from tenant_app.languages import say
from tenant_app.pages import requires
from tenant_app.people.views import page_of_person
from tenant_app.typed import as_id


class Leaving(BaseView):
    """What happens to a user's way in."""

    route_base = "/people"

    @expose("/<int:user_id>/block", methods=["POST"])
    @requires(Permission.PEOPLE_BLOCK)
    def block(self, work: Work, user_id: int) -> ResponseReturnValue:
        """Block them; ``phones`` switches their devices off too."""
        name, phones_too = person(work, user_id).row.name, bool(request.form.get("phones"))
        return _done(
            user_id,
            lambda: block_person(work, user_id, phones_too=phones_too),
            _("%(name)s is blocked and signed out everywhere.", name=name),
        )

    @expose("/<int:user_id>/unblock", methods=["POST"])
    @requires(Permission.PEOPLE_BLOCK)
    def unblock(self, work: Work, user_id: int) -> ResponseReturnValue:
        """Let them in again."""
        name = person(work, user_id).row.name
        return _done(user_id, lambda: unblock_person(work, user_id), _("%(name)s can sign in again.", name=name))

    @expose("/<int:user_id>/delete", methods=["POST"])
    @requires(Permission.PEOPLE_DELETE)
    def delete(self, work: Work, user_id: int) -> ResponseReturnValue:
        """Delete them; what they looked after passes to ``successor_id``, or to nobody."""
        name = person(work, user_id).row.name
        try:
            delete_person(work, user_id, successor_id=as_id(request.form.get("successor_id")))
        except Invalid as error:
            errors = {field: say(message) for field, message in error.problems.items()}
            return page_of_person(work, user_id, ask="delete", errors=errors), 422
        except Conflict as error:
            flash(say(error.message), "error")
            return redirect(f"/people/{user_id}", 303)
        flash(_("%(name)s was deleted.", name=name), "success")
        return redirect("/people/", 303)

    @expose("/<int:user_id>/invite", methods=["POST"])
    @requires(Permission.PEOPLE_MANAGE)
    def invite(self, work: Work, user_id: int) -> ResponseReturnValue:
        """Send an invitation; an earlier link ends."""
        email = person(work, user_id).row.email
        return _done(user_id, lambda: send_invitation(work, user_id), _("Invitation sent to %(email)s.", email=email))

    @expose("/<int:user_id>/withdraw", methods=["POST"])
    @requires(Permission.PEOPLE_MANAGE)
    def withdraw(self, work: Work, user_id: int) -> ResponseReturnValue:
        """Let the invitation work no more."""
        return _done(user_id, lambda: withdraw_invitation(work, user_id), _("Invitation withdrawn."))

    @expose("/<int:user_id>/second-factor/remove", methods=["POST"])
    @requires(Permission.PEOPLE_MANAGE)
    def remove_factor(self, work: Work, user_id: int) -> ResponseReturnValue:
        """Let them in with the password alone: they lost their phone."""
        name = person(work, user_id).row.name
        return _done(
            user_id,
            lambda: remove_second_factor(work, user_id),
            _("%(name)s signs in with the password alone now.", name=name),
        )


def _done(user_id: int, act: Callable[[], None], words: str) -> ResponseReturnValue:
    """Back to the person's page, with ``words``, or with what stood against it."""
    try:
        act()
    except Conflict as error:
        flash(say(error.message), "error")
    else:
        flash(words, "success")
    return redirect(f"/people/{user_id}", 303)

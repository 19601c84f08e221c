"""Inviting people by mail: a link that works once, for seven days, by which they choose their password."""

from core.foundation.errors import Conflict
from core.foundation.history import record_change
from core.foundation.i18n import _
from core.foundation.live import tell
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.links import LinkKind, make_link, withdraw_link
from core.identity.naming import shown_address
from core.mail.notices import Notice, queue_notice
from core.people.guards import locked_person
from core.tenants.service import primary_url, tenant_profile

PATH = "/welcome/"


def send_invitation(work: Work, user_id: int) -> None:
    """Send an invitation, or send it again; an earlier link ends. Raises ``Conflict`` for whom it makes no sense."""
    work.actor.require(Permission.PEOPLE_MANAGE)
    user = locked_person(work, user_id)
    if user.is_blocked:
        raise Conflict(_("%(name)s is blocked. Unblock them first.", name=user.name))
    if user.password_hash is not None:
        raise Conflict(_("%(name)s has a password already.", name=user.name))
    if not shown_address(user.email):
        raise Conflict(_("%(name)s has no e-mail address. Enter one first.", name=user.name))
    token, company = make_link(work, LinkKind.INVITATION, user_id), tenant_profile(work).name
    notice = Notice(
        email=user.email,
        name=user.name,
        locale=user.locale,
        subject=_("%(company)s invites you to Centrala", company=company),
        paragraphs=(
            _("Hello %(name)s,", name=user.name),
            _(
                "%(company)s has made an account for you in Centrala. Choose a password here:",
                company=company,
            ),
            f"{primary_url(work)}{PATH}{token}",
            _("The link works once, for seven days. You will sign in as %(email)s.", email=user.email),
            _("If you know nothing of this, do nothing; without a password nobody can sign in."),
        ),
    )
    queue_notice(work, notice)
    record_change(work, "user", user_id, before={"invitation": None}, after={"invitation": "sent"})
    tell(work, "user", [user_id])


def withdraw_invitation(work: Work, user_id: int) -> None:
    """Let the link work no more. Raises ``Conflict`` if none does."""
    work.actor.require(Permission.PEOPLE_MANAGE)
    locked_person(work, user_id)
    if not withdraw_link(work, LinkKind.INVITATION, user_id):
        raise Conflict(_("No invitation is open: it was used or has ended."))
    record_change(work, "user", user_id, before={"invitation": "sent"}, after={"invitation": "withdrawn"})
    tell(work, "user", [user_id])

"""What only an owner may do: whoever could build permission groups could give themselves every right (TC-10)."""

from sqlalchemy import ColumnElement, and_, select

from core.foundation.errors import Forbidden
from core.foundation.i18n import _
from core.foundation.unit_of_work import Work
from core.identity.models import PermissionGroup, UserAccount


def is_owner(work: Work) -> bool:
    """Whether the actor belongs to the owners' group, or is the product itself.

    The permissions alone do not tell: another group may hold all of them. Nobody is one while they look at the app as
    another group does (``core.identity.viewing``).
    """
    if work.actor.user_id is None:
        return True
    if work.actor.is_viewing:
        return False
    query = (
        select(PermissionGroup.is_owner)
        .join(UserAccount, UserAccount.permission_group_id == PermissionGroup.id)
        .where(UserAccount.id == work.actor.user_id, ~UserAccount.is_blocked)
    )
    return bool(work.session.scalar(query))


def require_owner(work: Work) -> None:
    """Raise ``Forbidden`` unless the actor is an owner."""
    if not is_owner(work):
        raise Forbidden(_("Only an owner may do this."))


def able_owner() -> ColumnElement[bool]:
    """For a query of users with their permission groups: an owner who can sign in, of whom one must always remain.

    Whoever was invited and has no password yet does not count; the trigger ``an_owner_stays`` says the same.
    """
    return and_(PermissionGroup.is_owner, ~UserAccount.is_blocked, UserAccount.password_hash.is_not(None))

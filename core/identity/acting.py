"""Acting for a user who is not there: a job that must see no more than its user does."""

from sqlalchemy import func, select

from core.foundation.actor import Actor, Door, TenantId, UserId
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.models import PermissionGrant, PermissionGroup, UserAccount


def acting_as(work: Work, user_id: int) -> Actor | None:
    """The actor for a job of this user's; None for somebody who is blocked, deleted or of another tenant."""
    granted = (
        select(func.array_agg(PermissionGrant.permission))
        .where(PermissionGrant.permission_group_id == PermissionGroup.id)
        .scalar_subquery()
    )
    query = (
        select(UserAccount.tenant_id, UserAccount.locale, PermissionGroup.is_owner, granted)
        .join(PermissionGroup, PermissionGroup.id == UserAccount.permission_group_id)
        .where(UserAccount.id == user_id, ~UserAccount.is_blocked)
    )
    row = work.session.execute(query).one_or_none()
    if row is None:
        return None
    tenant_id, locale, is_owner, stored = row
    held = set(stored or ())
    return Actor(
        tenant_id=TenantId(tenant_id),
        user_id=UserId(user_id),
        door=Door.JOB,
        permissions=frozenset(known for known in Permission if is_owner or known.value in held),
        locale=locale,
    )

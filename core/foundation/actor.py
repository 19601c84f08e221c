"""Who acts: a user through some door, or the product itself on a tenant's behalf."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from core.foundation.errors import Forbidden
from core.foundation.permissions import Permission

TenantId = NewType("TenantId", int)
UserId = NewType("UserId", int)


class Door(StrEnum):
    """By which way a change came in; stands in the history."""

    WEB = "web"
    MAIL = "mail"
    DAV = "dav"
    SIP = "sip"
    JOB = "job"
    SETUP = "setup"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """On whose behalf a transaction runs.

    ``user_id`` is None for the product itself, which then sees the whole tenant; a user sees what the grants of
    their user groups and their permission group leave (see ``docs/permissions.md``).
    ``is_viewing``: an owner looks at the app with a permission group's rights; that they are an owner does not count.
    """

    tenant_id: TenantId
    door: Door
    user_id: UserId | None = None
    permissions: frozenset[Permission] = frozenset()
    locale: str = "en"
    is_viewing: bool = False

    def may(self, permission: Permission) -> bool:
        """Whether the actor has ``permission``."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise ``Forbidden`` unless the actor has ``permission``."""
        if not self.may(permission):
            raise Forbidden


def system_actor(tenant_id: TenantId, *, door: Door, locale: str = "en") -> Actor:
    """The product itself inside one tenant: every permission, and every row of that tenant."""
    return Actor(tenant_id=tenant_id, door=door, permissions=frozenset(Permission), locale=locale)

"""People beside the cast, for tests of users: a manager who is no owner, and what such tests ask of the database."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from core.foundation.actor import Actor, Door
from core.foundation.history import Change
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.models import PermissionGroup, UserAccount, UserGroup
from core.identity.service import UserDraft, create_permission_group, create_user
from core.people.drafts import PersonDraft
from tests.support.cast import AGENT, PASSWORD, Cast

MANAGES = frozenset(
    {
        Permission.PEOPLE_READ,
        Permission.PEOPLE_MANAGE,
        Permission.PEOPLE_BLOCK,
        Permission.PEOPLE_DELETE,
        Permission.LINES_MANAGE,
    }
)
MANAGER = AGENT | MANAGES
NEW_PASSWORD = "New-2-password!"


def group_called(work: Work, name: str) -> int:
    """A permission group's id."""
    return work.session.scalars(select(PermissionGroup.id).where(PermissionGroup.name == name)).one()


def user_group_called(work: Work, name: str) -> int:
    """A user group's id."""
    return work.session.scalars(select(UserGroup.id).where(UserGroup.name == name)).one()


def draft(work: Work, **values: Any) -> PersonDraft:
    """Eva, a call-centre agent who is invited."""
    first: dict[str, Any] = {
        "email": "eva@demo.localhost",
        "name": "Eva Malá",
        "permission_group_id": group_called(work, "Agents"),
    }
    return PersonDraft(**{**first, **values})


def add_manager(work: Work, cast: Cast, permissions: Iterable[Permission] = MANAGER) -> Actor:
    """Marie, who manages people and is no owner; answers her as she acts."""
    held = frozenset(permissions)
    group_id = create_permission_group(work, "Managers", permissions=held)
    user_id = create_user(
        work,
        UserDraft(email="marie@demo.localhost", name="Marie Dlouhá", password=PASSWORD, permission_group_id=group_id),
    )
    return Actor(tenant_id=cast.demo.tenant_id, user_id=user_id, door=Door.WEB, permissions=held)


def account(work: Work, user_id: int) -> UserAccount:
    """The account as it is stored now."""
    return work.session.get_one(UserAccount, user_id, populate_existing=True)


def changes(work: Work, user_id: int) -> list[dict[str, list[object]]]:
    """What the history says of a user, oldest first."""
    query = select(Change.fields).where(Change.subject_kind == "user", Change.subject_id == user_id)
    return list(work.session.scalars(query.order_by(Change.id)))

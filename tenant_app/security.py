"""Flask-AppBuilder's security manager on Centrala's own identity tables.

The framework asks three things: who is it (``load_user``), may they (``has_access``), which menu items do they see. All
three are answered from ``core.identity``; none of the framework's own tables or views exist.
"""

from typing import Any

from flask import g
from flask_appbuilder.security.manager import BaseSecurityManager
from flask_login import AnonymousUserMixin, LoginManager, UserMixin, current_user

from core.foundation.actor import Actor, Door, system_actor
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import unit_of_work
from core.identity.sign_in import SignedIn, signed_in
from tenant_app.hosts import current_tenant


class Viewer(UserMixin):
    """The signed-in user as the web sees them. ``id`` is the token of the sign-in, never the user's id."""

    def __init__(self, token: str, person: SignedIn) -> None:
        self.id = token
        self.person = person
        self.name = person.name
        self.email = person.email
        self.locale = person.locale
        self.theme = person.theme
        self.has_new_browser = person.has_new_browser
        self.view_as = person.view_as
        self.tenant_name = current_tenant().name

    @property
    def initials(self) -> str:
        """The first letters of the first and the last name."""
        words = self.name.split()
        return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()

    @property
    def user_id(self) -> int:
        """The user's id."""
        return self.person.user_id

    def may(self, permission: str) -> bool:
        """Whether the viewer has the permission of this value, such as ``contacts.write``."""
        return Permission(permission) in self.person.permissions

    def actor(self) -> Actor:
        """The actor for this request's transaction."""
        return self.person.actor(Door.WEB)


class SecurityManager(BaseSecurityManager):
    """Answers the framework's questions from core.identity."""

    def create_login_manager(self, app: Any) -> LoginManager:
        """A login manager whose users are sign-in sessions."""
        manager = LoginManager(app)
        manager.user_loader(self.load_user)
        return manager

    def load_user(self, pk: str) -> Viewer | None:
        """The viewer who holds the token ``pk``, of this request's tenant."""
        if "tenant" not in g:
            return None
        with unit_of_work(system_actor(current_tenant().id, door=Door.WEB)) as work:
            person = signed_in(work, pk)
        return Viewer(pk, person) if person else None

    def has_access(self, permission_name: str, view_name: str) -> bool:
        """Whether the viewer may do ``can_<verb>`` on ``<noun>``: the permission ``<noun>.<verb>``."""
        wanted = f"{view_name}.{permission_name.removeprefix('can_')}"
        return bool(current_user.is_authenticated) and any(
            wanted == permission.value for permission in current_user.person.permissions
        )

    def get_user_menu_access(self, menu_names: list[str] | None = None) -> set[str]:
        """The menu items that lead somewhere for the viewer; an item is named after its permission."""
        if not current_user.is_authenticated:
            return set()
        held = {permission.value for permission in current_user.person.permissions}
        return {name for name in menu_names or [] if name in held or "." not in name}


def viewer() -> Viewer | None:
    """The request's viewer, None before sign-in."""
    return current_user._get_current_object() if current_user.is_authenticated else None  # noqa: SLF001  # documented way to unwrap the proxy


def forget_viewer() -> None:
    """Answer the rest of this request as to nobody: for pages that must not ask the database who it is."""
    g._login_user = AnonymousUserMixin()  # noqa: SLF001  # where the library keeps the request's user

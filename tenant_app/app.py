"""Putting the web app together."""

import time
from typing import Any, Final

from flask import Flask, g
from flask_appbuilder import AppBuilder
from flask_wtf import CSRFProtect

from core.foundation.i18n import LOCALES
from core.foundation.settings import settings
from tenant_app import assets, columns, errors, headers, hosts, languages, navigation, sections
from tenant_app.account.linked import LinkedAccounts
from tenant_app.account.passkeys import Passkeys
from tenant_app.account.second_factor import SecondFactor
from tenant_app.account.views import Account
from tenant_app.books.views import Books, ContactBooks
from tenant_app.calls.views import Calls
from tenant_app.companies.views import Companies
from tenant_app.contacts.views import Contacts
from tenant_app.gallery.views import Gallery
from tenant_app.groups.permission_groups import PermissionGroups
from tenant_app.groups.user_groups import UserGroups
from tenant_app.groups.viewing import ViewAs
from tenant_app.groups.visibility import Visibility
from tenant_app.groups.who_sees import WhoSees
from tenant_app.health.views import Health, measure_requests
from tenant_app.home.views import Home
from tenant_app.lines.devices import Devices
from tenant_app.lines.spare import SparePhones
from tenant_app.lines.trunks import Trunks
from tenant_app.lines.views import Lines
from tenant_app.live.views import Live
from tenant_app.mail.compose import Compose
from tenant_app.mail.views import Mail
from tenant_app.notifications.views import Notifications, ServiceWorker
from tenant_app.outbox.views import Outbox
from tenant_app.pages import refuse_changes_while_viewing
from tenant_app.people.inviting import Inviting
from tenant_app.people.leaving import Leaving
from tenant_app.people.views import People
from tenant_app.phones.views import Discovery, Phones
from tenant_app.preferences.views import Preferences
from tenant_app.search.palette import Palette
from tenant_app.search.views import Search
from tenant_app.security import SecurityManager, viewer
from tenant_app.settings.audit.views import Audit
from tenant_app.settings.company.views import CompanySettings, Logo
from tenant_app.settings.openid.views import OpenIdProviders
from tenant_app.settings.second_factor import SecondFactorSettings
from tenant_app.settings.views import Settings
from tenant_app.sign_in.links import Links
from tenant_app.sign_in.openid import OpenId
from tenant_app.sign_in.passkeys import PasskeySignIn
from tenant_app.sign_in.second_step import SecondStep
from tenant_app.sign_in.views import SignIn
from tenant_app.tickets.views import Tickets

VIEWS: Final = (
    Account,
    Audit,
    Books,
    Calls,
    Companies,
    CompanySettings,
    Compose,
    ContactBooks,
    Contacts,
    Devices,
    Discovery,
    Gallery,
    Health,
    Lines,
    LinkedAccounts,
    Live,
    Logo,
    Mail,
    Notifications,
    OpenId,
    OpenIdProviders,
    Outbox,
    PermissionGroups,
    Palette,
    PasskeySignIn,
    Passkeys,
    People,
    Inviting,
    Leaving,
    Phones,
    Preferences,
    Search,
    SecondFactor,
    SecondFactorSettings,
    SecondStep,
    ServiceWorker,
    Settings,
    SparePhones,
    SignIn,
    Links,
    Tickets,
    Trunks,
    UserGroups,
    ViewAs,
    Visibility,
    WhoSees,
)
MAX_REQUEST_BYTES: Final = 25 * 2**20


class WebApp(Flask):
    """Finds only our own templates; the framework's fail the content security policy and WCAG."""

    def create_global_jinja_loader(self) -> Any:
        """The loader of this package, without those that extensions bring along."""
        return self.jinja_loader


class Builder(AppBuilder):
    """The framework without its own pages: only what ``VIEWS`` names has an address."""

    def _add_admin_views(self) -> None:
        self._indexview = self.add_view_no_menu(self.indexview)

    def _add_global_static(self) -> None:
        """The framework's scripts and styles are never served: they fail the content security policy."""

    def _add_menu_permissions(self) -> None:
        """Permissions come from core; nothing is written at boot."""


def create_app() -> Flask:
    """The WSGI application, with every route, from the settings of this process."""
    app = WebApp(__name__)
    app.config.update(_configuration())
    hosts.install(app)
    CSRFProtect(app)
    app.before_request(refuse_changes_while_viewing)
    with app.app_context():
        builder = Builder(
            app,
            indexview=Home,
            security_manager_class=SecurityManager,
            base_template="shell/base.html",
            update_perms=False,
        )
        for view in VIEWS:
            builder.add_view_no_menu(view)
        navigation.add_places(builder)
    languages.install(app)
    headers.install(app)
    errors.install(app)
    measure_requests(app)
    app.context_processor(_for_every_template)
    app.jinja_env.globals.update(
        asset=assets.asset, say=languages.say, list_view=columns.list_view, **sections.for_templates()
    )
    app.jinja_options = {**app.jinja_options, "trim_blocks": True, "lstrip_blocks": True}
    return app


def _configuration() -> dict[str, object]:
    return {
        "SECRET_KEY": settings().secret_key,
        "SESSION_COOKIE_NAME": "centrala",
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings().secure_cookies,
        "MAX_CONTENT_LENGTH": MAX_REQUEST_BYTES,
        "MAX_FORM_MEMORY_SIZE": MAX_REQUEST_BYTES,
        "WTF_CSRF_TIME_LIMIT": None,  # a form may stay open for days; the token ends with the session
        "APP_NAME": "Centrala",
        "LANGUAGES": {locale: {"flag": locale, "name": languages.LANGUAGE_NAMES[locale]} for locale in LOCALES},
        "FAB_ADD_SECURITY_VIEWS": False,
        "FAB_ROLES": {},
    }


def _for_every_template() -> dict[str, Any]:
    person = viewer() if "tenant" in g else None
    return {
        "viewer": person,
        "locale": languages.current_language(),
        "asked_at": time.time() - (time.perf_counter() - g.began_at) if "began_at" in g else time.time(),
        "navigation": navigation.navigation() if person else [],
        "tenant_name": hosts.current_tenant().name if "tenant" in g else None,
        "tenant_accent": hosts.current_tenant().accent if "tenant" in g else None,
        "tenant_logo": hosts.current_tenant().logo if "tenant" in g else None,
    }

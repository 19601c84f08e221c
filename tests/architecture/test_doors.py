"""Who may enter: every view says so, and those that are open to everybody are listed."""

from flask import Flask

from core.foundation.permissions import Permission
from tenant_app.pages import access_of


def test_every_view_says_who_may_enter(app: Flask) -> None:
    silent = {
        endpoint for endpoint, view in app.view_functions.items() if access_of(view) is None and endpoint != "static"
    }
    assert silent == set()


def test_only_these_pages_are_open_to_everybody(app: Flask) -> None:
    public = {endpoint for endpoint, view in app.view_functions.items() if access_of(view) == "public"}
    assert public == {
        "Devices.setup",
        "Discovery.carddav",
        "Health.metrics",
        "Health.show",
        "Logo.show",
        "Links.ask",
        "Links.begin",
        "Links.choose_new",
        "Links.forgotten",
        "Links.reset",
        "Links.welcome",
        "OpenId.begin",
        "OpenId.come_back",
        "PasskeySignIn.ask",
        "PasskeySignIn.ask_holder",
        "PasskeySignIn.enter",
        "PasskeySignIn.enter_after_password",
        "Phones.offer",
        "Phones.take",
        "Preferences.style",
        "SecondStep.enter",
        "SecondStep.form",
        "ServiceWorker.script",
        "SignIn.enter",
        "SignIn.form",
    }


def test_every_permission_that_a_view_asks_for_exists(app: Flask) -> None:
    asked = {access_of(view) for view in app.view_functions.values()} - {"public", "signed in", None}
    assert asked <= {permission.value for permission in Permission}

"""A second factor set up and used in the browser: an app's codes, and a passkey of a virtual authenticator."""

from typing import Any

from playwright.sync_api import CDPSession, Page, expect

from tests.journeys.accessibility import violations
from tests.journeys.conftest import PageOf, People
from tests.support.factors import shown_code, wait_a_step
from tests.support.stack import DEMO_PASSWORD, Stack

AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def plug_in(page: Page) -> tuple[CDPSession, str]:
    """Give the browser an authenticator, as a laptop with a fingerprint reader has."""
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    added: dict[str, Any] = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    return cdp, str(added["authenticatorId"])


def give_password(page: Page, stack: Stack, name: str) -> None:
    """Type e-mail and password at the door."""
    page.goto(f"{stack.url()}/sign-in")
    page.get_by_label("E-mail").fill(f"{name}@demo.localhost")
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.keyboard.press("Enter")


def test_an_apps_code_is_asked_for_after_the_password(page_of: PageOf, people: People, stack: Stack) -> None:
    vera = page_of("vera")
    vera.goto(f"{stack.url()}/security/")
    assert violations(vera) == []
    vera.get_by_role("link", name="Set up").click()
    vera.get_by_label("Current password").fill(DEMO_PASSWORD)
    vera.keyboard.press("Enter")
    vera.wait_for_url("**/app")
    assert violations(vera) == []
    secret = vera.get_by_label("Key, to type it instead", exact=True).input_value()
    vera.get_by_label("Code that the app shows now").fill(shown_code(secret))
    vera.keyboard.press("Enter")
    codes = vera.get_by_label("Recovery codes", exact=True).input_value().split()
    assert len(codes) == 10
    assert violations(vera) == []
    with vera.expect_download() as download:
        vera.get_by_role("link", name="Download").click()
    assert codes[9] in download.value.path().read_text()
    vera.get_by_role("link", name="I have kept them").click()
    expect(vera.get_by_text("10 left")).to_be_visible()
    other = people.new_page(phone=True, dark=True)
    give_password(other, stack, "vera")
    other.wait_for_url("**/sign-in/code**")
    expect(other.get_by_label("Code")).to_be_focused()
    assert violations(other) == []
    wait_a_step()  # the code that confirmed the app was used
    other.keyboard.type(shown_code(secret))
    other.keyboard.press("Enter")
    other.wait_for_url(lambda url: "/sign-in" not in url)
    third = people.new_page()
    give_password(third, stack, "vera")
    third.get_by_role("link", name="The app is not at hand").click()
    third.get_by_label("Recovery code").fill(codes[0])
    third.keyboard.press("Enter")
    third.wait_for_url(lambda url: "/sign-in" not in url)


def leave(page: Page) -> None:
    """Forget the sign-in, with no page open that would notice and go to the door by itself."""
    page.goto("about:blank")
    page.context.clear_cookies()


def test_a_passkey_is_made_and_signs_in_by_keyboard_alone(page_of: PageOf, people: People, stack: Stack) -> None:
    boris = page_of("boris")
    cdp, device = plug_in(boris)
    boris.goto(f"{stack.url()}/security/passkeys/new")
    boris.get_by_label("Current password").fill(DEMO_PASSWORD)
    boris.keyboard.press("Enter")
    boris.wait_for_url("**/create")
    assert violations(boris) == []
    cdp.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    boris.get_by_role("button", name="Make the passkey").press("Enter")
    expect(boris.get_by_text("Cancelled, or it took too long.")).to_be_visible()
    cdp.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": True})
    boris.get_by_label("Name").fill("Laptop of the desk")
    boris.keyboard.press("Enter")
    expect(boris.get_by_role("heading", name="Keep these recovery codes")).to_be_visible()
    boris.goto(f"{stack.url()}/security/")
    expect(boris.get_by_text("Laptop of the desk")).to_be_visible()
    assert violations(boris) == []
    boris.goto(f"{stack.url()}/security/passkeys/new")
    boris.get_by_label("Current password").fill(DEMO_PASSWORD)
    boris.keyboard.press("Enter")
    boris.get_by_role("button", name="Make the passkey").click()
    expect(boris.get_by_text("This device holds a passkey of yours already.")).to_be_visible()
    leave(boris)
    boris.goto(f"{stack.url()}/sign-in?next=/contacts/")
    assert violations(boris) == []
    boris.get_by_role("button", name="Sign in with a passkey").press("Enter")
    boris.wait_for_url("**/contacts/")
    leave(boris)
    give_password(boris, stack, "boris")
    boris.get_by_role("button", name="Use a passkey").press("Enter")
    boris.wait_for_url(lambda url: "/sign-in" not in url)
    stranger = people.new_page()
    cdp, device = plug_in(stranger)
    stranger.goto(f"{stack.url()}/sign-in")
    cdp.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    stranger.get_by_role("button", name="Sign in with a passkey").click()
    expect(stranger.get_by_text("Cancelled, or it took too long.")).to_be_visible()

"""An account from elsewhere in the browser: the owner sets the provider up, a colleague signs in by its button."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.journeys.accessibility import violations
from tests.journeys.conftest import People
from tests.support.openid_provider import CLIENT_ID, CLIENT_SECRET, Provider, running_provider
from tests.support.stack import Stack

PATH = "/settings/sign-in/"


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider that knows Boris."""
    with running_provider() as running:
        yield running


@pytest.mark.covers("P-18")
def test_from_the_settings_to_a_sign_in_by_the_providers_button(
    people: People, stack: Stack, provider: Provider
) -> None:
    anna = people.page_of("anna")
    anna.goto(f"{stack.url()}{PATH}")
    anna.get_by_role("button", name="Add a provider").click()
    assert violations(anna) == []
    anna.get_by_role("link", name="Another (OpenID Connect)").click()
    provider.client.redirect_url = anna.get_by_label("Redirect address", exact=True).input_value()
    anna.get_by_label("Name", exact=True).fill("Staff accounts")
    anna.get_by_label("Issuer").fill(provider.issuer)
    anna.get_by_label("Client id").fill(CLIENT_ID)
    anna.get_by_label("Client secret").fill("wrong")
    anna.get_by_label("E-mail domains").fill("demo.localhost")
    assert violations(anna) == []
    anna.get_by_role("button", name="Save").click()
    anna.get_by_role("button", name="Test Staff accounts").click()
    expect(anna.get_by_text("does not know this client id with this client secret")).to_be_visible()
    anna.get_by_role("button", name="More about Staff accounts").click()
    anna.get_by_role("link", name="Edit").click()
    anna.get_by_label("Replace the client secret").fill(CLIENT_SECRET)
    anna.get_by_role("button", name="Save").click()
    anna.get_by_role("button", name="Test Staff accounts").click()
    expect(anna.get_by_text("Everything fits.")).to_be_visible()
    assert violations(anna) == []

    boris = people.new_page()
    boris.goto(f"{stack.url()}/sign-in?next=/tickets/")
    assert violations(boris) == []
    boris.get_by_role("link", name="Sign in with Staff accounts").click()
    boris.get_by_role("button", name="Go on as boris@demo.localhost").click()
    boris.wait_for_url(f"{stack.url()}/tickets/")
    boris.goto(f"{stack.url()}/security/")
    expect(boris.get_by_text("Staff accounts · boris@demo.localhost")).to_be_visible()
    assert violations(boris) == []

    provider.person |= {"sub": "somebody", "email": "somebody@demo.localhost"}
    stranger = people.new_page(phone=True)
    stranger.goto(f"{stack.url()}/sign-in")
    stranger.get_by_role("link", name="Sign in with Staff accounts").click()
    stranger.get_by_role("button", name="Go on as somebody@demo.localhost").click()
    expect(stranger.get_by_role("heading", name="Nobody here signs in with this account")).to_be_visible()
    assert violations(stranger) == []

    anna.get_by_role("button", name="More about Staff accounts").click()
    anna.get_by_role("button", name="Remove", exact=True).click()
    anna.get_by_role("button", name="Remove the provider").click()
    expect(anna.get_by_text("No provider yet")).to_be_visible()

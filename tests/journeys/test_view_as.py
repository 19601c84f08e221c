"""An owner looks at the app as a permission group, and comes back."""

from playwright.sync_api import expect

from tests.journeys.accessibility import violations
from tests.journeys.conftest import PageOf
from tests.support.stack import Stack


def test_an_owner_looks_as_a_group_and_comes_back(page_of: PageOf, stack: Stack) -> None:
    anna = page_of("anna")
    anna.goto(f"{stack.url()}/settings/permission-groups/")
    anna.get_by_role("link", name="Agents").click()
    anna.get_by_role("button", name="More", exact=True).click()
    anna.get_by_role("button", name="View as this group").click()
    assert violations(anna) == []
    anna.get_by_role("button", name="Begin").click()
    notice = anna.get_by_text("You see Centrala as somebody of the group “Agents” does")
    expect(notice).to_be_visible()
    assert violations(anna) == []
    anna.get_by_role("button", name="Your account").click()
    anna.get_by_role("button", name="Polski").click()
    expect(anna.get_by_text("so nothing was changed. End the view first.")).to_be_visible()
    assert violations(anna) == []
    anna.goto(f"{stack.url()}/people/")
    expect(anna.get_by_role("heading", name="Not allowed")).to_be_visible()
    expect(notice).to_be_visible()
    anna.get_by_role("button", name="End view").click()
    expect(anna.get_by_role("heading", level=1)).to_have_text("Agents")
    expect(notice).to_have_count(0)

"""What is typed is never lost: not when the server is away or refuses, not when the sign-in has ended."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.conftest import PageOf, People
from tests.support.stack import DEMO_PASSWORD, Stack

KEPT_DRAFTS = "() => Object.keys(localStorage).filter((key) => key.startsWith('draft:')).length"


def open_a_ticket(page: Page, stack: Stack) -> Locator:
    """Open some ticket; answers where its answer is written."""
    page.goto(f"{stack.url()}/tickets/?status=all")
    page.locator("[data-row-link]").nth(2).click()
    return page.get_by_placeholder("Write an answer")


def enter(page: Page) -> None:
    """Fill in the sign-in form that the page shows."""
    page.get_by_label("E-mail").fill("boris@demo.localhost")
    page.get_by_label("Password").fill(DEMO_PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def is_about_no_answer(words: str) -> bool:
    """Whether the browser complains of the request that was cut off."""
    return "net::ERR_FAILED" in words or "Failed to fetch" in words


@pytest.mark.covers("D-MAIL-6")
def test_a_mail_that_got_no_answer_is_still_there_on_the_next_page(people: People) -> None:
    boris = people.page_of("boris")
    boris.keyboard.press("m")
    panel = boris.locator("#panel")
    panel.get_by_label("To", exact=True).fill("eva@drafttest.example")
    panel.get_by_label("Subject").fill("Not sent yet")
    panel.get_by_label("Text").fill("Every word")
    boris.route("**/mail/new", lambda route: route.abort() if route.request.method == "POST" else route.continue_())
    panel.get_by_role("button", name="Send").click()
    expect(boris.get_by_text("What you typed is still here")).to_be_visible()
    boris.unroute("**/mail/new")
    people.watch.complaints = [words for words in people.watch.complaints if not is_about_no_answer(words)]
    boris.get_by_role("link", name="Contacts").first.click()
    expect(boris.get_by_role("heading", name="Contacts")).to_be_visible()
    expect(boris.locator("#panel").get_by_label("Text")).to_have_value("Every word")


def test_an_answer_sent_after_the_sign_in_ended_is_still_there(page_of: PageOf, stack: Stack) -> None:
    boris = page_of("boris")
    answer = open_a_ticket(boris, stack)
    answer.fill("A long thought, sent too late")
    url = boris.url
    boris.context.clear_cookies()
    answer.press("Control+Enter")
    expect(boris.get_by_role("heading", name="Your session has ended")).to_be_visible()
    boris.get_by_role("link", name="Sign in").click()
    enter(boris)
    expect(boris).to_have_url(url)
    expect(boris.get_by_placeholder("Write an answer")).to_have_value("A long thought, sent too late")


def test_the_panel_asks_to_sign_in_and_keeps_what_was_typed(page_of: PageOf, stack: Stack) -> None:
    boris = page_of("boris")
    boris.goto(f"{stack.url()}/contacts/?q=a")
    boris.keyboard.press("m")
    panel = boris.locator("#panel")
    panel.get_by_label("To", exact=True).fill("eva@drafttest.example")
    panel.get_by_label("Subject").fill("Too late")
    panel.get_by_label("Text").fill("Typed before it ended")
    expect(panel.get_by_text("Kept on this device")).to_be_visible()
    boris.context.clear_cookies()
    panel.get_by_role("button", name="Send").click()
    notices = boris.get_by_role("region", name="Notices")
    expect(notices).to_contain_text("Your session has ended. What you typed is still here.")
    expect(panel.get_by_label("Text")).to_have_value("Typed before it ended")
    panel.get_by_role("button", name="Send").click()
    notices.get_by_role("link", name="Sign in").click()
    enter(boris)
    expect(boris).to_have_url(f"{stack.url()}/contacts/?q=a")
    expect(boris.locator("#panel").get_by_label("Text")).to_have_value("Typed before it ended")


def test_a_panel_opened_after_the_session_ended_asks_to_sign_in(page_of: PageOf) -> None:
    boris = page_of("boris")
    boris.context.clear_cookies()
    boris.keyboard.press("m")
    panel = boris.locator("#panel")
    expect(panel).to_contain_text("Your session has ended.")
    panel.get_by_role("link", name="Sign in").click()
    enter(boris)
    expect(boris.locator("#panel").get_by_label("Text")).to_be_visible()


def test_what_was_sent_is_kept_no_longer(page_of: PageOf, stack: Stack) -> None:
    boris = page_of("boris")
    answer = open_a_ticket(boris, stack)
    answer.fill("Done with it")
    expect(boris.get_by_text("Kept on this device")).to_be_visible()
    answer.press("Control+Enter")
    expect(boris.locator("#thread")).to_contain_text("Done with it")
    expect(boris.get_by_placeholder("Write an answer")).to_have_value("")
    assert boris.evaluate(KEPT_DRAFTS) == 0
    boris.goto(f"{stack.url()}/mail/new")
    form = boris.locator("#content")
    form.get_by_label("To", exact=True).fill("eva@drafttest.example")
    form.get_by_label("Subject").fill("From a page")
    form.get_by_label("Text").fill("All of it")
    form.get_by_label("Text").press("Control+Enter")
    expect(boris.get_by_role("heading", level=1)).to_contain_text("From a page")
    assert boris.evaluate(KEPT_DRAFTS) == 0


def test_the_panel_takes_the_focus_to_what_is_to_be_typed(page_of: PageOf) -> None:
    boris = page_of("boris")
    boris.keyboard.press("m")
    panel = boris.locator("#panel")
    recipient = panel.get_by_label("To", exact=True)
    expect(recipient).to_be_focused()
    recipient.fill("jana@")
    panel.get_by_label("Subject").fill("Offer")
    panel.get_by_label("Text").fill("Twelve pieces")
    panel.get_by_label("Text").press("Control+Enter")
    expect(panel.get_by_text("jana@ is not an e-mail address.")).to_be_visible()
    expect(recipient).to_be_focused()
    expect(panel.get_by_label("Text")).to_have_value("Twelve pieces")

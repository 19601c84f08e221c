"""Ten tabs of one browser stay live over one stream, and stay usable."""

import smtplib

from playwright.sync_api import expect

from tests.journeys.conftest import PageOf
from tests.support.mails import letter
from tests.support.stack import Stack

TABS = 10


def test_ten_open_tabs_all_show_a_new_ticket(page_of: PageOf, stack: Stack) -> None:
    first = page_of("boris")
    tabs = [first, *(first.context.new_page() for _ in range(TABS - 1))]
    for tab in tabs:
        tab.goto(f"{stack.url()}/tickets/")
        expect(tab.get_by_role("heading", name="Tickets")).to_be_visible()
    mail = letter(subject="Seen in ten places")
    with smtplib.SMTP("127.0.0.1", stack.smtp_port) as server:
        server.sendmail("jana@customer.example", ["support@demo.localhost"], mail.as_bytes())
    for tab in tabs:
        expect(tab.get_by_role("link", name="Seen in ten places")).to_be_visible(timeout=15_000)
    for tab in tabs:
        answer = tab.goto(f"{stack.url()}/contacts/")
        assert answer
        assert answer.status == 200


def test_a_list_that_was_scrolled_keeps_its_rows(page_of: PageOf, stack: Stack) -> None:
    boris = page_of("boris")
    boris.goto(f"{stack.url()}/tickets/?status=all")
    boris.get_by_role("link", name="Show more").click()
    expect(boris.locator("[data-row-link]").nth(60)).to_be_attached()
    loaded = boris.locator("[data-row-link]").count()
    mail = letter(subject="While you read on")
    with smtplib.SMTP("127.0.0.1", stack.smtp_port) as server:
        server.sendmail("jana@customer.example", ["support@demo.localhost"], mail.as_bytes())
    expect(boris.get_by_role("link", name="While you read on")).to_be_attached(timeout=15_000)
    assert boris.locator("[data-row-link]").count() >= loaded


def test_going_back_finds_the_same_row(page_of: PageOf, stack: Stack) -> None:
    boris = page_of("boris")
    boris.goto(f"{stack.url()}/contacts/")
    for _step in range(12):
        boris.keyboard.press("j")
    row = boris.locator("[data-row-link]").nth(11)
    expect(row).to_be_focused()
    href = row.get_attribute("href")
    boris.keyboard.press("Enter")
    expect(boris.get_by_role("link", name="Contacts").first).to_be_visible()
    boris.go_back()
    expect(boris.locator(f'[data-row-link][href="{href}"]')).to_be_focused()

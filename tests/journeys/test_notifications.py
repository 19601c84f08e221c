"""Notifications and lists as each user wants them, in the browser."""

import json

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.accessibility import violations
from tests.journeys.conftest import PageOf, People
from tests.support.stack import Stack


def give(page: Page, stack: Stack, name: str) -> None:
    """Make the newest ticket that is nobody's somebody's."""
    page.goto(f"{stack.url()}/tickets/?owner=none")
    page.locator("[data-row-link]").first.click()
    page.locator('select[name="owner_id"]').select_option(label=name)
    expect(page.locator('select[name="owner_id"] option:checked')).to_have_text(name)


def names(chooser: Locator) -> list[str]:
    """The columns in the chooser, in their order."""
    return chooser.locator("[data-column] label").all_inner_texts()


@pytest.mark.covers("P-4")
def test_the_bell_rings_in_an_open_page_and_leads_to_the_ticket(page_of: PageOf, stack: Stack) -> None:
    boris, anna = page_of("boris"), page_of("anna")
    boris.goto(f"{stack.url()}/notifications/")
    if (read_all := boris.get_by_role("button", name="Mark all as read")).count():  # what other journeys led to
        read_all.first.click()
    boris.goto(f"{stack.url()}/contacts/")
    bell = boris.locator('[popovertarget="notifications"]')
    expect(bell).not_to_contain_text("unread")
    give(anna, stack, "Boris Havran")
    expect(bell).to_contain_text("unread")
    boris.keyboard.press("b")
    newest = boris.locator(".notification-link").first
    expect(newest).to_contain_text("A ticket is yours now")
    assert violations(boris) == []
    newest.focus()
    boris.keyboard.press("Enter")
    expect(boris.locator('select[name="owner_id"] option:checked')).to_have_text("Boris Havran")
    expect(bell).not_to_contain_text("unread")


@pytest.mark.covers("P-4")
def test_what_is_told_is_chosen_by_keyboard_and_stored_at_once(page_of: PageOf, stack: Stack) -> None:
    vera = page_of("vera", phone=True, dark=True)
    vera.goto(f"{stack.url()}/notifications/settings")
    box = vera.get_by_role("checkbox", name="A new ticket comes in: Push")
    expect(box).not_to_be_checked()
    box.focus()
    vera.keyboard.press("Space")
    expect(vera.locator("#choices-saved")).to_have_text("Saved.")
    assert violations(vera) == []
    vera.reload()
    expect(box).to_be_checked()
    expect(vera.get_by_role("button", name="Switch on in this browser")).to_be_visible()


def test_a_browser_that_forbids_notifications_is_told_how_to_allow_them(people: People, stack: Stack) -> None:
    vera = people.page_of("vera")
    vera.add_init_script("Object.defineProperty(Notification, 'permission', {value: 'denied'})")
    vera.goto(f"{stack.url()}/notifications/settings")
    expect(vera.get_by_text("told to show no notifications")).to_be_visible()
    expect(vera.get_by_role("button", name="Switch on in this browser")).to_be_hidden()


def test_columns_move_by_keys_and_by_dragging_and_stay(page_of: PageOf, stack: Stack) -> None:
    boris = page_of("boris")
    boris.goto(f"{stack.url()}/contacts/")
    chooser = boris.locator("#columns")
    boris.get_by_role("button", name="Columns").press("Enter")
    expect(chooser).to_be_visible()
    assert violations(boris) == []
    assert names(chooser) == ["Company", "Job title", "Phone", "E-mail", "Owner"]
    grip = boris.get_by_role("button", name="Move E-mail")
    grip.focus()
    for _step in range(3):
        boris.keyboard.press("ArrowUp")
    expect(grip).to_be_focused()
    expect(chooser.get_by_role("status")).to_have_text("Place 1 of 5.")
    _drag(boris, boris.get_by_role("button", name="Move Owner"), chooser.locator("[data-column]").nth(1))
    assert names(chooser) == ["E-mail", "Owner", "Company", "Job title", "Phone"]
    chooser.get_by_role("checkbox", name="Phone").press("Space")
    chooser.get_by_role("radio", name="Roomy").check()
    chooser.get_by_role("button", name="Save").press("Enter")
    expect(boris.locator("thead th")).to_have_text(["Name", "E-mail", "Owner", "Company"])
    row = boris.locator("tbody tr").first.bounding_box()
    assert row
    assert round(row["height"]) == 44
    boris.get_by_role("button", name="Columns").click()
    chooser.get_by_role("button", name="Reset").click()
    expect(boris.locator("thead th")).to_have_text(["Name", "Company", "Phone", "E-mail", "Owner"])


def _drag(page: Page, grip: Locator, onto: Locator) -> None:
    """Drag by the grip to just above the middle of another row."""
    begun, ended = grip.bounding_box(), onto.bounding_box()
    assert begun
    assert ended
    page.mouse.move(begun["x"] + 8, begun["y"] + 8)
    page.mouse.down()
    page.mouse.move(ended["x"] + 8, ended["y"] + ended["height"] / 2 + 4, steps=4)
    page.mouse.move(ended["x"] + 8, ended["y"] + ended["height"] / 2 - 4, steps=4)
    page.mouse.up()


@pytest.mark.covers("P-4")
def test_the_service_worker_shows_what_is_pushed(page_of: PageOf, stack: Stack) -> None:
    vera = page_of("vera")
    vera.context.grant_permissions(["notifications"], origin=stack.url())
    vera.goto(f"{stack.url()}/notifications/settings")
    tools = vera.context.new_cdp_session(vera)
    registered: list[str] = []
    tools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: registered.extend(found["registrationId"] for found in event["registrations"]),
    )
    tools.send("ServiceWorker.enable")
    vera.evaluate(
        "() => navigator.serviceWorker.register('/service-worker.js').then(() => navigator.serviceWorker.ready)"
    )
    expect(vera.locator("h1")).to_be_visible()
    assert registered
    said = {"title": "Missed call", "body": "", "url": "/notifications/1", "tag": "notification-1"}
    push = {"origin": stack.url(), "registrationId": registered[0], "data": json.dumps(said)}
    tools.send("ServiceWorker.deliverPushMessage", push)
    shown = vera.evaluate(
        """async () => {
            const registration = await navigator.serviceWorker.ready;
            for (let tries = 0; tries < 50; tries += 1) {
                const shown = await registration.getNotifications();
                if (shown.length) return shown.map(({ title, tag, data }) => [title, tag, data.url]);
                await new Promise((resolve) => setTimeout(resolve, 100));
            }
            return [];
        }"""
    )
    assert shown == [["Missed call", "notification-1", "/notifications/1"]]

"""A customer calls: the card stands on screen before the answer, and the ticket is one press away (journey 1)."""

from collections.abc import Iterator
from statistics import median

import pytest
from playwright.sync_api import Page, expect

from core.calls.causes import Cause
from tests.journeys.accessibility import violations
from tests.journeys.conftest import PageOf
from tests.support.stack import Stack
from tests.support.switchboard import Switchboard, switchboard_of

ROUNDS = 6
LIMIT_S = 1.0
NOTE_WHEN = """() => new MutationObserver(() => {
  for (const card of document.querySelectorAll("[data-call-card]")) card.dataset.seen ??= String(Date.now() / 1000);
}).observe(document.body, { childList: true, subtree: true })"""
SHIFTS = """() => new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => setTimeout(() => resolve(sum), 300));
})"""


@pytest.fixture
def switchboard(stack: Stack) -> Iterator[Switchboard]:
    """Boris' line in the running product."""
    with switchboard_of(stack) as opened:
        yield opened


def new_contact(page: Page, stack: Stack, name: str, number: str) -> str:
    """Create a contact; answers the address of their page."""
    page.goto(f"{stack.url()}/contacts/new?phone={number.replace('+', '%2B')}&email=caller@calltest.example")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Name", exact=True).press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text(name)
    return page.url


@pytest.mark.covers("D-MAIL-52")
def test_the_card_is_there_within_a_second(page_of: PageOf, stack: Stack, switchboard: Switchboard) -> None:
    boris = page_of("boris")
    new_contact(boris, stack, "Radka Volná", "+420799100300")
    boris.goto(f"{stack.url()}/tickets/")
    boris.evaluate(NOTE_WHEN)
    waits = []
    for _round in range(ROUNDS):
        call = switchboard.ring("+420799100300")
        card = boris.locator(f'[data-call-card="{call.call_id}"][data-seen]')
        expect(card).to_be_visible()
        expect(card).to_contain_text("Radka Volná")
        waits.append(float(card.get_attribute("data-seen") or 0) - call.at)
        switchboard.hang_up(call, Cause.CANCELLED)
        expect(boris.locator(f'[data-call-card="{call.call_id}"][data-call-state="ended"]')).to_be_visible()
    assert median(waits) <= LIMIT_S, waits


def test_a_call_becomes_a_ticket_while_they_speak(page_of: PageOf, stack: Stack, switchboard: Switchboard) -> None:
    boris = page_of("boris")
    url = new_contact(boris, stack, "Hynek Šťastný", "+420799100400")
    boris.goto(f"{stack.url()}/contacts/")
    call = switchboard.ring("+420799100400")
    panel = boris.locator("#panel")
    expect(panel.get_by_role("heading", name="Hynek Šťastný")).to_be_visible()
    expect(boris.locator("[data-calls-announcer]").filter(has_text="Incoming call: Hynek Šťastný")).to_be_attached()
    expect(boris).to_have_title("Incoming call: Hynek Šťastný · Contacts · Linden Office")
    switchboard.answer(call)
    expect(panel.get_by_text("In the call")).to_be_visible()
    expect(panel.locator("[data-timer]")).to_have_text("0:02")
    panel.get_by_role("button", name="New ticket").click()
    expect(panel.get_by_role("link", name="Open the ticket")).to_be_visible()
    switchboard.hang_up(call)
    expect(panel.get_by_text("Call ended")).to_be_visible()
    panel.get_by_role("link", name="Open the ticket").click()
    expect(boris.get_by_role("heading", level=1)).to_contain_text("Call from Hynek Šťastný")
    expect(boris.get_by_label("To", exact=True)).to_have_value("caller@calltest.example")
    expect(panel.get_by_text("Call ended")).to_be_visible()
    boris.goto(url)
    expect(boris.locator(f'.timeline a[href="/calls/{call.call_id}"]')).to_be_visible()


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_a_call_takes_nothing_from_what_is_being_written(
    page_of: PageOf, stack: Stack, switchboard: Switchboard, phone: bool
) -> None:
    boris = page_of("boris", phone=phone)
    boris.goto(f"{stack.url()}/contacts/")
    boris.get_by_role("link", name="New e-mail").first.click()
    text = boris.locator("#panel").get_by_label("Text")
    expect(boris.locator("#panel").get_by_label("To", exact=True)).to_be_focused()
    text.fill("Half a sentence")
    text.focus()
    place = text.bounding_box()
    call = switchboard.ring(f"+4207991002{phone:02}")
    card = boris.locator(f'[data-call-card="{call.call_id}"]')
    expect(card).to_be_visible()
    expect(text).to_be_focused()
    assert text.bounding_box() == place
    boris.keyboard.type(", and the rest")
    expect(text).to_have_value("Half a sentence, and the rest")
    assert violations(boris) == []
    switchboard.hang_up(call, Cause.CANCELLED)
    expect(card.get_by_text("Given up before an answer")).to_be_visible()
    boris.get_by_role("button", name=f"Close: 799 100 2{phone:02}").click()
    expect(card).to_have_count(0)
    expect(text).to_have_value("Half a sentence, and the rest")
    boris.reload()
    expect(boris.locator("#panel").get_by_label("Text")).to_have_value("Half a sentence, and the rest")


def test_a_card_that_was_closed_stays_closed_and_a_second_page_shows_the_next(
    page_of: PageOf, stack: Stack, switchboard: Switchboard
) -> None:
    boris = page_of("boris")
    second = boris.context.new_page()
    for page in (boris, second):
        page.goto(f"{stack.url()}/tickets/")
    first = switchboard.ring("+420799100600")
    for page in (boris, second):
        expect(page.locator(f'[data-call-card="{first.call_id}"]')).to_be_visible()
    boris.get_by_role("button", name="Close: 799 100 600").click()
    switchboard.answer(first)
    other = switchboard.ring("")
    for page in (boris, second):
        expect(page.get_by_role("heading", name="Withheld number")).to_be_visible()
        expect(page.locator(f'[data-call-card="{first.call_id}"]')).to_have_count(0)
    for call in (first, other):
        switchboard.hang_up(call)
    expect(boris.locator('[data-call-state="ended"]')).to_be_visible()


def test_a_page_that_opens_while_it_rings_shows_the_card(
    page_of: PageOf, stack: Stack, switchboard: Switchboard
) -> None:
    call = switchboard.ring("+420799100700")
    boris, anna = page_of("boris"), page_of("anna")
    card = boris.locator(f'[data-call-card="{call.call_id}"]')
    expect(card).to_be_visible()
    assert violations(boris) == []
    assert boris.evaluate(SHIFTS) < 0.2  # the panel's own opening
    expect(anna.locator("[data-call-card]")).to_have_count(0)
    switchboard.hang_up(call, Cause.NO_ANSWER)
    expect(card.get_by_text("Nobody answered")).to_be_visible()


def test_one_of_several_is_picked_by_keyboard(page_of: PageOf, stack: Stack, switchboard: Switchboard) -> None:
    boris = page_of("boris")
    for name in ("Alois Dvojí", "Božena Dvojí"):
        new_contact(boris, stack, name, "+420799100500")
    call = switchboard.ring("+420799100500")
    card = boris.locator(f'[data-call-card="{call.call_id}"]')
    expect(card.get_by_text("Several people have this number.")).to_be_visible()
    card.get_by_role("button", name="Božena Dvojí").focus()
    boris.keyboard.press("Enter")
    expect(card.get_by_role("heading", name="Božena Dvojí")).to_be_visible()
    switchboard.hang_up(call)
    expect(card.get_by_role("heading", name="Božena Dvojí")).to_be_visible()

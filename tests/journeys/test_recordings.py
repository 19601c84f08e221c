"""A recording is played, and a new phone is set up, in a browser."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.accessibility import violations
from tests.journeys.conftest import PageOf
from tests.support.sound import tone
from tests.support.stack import Stack
from tests.support.switchboard import Switchboard, switchboard_of

SECONDS = 20
SAVED_MS = 30_000


@pytest.fixture
def switchboard(stack: Stack) -> Iterator[Switchboard]:
    """Boris' line in the running product."""
    with switchboard_of(stack) as opened:
        yield opened


def record(boris: Page, stack: Stack, switchboard: Switchboard) -> int:
    """A call that was recorded, with its page open while it was still being saved."""
    call = switchboard.ring("+420799100800")
    switchboard.answer_recorded(call, tone(440, SECONDS), tone(330, SECONDS))
    boris.goto(f"{stack.url()}/calls/{call.call_id}")
    expect(boris.get_by_text("Being recorded.")).to_be_visible()
    switchboard.hang_up(call)
    expect(boris.get_by_role("button", name="Play", exact=True)).to_be_visible(timeout=SAVED_MS)
    return call.call_id


def seconds_played(page: Page) -> float:
    """Where the player stands."""
    at: float = page.locator("audio").evaluate("(audio) => audio.currentTime")
    return at


def test_a_recording_is_played_sought_and_sped_up(page_of: PageOf, stack: Stack, switchboard: Switchboard) -> None:
    boris = page_of("boris")
    record(boris, stack, switchboard)
    play, position = boris.get_by_role("button", name="Play", exact=True), boris.get_by_label("Position")
    play.click()
    expect(boris.locator("[data-player-time]")).to_have_text(re.compile("0:0[1-9]"))
    boris.get_by_role("button", name="Pause").click()
    expect(play).to_be_visible()
    position.click()  # in the middle
    expect(boris.locator("[data-player-time]")).to_have_text("0:10")
    assert seconds_played(boris) == pytest.approx(SECONDS / 2, abs=0.5)
    position.press("Home")
    expect(boris.locator("[data-player-time]")).to_have_text("0:00")
    position.press("End")
    expect(position).to_have_attribute("aria-valuetext", "0:20 / 0:20")
    boris.get_by_label("Speed").select_option("2")
    assert boris.locator("audio").evaluate("(audio) => audio.playbackRate") == 2
    assert violations(boris) == []


def test_a_player_goes_on_while_the_page_refreshes(page_of: PageOf, stack: Stack, switchboard: Switchboard) -> None:
    boris, anna = page_of("boris"), page_of("anna")
    call_id = record(boris, stack, switchboard)
    boris.get_by_role("button", name="Play", exact=True).click()
    anna.goto(f"{stack.url()}/calls/{call_id}")
    anna.get_by_role("button", name="New ticket").click()
    expect(boris.get_by_role("link", name="Open the ticket")).to_be_visible()
    expect(boris.get_by_role("button", name="Pause")).to_be_visible()
    assert boris.locator("audio").evaluate("(audio) => audio.paused || audio.controls") is False


def test_a_new_phone_is_set_up_by_its_owner(page_of: PageOf, stack: Stack) -> None:
    boris = page_of("boris")
    boris.locator(".user-button").click()
    boris.get_by_role("link", name="My line").click()
    expect(boris.get_by_role("heading", level=1)).to_contain_text("My line")
    boris.keyboard.press("n")
    expect(boris.get_by_label("Number", exact=True)).to_be_hidden()
    boris.get_by_label("Name").fill("Tablet")
    boris.get_by_label("Name").press("Enter")
    expect(boris.get_by_role("heading", level=1)).to_have_text("Set up Tablet")
    expect(boris.get_by_role("img", name="Code that sets up Linphone")).to_be_visible()
    assert violations(boris) == []
    boris.get_by_role("link", name="Done").click()
    tablet = boris.get_by_role("article", name="Tablet")
    expect(tablet.get_by_text("Not signed in")).to_be_visible()
    tablet.get_by_role("button", name="More about Tablet").click()
    boris.get_by_role("button", name="Remove", exact=True).click()
    expect(boris.get_by_role("dialog")).to_contain_text("1 other device goes on ringing on line 101.")
    assert violations(boris) == []
    boris.get_by_role("button", name="Remove the device").click()
    expect(tablet).to_have_count(0)

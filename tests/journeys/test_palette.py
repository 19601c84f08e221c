"""The command palette with hands on the keyboard, and on a phone."""

import pytest
from playwright.sync_api import expect

from tests.journeys.accessibility import violations
from tests.journeys.conftest import PageOf
from tests.support.stack import Stack


def test_a_page_a_form_and_a_person_are_reached_by_keys_alone(page_of: PageOf, stack: Stack) -> None:
    boris = page_of("boris")
    field = boris.get_by_role("combobox", name="Search and commands")
    boris.keyboard.press("Control+k")
    expect(field).to_be_focused()
    boris.keyboard.type("compan")
    expect(boris.get_by_role("option", name="Companies", exact=True)).to_be_visible()
    boris.keyboard.press("ArrowDown")
    boris.keyboard.press("Enter")
    expect(boris.get_by_role("heading", level=1)).to_contain_text("Companies")

    boris.keyboard.press("Control+k")
    boris.keyboard.type("new con")
    expect(boris.get_by_role("option", name="New contact")).to_have_attribute("aria-selected", "true")
    boris.keyboard.press("Enter")
    expect(boris.get_by_role("heading", name="New contact")).to_be_visible()

    boris.keyboard.press("Control+k")
    boris.keyboard.type("eliska nov")
    person = boris.get_by_role("option", name="Eliška Novotná")
    expect(person).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", person.get_attribute("id") or "?")
    expect(boris.locator("[data-palette-status]")).to_contain_text("Results:")
    boris.keyboard.press("Enter")
    expect(boris.get_by_role("heading", level=1)).to_have_text("Eliška Novotná")

    boris.goto(f"{stack.url()}/")
    boris.keyboard.press("Control+k")
    expect(boris.get_by_role("option", name="Eliška Novotná")).to_have_attribute("aria-selected", "true")
    boris.keyboard.press("Escape")
    expect(boris.locator("#palette")).to_be_hidden()


def test_a_new_mail_opens_in_the_panel(page_of: PageOf) -> None:
    boris = page_of("boris")
    boris.keyboard.press("Control+k")
    boris.keyboard.type("new e-m")
    expect(boris.get_by_role("option", name="New e-mail")).to_have_attribute("aria-selected", "true")
    boris.keyboard.press("Enter")
    expect(boris.locator("#panel").get_by_label("Subject")).to_be_visible()
    expect(boris.locator("#palette")).to_be_hidden()


def test_enter_without_a_hit_searches_everything(page_of: PageOf) -> None:
    boris = page_of("boris")
    boris.keyboard.press("/")
    boris.keyboard.type("zzzz-nobody")
    expect(boris.get_by_role("option")).to_have_count(1)
    boris.keyboard.press("Enter")
    expect(boris.get_by_role("heading", name="Nothing found")).to_be_visible()
    expect(boris.locator("[data-global-search]")).to_have_value("zzzz-nobody")


@pytest.mark.parametrize("dark", [False, True])
def test_it_fills_a_phone_and_stays_accessible(page_of: PageOf, dark: bool) -> None:
    vera = page_of("vera", phone=True, dark=dark)
    vera.locator("[data-global-search]").click()
    expect(vera.get_by_role("option", name="Home")).to_be_visible()
    assert violations(vera) == []
    expect(vera.get_by_role("option", name="New contact")).to_have_count(0)
    vera.keyboard.type("nov")
    expect(vera.locator("[data-palette-found]").first).to_be_visible()
    assert violations(vera) == []
    box = vera.locator("#palette").bounding_box()
    assert box is not None
    assert box["width"] == 375
    vera.get_by_role("option").first.click()
    expect(vera.get_by_role("heading", level=1)).to_be_visible()

"""A contact from the first key to the history, as each of the cast."""

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import PageOf
from tests.support.stack import Stack


@pytest.mark.covers("D-CRM-13")
def test_a_contact_is_created_found_and_changed_by_keyboard_alone(page_of: PageOf, stack: Stack) -> None:
    boris = page_of("boris")
    boris.goto(f"{stack.url()}/contacts/")
    boris.keyboard.press("n")
    expect(boris.get_by_role("heading", name="New contact")).to_be_visible()
    boris.get_by_label("Name", exact=True).focus()
    boris.keyboard.type("Ctirad Tkáč")
    boris.locator("#phones-0").focus()
    boris.keyboard.type("601 234 567")
    boris.get_by_role("button", name="Add a number").focus()
    boris.keyboard.press("Enter")
    boris.keyboard.type("+48 512 345 678")
    boris.locator("#emails-0").focus()
    boris.keyboard.type("ctirad@tkalcovna.example")
    boris.keyboard.press("Enter")
    expect(boris.get_by_role("heading", level=1)).to_have_text("Ctirad Tkáč")
    expect(boris.get_by_role("link", name="601 234 567")).to_have_attribute("href", "tel:+420601234567")
    expect(boris.get_by_role("link", name="+48 512 345 678")).to_be_visible()

    boris.keyboard.press("/")
    expect(boris.get_by_role("combobox", name="Search and commands")).to_be_focused()
    boris.keyboard.type("tkac")
    expect(boris.get_by_role("option", name="Ctirad Tkáč")).to_be_visible()
    boris.keyboard.press("Enter")
    expect(boris.get_by_role("heading", level=1)).to_have_text("Ctirad Tkáč")
    boris.keyboard.press("e")
    boris.get_by_label("Job title").fill("weaver")
    boris.keyboard.press("Enter")
    expect(boris.get_by_text("weaver").first).to_be_visible()
    boris.get_by_role("link", name="History").click()
    expect(boris.locator("#content")).to_contain_text("weaver")


def test_a_refused_form_keeps_what_was_typed(page_of: PageOf, stack: Stack) -> None:
    boris = page_of("boris")
    boris.goto(f"{stack.url()}/contacts/new")
    boris.get_by_label("Name", exact=True).fill("Half Known")
    boris.locator("#phones-0").fill("12")
    boris.get_by_label("Name", exact=True).press("Enter")
    expect(boris.get_by_role("alert")).to_be_visible()
    expect(boris.get_by_label("Name", exact=True)).to_have_value("Half Known")
    expect(boris.locator("#phones-0")).to_have_value("12")


def test_two_people_at_one_contact_lose_nothing(page_of: PageOf, stack: Stack) -> None:
    boris, anna = page_of("boris"), page_of("anna")
    boris.goto(f"{stack.url()}/contacts/new")
    boris.get_by_label("Name", exact=True).fill("Shared Person")
    boris.get_by_label("Name", exact=True).press("Enter")
    expect(boris.get_by_role("heading", level=1)).to_have_text("Shared Person")
    url = boris.url
    for page in (boris, anna):
        page.goto(f"{url}/edit")
    anna.get_by_label("Job title").fill("director")
    anna.get_by_label("Job title").press("Enter")
    expect(anna.get_by_role("heading", level=1)).to_have_text("Shared Person")
    boris.get_by_label("City").fill("Brno")
    boris.get_by_label("City").press("Enter")
    expect(boris.locator("#content")).to_contain_text("director")
    expect(boris.get_by_label("City")).to_have_value("Brno")


@pytest.mark.attack(1, 2)
def test_a_reader_changes_nothing_and_somebody_else_finds_nothing(page_of: PageOf, stack: Stack) -> None:
    vera, oleg = page_of("vera"), page_of("oleg")
    vera.goto(f"{stack.url()}/contacts/")
    expect(vera.get_by_role("link", name="New contact")).to_have_count(0)
    name = vera.locator("[data-row-link]").first.inner_text()
    vera.locator("[data-row-link]").first.click()
    expect(vera.get_by_role("heading", level=1)).to_have_text(name)
    expect(vera.get_by_role("link", name="Edit")).to_have_count(0)
    path = vera.url.removeprefix(stack.url())
    for forbidden in (f"{path}/edit", "/contacts/new"):
        answer = vera.goto(stack.url() + forbidden)
        assert answer
        assert answer.status == 403
    answer = oleg.goto(stack.url("other") + path)
    assert answer
    assert answer.status == 404
    oleg.goto(f"{stack.url('other')}/search?q=ctirad")
    expect(oleg.get_by_role("link", name="Ctirad")).to_have_count(0)


def test_an_open_page_shows_what_a_colleague_changes(page_of: PageOf, stack: Stack) -> None:
    vera, boris = page_of("vera"), page_of("boris")
    vera.goto(f"{stack.url()}/contacts/")
    vera.locator("[data-row-link]").nth(3).click()
    expect(vera.get_by_role("heading", level=1)).to_be_visible()
    boris.goto(f"{vera.url}/edit")
    boris.get_by_label("Job title").fill("lighthouse keeper")
    boris.get_by_label("Job title").press("Enter")
    expect(vera.locator("#content")).to_contain_text("lighthouse keeper", timeout=10_000)

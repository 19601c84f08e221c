"""What holds on every page: no axe violation, no broken policy, no foreign request, little to load, nothing jumps."""

import gzip
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tenant_app.assets import DIST
from tests.journeys.accessibility import violations
from tests.journeys.conftest import PageOf, People
from tests.support.stack import Stack

PAGES = (
    "/",
    "/tickets/",
    "/tickets/?status=all&owner=me",
    "/tickets/?q=nothing-like-this",
    "/tickets/1",
    "/tickets/3",
    "/contacts/",
    "/contacts/?q=nothing-like-this",
    "/contacts/1",
    "/contacts/1?tab=tickets",
    "/contacts/1?tab=history",
    "/contacts/1/edit",
    "/contacts/new",
    "/companies/",
    "/companies/1",
    "/companies/1/edit",
    "/companies/new",
    "/books/",
    "/books/new",
    "/synced/",
    "/synced/new",
    "/synced/all",
    "/synced/all?q=nothing-like-this",
    "/synced/profile/forged",
    "/calls/",
    "/calls/1",
    "/calls/1?who=nov",
    "/calls/?which=missed",
    "/calls/?q=nothing-like-this",
    "/lines/",
    "/lines/mine",
    "/lines/new",
    "/lines/1",
    "/lines/1/edit",
    "/lines/1/devices/new",
    "/lines/devices/1/edit",
    "/lines/devices/1/ready",
    "/lines/spare",
    "/people/",
    "/people/?state=blocked",
    "/people/?q=nothing-like-this",
    "/people/?kind=back_office",
    "/people/new",
    "/people/invite",
    "/people/1",
    "/people/2",
    "/people/2/edit",
    "/people/2?tab=history",
    "/people/2?ask=block",
    "/people/2?ask=delete",
    "/lines/trunks",
    "/lines/trunks/new",
    "/lines/trunks/1/edit",
    "/notifications/",
    "/notifications/settings",
    "/settings/",
    "/settings/?q=phone",
    "/settings/?q=nothing-like-this",
    "/settings/permission-groups/",
    "/settings/permission-groups/new",
    "/settings/permission-groups/1",
    "/settings/permission-groups/2",
    "/settings/permission-groups/2/edit?step=permissions",
    "/settings/permission-groups/2/edit?step=users",
    "/settings/permission-groups/compare",
    "/settings/user-groups/",
    "/settings/user-groups/new",
    "/settings/user-groups/1",
    "/settings/user-groups/2",
    "/settings/user-groups/2/edit",
    "/settings/visibility/",
    "/settings/visibility/queues/",
    "/settings/visibility/databases/new",
    "/settings/visibility/databases/1",
    "/contacts/1/who-sees",
    "/books/1/who-sees",
    "/settings/permission-groups/compare?first=1&second=2&all=1",
    "/security/",
    "/sign-in/forgotten",
    "/reset/forged",
    "/welcome/forged",
    "/search?q=nov",
    "/search?q=",
    "/outbox/",
    "/outbox/1",
    "/mail/new",
    "/gallery",
    "/no-such-page",
)
SHIFT_LIMIT = 0.02
SCRIPT_LIMIT_BYTES = 150_000
STYLE_LIMIT_BYTES = 40_000
SHIFTS = """() => new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => setTimeout(() => resolve(sum), 300));
})"""


@pytest.mark.parametrize(("phone", "dark"), [(False, False), (True, True)], ids=["desktop-light", "phone-dark"])
def test_every_page_is_accessible_and_fits(page_of: PageOf, stack: Stack, phone: bool, dark: bool) -> None:
    anna = page_of("anna", phone=phone, dark=dark)
    problems = {}
    for path in PAGES:
        anna.goto(stack.url() + path)
        found = violations(anna) + _overflow(anna)
        if found:
            problems[path] = found
    assert problems == {}


@pytest.mark.parametrize("locale", ["cs", "pl"])
def test_pages_stay_accessible_in_longer_languages(page_of: PageOf, stack: Stack, locale: str) -> None:
    vera = page_of("vera", phone=True)
    vera.locator(".user-button").click()
    vera.locator(f'button[name="locale"][value="{locale}"]').click()
    expect(vera.locator("html")).to_have_attribute("lang", locale)
    problems = {}
    for path in ("/", "/tickets/", "/tickets/1", "/contacts/", "/contacts/1", "/outbox/"):
        vera.goto(stack.url() + path)
        found = violations(vera) + _overflow(vera)
        if found:
            problems[path] = found
    vera.locator(".user-button").click()
    vera.locator('button[name="locale"][value="en"]').click()
    assert problems == {}


def test_pages_before_sign_in_are_accessible(people: People, stack: Stack) -> None:
    page = people.new_page()
    page.goto(f"{stack.url()}/sign-in")
    assert violations(page) == []
    page.get_by_label("E-mail").fill("nobody@demo.localhost")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert").filter(has_text="E-mail and password")).to_be_visible()
    expect(page.get_by_label("E-mail")).to_have_value("nobody@demo.localhost")
    assert violations(page) == []


def test_what_opens_over_a_page_is_accessible(page_of: PageOf, stack: Stack) -> None:
    boris = page_of("boris")
    boris.locator(".user-button").click()
    assert violations(boris) == []
    boris.keyboard.press("Escape")
    boris.keyboard.press("?")
    expect(boris.get_by_role("dialog")).to_be_visible()
    assert violations(boris) == []
    boris.keyboard.press("Escape")
    boris.keyboard.press("Control+k")
    boris.keyboard.type("nov")
    expect(boris.locator("[data-palette-found]").first).to_be_visible()
    assert violations(boris) == []
    boris.keyboard.press("Escape")
    boris.keyboard.press("m")
    expect(boris.locator("#panel").get_by_label("Subject")).to_be_visible()
    assert violations(boris) == []


@pytest.mark.parametrize("path", ["/", "/tickets/", "/tickets/1", "/contacts/", "/contacts/1", "/calls/", "/calls/1"])
def test_nothing_jumps_while_a_page_loads(page_of: PageOf, stack: Stack, path: str) -> None:
    boris = page_of("boris")
    boris.goto(stack.url() + path)
    assert boris.evaluate(SHIFTS) < SHIFT_LIMIT


def test_a_page_loads_little() -> None:
    scripts = sum(_compressed(file) for file in DIST.glob("*.js") if not file.name.startswith("axe"))
    styles = sum(_compressed(file) for file in DIST.glob("*.css"))
    assert 0 < scripts <= SCRIPT_LIMIT_BYTES
    assert 0 < styles <= STYLE_LIMIT_BYTES


def _overflow(page: Page) -> list[str]:
    """Whether the page is wider than its window."""
    wider: int = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return [f"{wider} px wider than the window"] if wider > 0 else []


def _compressed(file: Path) -> int:
    return len(gzip.compress(file.read_bytes()))

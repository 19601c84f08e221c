"""Address books and a phone: from the first book to the lost phone (PRODUCT, journey 6)."""

import http.client
import plistlib
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.accessibility import violations
from tests.journeys.conftest import PageOf, People
from tests.support.stack import Stack


def create_book(page: Page, stack: Stack, name: str) -> str:
    """Create a book that goes onto phones; answers its address."""
    page.goto(f"{stack.url()}/books/")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", level=1)).to_have_text("New address book")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Database for new contacts").select_option(label="Customers")
    page.get_by_label("In the phone's own contacts").check()
    assert violations(page) == []
    page.get_by_role("button", name="Create address book").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    return page.url


def connect(account: dict[str, Any]) -> int:
    """What a phone does first with a profile's account; answers the status."""
    connection = http.client.HTTPConnection(account["CardDAVHostName"], account["CardDAVPort"], timeout=10)
    secret = b64encode(f"{account['CardDAVUsername']}:{account['CardDAVPassword']}".encode()).decode()
    connection.request(
        "PROPFIND", account["CardDAVPrincipalURL"], headers={"Authorization": f"Basic {secret}", "Depth": "0"}
    )
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.mark.covers("GD-7", "GD-8", "GD-14")
def test_a_phone_gets_the_book_by_its_code_and_is_revoked(people: People, stack: Stack, tmp_path: Path) -> None:
    anna = people.page_of("anna")
    create_book(anna, stack, "Field team")
    assert violations(anna) == []

    anna.keyboard.press("n")
    expect(anna.get_by_role("heading", level=1)).to_contain_text("Add contacts")
    anna.get_by_label("Find contacts").last.fill("nov")
    first = anna.locator("#found").get_by_role("button").first
    name = (first.get_attribute("aria-label") or "").removeprefix("Add ")
    first.click()
    expect(anna.locator("#found")).to_contain_text("In the book")
    assert violations(anna) == []
    anna.get_by_role("link", name="Done").click()
    expect(anna.locator("[data-row-link]")).to_have_text([name])

    anna.locator(".user-button").click()
    anna.get_by_role("link", name="Phones and programs").click()
    expect(anna.get_by_role("heading", level=1)).to_contain_text("Phones and programs")
    anna.keyboard.press("n")
    anna.get_by_label("Name", exact=True).press("Enter")
    expect(anna.get_by_role("heading", level=1)).to_have_text("Set up iPhone")
    assert violations(anna) == []
    link = anna.get_by_role("link", name="Set up this very device").get_attribute("href") or ""
    password = anna.get_by_label("Password", exact=True).input_value()

    phone = people.new_page(phone=True)
    phone.goto(link)
    expect(phone.get_by_role("heading", level=1)).to_have_text("Set up iPhone")
    assert violations(phone) == []
    with phone.expect_download() as download:
        phone.get_by_role("button", name="Download the profile").click()
    download.value.save_as(tmp_path / "contacts.mobileconfig")
    (account,) = plistlib.loads((tmp_path / "contacts.mobileconfig").read_bytes())["PayloadContent"]
    assert account["CardDAVPassword"] == password
    assert connect(account) == 207
    expect(anna.locator(".setup-code")).to_contain_text("Connected", timeout=15_000)
    answer = phone.goto(link)
    assert answer
    assert answer.status == 410
    assert violations(phone) == []

    anna.reload()
    expect(anna.locator("#content")).to_contain_text("The password is not shown again")
    anna.goto(f"{stack.url()}/synced/")
    anna.get_by_role("button", name="Revoke iPhone").click()
    assert violations(anna) == []
    anna.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(anna.get_by_role("status").first).to_contain_text("It is emptied at its next sync, then refused.")
    expect(anna.locator("#clients")).to_contain_text("Being emptied")


@pytest.mark.covers("GD-18")
def test_a_contact_is_withdrawn_by_keyboard_and_put_back(page_of: PageOf, stack: Stack) -> None:
    anna = page_of("anna")
    book_url = create_book(anna, stack, "Fitters")
    anna.goto(f"{stack.url()}/contacts/")
    anna.locator("[data-row-link]").first.click()
    expect(anna.get_by_label("Fitters")).not_to_be_checked()
    anna.get_by_label("Fitters").press("Space")
    expect(anna.locator("[data-toasts]")).to_contain_text("Put in “Fitters”.")
    name = anna.get_by_role("heading", level=1).inner_text()

    anna.goto(book_url)
    withdraw = anna.get_by_role("link", name=f"Withdraw {name}")
    withdraw.press("Enter")
    dialog = anna.get_by_role("dialog")
    expect(dialog).to_contain_text("No phone or program that still syncs holds this contact.")
    assert violations(anna) == []
    dialog.press("Escape")
    expect(dialog).to_have_count(0)
    withdraw.press("Enter")
    anna.get_by_role("dialog").get_by_role("button", name="Withdraw").press("Enter")
    expect(anna.locator("#content")).to_contain_text("This book is empty")


def test_what_is_copied_says_so(page_of: PageOf, stack: Stack) -> None:
    vera = page_of("vera", phone=True, dark=True)
    vera.goto(f"{stack.url()}/gallery")
    vera.get_by_role("button", name="Copy: Server").click()
    expect(vera.locator("[data-copy-status]").first).to_have_text("Copied")

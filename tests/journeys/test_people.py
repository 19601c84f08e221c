"""A colleague's first and last day: created by keyboard, signed in, blocked while at work, deleted."""

from playwright.sync_api import Page, expect

from tests.journeys.accessibility import violations
from tests.journeys.conftest import PageOf, People
from tests.support.browser import sign_in
from tests.support.stack import Stack

PASSWORD = "New-2-password!"


def create_eva(anna: Page, stack: Stack, email: str) -> None:
    """Type the form of a new user with a password, watching what it says of the password."""
    anna.goto(f"{stack.url()}/people/")
    anna.keyboard.press("n")
    expect(anna.get_by_label("Name")).to_be_focused()
    anna.keyboard.type("Eva Malá")
    anna.keyboard.press("Tab")
    anna.keyboard.type(email)
    expect(anna.get_by_label("New password", exact=True)).to_be_hidden()
    anna.get_by_label("With a password that you type here").check()
    password = anna.get_by_label("New password", exact=True)
    digit = anna.locator('[data-rule="digit"]')
    expect(digit).not_to_have_class("rule is-met")
    password.press_sequentially("New-2")
    expect(digit).to_have_class("rule is-met")
    expect(anna.locator('[data-rule="length"]')).not_to_have_class("rule is-met")
    password.press_sequentially("-password!")
    expect(anna.locator(".rule.is-met")).to_have_count(5)
    anna.get_by_label("New password again").fill(PASSWORD)
    anna.get_by_label("Permission group").select_option(label="Agents")
    anna.get_by_label("SIP account").select_option("")
    assert violations(anna) == []
    anna.get_by_role("button", name="Create user").click()
    expect(anna.get_by_role("heading", name="Eva Malá")).to_be_visible()


def test_a_blocked_colleague_is_out_while_at_work(page_of: PageOf, people: People, stack: Stack) -> None:
    anna, email = page_of("anna"), "eva@demo.localhost"
    create_eva(anna, stack, email)
    eva = people.new_page()
    sign_in(eva, stack.url(), email, PASSWORD)
    expect(eva.get_by_role("heading", level=1)).to_be_visible()
    anna.reload()
    anna.get_by_role("button", name="More", exact=True).click()
    anna.get_by_role("button", name="Block", exact=True).click()
    dialog = anna.get_by_role("dialog")
    expect(dialog).to_contain_text("1 browser is signed out at once.")
    assert violations(anna) == []
    dialog.get_by_role("button", name="Block", exact=True).click()
    expect(anna.get_by_text("Eva Malá is blocked and signed out everywhere.")).to_be_visible()
    for _process in range(4):  # both processes of the web app are asked
        eva.goto(f"{stack.url()}/contacts/")
        eva.wait_for_url("**/sign-in**")
    anna.goto(f"{stack.url()}/people/?q=eva")
    anna.get_by_role("button", name="Actions for Eva Malá").click()
    anna.get_by_role("link", name="Delete").click()
    anna.get_by_role("dialog").get_by_role("button", name="Delete user").click()
    expect(anna.get_by_text("Eva Malá was deleted.")).to_be_visible()


def test_a_table_of_people_is_checked_and_mended(page_of: PageOf, stack: Stack) -> None:
    anna = page_of("anna", phone=True)
    anna.goto(f"{stack.url()}/people/invite")
    anna.get_by_label("Table").fill("name;email\nAdam;adam@demo.localhost\nZoe;zoe@")
    anna.get_by_label("Permission group").select_option(label="Agents")
    anna.get_by_role("button", name="Check the table").click()
    expect(anna.get_by_text("1 person can be invited, 1 row has a mistake.")).to_be_visible()
    assert violations(anna) == []
    anna.get_by_role("button", name="Invite 1 person").click()
    expect(anna.get_by_text("1 person invited.")).to_be_visible()
    expect(anna.get_by_label("Table")).to_have_value("name;email\nZoe;zoe@\n")
    anna.goto(f"{stack.url()}/people/?state=invited")
    expect(anna.get_by_text("adam@demo.localhost")).to_be_visible()

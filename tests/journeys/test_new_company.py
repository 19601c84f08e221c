"""From an empty company to one of five people with two teams, two databases and a second factor asked of everybody."""

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.journeys.accessibility import violations
from tests.journeys.conftest import People
from tests.support.factors import shown_code
from tests.support.mailbox import Mailbox
from tests.support.stack import Stack
from tests.support.waiting import wait_until

PASSWORD = "Willow-works-2026!"  # a test's
COLLEAGUES = """name;email;user groups
Adam Wierzba;adam@willow.example;Sales
Berta Klimt;berta@willow.example;Sales
Cyril Novotný;cyril@willow.example;Service
Dora Hall;dora@willow.example;Service"""
AGENT = ("See contacts", "See companies", "See tickets")
MOST_CLICKS = 40
LINK = re.compile(r"https?://\S+/welcome/\S+")


@dataclass
class Hands:
    """Somebody at a browser whose clicks are counted; what is typed is not."""

    page: Page
    clicks: int = 0

    def click(self, target: Locator) -> None:
        """Press it."""
        target.click()
        self.clicks += 1

    def press(self, name: str) -> None:
        """Press the button of this name."""
        self.click(self.page.get_by_role("button", name=name, exact=True))

    def follow(self, name: str) -> None:
        """Follow the link of this name, in the page before it is looked for around it."""
        inside = self.page.get_by_role("main").get_by_role("link", name=name, exact=True)
        self.click(inside if inside.count() else self.page.get_by_role("link", name=name, exact=True))

    def tick(self, label: str) -> None:
        """Choose what is labelled so."""
        self.click(self.page.get_by_label(label))

    def go_home(self) -> None:
        """To the first steps."""
        self.click(self.page.get_by_role("link", name="Home", exact=True))

    def choose_password(self, link: str) -> None:
        """Open the link of an invitation and go in."""
        self.page.goto(link)
        self.page.get_by_label("New password", exact=True).fill(PASSWORD)
        self.page.get_by_label("New password again").fill(PASSWORD)
        self.press("Begin")

    def set_up_second_factor(self) -> None:
        """From the first of its pages to where one wanted to go."""
        self.press("Go on")
        secret = self.page.locator("#key").input_value()
        self.page.get_by_label("Code that the app shows now").fill(shown_code(secret))
        self.press("Turn on")
        expect(self.page.get_by_role("heading", name="Keep these recovery codes")).to_be_visible()
        self.follow("I have kept them")


def create_team(eva: Hands, name: str) -> None:
    """A user group below "Position"."""
    eva.page.get_by_label("Name").fill(name)
    eva.press("Create the group")


def create_database(eva: Hands, name: str, team: str) -> None:
    """A database of contacts that one team sees."""
    eva.click(eva.page.get_by_role("link", name="New database").first)
    eva.page.get_by_label("Name").fill(name)
    eva.tick("Only the user groups chosen below")
    eva.click(eva.page.get_by_role("checkbox", name=re.compile(team)))
    eva.press("Create")
    expect(eva.page.get_by_role("link", name=name)).to_be_visible()


@pytest.mark.covers("D-FAQ-22", "P-18", "GD-3")
def test_an_owner_sets_a_company_of_five_up(people: People, stack: Stack, mailbox: Mailbox) -> None:
    founded = stack.command("company", "Willow Works", "willow", "Eva Malá", "eva@willow.example")
    link = LINK.search(founded.stdout.decode())
    assert link, founded.stderr
    eva = Hands(people.new_page())
    eva.choose_password(link[0])
    page = eva.page
    expect(page.get_by_role("heading", name="First steps")).to_contain_text("0 of 9 done")
    assert violations(page) == []

    eva.follow("Look over your company")
    page.get_by_label("Time zone").select_option("Europe/Warsaw")
    eva.press("Save")
    eva.go_home()

    eva.follow("Decide who may do what")
    page.get_by_label("Name").fill("Agents")
    eva.press("Continue")
    for permission in AGENT:
        eva.click(page.get_by_role("checkbox", name=re.compile(f"^{permission}")))
    eva.press("Continue")
    eva.press("Continue")
    eva.press("Create the group")
    eva.go_home()

    eva.follow("Draw up your teams")
    create_team(eva, "Sales")
    eva.click(page.get_by_role("link", name="New user group").first)
    create_team(eva, "Service")

    eva.click(page.get_by_role("link", name="Who sees what").first)
    create_database(eva, "Prospects", "Sales")
    create_database(eva, "Customers", "Service")
    eva.go_home()

    eva.follow("Bring in your colleagues")
    page.get_by_label("Table").fill(COLLEAGUES)
    page.get_by_label("Permission group").select_option(label="Agents")
    eva.press("Check the table")
    eva.press("Invite 4 people")
    expect(page.get_by_text("4 people invited.")).to_be_visible()

    eva.click(page.get_by_role("link", name="Second factor").first)
    eva.tick("Asked of everybody")
    eva.press("Save")
    expect(page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    eva.set_up_second_factor()
    eva.go_home()
    expect(page.get_by_role("heading", name="First steps")).to_contain_text("5 of 9 done")
    assert eva.clicks <= MOST_CLICKS, eva.clicks

    wait_until(lambda: mailbox.mails_to("adam@willow.example"), deadline_s=30)
    invitation = LINK.search(mailbox.mails_to("adam@willow.example")[0].get_content())
    assert invitation
    adam = Hands(people.new_page(phone=True, dark=True))
    adam.choose_password(invitation[0])
    adam.page.goto(f"{stack.url('willow')}/contacts/")
    expect(adam.page.get_by_role("heading", name="Set up a second factor")).to_be_visible()
    assert violations(adam.page) == []
    adam.set_up_second_factor()
    expect(adam.page.get_by_role("heading", level=1)).to_contain_text("Contacts")
    adam.page.goto(f"{stack.url('willow')}/settings/")
    assert adam.page.get_by_role("heading", level=1).inner_text() != "Settings"

"""Groups in the browser: permissions found as one types, a tree moved by keys and by dragging, who can see what."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.journeys.accessibility import violations
from tests.journeys.conftest import PageOf
from tests.support.stack import Stack

GROUPS = "/settings/user-groups/"


def create(page: Page, stack: Stack, name: str, below: str = "") -> None:
    """Make a user group."""
    page.goto(f"{stack.url()}{GROUPS}new")
    page.get_by_label("Name").fill(name)
    if below:
        page.get_by_label("Stands below").select_option(label=below)
    page.get_by_role("button", name="Create the group").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("User groups")


def grip(page: Page, name: str) -> Locator:
    """What a group is moved by."""
    return page.get_by_role("button", name=f"Move {name}", exact=True)


def row(page: Page, name: str) -> Locator:
    """The group's row."""
    return page.locator("[data-tree-item]").filter(has=grip(page, name))


def below(page: Page, name: str) -> list[str]:
    """The groups below the one of this name, in their order."""
    group_id = row(page, name).get_attribute("data-tree-item")
    return page.locator(f'[data-tree-item][data-parent="{group_id}"] .tree-name a').all_inner_texts()


def expect_below(page: Page, name: str, expected: list[str]) -> None:
    """Wait until these stand below the group."""
    group_id = row(page, name).get_attribute("data-tree-item")
    expect(page.locator(f'[data-tree-item][data-parent="{group_id}"] .tree-name a')).to_have_text(expected)


def middle(locator: Locator) -> tuple[float, float]:
    """The middle of what is shown."""
    box = locator.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_permissions_are_found_as_one_types_and_stay_chosen(page_of: PageOf, stack: Stack) -> None:
    anna = page_of("anna")
    anna.goto(f"{stack.url()}/settings/permission-groups/")
    anna.keyboard.press("n")
    anna.get_by_label("Name").fill("Front desk")
    anna.keyboard.press("Enter")
    found = anna.get_by_label("Find a permission")
    found.fill("OUTBOX")
    expect(anna.get_by_role("checkbox")).to_have_count(1)
    anna.get_by_role("checkbox", name="See the outbox").check()
    found.fill("no such thing")
    expect(anna.get_by_text("No permission fits this.")).to_be_visible()
    assert violations(anna) == []
    found.fill("")
    anna.get_by_role("checkbox", name="See calls").check()
    anna.get_by_role("button", name="Continue").click()
    anna.get_by_role("button", name="Continue").click()
    expect(anna.get_by_role("heading", name="The group has 2 permissions")).to_be_visible()
    anna.get_by_role("button", name="Create the group").click()
    expect(anna.get_by_role("heading", level=1)).to_have_text("Front desk")
    anna.get_by_role("main").get_by_role("button", name="More").click()
    anna.get_by_role("button", name="Delete").click()
    anna.get_by_role("button", name="Delete group").click()
    expect(anna.get_by_text("Permission group deleted.")).to_be_visible()


def test_the_tree_is_put_in_order_by_keys_and_by_dragging(page_of: PageOf, stack: Stack) -> None:
    anna = page_of("anna")
    create(anna, stack, "North")
    for country in ("Norway", "Finland", "Sweden"):
        create(anna, stack, country, "North")
    assert below(anna, "North") == ["Norway", "Finland", "Sweden"]

    grip(anna, "Norway").focus()
    anna.keyboard.press("ArrowDown")
    expect_below(anna, "North", ["Finland", "Norway", "Sweden"])
    expect(grip(anna, "Norway")).to_be_focused()
    expect(anna.locator("[data-tree-status]")).to_have_text("Place 2 of 3.")
    anna.keyboard.press("ArrowRight")
    expect_below(anna, "Finland", ["Norway"])
    expect(grip(anna, "Norway")).to_be_focused()
    anna.keyboard.press("ArrowLeft")
    expect_below(anna, "North", ["Finland", "Norway", "Sweden"])

    x, y = middle(grip(anna, "Sweden"))
    target = row(anna, "Finland").bounding_box()
    assert target
    anna.mouse.move(x, y)
    anna.mouse.down()
    anna.mouse.move(x, target["y"] + target["height"] / 2, steps=4)
    expect(row(anna, "Finland")).to_have_class(re.compile("is-drop-into"))
    anna.mouse.move(x, target["y"] + 3, steps=3)
    expect(row(anna, "Finland")).to_have_class(re.compile("is-drop-before"))
    anna.mouse.up()
    expect_below(anna, "North", ["Sweden", "Finland", "Norway"])

    x, y = middle(grip(anna, "North"))
    anna.mouse.move(x, y)
    anna.mouse.down()
    anna.mouse.move(*middle(row(anna, "Norway")), steps=4)  # not below itself
    anna.keyboard.press("Escape")
    anna.mouse.up()
    expect_below(anna, "North", ["Sweden", "Finland", "Norway"])


def test_a_move_that_lets_people_see_more_asks_first(page_of: PageOf, stack: Stack) -> None:
    anna = page_of("anna")
    anna.goto(f"{stack.url()}{GROUPS}")
    before = anna.locator(".tree-name a").all_inner_texts()
    grip(anna, "Service").focus()
    anna.keyboard.press("ArrowRight")
    question = anna.get_by_role("dialog")
    expect(question).to_contain_text("see it from now on: Boris")
    expect(question).to_contain_text("Database “Board”")
    assert violations(anna) == []
    question.get_by_role("button", name="Cancel").click()
    assert anna.locator(".tree-name a").all_inner_texts() == before
    grip(anna, "Service").focus()
    anna.keyboard.press("ArrowRight")
    question.get_by_role("button", name="Move the group").click()
    expect_below(anna, "Management", ["Service"])
    grip(anna, "Service").focus()
    anna.keyboard.press("ArrowLeft")
    expect(question).to_contain_text("no longer see it: Boris")
    question.get_by_role("button", name="Move the group").click()
    expect(anna.locator(".tree-name a")).to_have_text(before)


def test_who_can_see_this_follows_what_an_owner_changes(page_of: PageOf, stack: Stack) -> None:
    anna, boris = page_of("anna"), page_of("boris")
    boris.goto(f"{stack.url()}/contacts/")
    boris.locator("[data-row-link]").first.click()
    boris.get_by_role("link", name="Who can see this?").click()
    answer = boris.get_by_role("dialog").locator("#who-sees-answer")
    expect(answer).to_contain_text("3 of 3 people")
    assert violations(boris) == []
    database = re.search(r"Database “(.+?)” decides", answer.inner_text())
    assert database

    anna.goto(f"{stack.url()}/settings/visibility/")
    anna.get_by_role("link", name=database[1], exact=True).click()
    anna.get_by_label("Only the user groups chosen below").check()
    anna.get_by_role("checkbox", name="Sales").check()
    anna.get_by_role("button", name="Save").click()
    question = anna.get_by_role("dialog")
    expect(question).to_contain_text("1 person no longer sees it: Vera")
    assert violations(anna) == []
    question.get_by_role("button", name="Save").click()
    expect(answer).to_contain_text("2 of 3 people")
    expect(answer).to_contain_text("in “Sales”")
    expect(answer).not_to_contain_text("Vera")

    anna.get_by_role("link", name=database[1], exact=True).click()
    anna.get_by_label("Everyone in the company").check()
    anna.get_by_role("button", name="Save").click()
    anna.get_by_role("dialog").get_by_role("button", name="Save").click()
    expect(answer).to_contain_text("3 of 3 people")

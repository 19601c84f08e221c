"""The company's colour by eye, its hours, and the audit log that tells of both."""

from playwright.sync_api import expect

from tests.journeys.accessibility import violations
from tests.journeys.conftest import PageOf
from tests.support.stack import Stack


def test_an_owner_chooses_a_colour_and_hours_and_finds_both_in_the_log(page_of: PageOf, stack: Stack) -> None:
    oleg, address = page_of("oleg"), stack.url("other")
    oleg.goto(f"{address}/settings/company/")
    colour = oleg.get_by_role("textbox", name="Brand colour optional")
    before = colour.input_value()
    picker = oleg.get_by_label("Choose the brand colour by eye")
    assert picker.input_value() == before
    picker.fill("#8a2be2")
    expect(colour).to_have_value("#8a2be2")
    assert violations(oleg) == []
    oleg.get_by_role("button", name="Save", exact=True).click()
    expect(colour).to_have_value("#8a2be2")

    oleg.goto(f"{address}/settings/company/hours")
    opens, closes = oleg.locator(".hours-span input").nth(0), oleg.locator(".hours-span input").nth(1)
    opens.fill("7:45")
    closes.fill("16:15")
    oleg.get_by_role("button", name="Save", exact=True).click()
    expect(oleg.get_by_text("Business hours saved.")).to_be_visible()
    expect(opens).to_have_value("07:45")
    assert violations(oleg) == []

    oleg.goto(f"{address}/settings/audit/")
    newest = oleg.locator(".audit-row").first
    expect(newest).to_contain_text("Oleg Marchenko")
    expect(newest).to_contain_text("16:15")
    expect(oleg.locator(".audit-row").nth(1)).to_contain_text("#8a2be2")
    oleg.get_by_label("Words").fill("8a2be2")
    oleg.keyboard.press("Enter")
    expect(oleg.locator(".audit-row")).to_have_count(1)
    assert violations(oleg) == []
    with oleg.expect_download() as kept:
        oleg.get_by_role("button", name="Export CSV").click()
    assert "#8a2be2" in kept.value.path().read_text(encoding="utf-8-sig")

    oleg.goto(f"{address}/settings/company/")
    colour.fill(before)
    expect(picker).to_have_value(before)
    oleg.get_by_role("button", name="Save", exact=True).click()
    expect(colour).to_have_value(before)

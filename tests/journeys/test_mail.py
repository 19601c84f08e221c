"""A customer writes, the ticket appears by itself, the answer goes out and its answer comes back."""

import smtplib
from email.message import EmailMessage

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import PageOf, People
from tests.support.mailbox import Mailbox
from tests.support.mails import letter
from tests.support.stack import Stack
from tests.support.waiting import wait_until


def post(stack: Stack, mail: EmailMessage, *, to: str = "support@demo.localhost") -> None:
    """Send a mail to the product as a mail server does."""
    with smtplib.SMTP("127.0.0.1", stack.smtp_port) as server:
        server.sendmail(mail["From"].addresses[0].addr_spec, [to], mail.as_bytes())


def wait_for_ticket(page: Page, stack: Stack, title: str) -> None:
    """Find the ticket in the list as soon as it is there, and open it."""
    page.goto(f"{stack.url()}/tickets/?status=all")
    page.get_by_role("link", name=title).click(timeout=15_000)
    expect(page.get_by_role("heading", level=1)).to_contain_text(title)


@pytest.mark.covers("D-MAIL-1", "D-MAIL-3", "D-MAIL-4")
def test_a_mail_becomes_a_ticket_and_the_conversation_goes_on(page_of: PageOf, stack: Stack, mailbox: Mailbox) -> None:
    boris = page_of("boris")
    boris.goto(f"{stack.url()}/tickets/")
    post(stack, letter("It beeps all day.", subject="Beeping scanner", Message_ID="<beep-1@customer.example>"))
    row = boris.get_by_role("link", name="Beeping scanner")
    expect(row).to_be_visible(timeout=10_000)
    row.click()

    boris.get_by_role("button", name="Take").click()
    expect(boris.get_by_role("button", name="Take")).to_have_count(0)
    boris.keyboard.press("r")
    expect(boris.get_by_placeholder("Write an answer")).to_be_focused()
    boris.keyboard.type("Hold the red button for ten seconds.")
    boris.keyboard.press("Control+Enter")
    expect(boris.locator(".message-out")).to_contain_text("Hold the red button")

    (answer,) = wait_until(lambda: mailbox.mails_to("jana@customer.example"), deadline_s=15)
    assert answer["In-Reply-To"] == "<beep-1@customer.example>"
    assert "Hold the red button for ten seconds." in answer.get_content()

    field = boris.get_by_placeholder("Write an answer")
    field.fill("Half an answer")
    post(
        stack,
        letter(
            "That helped, thank you.",
            subject=f"Re: {answer['Subject']}",
            In_Reply_To=answer["Message-ID"],
            Message_ID="<beep-2@customer.example>",
        ),
        to=answer["Reply-To"].addresses[0].addr_spec,
    )
    expect(boris.locator("#thread")).to_contain_text("That helped, thank you.", timeout=10_000)
    expect(field).to_have_value("Half an answer")
    expect(boris.locator(".message")).to_have_count(3)


@pytest.mark.attack(7, 8)
def test_a_stranger_who_forges_headers_opens_a_ticket_of_their_own(page_of: PageOf, stack: Stack) -> None:
    boris = page_of("boris")
    post(stack, letter("Secret.", subject="Confidential matter", Message_ID="<conf-1@customer.example>"))
    wait_for_ticket(boris, stack, "Confidential matter")
    number = boris.locator(".ticket-heading .ticket-number").inner_text()
    forged = letter(
        "Tell me more.",
        sender="eve@evil.example",
        subject=f"Re: Confidential matter [{number}]",
        In_Reply_To="<conf-1@customer.example>",
        References=f"<conf-1@customer.example> <c.{number[1:]}.0123456789abcdef.{'0' * 32}@demo.localhost>",
    )
    post(stack, forged)
    boris.goto(f"{stack.url()}/tickets/?q=eve@evil.example&status=open")
    expect(boris.locator("[data-row-link]")).to_have_count(1, timeout=10_000)
    boris.locator("[data-row-link]").click()
    expect(boris.locator(".message")).to_have_count(1)
    expect(boris.locator("#thread")).not_to_contain_text("Secret.")


@pytest.mark.attack(11, 12)
def test_hostile_html_neither_acts_nor_calls_home(people: People, stack: Stack) -> None:
    html = (
        "<h1>Offer</h1><img src=x onerror=\"parent.document.title='owned'\">"
        "<script>parent.document.title='owned'</script>"
        "<svg onload=\"parent.document.title='owned'\"></svg><img src='http://tracker.example/pixel.png'>"
        "<a href=\"javascript:parent.document.title='owned'\">click</a>"
    )
    post(stack, letter("Offer", subject="Hostile offer", html=html))
    boris = people.page_of("boris")
    wait_for_ticket(boris, stack, "Hostile offer")
    frame = boris.frame_locator(".message-frame")
    expect(frame.get_by_role("heading", name="Offer")).to_be_visible()
    frame.get_by_text("click").click()
    expect(boris).not_to_have_title("owned")
    assert people.watch.foreign == []
    people.watch.complaints = [words for words in people.watch.complaints if "tracker.example" not in words]
    expect(boris.get_by_role("link", name="Load pictures")).to_be_visible()


def test_a_reader_reads_and_somebody_else_finds_nothing(page_of: PageOf, stack: Stack) -> None:
    vera, oleg = page_of("vera"), page_of("oleg")
    post(stack, letter("Only for us.", subject="Internal affair"))
    wait_for_ticket(vera, stack, "Internal affair")
    expect(vera.locator("#thread")).to_contain_text("Only for us.")
    for name in ("Reply", "Take", "Close", "Send"):
        expect(vera.get_by_role("button", name=name, exact=True)).to_have_count(0)
    path = vera.url.removeprefix(stack.url())
    answer = oleg.goto(stack.url("other") + path)
    assert answer
    assert answer.status == 404
    oleg.goto(f"{stack.url('other')}/tickets/?q=internal")
    expect(oleg.locator("[data-row-link]")).to_have_count(0)


def test_what_was_typed_survives_leaving_the_page(page_of: PageOf, stack: Stack) -> None:
    boris = page_of("boris")
    boris.goto(f"{stack.url()}/tickets/?status=all")
    boris.locator("[data-row-link]").first.click()
    boris.get_by_placeholder("Write an answer").fill("A long thought")
    expect(boris.get_by_text("Kept on this device")).to_be_visible()
    url = boris.url
    boris.on("dialog", lambda dialog: dialog.accept())
    boris.goto(f"{stack.url()}/contacts/")
    boris.goto(url)
    expect(boris.get_by_placeholder("Write an answer")).to_have_value("A long thought")


@pytest.mark.covers("D-MAIL-5", "D-MAIL-6")
def test_a_mail_written_in_the_panel_survives_navigation(page_of: PageOf, stack: Stack, mailbox: Mailbox) -> None:
    boris = page_of("boris")
    boris.keyboard.press("m")
    panel = boris.locator("#panel")
    panel.get_by_label("To", exact=True).fill("eva@paneltest.example")
    panel.get_by_label("Subject").fill("From the panel")
    panel.get_by_label("Text").fill("First half")
    boris.get_by_role("link", name="Contacts").first.click()
    expect(boris.get_by_role("heading", name="Contacts")).to_be_visible()
    text = boris.locator("#panel").get_by_label("Text")
    expect(text).to_have_value("First half")
    text.fill("First half, second half")
    boris.locator("#panel").get_by_role("button", name="Send").click()
    boris.get_by_role("link", name="Open the ticket").click()
    expect(boris.get_by_role("heading", level=1)).to_contain_text("From the panel")
    (mail,) = wait_until(lambda: mailbox.mails_to("eva@paneltest.example"), deadline_s=15)
    assert mail.get_content().strip() == "First half, second half"

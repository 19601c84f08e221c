"""One running product, one mail server where its mails arrive, and a browser that notices what must not happen."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.support.browser import Watch, chromium_browser, new_context, sign_in
from tests.support.mailbox import Mailbox, open_mailbox
from tests.support.stack import DEMO_PASSWORD, Stack, running_stack

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def mailbox() -> Iterator[Mailbox]:
    """Where the product's outgoing mails arrive."""
    with open_mailbox() as opened:
        yield opened


@pytest.fixture(scope="session")
def stack(mailbox: Mailbox) -> Iterator[Stack]:
    """The product with its demo companies, sending to the mailbox."""
    with running_stack(CENTRALA_OUTGOING_SMTP_URL=mailbox.url, CENTRALA_PRIVATE_DESTINATIONS="1") as running:
        yield running


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    """A headless Chromium."""
    with chromium_browser(chromium) as opened:
        yield opened


@dataclass
class People:
    """Browsers of the cast, each signed in once per test; what they complained of is collected."""

    browser: Browser
    stack: Stack
    watch: Watch = field(default_factory=Watch)
    contexts: list[BrowserContext] = field(default_factory=list)

    def page_of(self, name: str, *, phone: bool = False, dark: bool = False) -> Page:
        """A page of somebody's browser, signed in, on the start page."""
        page = self.new_page(phone=phone, dark=dark)
        tenant = "other" if name == "oleg" else "demo"
        sign_in(page, self.stack.url(tenant), f"{name}@{tenant}.localhost", DEMO_PASSWORD)
        return page

    def new_page(self, *, phone: bool = False, dark: bool = False) -> Page:
        """A page of a fresh browser that nobody is signed in to."""
        context = new_context(self.browser, phone=phone, theme="dark" if dark else "light")
        self.contexts.append(context)
        page = context.new_page()
        self.watch.attach(page)
        return page


@pytest.fixture
def people(browser: Browser, stack: Stack) -> Iterator[People]:
    """The cast at their browsers. Afterwards: no policy was violated, no script failed, no foreign host was asked."""
    cast = People(browser, stack)
    yield cast
    for context in cast.contexts:
        context.close()
    assert cast.watch.complaints == []
    assert cast.watch.foreign == []


PageOf = Callable[..., Page]


@pytest.fixture
def page_of(people: People) -> PageOf:
    """``page_of("boris")``: a signed-in page."""
    return people.page_of


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All journeys share one running product, so one worker runs them; first, since xdist then reads the marks."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.xdist_group("journeys"))

"""Chromium as people of the cast use it, which notices what must never happen on any page."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

DESKTOP: Final = {"width": 1280, "height": 800}
PHONE: Final = {"width": 375, "height": 740}
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP *.localhost 127.0.0.1",
)
EXPECTED_FAILURES: Final = (
    "status of 401",
    "status of 403",
    "status of 404",
    "status of 409",
    "status of 410",
    "status of 422",
    "status of 413",
)


@dataclass
class Watch:
    """What a page did that it must not do."""

    foreign: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def attach(self, page: Page) -> None:
        """Watch ``page``: requests to other hosts, violations of the policy, errors of scripts."""
        page.on("request", self._see_request)
        page.on("console", self._see_console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _see_request(self, request: Request) -> None:
        host = urlsplit(request.url).hostname
        if host and host != "localhost" and not host.endswith(".localhost"):
            self.foreign.append(request.url)

    def _see_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(code in message.text for code in EXPECTED_FAILURES):
            self.complaints.append(message.text)


@contextmanager
def chromium_browser(path: str) -> Iterator[Browser]:
    """A headless browser until the block ends."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


def new_context(
    browser: Browser,
    *,
    theme: Literal["light", "dark"] = "light",
    phone: bool = False,
    locale: str = "en-GB",
    **options: Any,
) -> BrowserContext:
    """A fresh profile, of a desktop or a phone."""
    return browser.new_context(
        viewport=PHONE if phone else DESKTOP,  # type: ignore[arg-type]  # two int keys, as the library's type asks
        color_scheme=theme,
        has_touch=phone,
        locale=locale,
        **options,
    )


def sign_in(page: Page, base_url: str, email: str, password: str) -> None:
    """Sign in through the form; returns on the page after it."""
    page.goto(f"{base_url}/sign-in")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "/sign-in" not in url)

"""Pictures of the main pages in every language, both themes, at a desktop's and a phone's width, to be looked at.

``python -m tests.screenshots FOLDER [NAME…]`` runs the product with its demo companies for itself, takes the pictures
(all, or those of the named pages) and writes ``FOLDER/index.html``, which shows each page's variants side by side.
"""

import argparse
import html
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from playwright.sync_api import Browser, Page

from tests.support.browser import DESKTOP, chromium_browser, new_context
from tests.support.stack import DEMO_PASSWORD, running_stack

LANGUAGES: Final = ("en", "cs", "pl")
LOCALES: Final = {"en": "en-GB", "cs": "cs-CZ", "pl": "pl-PL"}
OWNER: Final = "anna@demo.localhost"
PATIENCE_MS: Final = 60_000
MOST_HIGH: Final = 4_000
PICTURE: Final = '<a href="{name}/{variant}.png"><img loading="lazy" src="{name}/{variant}.png" alt="{variant}"></a>'
STYLE: Final = """
body { font: 14px sans-serif; margin: 24px; background: #888 } h2 { margin: 32px 0 8px } small { font-weight: normal }
div { display: flex; gap: 12px; overflow-x: auto } img { height: 420px; border-radius: 4px }
"""
SETTLED: Final = """() => document.fonts.status === "loaded"
    && document.getAnimations().every((one) => one.playState !== "running"
        || one.effect.getComputedTiming().iterations === Infinity)"""


@dataclass(frozen=True, slots=True)
class Look:
    """A theme and a width."""

    theme: Literal["light", "dark"]
    phone: bool

    @property
    def name(self) -> str:
        """As it stands in file names."""
        return f"{self.theme}-{375 if self.phone else 1280}"


LOOKS: Final = tuple(Look(theme, phone) for theme in ("light", "dark") for phone in (False, True))


def _palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type("nov")
    page.locator("[data-palette-found] [role=option]").first.wait_for()


@dataclass(frozen=True, slots=True)
class Shot:
    """A page by its address, and what is done there before the picture."""

    path: str
    prepare: Callable[[Page], None] | None = None
    is_public: bool = False


SHOTS: Final[Mapping[str, Shot]] = {
    "sign-in": Shot("/sign-in", is_public=True),
    "forgotten": Shot("/sign-in/forgotten", is_public=True),
    "home": Shot("/"),
    "palette": Shot("/", _palette),
    "tickets": Shot("/tickets/"),
    "ticket": Shot("/tickets/1"),
    "no-tickets": Shot("/tickets/?q=nothing-like-this"),
    "new-mail": Shot("/mail/new"),
    "contacts": Shot("/contacts/"),
    "contact": Shot("/contacts/1"),
    "contact-form": Shot("/contacts/1/edit"),
    "companies": Shot("/companies/"),
    "company": Shot("/companies/1"),
    "calls": Shot("/calls/"),
    "call": Shot("/calls/1"),
    "books": Shot("/books/"),
    "synced-phones": Shot("/synced/"),
    "outbox": Shot("/outbox/"),
    "search": Shot("/search?q=nov"),
    "settings": Shot("/settings/"),
    "users": Shot("/people/"),
    "user": Shot("/people/2"),
    "new-user": Shot("/people/new"),
    "invite": Shot("/people/invite"),
    "delete-user": Shot("/people/2?ask=delete"),
    "permission-groups": Shot("/settings/permission-groups/"),
    "permission-group": Shot("/settings/permission-groups/2"),
    "permissions": Shot("/settings/permission-groups/2/edit?step=permissions"),
    "user-groups": Shot("/settings/user-groups/"),
    "visibility": Shot("/settings/visibility/"),
    "who-sees": Shot("/contacts/1/who-sees"),
    "lines": Shot("/lines/"),
    "line": Shot("/lines/1"),
    "company-settings": Shot("/settings/company/"),
    "hours": Shot("/settings/company/hours"),
    "holidays": Shot("/settings/company/holidays"),
    "audit": Shot("/settings/audit/"),
    "security": Shot("/security/"),
    "second-factor": Shot("/settings/second-factor/"),
    "sign-in-providers": Shot("/settings/sign-in/"),
    "notifications": Shot("/notifications/"),
    "notification-settings": Shot("/notifications/settings"),
    "gallery": Shot("/gallery"),
    "not-found": Shot("/no-such-page"),
}
"""By the names of their files. The owner of the demo company looks at them."""


def take(
    browser: Browser,
    address: str,
    folder: Path,
    *,
    shots: Mapping[str, Shot] = SHOTS,
    languages: Sequence[str] = LANGUAGES,
    looks: Sequence[Look] = LOOKS,
) -> None:
    """Take the pictures as ``folder/<page>/<language>-<look>.png`` and write the page that shows them."""
    for look in looks:
        for language in languages:
            with new_context(browser, theme=look.theme, phone=look.phone, locale=LOCALES[language]) as context:
                page = context.new_page()
                page.set_default_timeout(PATIENCE_MS)
                for public in (True, False):
                    if not public:
                        _enter(page, address, language)
                    for name, shot in shots.items():
                        if shot.is_public == public:
                            _take_one(page, address + shot.path, shot, folder / name / f"{language}-{look.name}.png")
    (folder / "index.html").write_text(_index(shots, languages, looks))


def _enter(page: Page, address: str, language: str) -> None:
    """Sign in as the owner and choose the language."""
    page.goto(f"{address}/sign-in")
    page.locator("input[name=email]").fill(OWNER)
    page.locator("input[name=password]").fill(DEMO_PASSWORD)
    page.locator("input[name=password]").press("Enter")
    page.locator("#user-menu").wait_for(state="attached")
    page.evaluate("value => document.querySelector(`button[name=locale][value=${value}]`).click()", language)
    page.wait_for_function("language => document.documentElement.lang === language", arg=language)


def _take_one(page: Page, url: str, shot: Shot, target: Path) -> None:
    page.goto(url)
    if shot.prepare:
        shot.prepare(page)
    page.wait_for_function(SETTLED)
    size = page.viewport_size or DESKTOP
    if shot.prepare is None:  # as if the window were as high as the page: what sticks to its edges stays there
        height = min(MOST_HIGH, max(size["height"], page.evaluate("() => document.documentElement.scrollHeight")))
        page.set_viewport_size({"width": size["width"], "height": height})
    page.screenshot(path=target)
    page.set_viewport_size({"width": size["width"], "height": size["height"]})


def _index(shots: Mapping[str, Shot], languages: Sequence[str], looks: Sequence[Look]) -> str:
    """All pictures, a row for each page."""
    variants = [f"{language}-{look.name}" for look in looks for language in languages]
    rows = [
        f"<h2>{html.escape(name)} <small>{html.escape(shot.path)}</small></h2><div>"
        + "".join(
            f'<a href="{name}/{one}.png"><img loading="lazy" src="{name}/{one}.png" alt="{one}"></a>'
            for one in variants
        )
        + "</div>"
        for name, shot in shots.items()
    ]
    return f"<!doctype html><meta charset=utf-8><title>Screenshots</title><style>{STYLE}</style>{''.join(rows)}"


def main(folder: Path, names: Sequence[str]) -> int:
    """Take what is named, or everything; 2 if a name is not known."""
    if unknown := sorted(set(names) - set(SHOTS)):
        sys.stderr.write(f"No such page: {', '.join(unknown)}. Known: {', '.join(SHOTS)}\n")
        return 2
    program = shutil.which("chromium")
    if program is None:
        sys.stderr.write("Chromium is missing. Install it: apt-get install chromium\n")
        return 1
    shots = {name: SHOTS[name] for name in names or SHOTS}
    with running_stack() as stack, chromium_browser(program) as browser:
        take(browser, stack.url(), folder, shots=shots)
    sys.stdout.write(f"{folder / 'index.html'}\n")
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    sys.exit(main(arguments.folder, arguments.names))

"""axe-core on a page: what would keep somebody from using it."""

from functools import cache
from typing import Any

from playwright.sync_api import Page

from tenant_app.assets import DIST

RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")


def violations(page: Page) -> list[str]:
    """Every violation as "rule: the elements", empty where all is well."""
    page.evaluate(_axe())
    report: dict[str, Any] = page.evaluate(
        "(tags) => axe.run(document, {runOnly: tags, iframes: false, resultTypes: ['violations']})", list(RULES)
    )
    return [
        f"{found['id']}: {', '.join(str(node['target']) for node in found['nodes'][:3])}"
        for found in report["violations"]
    ]


@cache
def _axe() -> str:
    return (DIST / "axe.min.js").read_text()

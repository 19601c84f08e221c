"""The log's address: which calls, and where the next page begins."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from core.calls.queries import CallFilters
from core.foundation.errors import Invalid
from core.foundation.i18n import _
from tenant_app.typed import as_needle

ALL: Final = "all"
WHICH: Final = (ALL, "in", "out", "internal", "missed")
PAGE_ROWS: Final = 50
MOST_ROWS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class LogState:
    """What the address says. ``which`` is a direction, ``missed`` or ``all``."""

    which: str
    text: str

    def as_filters(self) -> CallFilters:
        """The filters for the query; a missed call came from outside and nobody answered it."""
        if self.which == "missed":
            return CallFilters(direction="in", outcome="missed", search=self.text)
        return CallFilters(direction="" if self.which == ALL else self.which, search=self.text)

    def url(self, **changes: str) -> str:
        """The address of this log with other values; the page always begins anew."""
        values = {"which": "" if self.which == ALL else self.which, "q": self.text} | changes
        return f"/calls/?{urlencode({name: value for name, value in values.items() if value})}".rstrip("?")


def log_state(arguments: Mapping[str, str]) -> LogState:
    """Read the address; raises ``Invalid``."""
    which = arguments.get("which") or ALL
    if which not in WHICH:
        raise Invalid({"which": _("There is no such list.")})
    return LogState(which=which, text=as_needle(arguments.get("q")))


def key_from_url(text: str | None) -> int | None:
    """The id of the last call of the page before; raises ``Invalid`` for anything else (ATTACK 26)."""
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid({"after": _("This address leads nowhere; open the list again.")})
    return int(text)


def rows_wanted(text: str | None) -> int:
    """How many rows a refresh asks for: as many as the reader has loaded, within reason."""
    wanted = int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else PAGE_ROWS
    return min(max(wanted, PAGE_ROWS), MOST_ROWS)

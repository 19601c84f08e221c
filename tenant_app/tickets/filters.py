"""The list's address: which tickets, and where the next page begins."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from core.foundation.errors import Invalid
from core.foundation.i18n import _
from core.tickets.queries import TicketFilter, TicketKey
from core.tickets.service import STATUSES
from tenant_app.typed import as_id, as_needle

ALL: Final = "all"
OWNERS: Final = ("me", "none")
PAGE_ROWS: Final = 50
MOST_ROWS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ListState:
    """What the address says. ``status`` is a status or ``all``; ``owner`` is ``me``, ``none``, an id, or empty for
    everyone."""

    status: str
    owner: str
    text: str

    def as_filter(self) -> TicketFilter:
        """The filter for the query."""
        owner = self.colleague_id or self.owner or None
        return TicketFilter(status=None if self.status == ALL else self.status, owner=owner, search=self.text)

    @property
    def colleague_id(self) -> int | None:
        """Whose tickets are shown, if it is one colleague's."""
        return int(self.owner) if self.owner.isdigit() else None

    def url(self, **changes: str) -> str:
        """The address of this list with other values; the page always begins anew."""
        values = {"status": self.status, "owner": self.owner, "q": self.text} | changes
        return f"/tickets/?{urlencode({name: value for name, value in values.items() if value})}"


def list_state(arguments: Mapping[str, str]) -> ListState:
    """Read the address. Without a status a search looks everywhere, and the plain list shows what is open."""
    text = as_needle(arguments.get("q"))
    status = arguments.get("status") or (ALL if text else "open")
    owner = arguments.get("owner", "").strip()
    if status not in {*STATUSES, ALL}:
        raise Invalid({"status": _("There is no such status.")})
    if owner and owner not in OWNERS and not as_id(owner):
        raise Invalid({"owner": _("There is no such list.")})
    return ListState(status=status, owner=owner, text=text)


def key_in_url(key: TicketKey) -> str:
    """Where the next page begins, as it stands in the address."""
    return f"{key.last_activity_at.isoformat()}~{key.ticket_id}"


def key_from_url(text: str | None) -> TicketKey | None:
    """Raises ``Invalid`` for anything that is not a key (ATTACK 26)."""
    if not text:
        return None
    moment, _tilde, ticket_id = text.partition("~")
    try:
        at = datetime.fromisoformat(moment)
        key = TicketKey(at, int(ticket_id))
    except ValueError:
        key = None
    if key is None or key.last_activity_at.tzinfo is None or not 0 < key.ticket_id < 2**63:
        raise Invalid({"after": _("This address leads nowhere; open the list again.")})
    return key


def rows_wanted(text: str | None) -> int:
    """How many rows a refresh asks for: as many as the reader has loaded, within reason."""
    wanted = int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else PAGE_ROWS
    return min(max(wanted, PAGE_ROWS), MOST_ROWS)

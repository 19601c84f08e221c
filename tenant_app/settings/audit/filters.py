"""The log's address: which changes, and where the next page begins."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from core.audit.kinds import KINDS
from core.audit.queries import ChangeKey, Wanted
from core.foundation.errors import Invalid
from core.foundation.i18n import Message, _
from tenant_app.typed import as_id, as_needle

PATH: Final = "/settings/audit/"
PRODUCT: Final = "product"
"""Stands where a user's id stands, for what nobody did by hand."""
NOWHERE: Final = _("This address leads nowhere; open the list again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogState:
    """What was asked for, as it was typed; ``subject`` is the id of one thing of the kind."""

    who: str
    kind: str
    subject: str
    since: str
    until: str
    text: str

    @property
    def is_filtered(self) -> bool:
        """Whether anything was asked for."""
        return any((self.who, self.kind, self.since, self.until, self.text))

    def values(self) -> dict[str, str]:
        """The address's parts, without what is empty."""
        named = {
            "who": self.who,
            "kind": self.kind,
            "subject": self.subject,
            "since": self.since,
            "until": self.until,
            "q": self.text,
        }
        return {name: value for name, value in named.items() if value}

    def url(self, **changes: str) -> str:
        """The address of this log with other values; the page always begins anew."""
        values = {name: value for name, value in (self.values() | changes).items() if value}
        return f"{PATH}?{urlencode(values)}".rstrip("?")


def log_state(arguments: Mapping[str, str]) -> LogState:
    """What the address or the form says."""
    return LogState(
        who=arguments.get("who", "").strip(),
        kind=arguments.get("kind", "").strip(),
        subject=arguments.get("subject", "").strip(),
        since=arguments.get("since", "").strip(),
        until=arguments.get("until", "").strip(),
        text=as_needle(arguments.get("q")),
    )


def wanted_changes(state: LogState, time_zone: str) -> Wanted:
    """The question, with days as the company's clock has them; raises ``Invalid`` by the fields' names (ATTACK 26)."""
    problems: dict[str, Message] = {}
    since, until = _day(state.since, "since", problems), _day(state.until, "until", problems)
    if since and until and until < since:
        problems["until"] = _("The last day is before the first.")
    if state.who and state.who != PRODUCT and not as_id(state.who):
        problems["who"] = _("There is no such person.")
    if (state.kind and state.kind not in KINDS) or (state.subject and not as_id(state.subject)):
        problems["kind"] = _("There is no such kind of change.")
    if problems:
        raise Invalid(problems)
    return Wanted(
        user_id=as_id(state.who) if state.who != PRODUCT else None,
        by_product=state.who == PRODUCT,
        kind=state.kind,
        subject_id=as_id(state.subject),
        since=_begin(since, time_zone) if since else None,
        until=_begin(until + timedelta(days=1), time_zone) if until else None,
        text=state.text,
    )


def key_in_url(key: ChangeKey) -> str:
    """Where the next page begins, as it stands in the address."""
    return f"{key.changed_at.isoformat()}~{key.change_id}"


def key_from_url(text: str | None) -> ChangeKey | None:
    """Raises ``Invalid`` for anything that is not a key (ATTACK 26)."""
    if not text:
        return None
    moment, _tilde, change_id = text.partition("~")
    try:
        at = datetime.fromisoformat(moment)
    except ValueError as error:
        raise Invalid({"after": NOWHERE}) from error
    if at.tzinfo is None or not as_id(change_id):
        raise Invalid({"after": NOWHERE})
    return ChangeKey(at, as_id(change_id) or 0)


def _day(text: str, field: str, problems: dict[str, Message]) -> date | None:
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        problems[field] = _("This is no date.")
        return None
    if not 1970 <= day.year <= 9000:
        problems[field] = _("This is no date.")
        return None
    return day


def _begin(day: date, time_zone: str) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(time_zone))

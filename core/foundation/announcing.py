"""The history's row, the event and the word to open browsers about one change, in one statement.

What ``record_change``, ``emit`` and ``tell`` do one by one; most changes want all three.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from core.foundation.history import Values, differences
from core.foundation.live import CHANNEL, message
from core.foundation.outbox import WAKE_CHANNEL, Event
from core.foundation.statements import Statement
from core.foundation.unit_of_work import Work

ANNOUNCE: Final = (
    "app_announce(:kind, {subject}, cast(:fields as jsonb), :user_id, :door, :event, {payload}, :work_channel, "
    ":live_channel, {message})"
)
"""For statements that change a thing and tell of it at once; see ``announcement``."""

_ANNOUNCE: Final = Statement(
    f"select {ANNOUNCE.format(subject=':subject', payload='cast(:payload as jsonb)', message=':message')}"
)


def announce(work: Work, kind: str, subject_id: int, *, before: Values, after: Values, event: Event) -> None:
    """Write down the fields that differ, store ``event``, and wake the relay and the browsers that watch the thing.

    Values must be what JSON can hold. ``before`` is empty for something new, ``after`` for something deleted.
    """
    values = announcement(work, kind, [subject_id], before=before, after=after, event=event.name)
    _ANNOUNCE.rows(work.session, values | {"subject": subject_id, "payload": json.dumps(asdict(event))})


def announcement(
    work: Work, kind: str, ids: Sequence[int], *, before: Values, after: Values, event: str
) -> dict[str, Any]:
    """The parameters of ``ANNOUNCE`` but for the subject's id and the event's payload."""
    fields = differences(before, after)
    return {
        "kind": kind,
        "fields": json.dumps(fields) if fields else None,
        "user_id": work.actor.user_id,
        "door": work.actor.door,
        "event": event,
        "work_channel": WAKE_CHANNEL,
        "live_channel": CHANNEL,
        "message": message(work, kind, ids),
    }

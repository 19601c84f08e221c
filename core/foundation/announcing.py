"""The history's row, the event and the word to open browsers about one change, in one statement.

What ``record_change``, ``emit`` and ``tell`` do one by one; most changes want all three.
"""

import json
from dataclasses import asdict
from typing import Final

from core.foundation.history import Values, differences
from core.foundation.live import CHANNEL, message
from core.foundation.outbox import WAKE_CHANNEL, Event
from core.foundation.statements import Statement
from core.foundation.unit_of_work import Work

_ANNOUNCE: Final = Statement(
    "select app_announce(:kind, :subject, cast(:fields as jsonb), :user_id, :door, :event, cast(:payload as jsonb), "
    ":work_channel, :live_channel, :message)"
)


def announce(work: Work, kind: str, subject_id: int, *, before: Values, after: Values, event: Event) -> None:
    """Write down the fields that differ, store ``event``, and wake the relay and the browsers that watch the thing.

    Values must be what JSON can hold. ``before`` is empty for something new, ``after`` for something deleted.
    """
    fields = differences(before, after)
    values = {
        "kind": kind,
        "subject": subject_id,
        "fields": json.dumps(fields) if fields else None,
        "user_id": work.actor.user_id,
        "door": work.actor.door,
        "event": event.name,
        "payload": json.dumps(asdict(event)),
        "work_channel": WAKE_CHANNEL,
        "live_channel": CHANNEL,
        "message": message(work, kind, [subject_id]),
    }
    _ANNOUNCE.rows(work.session, values)

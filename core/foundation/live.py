"""Telling open browsers that something changed.

``tell`` sends a PostgreSQL NOTIFY, which arrives only after the commit. It names a topic and ids, never content: the
browser then asks for the fragment, and the server answers with what that user may see.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import func, select

from core.foundation.unit_of_work import Work

CHANNEL: Final = "centrala_live"
MOST_IDS: Final = 300
"""More do not fit into the 7,999 bytes of a NOTIFY for certain; then the topic is told as a whole."""


def tell(work: Work, topic: str, ids: Sequence[int] = ()) -> None:
    """Wake the browsers of this tenant that watch ``topic`` (or ``topic:id``); without ids, all that watch it."""
    tell_several(work, {topic: ids})


def tell_several(work: Work, topics: Mapping[str, Sequence[int]]) -> None:
    """``tell`` of several topics in one statement."""
    notices = (func.pg_notify(CHANNEL, message(work, topic, ids)) for topic, ids in topics.items())
    work.session.execute(select(*notices))


def message(work: Work, topic: str, ids: Sequence[int]) -> str:
    """What goes over ``CHANNEL``."""
    return json.dumps(
        {"tenant": work.actor.tenant_id, "topic": topic, "ids": list(ids) if len(ids) <= MOST_IDS else []}
    )

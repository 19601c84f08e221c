"""``GET /live``: the stream of one browser."""

import json
import queue
import time
from collections.abc import Iterator
from typing import Final

from flask import Response
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from core.foundation.actor import Door, TenantId, system_actor
from core.foundation.unit_of_work import Work, unit_of_work
from core.identity.sessions import TOPIC as SESSIONS
from core.identity.sign_in import signed_in
from tenant_app.live.hub import Stream, hub
from tenant_app.pages import signed_in_only
from tenant_app.security import viewer

QUIET_S: Final = 15.0
CHECK_S: Final = 30.0


class Live(BaseView):
    """Server-sent events: ``data: {"topic": …, "ids": […]}``."""

    route_base = ""

    @expose("/live")
    @signed_in_only
    def stream(self, work: Work) -> ResponseReturnValue:
        """Messages until the browser goes away or the sign-in ends; the transaction is over before the first one."""
        person = viewer()
        token = person.id if person else ""
        return Response(
            _messages(work.actor.tenant_id, token, work.actor.user_id or 0),
            mimetype="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )


def _messages(tenant_id: TenantId, token: str, user_id: int) -> Iterator[str]:
    stream = hub().open(tenant_id)
    checked_at = time.monotonic()
    try:
        yield "retry: 2000\n\n"
        while True:
            message = _next_of(stream)
            yield f"data: {message}\n\n" if message else ": still here\n\n"
            if _ends_sessions(message, user_id) or time.monotonic() - checked_at > CHECK_S:
                checked_at = time.monotonic()
                if not _still_signed_in(tenant_id, token):
                    yield "event: signed-out\ndata: {}\n\n"
                    return
    finally:
        hub().close(tenant_id, stream)


def _next_of(stream: Stream) -> str:
    try:
        return stream.get(timeout=QUIET_S)
    except queue.Empty:
        return ""


def _ends_sessions(message: str, user_id: int) -> bool:
    """Whether this user's sessions changed: one that was ended ends its stream at once."""
    if f'"topic": "{SESSIONS}"' not in message:
        return False
    return user_id in json.loads(message)["ids"]


def _still_signed_in(tenant_id: TenantId, token: str) -> bool:
    with unit_of_work(system_actor(tenant_id, door=Door.WEB)) as work:
        return signed_in(work, token) is not None

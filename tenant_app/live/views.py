"""``GET /live``: the stream of one browser."""

import queue
import time
from collections.abc import Iterator
from typing import Final

from flask import Response
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from core.foundation.actor import Door, TenantId, system_actor
from core.foundation.unit_of_work import Work, unit_of_work
from core.identity.sign_in import signed_in
from tenant_app.live.hub import hub
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
            _messages(work.actor.tenant_id, token),
            mimetype="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )


def _messages(tenant_id: TenantId, token: str) -> Iterator[str]:
    stream = hub().open(tenant_id)
    checked_at = time.monotonic()
    try:
        yield "retry: 2000\n\n"
        while True:
            try:
                yield f"data: {stream.get(timeout=QUIET_S)}\n\n"
            except queue.Empty:
                yield ": still here\n\n"
            if time.monotonic() - checked_at > CHECK_S:
                checked_at = time.monotonic()
                if not _still_signed_in(tenant_id, token):
                    yield "event: signed-out\ndata: {}\n\n"
                    return
    finally:
        hub().close(tenant_id, stream)


def _still_signed_in(tenant_id: TenantId, token: str) -> bool:
    with unit_of_work(system_actor(tenant_id, door=Door.WEB)) as work:
        return signed_in(work, token) is not None

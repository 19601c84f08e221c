"""``GET /gallery``."""

from math import sin
from typing import Final

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose

from core.foundation import clock
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.notifications.kinds import KINDS, Kind, title
from core.notifications.queries import NotificationRow
from tenant_app.pages import signed_in_only
from tenant_app.qr import qr_code
from tenant_app.waveform import waveform

SPEECH: Final = [round(abs(sin(place / 3) * sin(place / 17)) * 255) for place in range(200)]


class Gallery(BaseView):
    """The component gallery."""

    route_base = ""

    @expose("/gallery")
    @signed_in_only
    def show(self, work: Work) -> ResponseReturnValue:  # noqa: ARG002  # every page has a transaction
        """All components."""
        return render_template(
            "gallery.html",
            gallery_at=clock.now(),
            gallery_code=qr_code("https://example.com/gallery"),
            gallery_wave=waveform(SPEECH, SPEECH[::-1]),
            gallery_show=str,
            gallery_notifications={"rows": _notifications()},
        )


def _notifications() -> list[NotificationRow]:
    """One of each kind, by turns unread and read."""
    return [
        NotificationRow(
            id=0,
            kind=kind,
            title=title(kind, "", 3 if kind is Kind.CUSTOMER_ANSWERED else 1),
            about="#17 Faktura 2026-114" if KINDS[kind].permission is Permission.TICKETS_READ else "",
            caller="Jana Nováková" if kind is Kind.CALL_MISSED else "",
            number="",
            path="#",
            happened_at=clock.now(),
            is_read=bool(place % 2),
        )
        for place, kind in enumerate(KINDS)
    ]

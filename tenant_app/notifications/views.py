"""``/notifications/…`` and ``/service-worker.js``."""

from datetime import UTC, datetime, timedelta
from typing import Final

from flask import Response, flash, redirect, render_template, request, send_file
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from core.directory.phones import shown_phone
from core.foundation.errors import Invalid
from core.foundation.i18n import _ as message
from core.foundation.unit_of_work import Work
from core.identity.agents import browser_name
from core.notifications.choices import choose, my_choices
from core.notifications.keys import public_key
from core.notifications.kinds import KINDS, Channel
from core.notifications.queries import NotificationKey, list_notifications, unread_count
from core.notifications.service import read_all, read_notification
from core.notifications.subscriptions import BrowserKeys, my_browsers, subscribe, unsubscribe
from tenant_app.assets import asset_file
from tenant_app.hosts import current_tenant
from tenant_app.languages import say
from tenant_app.pages import public, signed_in_only
from tenant_app.security import viewer

HOME: Final = "/notifications/"
SETTINGS: Final = "/notifications/settings"
LATEST_ROWS: Final = 8
PAGE_ROWS: Final = 50
MOST_ROWS: Final = 500
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Notifications(BaseView):
    """What happened that concerns the viewer."""

    route_base = "/notifications"

    @expose("/")
    @signed_in_only
    def index(self, work: Work) -> ResponseReturnValue:
        """All of them, newest first, page by page."""
        after, limit = _key_from_url(request.args.get("after")), _rows_wanted(request.args.get("rows"))
        page = list_notifications(work, after=after, limit=limit)
        more_url = f"{HOME}?after={_key_in_url(page.next_key)}" if page.next_key else None
        return render_template(
            "notifications/list.html", page=page, more_url=more_url, unread=unread_count(work), show=_show_phone
        )

    @expose("/bell")
    @signed_in_only
    def bell(self, work: Work) -> ResponseReturnValue:
        """How many are unread, for the bell of every page."""
        return render_template("notifications/bell.html", unread=unread_count(work))

    @expose("/latest")
    @signed_in_only
    def latest(self, work: Work) -> ResponseReturnValue:
        """The newest ones, for the panel below the bell."""
        return _latest(work)

    @expose("/<int:notification_id>")
    @signed_in_only
    def follow(self, work: Work, notification_id: int) -> ResponseReturnValue:
        """To what it is about; then it is read."""
        return redirect(read_notification(work, notification_id).path, 303)

    @expose("/<int:notification_id>/read", methods=["POST"])
    @signed_in_only
    def read(self, work: Work, notification_id: int) -> ResponseReturnValue:
        """Mark one as read."""
        read_notification(work, notification_id)
        return _latest(work) if request.headers.get("HX-Request") else redirect(HOME, 303)

    @expose("/read-all", methods=["POST"])
    @signed_in_only
    def read_all(self, work: Work) -> ResponseReturnValue:
        """Mark all as read."""
        read_all(work)
        return _latest(work) if request.headers.get("HX-Request") else redirect(HOME, 303)

    @expose("/settings")
    @signed_in_only
    def settings(self, work: Work) -> ResponseReturnValue:
        """What comes by which channel, and the browsers that take pushes."""
        return _settings(work)

    @expose("/settings", methods=["POST"])
    @signed_in_only
    def choose(self, work: Work) -> ResponseReturnValue:
        """Store the choices; the page posts them with each press on a box."""
        wanted: dict[str, list[str]] = {kind: [] for kind in request.form.getlist("kind")}
        for chosen in request.form.getlist("chosen"):
            kind, _colon, channel = chosen.partition(":")
            wanted.setdefault(kind, []).append(channel)
        try:
            choose(work, wanted)
        except Invalid as error:
            return _settings(work, problem=say(error.message)), 422
        if request.headers.get("HX-Request"):
            return render_template("notifications/saved.html")
        flash(_("Saved."), "success")
        return redirect(SETTINGS, 303)

    @expose("/push", methods=["POST"])
    @signed_in_only
    def push(self, work: Work) -> ResponseReturnValue:
        """Let this browser take pushes; its script sends what the browser gave away."""
        form = request.form
        keys = BrowserKeys(endpoint=form.get("endpoint", ""), p256dh=form.get("p256dh", ""), auth=form.get("auth", ""))
        try:
            subscribe(work, keys, token=_token())
        except Invalid as error:
            return _settings(work, problem=say(error.message)), 422
        flash(_("Notifications come to this browser now."), "success")
        return redirect(SETTINGS, 303)

    @expose("/push/<int:subscription_id>/remove", methods=["POST"])
    @signed_in_only
    def remove(self, work: Work, subscription_id: int) -> ResponseReturnValue:
        """Let a browser take none any more."""
        unsubscribe(work, subscription_id)
        flash(_("That browser gets no notifications any more."), "success")
        return redirect(SETTINGS, 303)


class ServiceWorker(BaseView):
    """The script that shows pushes. It stands at the root, so that it serves the whole site."""

    route_base = ""

    @expose("/service-worker.js")
    @public
    def script(self) -> ResponseReturnValue:
        """The bundled script; browsers look for a newer one by themselves."""
        response: Response = send_file(asset_file("service-worker.js"), mimetype="text/javascript", max_age=0)
        response.headers["Cache-Control"] = "no-cache"
        return response


def _latest(work: Work) -> str:
    page = list_notifications(work, limit=LATEST_ROWS)
    return render_template("notifications/latest.html", page=page, show=_show_phone)


def _settings(work: Work, *, problem: str | None = None) -> str:
    return render_template(
        "notifications/settings.html",
        kinds=KINDS,
        channels=list(Channel),
        choices=my_choices(work),
        browsers=my_browsers(work, _token()),
        browser_name=lambda agent: say(browser_name(agent)),
        public_key=public_key(work),
        problem=problem,
    )


def _key_in_url(key: NotificationKey) -> str:
    return f"{(key.happened_at - EPOCH) // timedelta(microseconds=1)}-{key.notification_id}"


def _key_from_url(text: str | None) -> NotificationKey | None:
    """Raises ``Invalid`` for anything that is not a key (ATTACK 26)."""
    if not text:
        return None
    moment, _dash, notification_id = text.partition("-")
    is_key = all(part.isascii() and part.isdigit() and len(part) < 19 for part in (moment, notification_id))
    if not is_key or int(moment) > 4_000_000_000_000_000:
        raise Invalid({"after": message("This address leads nowhere; open the list again.")})
    return NotificationKey(EPOCH + timedelta(microseconds=int(moment)), int(notification_id))


def _rows_wanted(text: str | None) -> int:
    """How many rows a refresh asks for: as many as the reader has loaded, within reason."""
    wanted = int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else PAGE_ROWS
    return min(max(wanted, PAGE_ROWS), MOST_ROWS)


def _show_phone(number: str) -> str:
    return shown_phone(number, current_tenant().country)


def _token() -> str:
    person = viewer()
    return person.id if person else ""

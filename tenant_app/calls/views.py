"""``/calls/…``: the log, a call's page, its recording, and the cards of the static panel."""

import json
from collections.abc import Mapping
from io import BytesIO

from flask import Response, flash, redirect, render_template, request, send_file
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from core.calls.casework import open_ticket_for_call
from core.calls.queries import CallDetail, call_detail, call_log, recording_stream
from core.calls.service import pair_call
from core.directory.phones import shown_phone
from core.directory.queries import Choice, contact_choices
from core.foundation.errors import Conflict
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.notifications.service import read_about_call
from tenant_app.calls.cards import card_of, live_cards
from tenant_app.calls.filters import key_from_url, log_state, rows_wanted
from tenant_app.hosts import current_tenant
from tenant_app.languages import say
from tenant_app.pages import requires
from tenant_app.typed import as_id, as_needle
from tenant_app.waveform import Waveform, waveform


class Calls(BaseView):
    """Calls with customers and among colleagues."""

    route_base = "/calls"

    @expose("/")
    @requires(Permission.CALLS_READ)
    def index(self, work: Work) -> ResponseReturnValue:
        """The log, by direction and words, page by page."""
        state = log_state(request.args)
        after, limit = key_from_url(request.args.get("after")), rows_wanted(request.args.get("rows"))
        page = call_log(work, state.as_filters(), after=after, limit=limit)
        more_url = state.url(after=str(page.after)) if page.after else None
        return render_template("calls/list.html", page=page, state=state, more_url=more_url, show=_show_number)

    @expose("/<int:call_id>")
    @requires(Permission.CALLS_READ)
    def show(self, work: Work, call_id: int) -> ResponseReturnValue:
        """A call: who, what rang, how it ended, and its sound."""
        found = call_detail(work, call_id)
        if not request.headers.get("HX-Request"):
            read_about_call(work, call_id)
        needle = as_needle(request.args.get("who"))
        return render_template(
            "calls/detail.html",
            call=found.call,
            events=found.events,
            recording=found.recording,
            wave=_wave(found),
            candidates=_candidates(work, found, needle),
            needle=needle,
            show=_show_number,
        )

    @expose("/<int:call_id>/recording")
    @requires(Permission.RECORDINGS_PLAY)
    def recording(self, work: Work, call_id: int) -> ResponseReturnValue:
        """The sound, Opus in Ogg, whole or the part that a player asks for (RFC 9110, 14)."""
        sound = recording_stream(work, call_id)
        response = send_file(BytesIO(sound), mimetype="audio/ogg", download_name=f"call-{call_id}.ogg")
        response.headers["Cache-Control"] = "private, no-store"
        return response

    @expose("/<int:call_id>/player")
    @requires(Permission.RECORDINGS_PLAY)
    def player(self, work: Work, call_id: int) -> ResponseReturnValue:
        """The player alone, for a timeline that loads it on demand."""
        found = call_detail(work, call_id)
        return render_template(
            "calls/player_only.html", call=found.call, recording=found.recording, wave=_wave(found), show=_show_number
        )

    @expose("/card")
    @requires(Permission.CALLS_READ)
    def cards(self, work: Work) -> ResponseReturnValue:
        """The cards of what rings for the viewer now, or what they are in; empty if there is nothing."""
        return _private(render_template("calls/cards.html", cards=live_cards(work), show=_show_number))

    @expose("/<int:call_id>/card")
    @requires(Permission.CALLS_READ)
    def card(self, work: Work, call_id: int) -> ResponseReturnValue:
        """One call's card, also when it is over."""
        return _private(render_template("calls/cards.html", cards=[card_of(work, call_id)], show=_show_number))

    @expose("/<int:call_id>/pair", methods=["POST"])
    @requires(Permission.CALLS_MAKE)
    def pair(self, work: Work, call_id: int) -> ResponseReturnValue:
        """Say whose call it is; the panel gets the card again."""
        pair_call(work, call_id, as_id(request.form.get("contact_id")) or 0)
        if request.headers.get("HX-Request"):
            return _private(render_template("calls/cards.html", cards=[card_of(work, call_id)], show=_show_number))
        flash(_("The call belongs to this contact now."), "success")
        return redirect(f"/calls/{call_id}", 303)

    @expose("/<int:call_id>/ticket", methods=["POST"])
    @requires(Permission.TICKETS_WRITE)
    def ticket(self, work: Work, call_id: int) -> ResponseReturnValue:
        """Open a ticket for the call; the panel gets the card again, and a notice leads to the ticket."""
        try:
            url = f"/tickets/{open_ticket_for_call(work, call_id)}"
        except Conflict as error:
            if not request.headers.get("HX-Request"):
                raise
            return _noticed(Response(status=204), {"text": say(error.message), "tone": "danger"})
        if not request.headers.get("HX-Request"):
            return redirect(url, 303)
        notice = {"text": _("Ticket opened."), "tone": "success", "url": url, "link_text": _("Open the ticket")}
        card = render_template("calls/cards.html", cards=[card_of(work, call_id)], show=_show_number)
        return _noticed(_private(card), notice)


def _wave(found: CallDetail) -> Waveform | None:
    sound = found.recording
    return waveform(sound.caller_peaks, sound.callee_peaks) if sound and sound.state == "ready" else None


def _candidates(work: Work, found: CallDetail, needle: str) -> list[Choice]:
    """Contacts that the call could be paired with: those who have the number, or whom the words find."""
    if not work.actor.may(Permission.CALLS_MAKE) or not work.actor.may(Permission.CONTACTS_READ):
        return []
    if needle:
        return contact_choices(work, needle)
    others = [match for match in found.matches if match.id != found.call.contact_id]
    return [Choice(match.id, match.name, match.company or "") for match in others]


def _show_number(number: str) -> str:
    """A number as the tenant's country writes it; lines' and short numbers stay as they are."""
    return shown_phone(number, current_tenant().country) if number.startswith("+") else number


def _noticed(response: Response, notice: Mapping[str, object]) -> Response:
    response.headers["HX-Trigger"] = json.dumps({"toast": notice})
    return response


def _private(fragment: str) -> Response:
    return Response(fragment, headers={"Cache-Control": "private, no-store"})

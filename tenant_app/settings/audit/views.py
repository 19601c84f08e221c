"""``/settings/audit/``: who changed what, page by page, and as a file."""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final
from zoneinfo import ZoneInfo

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import gettext as _

from core.audit.kinds import kind_name, readable_kinds
from core.audit.queries import (
    EXPORT_STEP,
    ChangeKey,
    Entry,
    EntryPage,
    Wanted,
    begin_export,
    changes,
    everybody,
)
from core.audit.telling import Told
from core.foundation.actor import Actor
from core.foundation.errors import Invalid
from core.foundation.i18n import Message, translate
from core.foundation.permissions import Permission
from core.foundation.read_log import How
from core.foundation.unit_of_work import Work, unit_of_work
from tenant_app.hosts import current_tenant
from tenant_app.languages import current_language, say
from tenant_app.pages import requires
from tenant_app.settings.audit.filters import PRODUCT, LogState, key_from_url, key_in_url, log_state, wanted_changes
from tenant_app.settings.audit.words import WHAT, door_words
from tenant_app.settings.spreadsheets import csv_lines

PAGES: Final = {
    "contact": "/contacts/{}",
    "company": "/companies/{}",
    "ticket": "/tickets/{}",
    "call": "/calls/{}",
    "outbound_mail": "/outbox/{}",
}
"""Where a thing that the reader sees has a page of its own."""


class Audit(BaseView):
    """The log of all changes."""

    route_base = "/settings/audit"

    @expose("/")
    @requires(Permission.AUDIT_READ)
    def index(self, work: Work) -> ResponseReturnValue:
        """What was changed, newest first, by person, kind, days and words."""
        state = log_state(request.args)
        after = key_from_url(request.args.get("after"))
        try:
            page = changes(work, wanted_changes(state, current_tenant().time_zone), after=after)
        except Invalid as error:
            return _page(work, state, EntryPage((), None), errors=error)
        return _page(work, state, page)

    @expose("/export", methods=["POST"])
    @requires(Permission.AUDIT_READ)
    def export(self, work: Work) -> ResponseReturnValue:
        """Everything that the filter leaves, as a file; the log notes it before the first line is sent."""
        state = log_state(request.form)
        try:
            wanted = wanted_changes(state, current_tenant().time_zone)
        except Invalid as error:
            return _page(work, state, EntryPage((), None), errors=error)
        begin = begin_export(work, wanted)
        rows = _rows(work.actor, wanted, begin, ZoneInfo(current_tenant().time_zone), current_language())
        return Response(
            csv_lines(chain([_headings()], rows)),
            mimetype="text/csv",
            headers={
                "Content-Disposition": 'attachment; filename="audit-log.csv"',
                "Cache-Control": "private, no-store",
            },
        )


def _page(work: Work, state: LogState, page: EntryPage, *, errors: Invalid | None = None) -> ResponseReturnValue:
    problems = {field: say(message) for field, message in errors.problems.items()} if errors else {}
    kinds = [(code, say(kind_name(code))) for code in readable_kinds(work)]
    shown = render_template(
        "audit/list.html",
        page=page,
        state=state,
        errors=problems,
        more_url=state.url(after=key_in_url(page.next_key)) if page.next_key else None,
        people=[(str(user_id), name) for user_id, name in everybody(work)],
        product=PRODUCT,
        kinds=sorted(kinds, key=lambda kind: kind[1].casefold()),
        page_of=_page_of,
        door_words=door_words,
    )
    return shown, 422 if problems else 200


def _page_of(entry: Entry) -> str | None:
    """Where the changed thing is looked at, if it still exists."""
    return PAGES[entry.kind].format(entry.subject_id) if entry.exists and entry.kind in PAGES else None


def _rows(actor: Actor, wanted: Wanted, begin: ChangeKey, zone: ZoneInfo, locale: str) -> Iterator[Sequence[str]]:
    """A line for every field of every change, in transactions of a step each: an export may take longer than any of
    them should. It runs behind the request, whose language and clock it is told."""
    after: ChangeKey | None = begin
    while after is not None:
        with unit_of_work(actor) as work:
            page = changes(work, wanted, after=after, limit=EXPORT_STEP, how=How.EXPORT)
        for entry in page.rows:
            yield from _lines(entry, zone, locale)
        after = page.next_key


def _headings() -> list[str]:
    return [
        _("When"), _("Who"), _("By which way"), _("Kind"), _("Thing"), _("What happened"), _("Field"), _("Before"),
        _("After"),
    ]  # fmt: skip


def _lines(entry: Entry, zone: ZoneInfo, locale: str) -> Iterator[list[str]]:
    def speak(message: Message | str) -> str:
        return translate(message, locale)

    def spoken(side: Told) -> str:
        return ", ".join(" · ".join(speak(part) for part in parts) for parts in side)

    common = [
        entry.changed_at.astimezone(zone).isoformat(sep=" ", timespec="seconds"),
        "Centrala" if entry.user_name is None else entry.user_name,
        speak(door_words(entry.door)),
        speak(entry.kind_name),
        entry.subject or f"#{entry.subject_id}",
        speak(WHAT[entry.what]),
    ]
    for field in entry.fields:
        yield [*common, speak(field.name), spoken(field.before), spoken(field.after)]

"""``/settings/company/…`` and ``/logo``."""

from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale
from flask import Response, after_this_request, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_appbuilder import BaseView, expose
from flask_babel import get_locale
from flask_babel import gettext as _

from core.foundation import clock
from core.foundation.actor import Door, system_actor
from core.foundation.errors import Invalid
from core.foundation.i18n import _ as message
from core.foundation.permissions import Permission
from core.foundation.sorting import sort_key
from core.foundation.unit_of_work import Work, unit_of_work
from core.tenants.company import (
    COUNTRIES,
    MOST_LOGO_BYTES,
    TIME_ZONES,
    CompanyDraft,
    change_company_settings,
    logo,
    remove_logo,
    set_logo,
)
from core.tenants.opening import (
    DAYS,
    MOST_SPANS,
    WEEKDAYS,
    clock_text,
    close_on,
    coming_year,
    follow_calendar,
    has_calendar,
    holidays_between,
    is_open,
    opening_hours,
    set_opening_hours,
    work_on,
)
from core.tenants.service import tenant_profile
from tenant_app.hosts import current_tenant, forget_hosts
from tenant_app.languages import LANGUAGE_NAMES, current_language, say
from tenant_app.pages import public, requires

PATH: Final = "/settings/company/"
SHOWN_SPANS: Final = 2
EARLIEST: Final = 2000
LATEST: Final = 2100
NO_DATE: Final = message("This is no date.")
Pairs = Mapping[int, list[tuple[str, str]]]


class CompanySettings(BaseView):
    """What the company sets for itself."""

    route_base = "/settings/company"

    @expose("/")
    @requires(Permission.SETTINGS_MANAGE)
    def index(self, work: Work) -> ResponseReturnValue:
        """The form with what holds."""
        now = tenant_profile(work)
        values = {
            "name": now.name,
            "locale": now.locale,
            "country": now.country,
            "time_zone": now.time_zone,
            "accent": now.accent or "",
        }
        return _form(work, values), 200

    @expose("/", methods=["POST"])
    @requires(Permission.SETTINGS_MANAGE)
    def change(self, work: Work) -> ResponseReturnValue:
        """Store name, language, country, time zone and colour."""
        values = {
            name: request.form.get(name, "").strip() for name in ("name", "locale", "country", "time_zone", "accent")
        }
        try:
            change_company_settings(work, CompanyDraft(**values))
        except Invalid as error:
            return _form(work, values, error), 422
        return _saved(_("Company settings saved."), PATH)

    @expose("/logo", methods=["POST"])
    @requires(Permission.SETTINGS_MANAGE)
    def logo(self, work: Work) -> ResponseReturnValue:
        """Store the uploaded picture."""
        file = request.files.get("logo")
        data = file.stream.read(MOST_LOGO_BYTES + 1) if file and file.filename else b""
        try:
            set_logo(work, data)
        except Invalid as error:
            now = tenant_profile(work)
            values = {name: getattr(now, name) or "" for name in ("name", "locale", "country", "time_zone", "accent")}
            return _form(work, values, error), 422
        return _saved(_("Logo saved."), PATH)

    @expose("/logo/remove", methods=["POST"])
    @requires(Permission.SETTINGS_MANAGE)
    def remove_logo(self, work: Work) -> ResponseReturnValue:
        """Show the product's own mark again."""
        remove_logo(work)
        return _saved(_("Logo removed."), PATH)

    @expose("/hours")
    @requires(Permission.SETTINGS_MANAGE)
    def hours(self, work: Work) -> ResponseReturnValue:
        """The week, with room for another span a day."""
        week = opening_hours(work)
        shown = {day: [(clock_text(span.opens), clock_text(span.closes)) for span in week[day]] for day in range(DAYS)}
        return _hours(work, shown), 200

    @expose("/hours", methods=["POST"])
    @requires(Permission.SETTINGS_MANAGE)
    def change_hours(self, work: Work) -> ResponseReturnValue:
        """Store the week."""
        typed = {
            day: [
                (request.form.get(f"{name}-{place}-opens", ""), request.form.get(f"{name}-{place}-closes", ""))
                for place in range(MOST_SPANS + 1)
            ]
            for day, name in enumerate(WEEKDAYS)
        }
        try:
            set_opening_hours(work, typed)
        except Invalid as error:
            kept = {day: [pair for pair in pairs if any(pair)] for day, pairs in typed.items()}
            return _hours(work, kept, error), 422
        return _saved(_("Business hours saved."), f"{PATH}hours")

    @expose("/holidays")
    @requires(Permission.SETTINGS_MANAGE)
    def holidays(self, work: Work) -> ResponseReturnValue:
        """The holidays of the coming year, and a form for days of one's own."""
        return _holidays(work, {"day": "", "name": ""}), 200

    @expose("/holidays", methods=["POST"])
    @requires(Permission.SETTINGS_MANAGE)
    def add_holiday(self, work: Work) -> ResponseReturnValue:
        """Add a day on which the company is closed."""
        values = {"day": request.form.get("day", "").strip(), "name": request.form.get("name", "")}
        try:
            close_on(work, _day(values["day"]), values["name"])
        except Invalid as error:
            return _holidays(work, values, error), 422
        return _saved(_("Day added."), f"{PATH}holidays")

    @expose("/holidays/open", methods=["POST"])
    @requires(Permission.SETTINGS_MANAGE)
    def work_on_holiday(self, work: Work) -> ResponseReturnValue:
        """Leave a public holiday out."""
        try:
            work_on(work, _day(request.form.get("day", "").strip()))
        except Invalid as error:
            return _holidays(work, {"day": "", "name": ""}, error), 422
        return _saved(_("The company works on this day."), f"{PATH}holidays")

    @expose("/holidays/forget", methods=["POST"])
    @requires(Permission.SETTINGS_MANAGE)
    def forget_holiday(self, work: Work) -> ResponseReturnValue:
        """Let the country's calendar decide again."""
        try:
            follow_calendar(work, _day(request.form.get("day", "").strip()))
        except Invalid as error:
            return _holidays(work, {"day": "", "name": ""}, error), 422
        return _saved(_("The day follows the calendar again."), f"{PATH}holidays")


class Logo(BaseView):
    """The company's logo for everybody who sees its sign-in page."""

    route_base = ""

    @expose("/logo")
    @public
    def show(self) -> ResponseReturnValue:
        """The picture; its address carries its version, so a browser keeps it."""
        with unit_of_work(system_actor(current_tenant().id, door=Door.WEB)) as work:
            picture = logo(work)
        return Response(picture, mimetype="image/png", headers={"Cache-Control": "private, max-age=86400"})


def _saved(text: str, url: str) -> ResponseReturnValue:
    """Behind a change; this process asks for the company anew once it is committed."""
    after_this_request(_with_company_anew)
    flash(text, "success")
    return redirect(url, 303)


def _with_company_anew(response: Response) -> Response:
    forget_hosts()
    return response


def _form(work: Work, values: Mapping[str, str], error: Invalid | None = None) -> str:
    return render_template(
        "company/form.html",
        values=values,
        errors=_sentences(error),
        logo_version=tenant_profile(work).logo,
        languages=list(LANGUAGE_NAMES.items()),
        countries=_countries(str(get_locale())),
        time_zones=[(zone, zone.replace("_", " ")) for zone in TIME_ZONES],
    )


def _hours(work: Work, week: Pairs, error: Invalid | None = None) -> str:
    rows = {
        day: [*pairs, *[("", "")] * max(1, SHOWN_SPANS - len(pairs))][: MOST_SPANS + 1] for day, pairs in week.items()
    }
    now = clock.now()
    local = now.astimezone(ZoneInfo(tenant_profile(work).time_zone))
    return render_template(
        "company/hours.html",
        week=rows,
        names=WEEKDAYS,
        errors=_sentences(error),
        is_set=any(any(pair) for pairs in week.values() for pair in pairs),
        is_open=is_open(work, now),
        today=local.weekday(),
        local_time=f"{local:%H:%M}",
        time_zone=tenant_profile(work).time_zone,
    )


def _with_room(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The day's spans and an empty one behind them, two at least."""
    return [*pairs, *[("", "")] * max(1, SHOWN_SPANS - len(pairs))][: MOST_SPANS + 1]


def _holidays(work: Work, values: Mapping[str, str], error: Invalid | None = None) -> str:
    profile = tenant_profile(work)
    first, last = coming_year(clock.now().astimezone(ZoneInfo(profile.time_zone)).date())
    return render_template(
        "company/holidays.html",
        days=holidays_between(work, first, last, locale=current_language()),
        values=values,
        errors=_sentences(error),
        country=dict(_countries(str(get_locale()))).get(profile.country, profile.country),
        has_calendar=has_calendar(profile.country),
    )


def _sentences(error: Invalid | None) -> Mapping[str, str]:
    return {field: say(message) for field, message in error.problems.items()} if error else {}


def _day(typed: str) -> date:
    try:
        day = date.fromisoformat(typed)
    except ValueError as error:
        raise Invalid({"day": NO_DATE}) from error
    if not EARLIEST <= day.year <= LATEST:
        raise Invalid({"day": NO_DATE})
    return day


@cache
def _countries(language: str) -> list[tuple[str, str]]:
    """Codes and names of countries, in the order of a language."""
    territories = Locale.parse(language).territories
    names = [(code, territories.get(code, code)) for code in COUNTRIES]
    return sorted(names, key=lambda pair: sort_key(pair[1], language))

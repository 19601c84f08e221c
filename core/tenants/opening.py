"""When a company is open: spans of each weekday, the country's public holidays, and days of its own."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

import holidays
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from core.foundation.errors import Invalid
from core.foundation.history import record_change
from core.foundation.i18n import Message, _
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.tenants.models import HolidayRule, OpeningHours
from core.tenants.service import tenant_profile

HOURS: Final = "opening_hours"
HOLIDAY: Final = "holiday_rule"
DAYS: Final = 7
DAY_MINUTES: Final = 24 * 60
MOST_SPANS: Final = 6
LONGEST_NAME: Final = 80
TIME: Final = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)", re.ASCII)
SPOKEN: Final = {"en": "en_US", "cs": "cs", "pl": "pl"}
"""What the library calls our languages; where a country has no such names it gives its own."""
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From a minute of the day to another; 1440 is midnight at its end."""

    opens: int
    closes: int

    def __str__(self) -> str:
        return f"{clock_text(self.opens)}–{clock_text(self.closes)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """A day on which the company is closed, or a public one on which it is open (``is_open``).

    ``is_own`` says that the company set it itself.
    """

    day: date
    name: str
    is_public: bool
    is_open: bool
    is_own: bool


def opening_hours(work: Work) -> Mapping[int, Sequence[Span]]:
    """The spans of every weekday, 0 is Monday; a day without any is closed."""
    query = select(OpeningHours).order_by(OpeningHours.weekday, OpeningHours.opens_minute)
    week: dict[int, list[Span]] = {weekday: [] for weekday in range(DAYS)}
    for row in work.session.scalars(query):
        week[row.weekday].append(Span(row.opens_minute, row.closes_minute))
    return week


def set_opening_hours(work: Work, typed: Mapping[int, Sequence[tuple[str, str]]]) -> None:
    """Store the week; empty spans are left out. Raises ``Forbidden``, ``Invalid`` by ``monday`` and so on."""
    work.actor.require(Permission.SETTINGS_MANAGE)
    problems: dict[str, Message] = {}
    week: dict[int, list[Span]] = {}
    for weekday in range(DAYS):
        try:
            week[weekday] = _spans(typed.get(weekday, ()))
        except Invalid as error:
            problems[WEEKDAYS[weekday]] = error.message
    if problems:
        raise Invalid(problems)
    before = _told(opening_hours(work))
    work.session.execute(delete(OpeningHours))
    work.session.add_all(
        OpeningHours(weekday=weekday, opens_minute=span.opens, closes_minute=span.closes)
        for weekday, spans in week.items()
        for span in spans
    )
    work.session.flush()
    record_change(work, HOURS, work.actor.tenant_id, before=before, after=_told(week))


def holidays_between(work: Work, first: date, last: date, *, locale: str) -> list[Holiday]:
    """Public holidays of the company's country and its own days, ``first`` and ``last`` included, in their order."""
    public = _public(tenant_profile(work).country, first.year, last.year, SPOKEN[locale])
    query = select(HolidayRule).where(HolidayRule.day.between(first, last))
    rules = {rule.day: rule for rule in work.session.scalars(query)}
    days = {day for day in public if first <= day <= last} | rules.keys()
    return [
        Holiday(
            day=day,
            name=(rules[day].name if day in rules and rules[day].name else public.get(day, "")),
            is_public=day in public,
            is_open=day in rules and rules[day].is_open,
            is_own=day in rules,
        )
        for day in sorted(days)
    ]


def close_on(work: Work, day: date, name: str) -> None:
    """Add a day on which the company is closed. Raises ``Forbidden``, ``Invalid`` for a day that is one already."""
    _add(work, HolidayRule(day=day, name=_checked_name(name), is_open=False))


def work_on(work: Work, day: date) -> None:
    """Leave a public holiday out: the company works on it. Raises ``Forbidden``, ``Invalid`` for any other day."""
    work.actor.require(Permission.SETTINGS_MANAGE)
    if day not in _public(tenant_profile(work).country, day.year, day.year, "en_US"):
        raise Invalid({"day": _("This day is no public holiday.")})
    _add(work, HolidayRule(day=day, name="", is_open=True))


def follow_calendar(work: Work, day: date) -> None:
    """Let the day be what the country's calendar says, if it was something else; raises ``Forbidden``."""
    work.actor.require(Permission.SETTINGS_MANAGE)
    rule = work.session.scalars(select(HolidayRule).where(HolidayRule.day == day)).one_or_none()
    if rule is not None:
        record_change(work, HOLIDAY, rule.id, before=_rule(rule), after={})
        work.session.delete(rule)
        work.session.flush()


def is_open(work: Work, at: datetime) -> bool:
    """Whether the company is open at this moment, by its own clock."""
    local = at.astimezone(ZoneInfo(tenant_profile(work).time_zone))
    today = holidays_between(work, local.date(), local.date(), locale="en")
    if any(not holiday.is_open for holiday in today):
        return False
    minute = local.hour * 60 + local.minute
    return any(span.opens <= minute < span.closes for span in opening_hours(work)[local.weekday()])


def coming_year(today: date) -> tuple[date, date]:
    """From ``today`` to the same day of the next year."""
    return today, today + timedelta(days=366)


def clock_text(minute: int) -> str:
    """``9:30`` as a form shows it: ``09:30``."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def has_calendar(country: str) -> bool:
    """Whether the holidays of the country are known."""
    return country in holidays.list_supported_countries(include_aliases=False)


def _add(work: Work, rule: HolidayRule) -> None:
    work.actor.require(Permission.SETTINGS_MANAGE)
    try:
        with work.session.begin_nested():
            work.session.add(rule)
            work.session.flush()
    except IntegrityError as error:
        raise Invalid({"day": _("This day is set already.")}) from error
    record_change(work, HOLIDAY, rule.id, before={}, after=_rule(rule))


def _rule(rule: HolidayRule) -> Mapping[str, str | bool]:
    return {"day": rule.day.isoformat(), "name": rule.name, "open_on_holiday": rule.is_open}


def _checked_name(typed: str) -> str:
    name = " ".join(typed.replace("\0", " ").split())
    if not name:
        raise Invalid({"name": _("Say what day it is.")})
    if len(name) > LONGEST_NAME:
        raise Invalid({"name": _("At most %(count)d characters.", count=LONGEST_NAME)})
    return name


def _spans(typed: Sequence[tuple[str, str]]) -> list[Span]:
    filled = [(opens.strip(), closes.strip()) for opens, closes in typed if opens.strip() or closes.strip()]
    if len(filled) > MOST_SPANS:
        raise Invalid({"spans": _("At most %(count)d spans a day.", count=MOST_SPANS)})
    spans = sorted(Span(_minute(opens), _minute(closes) or DAY_MINUTES) for opens, closes in filled)
    if any(span.closes <= span.opens for span in spans):
        raise Invalid({"spans": _("The end must be after the beginning; midnight is 24:00.")})
    if any(later.opens < earlier.closes for earlier, later in pairwise(spans)):
        raise Invalid({"spans": _("Two spans overlap.")})
    return spans


def _minute(typed: str) -> int:
    found = TIME.fullmatch(typed)
    minute = int(found[1]) * 60 + int(found[2]) if found else DAY_MINUTES + 1
    if minute > DAY_MINUTES:
        raise Invalid({"spans": _("Write times like 8:30.")})
    return minute


def _told(week: Mapping[int, Sequence[Span]]) -> dict[str, list[str]]:
    return {WEEKDAYS[weekday]: [str(span) for span in week.get(weekday, ())] for weekday in range(DAYS)}


@lru_cache(maxsize=256)
def _public(country: str, first_year: int, last_year: int, language: str) -> Mapping[date, str]:
    """The public holidays of the years by day; none for a country that the library does not know."""
    if not has_calendar(country):
        return {}
    years = range(first_year, last_year + 1)
    return dict(holidays.country_holidays(country, years=years, language=language))

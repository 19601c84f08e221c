"""What a company sets for itself: checked, stored in its own row alone, and written down."""

import io
import zlib
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from PIL import Image
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError

from core.foundation.errors import Forbidden, Invalid, NotFound
from core.foundation.history import Change
from core.tenants import opening
from core.tenants.company import CompanyDraft, change_company_settings, logo, remove_logo, set_logo
from core.tenants.models import Tenant
from core.tenants.opening import (
    Span,
    close_on,
    follow_calendar,
    holidays_between,
    is_open,
    opening_hours,
    set_opening_hours,
    work_on,
)
from core.tenants.service import tenant_profile
from tests.conftest import WorkAs
from tests.support.cast import Cast

GOOD = CompanyDraft(name="Lípa  s.r.o.", locale="cs", country="PL", time_zone="Europe/Warsaw", accent="#3050C8")
NEW_YEAR = date(2027, 1, 1)


def picture(kind: str = "PNG", size: tuple[int, int] = (900, 300)) -> bytes:
    """An image file."""
    file = io.BytesIO()
    Image.new("RGB", size, "#3050c8").save(file, kind)
    return file.getvalue()


def test_settings_hold_for_the_own_company_alone_and_are_written_down(work_as: WorkAs, cast: Cast) -> None:
    with work_as("oleg") as work:
        others = tenant_profile(work)
    with work_as("anna") as work:
        change_company_settings(work, GOOD)
        now = tenant_profile(work)
        assert (now.name, now.locale, now.country, now.time_zone) == ("Lípa s.r.o.", "cs", "PL", "Europe/Warsaw")
        assert now.accent == "#3050c8"
        noted = work.session.scalars(select(Change).where(Change.subject_kind == "company_settings")).one()
        assert noted.fields["name"] == ["Demo", "Lípa s.r.o."]
        assert noted.user_id == cast.demo.users["anna"]
    with work_as("oleg") as work:
        assert tenant_profile(work) == others


@pytest.mark.attack(3)
def test_the_table_of_companies_itself_stays_closed(work_as: WorkAs) -> None:
    with pytest.raises(ProgrammingError), work_as("anna") as work:
        work.session.execute(text("update tenant set name = 'mine'"))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " \0 "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"locale": "de"}, "locale"),
        ({"country": "XX"}, "country"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"accent": "red"}, "accent"),
        ({"accent": "#ffffff"}, "accent"),
        ({"accent": "#16171b"}, "accent"),
    ],
)
def test_what_cannot_hold_is_refused_at_its_field(work_as: WorkAs, change: dict[str, str], field: str) -> None:
    values = {"name": "Demo", "locale": "en", "country": "CZ", "time_zone": "Europe/Prague", "accent": None} | change
    with work_as("anna") as work:
        with pytest.raises(Invalid) as refused:
            change_company_settings(work, CompanyDraft(**values))  # type: ignore[arg-type]  # one of them is wrong
        assert list(refused.value.problems) == [field]
        assert tenant_profile(work).name == "Demo"


@pytest.mark.parametrize("name", ["boris", "vera"])
def test_only_who_manages_settings_sets_them(work_as: WorkAs, name: str) -> None:
    with work_as(name) as work:
        changes: list[Callable[[], None]] = [
            lambda: change_company_settings(work, GOOD),
            lambda: set_logo(work, picture()),
            lambda: remove_logo(work),
            lambda: set_opening_hours(work, {}),
            lambda: close_on(work, NEW_YEAR, "Trip"),
            lambda: work_on(work, NEW_YEAR),
            lambda: follow_calendar(work, NEW_YEAR),
        ]
        for change in changes:
            with pytest.raises(Forbidden):
                change()


# The logo


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
def test_a_picture_is_drawn_anew_as_a_small_png(work_as: WorkAs, kind: str) -> None:
    with work_as("anna") as work:
        set_logo(work, picture(kind) + b"<script>alert(1)</script>")
        stored = logo(work)
        with Image.open(io.BytesIO(stored)) as shown:
            assert (shown.format, shown.size) == ("PNG", (384, 128))
        assert b"script" not in stored
        assert tenant_profile(work).logo
        remove_logo(work)
        assert tenant_profile(work).logo is None
        with pytest.raises(NotFound):
            logo(work)
        changes = select(Change).where(Change.subject_kind == "company_settings").order_by(Change.id)
        assert [change.fields for change in work.session.scalars(changes)] == [
            {"logo": [None, "new"]},
            {"logo": ["old", None]},
        ]


def huge_png() -> bytes:
    """A PNG that claims 60,000 × 60,000 pixels."""
    head = (60_000).to_bytes(4) * 2 + bytes([8, 2, 0, 0, 0])
    chunk = b"IHDR" + head
    return b"\x89PNG\r\n\x1a\n" + len(head).to_bytes(4) + chunk + zlib.crc32(chunk).to_bytes(4) + bytes(100)


@pytest.mark.attack(43)
@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.4", huge_png(), bytes(5 * 2**20 + 1)],
    ids=["nothing", "torn", "svg", "pdf", "bomb", "large"],
)
def test_what_is_no_small_picture_is_refused(work_as: WorkAs, data: bytes) -> None:
    with work_as("anna") as work:
        with pytest.raises(Invalid) as refused:
            set_logo(work, data)
        assert list(refused.value.problems) == ["logo"]
        assert tenant_profile(work).logo is None


@pytest.mark.attack(5)
def test_another_company_has_its_own_logo_or_none(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        set_logo(work, picture())
    with work_as("oleg") as work, pytest.raises(NotFound):
        logo(work)


# Business hours


def test_a_day_has_several_spans_in_their_order(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        set_opening_hours(work, {0: [("13:00", "24:00"), ("8:30", "12:00"), ("", "")], 6: [("0:00", "1:00")]})
        week = opening_hours(work)
        assert week[0] == [Span(510, 720), Span(780, 1440)]
        assert week[6] == [Span(0, 60)]
        assert week[1] == []
        noted = work.session.scalars(select(Change).where(Change.subject_kind == "opening_hours")).one()
        assert noted.fields == {"monday": [[], ["08:30–12:00", "13:00–24:00"]], "sunday": [[], ["00:00–01:00"]]}
    with work_as("oleg") as work:
        assert not any(opening_hours(work).values())


@pytest.mark.parametrize(
    "spans",
    [
        [("8", "12:00")],
        [("8:30", "")],
        [("12:00", "8:00")],
        [("9:00", "9:00")],
        [("8:00", "12:00"), ("11:59", "13:00")],
        [("25:00", "26:00")],
        [("24:30", "24:40")],
        [(f"{hour}:00", f"{hour}:30") for hour in range(7)],
    ],
)
def test_spans_that_make_no_sense_are_refused_by_their_day(work_as: WorkAs, spans: list[tuple[str, str]]) -> None:
    with work_as("anna") as work:
        set_opening_hours(work, {0: [("8:00", "9:00")]})
        with pytest.raises(Invalid) as refused:
            set_opening_hours(work, {2: spans})
        assert list(refused.value.problems) == ["wednesday"]
        assert opening_hours(work)[0] == [Span(480, 540)]


def test_open_is_what_the_companys_clock_says(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        set_opening_hours(work, {day: [("8:00", "16:00")] for day in range(5)})
        tuesday = datetime(2026, 7, 7, 6, 0, tzinfo=UTC)  # 8:00 in Prague
        assert is_open(work, tuesday)
        assert not is_open(work, tuesday.replace(hour=5, minute=59))
        assert not is_open(work, tuesday.replace(hour=14))
        assert not is_open(work, datetime(2026, 7, 4, 9, 0, tzinfo=UTC))  # a Saturday
        monday = datetime(2026, 7, 6, 9, 0, tzinfo=UTC)  # Jan Hus Day
        assert not is_open(work, monday)
        work_on(work, monday.date())
        assert is_open(work, monday)
        close_on(work, tuesday.date(), "Trip")
        assert not is_open(work, tuesday)


# Holidays


def test_the_countrys_holidays_are_named_in_the_readers_language(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        found = holidays_between(work, NEW_YEAR, date(2027, 12, 31), locale="cs")
        assert len(found) == 13
        assert {entry.day: entry.name for entry in found}[date(2027, 9, 28)] == "Den české státnosti"
        change_company_settings(work, GOOD)
        assert date(2027, 11, 11) in {
            entry.day for entry in holidays_between(work, NEW_YEAR, date(2027, 12, 31), locale="pl")
        }


def test_own_days_are_added_and_holidays_left_out_until_they_follow_the_calendar_again(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        close_on(work, date(2027, 5, 14), " Company  trip ")
        work_on(work, NEW_YEAR)
        found = {entry.day: entry for entry in holidays_between(work, NEW_YEAR, date(2027, 5, 31), locale="en")}
        trip, new_year = found[date(2027, 5, 14)], found[NEW_YEAR]
        assert (trip.name, trip.is_public, trip.is_open, trip.is_own) == ("Company trip", False, False, True)
        assert (new_year.is_public, new_year.is_open, new_year.is_own) == (True, True, True)
        for day in (NEW_YEAR, trip.day):
            follow_calendar(work, day)
        left = {entry.day: entry for entry in holidays_between(work, NEW_YEAR, date(2027, 5, 31), locale="en")}
        assert trip.day not in left
        assert not left[NEW_YEAR].is_open
        kinds = work.session.scalars(select(Change.subject_kind).where(Change.subject_kind == "holiday_rule")).all()
        assert len(kinds) == 4
    with work_as("oleg") as work:
        assert date(2027, 5, 14) not in {
            entry.day for entry in holidays_between(work, NEW_YEAR, date(2027, 5, 31), locale="en")
        }


def test_a_day_is_set_once_with_a_name_and_only_holidays_are_left_out(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        close_on(work, date(2027, 5, 14), "Trip")
        changes: list[tuple[Callable[[], None], str]] = [
            (lambda: close_on(work, date(2027, 5, 14), "Again"), "day"),
            (lambda: close_on(work, date(2027, 5, 15), "  "), "name"),
            (lambda: close_on(work, date(2027, 5, 15), "x" * 81), "name"),
            (lambda: work_on(work, date(2027, 5, 17)), "day"),
        ]
        for change, field in changes:
            with pytest.raises(Invalid) as refused:
                change()
            assert list(refused.value.problems) == [field]


def test_a_country_without_a_calendar_has_own_days_alone(work_as: WorkAs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "has_calendar", lambda _country: False)
    year = (date(2035, 1, 1), date(2035, 12, 31))  # which nothing else asks for: the library's answers are kept
    with work_as("anna") as work:
        close_on(work, date(2035, 5, 14), "Trip")
        assert [entry.name for entry in holidays_between(work, *year, locale="en")] == ["Trip"]


def test_the_row_stays_one_of_the_tenants(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        change_company_settings(work, GOOD)
        assert work.session.get_one(Tenant, cast.demo.tenant_id).realm == tenant_profile(work).realm

"""The company's settings as pages, and where they show."""

import io
from collections.abc import Iterator
from datetime import datetime

import pytest

from core.tenants.company import set_logo
from tenant_app.hosts import forget_hosts
from tests.conftest import ClientAs, WorkAs
from tests.core.tenants.test_company import picture

PAGE = "/settings/company/"
FORM = {"name": "Lípa s.r.o.", "locale": "cs", "country": "PL", "time_zone": "Asia/Tokyo", "accent": "#117744"}


@pytest.fixture(autouse=True)
def _company_asked_anew() -> Iterator[None]:
    """What a test changed and rolled back is not remembered."""
    forget_hosts()
    yield
    forget_hosts()


def test_name_colour_and_clock_show_at_once(client_as: ClientAs) -> None:
    anna = client_as("anna")
    assert anna.post(PAGE, data=FORM).status_code == 303
    page = anna.get(PAGE).text
    assert "Lípa s.r.o.</span></a>" in page
    assert 'href="/theme.css?v=117744"' in page
    assert "#117744" in anna.get("/theme.css").text
    assert "Asia/Tokyo" in anna.get(f"{PAGE}hours").text
    assert "Lípa s.r.o." in client_as("nobody").get("/sign-in").text
    assert "Lípa" not in client_as("oleg").get("/").text
    assert "Brand colour" in anna.get("/settings/audit/?kind=company_settings").text


def test_a_number_without_prefix_belongs_to_the_country(client_as: ClientAs) -> None:
    anna = client_as("anna")
    anna.post(PAGE, data=FORM)
    made = anna.post("/contacts/new", data={"name": "Łucja", "phones-0-number": "512 345 678", "database_id": "1"})
    assert made.status_code == 303, made.text
    assert "tel:+48512345678" in anna.get(made.location).text


def test_a_bad_form_says_why_and_keeps_what_was_typed(client_as: ClientAs) -> None:
    anna = client_as("anna")
    answer = anna.post(PAGE, data={**FORM, "accent": "green", "country": ""})
    assert answer.status_code == 422
    assert 'value="Lípa s.r.o."' in answer.text
    assert 'value="green"' in answer.text
    assert 'id="accent-error"' in answer.text
    assert 'id="country-error"' in answer.text
    assert "Lípa" not in anna.get("/").text


def test_a_logo_is_uploaded_shown_to_everybody_and_removed(client_as: ClientAs) -> None:
    anna = client_as("anna")
    upload = {"logo": (io.BytesIO(picture()), "logo.png")}
    assert anna.post(f"{PAGE}logo", data=upload, content_type="multipart/form-data").status_code == 303
    for client, path in ((anna, "/"), (client_as("nobody"), "/sign-in")):
        assert 'class="navigation-logo" src="/logo?v=' in client.get(path).text
    shown = client_as("nobody").get("/logo")
    assert (shown.status_code, shown.mimetype) == (200, "image/png")
    assert client_as("oleg").get("/logo").status_code == 404
    assert anna.post(f"{PAGE}logo/remove").status_code == 303
    assert "navigation-logo" not in anna.get("/").text
    assert anna.get("/logo").status_code == 404


@pytest.mark.attack(43)
def test_a_script_in_a_pictures_name_is_no_picture(client_as: ClientAs, work_as: WorkAs) -> None:
    anna = client_as("anna")
    upload = {"logo": (io.BytesIO(b"<svg onload='alert(1)'/>"), "logo.png")}
    answer = anna.post(f"{PAGE}logo", data=upload, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert 'id="logo-error"' in answer.text
    with work_as("anna") as work:
        set_logo(work, picture())
    assert anna.get("/logo").headers["X-Content-Type-Options"] == "nosniff"


def test_the_week_is_stored_and_a_bad_day_named(client_as: ClientAs) -> None:
    anna = client_as("anna")
    week = {"monday-0-opens": "8:30", "monday-0-closes": "12:00", "monday-1-opens": "13:00", "monday-1-closes": "17:00"}
    assert anna.post(f"{PAGE}hours", data=week).status_code == 303
    page = anna.get(f"{PAGE}hours").text
    assert 'name="monday-1-closes" value="17:00"' in page
    assert 'name="monday-2-opens" value=""' in page
    bad = anna.post(f"{PAGE}hours", data={**week, "monday-1-opens": "11:00"})
    assert bad.status_code == 422
    assert 'id="monday-error"' in bad.text
    assert 'value="11:00"' in bad.text
    assert "13:00" in anna.get(f"{PAGE}hours").text


def test_holidays_are_listed_left_out_and_added(client_as: ClientAs, held_clock: datetime) -> None:
    anna = client_as("anna")
    assert "St. Stephen" in anna.get(f"{PAGE}holidays").text or "Christmas" in anna.get(f"{PAGE}holidays").text
    assert anna.post(f"{PAGE}holidays", data={"day": "2027-03-03", "name": "<b>Trip</b>"}).status_code == 303
    assert anna.post(f"{PAGE}holidays/open", data={"day": "2026-12-24"}).status_code == 303
    page = anna.get(f"{PAGE}holidays").text
    assert "Working" in page
    assert "Own day" in page
    for form in ({"day": "3 May", "name": "Kept"}, {"day": "1900-01-01", "name": "Kept"}):
        bad = anna.post(f"{PAGE}holidays", data=form)
        assert bad.status_code == 422
        assert 'value="Kept"' in bad.text
    assert anna.post(f"{PAGE}holidays/open", data={"day": "2027-03-04"}).status_code == 422
    assert anna.post(f"{PAGE}holidays/forget", data={"day": "2026-12-24"}).status_code == 303
    assert "Working" not in anna.get(f"{PAGE}holidays").text

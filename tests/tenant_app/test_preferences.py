"""What users choose for themselves, and the tenant's colour, which must stay legible."""

import re

import pytest
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from core.foundation.colours import DARK_SURFACE, TINT_DARK, TINT_LIGHT, WHITE, Colour, accent_of, contrast
from core.foundation.settings import settings
from tenant_app import hosts
from tests.conftest import ClientAs
from tests.support.cast import Cast

COLOURS = ["#000000", "#ffffff", "#ffff00", "#3d51c8", "#808080", "#777777", "#767676", "#ff0000", "#00ff00", "#0000ff",
           "#f59e0b", "#e11d48", "#14b8a6", "#fde68a", "#1e293b", "#7c3aed"]  # fmt: skip


def parsed(colour: str) -> Colour:
    """``#rrggbb`` as numbers."""
    red, green, blue = bytes.fromhex(colour[1:])
    return red, green, blue


def mixed(ground: Colour, colour: Colour, share: float) -> Colour:
    """What CSS's ``color-mix(in srgb, …)`` makes of two colours."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(ground, colour, strict=True))
    return red, green, blue


def test_contrast_is_the_ratio_of_wcag() -> None:
    assert contrast(WHITE, (0, 0, 0)) == pytest.approx(21)
    assert contrast((0x77, 0x77, 0x77), WHITE) == pytest.approx(4.48, abs=0.01)
    assert contrast(WHITE, WHITE) == 1


@pytest.mark.parametrize("colour", COLOURS)
def test_text_on_a_tenants_colour_can_be_read(colour: str) -> None:
    accent = accent_of(colour)
    assert accent is not None
    assert accent.on_fill in {"#000000", "#ffffff"}
    assert contrast(parsed(accent.fill), parsed(accent.on_fill)) >= 4.5
    assert contrast(parsed(accent.hover), parsed(accent.on_fill)) >= 4.5


@pytest.mark.parametrize("colour", COLOURS)
def test_a_tenants_colour_as_text_can_be_read_in_both_themes(colour: str) -> None:
    accent = accent_of(colour)
    assert accent is not None
    fill = parsed(colour)
    for ground in (WHITE, mixed(WHITE, fill, TINT_LIGHT)):
        assert contrast(parsed(accent.ink_light), ground) >= 4.5
    for ground in (DARK_SURFACE, mixed(DARK_SURFACE, fill, TINT_DARK)):
        assert contrast(parsed(accent.ink_dark), ground) >= 4.5


@pytest.mark.parametrize("colour", ["", "red", "#fff", "#12345g", "#123456;}body{display:none}", "#123456\n"])
def test_what_is_no_colour_sets_none(colour: str) -> None:
    assert accent_of(colour) is None


def test_the_style_sheet_carries_the_tenants_colour(app: Flask, committed: Cast) -> None:
    engine = create_engine(settings().owner_database_url)
    with engine.begin() as connection:
        connection.execute(text("update tenant set accent = '#f59e0b' where realm is not null and name = 'Demo'"))
    engine.dispose()
    hosts.forget_hosts()
    client = app.test_client()
    answer = client.get("/theme.css", base_url=committed.demo.base_url)
    hosts.forget_hosts()
    assert answer.mimetype == "text/css"
    assert "--tenant-accent: #f59e0b;" in answer.text
    assert "--tenant-on-accent: #000000;" in answer.text
    assert client.get("/theme.css", base_url=committed.other.base_url).text.strip() == ""


def test_the_database_takes_no_other_colour(committed: Cast) -> None:
    engine = create_engine(settings().owner_database_url)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.execute(text("update tenant set accent = 'red;}'"))
    engine.dispose()


def test_the_theme_follows_the_user(client_as: ClientAs) -> None:
    answer = client_as("vera").post("/preferences/theme", data={"theme": "dark", "next": "/gallery"})
    assert (answer.status_code, answer.location) == (303, "/gallery")
    assert 'data-theme="dark"' in client_as("vera").get("/gallery").text
    assert 'data-theme="dark"' not in client_as("boris").get("/gallery").text


@pytest.mark.covers("P-28")
def test_the_language_follows_the_user_whatever_the_browser_says(client_as: ClientAs) -> None:
    client_as("vera").post("/preferences/language", data={"locale": "pl"})
    page = client_as("vera").get("/gallery", headers={"Accept-Language": "cs"}).text
    assert re.search(r'<html lang="pl"', page)


def test_a_script_gets_no_page_for_its_choice(client_as: ClientAs) -> None:
    answer = client_as("vera").post("/preferences/theme", data={"theme": "dark"}, headers={"HX-Request": "true"})
    assert (answer.status_code, answer.text) == (204, "")


@pytest.mark.parametrize(
    ("path", "form"), [("theme", {"theme": "pink"}), ("language", {"locale": "de"}), ("theme", {})]
)
def test_a_choice_that_does_not_exist_is_refused(client_as: ClientAs, path: str, form: dict[str, str]) -> None:
    assert client_as("vera").post(f"/preferences/{path}", data=form).status_code == 422


@pytest.mark.attack(29)
def test_the_way_back_leads_nowhere_else(client_as: ClientAs) -> None:
    answer = client_as("vera").post("/preferences/theme", data={"theme": "dark", "next": "//evil.example"})
    assert answer.location == "/"

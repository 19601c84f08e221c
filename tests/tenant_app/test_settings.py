"""The page of settings: who sees which section, and how one is found."""

import re

import pytest
from flask import Flask

from core.foundation.i18n import Message, translate
from core.foundation.permissions import Permission
from core.identity.models import UserAccount
from core.identity.service import create_permission_group
from tenant_app.sections import GROUPS, SECTIONS, Found, find_sections, section_of
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import AGENT, READER, Cast

TILE = re.compile(r'class="tile-name" href="([^"]+)"')
LINK = re.compile(r'class="settings-link" href="([^"]+)"( aria-current="page")?')
HIT = re.compile(r'class="line-title" href="([^"]+)"')
NAVIGATION = 'class="navigation-link" href="/settings/"'


def everything(_permission: Permission) -> bool:
    """Whoever may all."""
    return True


def found(text: str, locale: str = "en") -> list[Found]:
    """What somebody finds who may everything and reads ``locale``."""

    def speak(message: Message) -> str:
        return translate(message, locale)

    return find_sections(text, everything, speak)


def urls(text: str, locale: str = "en") -> list[str]:
    """Where what was found leads."""
    return [hit.url for hit in found(text, locale)]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.path)
def test_every_section_opens_for_the_owner_under_its_own_place(client_as: ClientAs, section: object) -> None:
    path = section.path  # type: ignore[attr-defined]
    anna = client_as("anna")
    assert anna.get(path).status_code == 200
    assert path in TILE.findall(anna.get("/settings/").text)


def test_every_section_stands_in_a_group_and_once() -> None:
    assert {section.group for section in SECTIONS} <= GROUPS.keys()
    assert len({section.path for section in SECTIONS}) == len(SECTIONS)


def test_every_place_of_a_setting_is_a_page_of_the_app(app: Flask) -> None:
    adapter = app.url_map.bind("demo.localhost")
    for section in SECTIONS:
        for setting in section.settings:
            adapter.match((section.path + setting.place).partition("#")[0], method="GET")


@pytest.mark.parametrize(("name", "held"), [("boris", AGENT), ("vera", READER)])
@pytest.mark.covers("D-FAQ-22")
def test_only_sections_that_open_are_shown(client_as: ClientAs, name: str, held: frozenset[Permission]) -> None:
    client = client_as(name)
    allowed = [section.path for section in SECTIONS if section.permission in held]
    page = client.get("/settings/")
    assert sorted(TILE.findall(page.text)) == sorted(allowed)
    assert page.status_code == (200 if allowed else 403)
    assert (NAVIGATION in client.get("/").text) == bool(allowed)
    for path in allowed:
        assert client.get(path).status_code == 200


@pytest.mark.covers("D-FAQ-22")
def test_a_section_without_rights_is_not_found_either(client_as: ClientAs) -> None:
    assert "/lines/" in HIT.findall(client_as("anna").get("/settings/?q=lines").text)
    page = client_as("boris").get("/settings/?q=lines").text
    assert HIT.findall(page) == []
    assert "No such setting" in page


def test_one_permission_opens_its_sections_alone(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        group = create_permission_group(work, "Telephones", permissions={Permission.LINES_MANAGE})
        work.session.get_one(UserAccount, cast.demo.users["vera"]).permission_group_id = group
    vera = client_as("vera")
    assert TILE.findall(vera.get("/settings/").text) == ["/lines/", "/lines/trunks"]
    assert NAVIGATION in vera.get("/").text


def test_a_page_of_settings_shows_its_neighbours_and_itself(client_as: ClientAs) -> None:
    beside = LINK.findall(client_as("anna").get("/lines/trunks/new").text)
    assert [path for path, current in beside if current] == ["/lines/trunks"]
    assert {section.path for section in SECTIONS} == {path for path, _current in beside}


def test_the_navigation_says_where_one_is(client_as: ClientAs) -> None:
    def current(name: str, path: str) -> list[str]:
        return re.findall(r'class="navigation-link" href="([^"]+)" aria-current', client_as(name).get(path).text)

    assert current("anna", "/lines/") == ["/settings/"]
    assert current("anna", "/lines/mine") == ["/calls/"]
    assert current("boris", "/lines/mine") == ["/calls/"]
    assert current("anna", "/books/") == ["/contacts/"]
    assert current("anna", "/") == ["/"]
    assert current("anna", "/gallery") == []


def test_a_page_belongs_to_the_section_with_the_longest_address() -> None:
    trunks, lines = section_of("/lines/trunks/7/edit"), section_of("/lines/7")
    assert trunks is not None
    assert lines is not None
    assert (trunks.path, lines.path) == ("/lines/trunks", "/lines/")
    assert section_of("/tickets/") is None


# Finding


def test_the_name_comes_before_what_is_said_about_it() -> None:
    hits = found("lines")
    assert hits[0].url == "/lines/"
    assert not hits[0].is_setting


def test_a_single_setting_is_found_with_its_section() -> None:
    assert urls("caller id") == ["/lines/"]
    assert "/lines/trunks/new" in urls("new provider")


@pytest.mark.parametrize(("text", "locale"), [("LINKY", "cs"), ("linkách", "cs"), ("linkach", "cs"), ("łącza", "pl")])
def test_words_are_found_in_the_language_of_the_reader(text: str, locale: str) -> None:
    assert urls(text, locale)
    assert urls(text, "en") == []


@pytest.mark.parametrize("text", ["", "  ", "?", "zzz", "lines zzz", "li%es", "x" * 5000])
def test_what_is_not_there_is_not_found(text: str) -> None:
    assert urls(text) == []


def test_what_was_typed_stays_and_cannot_break_out(client_as: ClientAs) -> None:
    page = client_as("anna").get("/settings/?q=%22%3E%3Cscript%3Ealert(1)").text
    assert "<script>alert" not in page
    assert "&#34;&gt;&lt;script&gt;alert(1)" in page

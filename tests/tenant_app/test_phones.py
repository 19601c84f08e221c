"""Phones and programs: a password that is seen once, a code that works once, and a phone that is emptied when lost."""

import plistlib
import re
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from core.directory.books.clients import MOST_CLIENTS, add_client
from core.directory.books.entries import put_in_book
from core.directory.books.service import BookDraft, SyncPolicy, create_book
from core.directory.books.visits import Unknown
from core.directory.drafts import ContactDraft
from core.directory.service import create_contact
from core.foundation import clock
from tenant_app.phones.links import seal, unseal
from tenant_app.phones.profiles import MEDIA_TYPE, mobileconfig
from tenant_app.phones.server import DavServer, dav_server
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast
from tests.support.clients import form_token
from tests.support.phone import Phone, field_text

TLS = DavServer(url="https://dav.example.com", host="dav.example.com", port=443, uses_tls=True, base_path="")


def added(client: FlaskClient, name: str = "iPhone") -> tuple[str, str]:
    """Add a phone: its own address (``/synced/7``) and the page that shows the password."""
    answer = client.post("/synced/new", data={"name": name})
    assert answer.status_code == 303, answer.text
    ready = answer.headers["Location"]
    return ready.removesuffix("/ready"), client.get(ready).text


def link_of(page: str) -> str:
    """The path of the link behind the code."""
    found = re.search(r"/synced/profile/[\w-]+", page)
    assert found, page
    return found.group()


def scanned(client_as: ClientAs, link: str) -> FlaskClient:
    """A phone's browser without a session, on the page that the code opens."""
    browser = client_as("nobody")
    page = browser.get(link)
    assert page.status_code == 200, page.text
    browser.token = form_token(page.text)  # type: ignore[attr-defined]  # our own client
    return browser


@pytest.fixture
def book(work_as: WorkAs, cast: Cast) -> int:
    """A book with one contact that goes onto phones."""
    draft = BookDraft(
        name="Partners", database_id=cast.demo.open_database, everyone_sees=True, sync_policy=SyncPolicy.PHONE_BOOK
    )
    with work_as("anna") as work:
        book_id = create_book(work, draft)
        contact_id = create_contact(work, ContactDraft(name="Jana Malá", database_id=cast.demo.open_database))
        put_in_book(work, book_id, [contact_id])
    return book_id


# Adding


@pytest.mark.covers("GD-7")
def test_a_phone_is_added_by_one_field_and_syncs_with_what_the_page_shows(client_as: ClientAs, book: int) -> None:
    boris = client_as("boris")
    assert 'value="iPhone"' in boris.get("/synced/new").text
    _url, page = added(boris)
    assert field_text(page, "server") == dav_server().url
    phone = Phone(field_text(page, "username"), field_text(page, "password"))
    phone.sync()
    assert "Jana Malá" in phone.text
    for program in ("iPhone and iPad", "Mac", "Android", "Thunderbird", "Outlook"):
        assert program in page


def test_the_password_is_shown_once_and_kept_by_no_cache(client_as: ClientAs) -> None:
    boris = client_as("boris")
    answer = boris.post("/synced/new", data={"name": "iPhone"})
    shown = boris.get(answer.headers["Location"])
    assert shown.headers["Cache-Control"] == "no-store"
    assert shown.headers["Referrer-Policy"] == "no-referrer"
    again = boris.get(answer.headers["Location"])
    assert again.status_code == 410
    assert "The password is not shown again" in again.text
    assert field_text(shown.text, "password") not in again.text


def test_the_password_stands_nowhere_in_the_database(client_as: ClientAs, work_as: WorkAs) -> None:
    _url, page = added(client_as("boris"))
    secrets = (field_text(page, "password"), link_of(page).rpartition("/")[2])
    with work_as("system") as work:
        for table in ("synced_client", "profile_link", "change", "event", "job"):
            rows = work.session.scalar(text(f"select coalesce(string_agg(t::text, ' '), '') from {table} t")) or ""
            for secret in secrets:
                assert secret not in rows
                assert secret.encode().hex() not in rows


def test_a_phone_without_a_name_is_asked_for_one(client_as: ClientAs) -> None:
    answer = client_as("boris").post("/synced/new", data={"name": " "})
    assert answer.status_code == 422
    assert 'id="name-error"' in answer.text


def test_too_many_phones_are_refused_with_the_limit(client_as: ClientAs, work_as: WorkAs) -> None:
    with work_as("boris") as work:
        for number in range(MOST_CLIENTS):
            add_client(work, f"Phone {number}")
    answer = client_as("boris").post("/synced/new", data={"name": "One more"})
    assert answer.status_code == 409
    assert str(MOST_CLIENTS) in answer.text
    assert 'value="One more"' in answer.text


def test_who_may_only_read_adds_a_phone_that_may_only_read(client_as: ClientAs, book: int) -> None:
    vera = client_as("vera")
    assert "it cannot change them either" in vera.get("/synced/new").text
    _url, page = added(vera)
    phone = Phone(field_text(page, "username"), field_text(page, "password"))
    phone.sync()
    assert "Jana Malá" in phone.text
    assert not phone.may_write


# The code


@pytest.mark.covers("GD-7")
def test_the_code_hands_the_profile_to_a_phone_without_a_session(client_as: ClientAs, cast: Cast) -> None:
    _url, page = added(client_as("boris"))
    link = link_of(page)
    browser = scanned(client_as, link)
    assert browser.get(link).status_code == 200, "looking uses nothing up"
    answer = browser.post(link, data={"kind": "apple"})
    assert answer.mimetype == MEDIA_TYPE
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    profile = plistlib.loads(answer.data)
    (account,) = profile["PayloadContent"]
    assert profile["PayloadRemovalDisallowed"] is False
    assert account["PayloadType"] == "com.apple.carddav.account"
    assert account["CardDAVUsername"] == field_text(page, "username")
    assert account["CardDAVPassword"] == field_text(page, "password")
    assert account["CardDAVPrincipalURL"] == f"/dav/{field_text(page, 'username')}/"
    assert f"{account['CardDAVHostName']}:{account['CardDAVPort']}" == dav_server().url.partition("://")[2]
    assert account["CardDAVUseSSL"] is False


def test_the_profile_of_a_server_with_tls_says_so() -> None:
    profile = plistlib.loads(mobileconfig(TLS, username="u", password="p", company="Demo & Co. <x>"))
    (account,) = profile["PayloadContent"]
    assert (account["CardDAVUseSSL"], account["CardDAVPort"]) == (True, 443)
    assert profile["PayloadOrganization"] == "Demo & Co. <x>"
    assert TLS.app_link("u", "p") == "davx5://u:p@dav.example.com/dav/"


@pytest.mark.attack(32)
@pytest.mark.parametrize("kind", ["apple", "settings"])
def test_a_code_works_once(client_as: ClientAs, kind: str) -> None:
    _url, page = added(client_as("boris"))
    link = link_of(page)
    first, second = scanned(client_as, link), scanned(client_as, link)
    assert first.post(link, data={"kind": kind}).status_code == 200
    late = second.post(link, data={"kind": kind})
    assert late.status_code == 410
    assert field_text(page, "password") not in late.text
    assert second.get(link).status_code == 410


@pytest.mark.attack(32)
def test_a_code_works_for_a_quarter_of_an_hour(client_as: ClientAs) -> None:
    boris = client_as("boris")
    clock.hold(datetime.now().astimezone())
    link = link_of(added(boris)[1])
    browser = scanned(client_as, link)
    clock.hold(clock.now() + timedelta(minutes=15))
    assert browser.get(link).status_code == 410
    assert browser.post(link, data={"kind": "apple"}).status_code == 410


@pytest.mark.attack(33)
def test_a_forged_code_reads_like_a_used_one(client_as: ClientAs, cast: Cast) -> None:
    boris = client_as("boris")
    url, page = added(boris)
    link = link_of(page)
    browser = scanned(client_as, link)
    browser.post(link, data={"kind": "apple"})
    client_id = int(url.rpartition("/")[2])
    strangers = [
        link[:-2] + ("AA" if not link.endswith("AA") else "BB"),
        f"{link}A",
        "/synced/profile/x",
        "/synced/profile/%C4%8D",
        "/synced/profile/" + seal(client_id, "guess", tenant_id=cast.demo.tenant_id),
        "/synced/profile/" + seal(client_id, "guess", tenant_id=cast.other.tenant_id),
    ]
    used = re.sub(r'content="[^"]+"|value="[^"]+"', "", browser.get(link).text)
    for stranger in strangers:
        answer = browser.get(stranger)
        assert answer.status_code == 410
        assert re.sub(r'content="[^"]+"|value="[^"]+"', "", answer.text) == used
        assert browser.post(stranger, data={"kind": "apple"}).status_code == 410


@pytest.mark.attack(1)
def test_a_code_opens_nothing_in_another_company(client_as: ClientAs, cast: Cast) -> None:
    link = link_of(added(client_as("boris"))[1])
    oleg = client_as("oleg")
    assert oleg.get(link).status_code == 410
    assert oleg.post(link, data={"kind": "apple"}).status_code == 410
    token = link.rpartition("/")[2]
    assert unseal(token, tenant_id=cast.demo.tenant_id)
    assert unseal(token, tenant_id=cast.other.tenant_id) is None


def test_a_code_of_a_revoked_phone_opens_nothing(client_as: ClientAs) -> None:
    boris = client_as("boris")
    url, page = added(boris)
    browser = scanned(client_as, link_of(page))
    boris.post(f"{url}/revoke")
    assert browser.post(link_of(page), data={"kind": "apple"}).status_code == 410


def test_other_phones_get_the_settings_and_a_link_that_opens_the_app(client_as: ClientAs) -> None:
    _url, page = added(client_as("boris"))
    browser = scanned(client_as, link_of(page))
    settings_page = browser.post(link_of(page), data={"kind": "settings"})
    assert settings_page.headers["Cache-Control"] == "no-store"
    username, password = field_text(page, "username"), field_text(page, "password")
    assert f'href="carddav://{username}:{password}@' in settings_page.text
    assert field_text(settings_page.text, "password") == password


@pytest.mark.parametrize("method", ["GET", "PROPFIND"])
def test_the_companys_own_host_leads_to_the_server(client_as: ClientAs, method: str) -> None:
    answer = client_as("nobody").open("/.well-known/carddav", method=method)
    assert (answer.status_code, answer.headers["Location"]) == (301, f"{dav_server().url}/dav/")


# Revoking


@pytest.mark.covers("GD-18")
def test_a_lost_phone_is_emptied_at_its_next_sync_then_refused(client_as: ClientAs, book: int) -> None:
    boris, vera = client_as("boris"), client_as("vera")
    url, page = added(boris)
    phone = Phone(field_text(page, "username"), field_text(page, "password"))
    phone.sync()
    card = boris.get("/synced/").text
    assert "Up to date" in card
    assert "1 contact disappears from it at its next sync." in card
    assert boris.post(f"{url}/revoke").headers["Location"] == "/synced/"
    assert "It will be emptied at its next sync." in boris.get("/synced/").text
    phone.sync()
    assert phone.cards == {}
    assert "The empty book was served" in boris.get("/synced/").text
    phone.sync()
    assert "It took over the empty book" in boris.get("/synced/").text
    with pytest.raises(Unknown):
        phone.sync()
    assert "iPhone" not in vera.get("/synced/").text


def test_a_phone_that_never_comes_back_is_not_said_to_be_empty(client_as: ClientAs, book: int) -> None:
    boris = client_as("boris")
    url, page = added(boris)
    Phone(field_text(page, "username"), field_text(page, "password")).sync()
    boris.post(f"{url}/revoke")
    assert "1 contact may stay on it, and nobody can tell from here." in boris.get("/synced/").text
    boris.post(f"{url}/revoke")
    assert "contacts may still be on it" in boris.get("/synced/").text


def test_a_phone_that_never_connected_is_refused_at_once(client_as: ClientAs) -> None:
    boris = client_as("boris")
    url, _page = added(boris)
    assert "It never connected, so it holds no contacts." in boris.get("/synced/").text
    boris.post(f"{url}/revoke")
    page = boris.get("/synced/").text
    assert "It is refused from now on." in page
    assert "It never connected." in page


def test_a_card_counts_the_changes_that_wait(client_as: ClientAs, work_as: WorkAs, cast: Cast, book: int) -> None:
    boris = client_as("boris")
    _url, page = added(boris)
    Phone(field_text(page, "username"), field_text(page, "password")).sync()
    with work_as("anna") as work:
        for name in ("Petr", "Pavel"):
            put_in_book(
                work, book, [create_contact(work, ContactDraft(name=name, database_id=cast.demo.open_database))]
            )
    assert "2 changes wait" in boris.get("/synced/").text


@pytest.mark.covers("GD-14")
def test_who_manages_people_finds_and_revokes_everybodys_phones(client_as: ClientAs) -> None:
    url, _page = added(client_as("boris"), "Boris's old phone")
    added(client_as("vera"), "Vera's notebook")
    anna = client_as("anna")
    everybody = anna.get("/synced/all").text
    assert "old phone" in everybody
    assert "notebook" in everybody
    found = anna.get("/synced/all?q=OLD+boris").text
    assert "old phone" in found
    assert "notebook" not in found
    client_id = url.rpartition("/")[2]
    assert "data-shown" in anna.get(f"/synced/all?revoke={client_id}").text
    assert anna.post(f"{url}/revoke", data={"from": "all"}).headers["Location"] == "/synced/all"
    assert "old phone" in anna.get("/synced/all?state=revoked").text
    assert "None found" in anna.get("/synced/all?state=wiping").text


@pytest.mark.attack(1, 2)
def test_nobody_touches_a_colleagues_phone(client_as: ClientAs) -> None:
    url, _page = added(client_as("anna"))
    for name in ("boris", "vera", "oleg"):
        client = client_as(name)
        assert client.post(f"{url}/revoke").status_code == 404
        assert client.get(f"{url}/ready").status_code == 404
    assert client_as("boris").get("/synced/all").status_code == 403
    assert "Not connected yet" in client_as("anna").get("/synced/").text


def test_the_menu_of_the_user_leads_to_phones(client_as: ClientAs, app: Flask) -> None:
    assert 'href="/synced/"' in client_as("vera").get("/").text

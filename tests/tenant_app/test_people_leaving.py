"""Blocking and deleting from the pages: named in numbers before, and true on every door afterwards."""

import base64
import http.client
import json

import pytest
from flask import Flask

from core.calls.models import Device
from core.directory.books.clients import add_client
from core.foundation.unit_of_work import unit_of_work
from core.identity.models import UserAccount
from core.people.accounts import add_person
from core.people.leaving import block_person
from tenant_app.live import views
from tenant_app.live.hub import Hub
from tests.conftest import ClientAs, WorkAs
from tests.core.people.test_leaving import give_things
from tests.support.cast import Cast
from tests.support.clients import signed_in_client
from tests.support.colleagues import account, draft
from tests.support.dav import DavClient
from tests.support.dav_server import running_server
from tests.support.telephony import set_up


@pytest.fixture
def quiet_hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub that listens to nothing."""
    made = Hub()
    monkeypatch.setattr(views, "hub", lambda: made)
    return made


@pytest.mark.covers("TC-31")
def test_a_user_is_blocked_and_let_in_again(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    boris, anna, user_id = client_as("boris"), client_as("anna"), cast.demo.users["boris"]
    with work_as("anna") as work:
        phone = set_up(work, cast.demo).phones["101"].id
    asked = anna.get(f"/people/{user_id}?ask=block").text
    for words in ("1 browser is signed out at once.", "Also switch off their phones", "1 device on line 101 rings"):
        assert words in asked
    assert '<dialog class="dialog" id="block" aria-labelledby="block-title" open data-shown>' in asked
    assert anna.post(f"/people/{user_id}/block").status_code == 303
    assert boris.get("/contacts/").status_code == 303
    with work_as("system") as work:
        assert work.session.get_one(Device, phone, populate_existing=True).is_enabled
    page = anna.get(f"/people/{user_id}").text
    assert "is blocked and signed out everywhere" in page
    assert "Phones on the line go on ringing" in page
    assert anna.post(f"/people/{user_id}/unblock").status_code == 303
    assert "Active" in anna.get(f"/people/{user_id}").text


def test_blocking_can_switch_the_phones_off_too(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        phone = set_up(work, cast.demo).phones["101"].id
    assert client_as("anna").post(f"/people/{cast.demo.users['boris']}/block", data={"phones": "1"}).status_code == 303
    with work_as("system") as work:
        assert not work.session.get_one(Device, phone, populate_existing=True).is_enabled


@pytest.mark.covers("TC-32")
def test_deleting_names_what_follows_and_passes_it_on(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    client_as("boris")
    user_id, anna = cast.demo.users["boris"], client_as("anna")
    with work_as("anna") as work:
        give_things(work, cast, "boris")
        set_up(work, cast.demo)
    with work_as("boris") as work:
        add_client(work, "iPhone")
    asked = anna.get(f"/people/{user_id}?ask=delete").text
    for words in (
        "1 browser is signed out at once.",
        "Line 101 goes, and 1 device loses its sign-in.",
        "1 number of the company rings nowhere.",
        "1 synced phone or program is emptied at its next sync.",
        "2 tickets get another owner (open: 1).",
        "1 contact gets another owner.",
    ):
        assert words in asked
    refused = anna.post(f"/people/{user_id}/delete", data={"successor_id": cast.other.users["oleg"]})
    assert refused.status_code == 422
    assert "There is no such colleague." in refused.text
    assert account_of(work_as, user_id).deleted_at is None
    done = anna.post(f"/people/{user_id}/delete", data={"successor_id": cast.demo.users["vera"]})
    assert (done.status_code, done.location) == (303, "/people/")
    assert "Boris Nováková was deleted." in anna.get("/people/").text
    assert anna.get(f"/people/{user_id}").status_code == 404
    assert anna.get("/lines/").text.count("data-row-link") == 2


def account_of(work_as: WorkAs, user_id: int) -> UserAccount:
    """The account as it is stored."""
    with work_as("system") as work:
        return account(work, user_id)


@pytest.mark.parametrize("act", ["block", "delete"])
def test_the_last_owner_is_told_that_they_stay(client_as: ClientAs, work_as: WorkAs, cast: Cast, act: str) -> None:
    anna = client_as("anna")
    user_id = cast.demo.users["anna"]
    assert anna.post(f"/people/{user_id}/{act}").status_code == 303
    assert "You cannot do this to yourself." in anna.get("/people/").text
    assert f'action="/people/{user_id}/{act}"' not in anna.get(f"/people/{user_id}").text
    assert not account_of(work_as, user_id).is_blocked


def test_an_invitation_is_sent_again_and_withdrawn(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        user_id = add_person(work, draft(work)).user_id
    anna = client_as("anna")
    assert anna.post(f"/people/{user_id}/invite").status_code == 303
    assert "Invitation sent to eva@demo.localhost." in anna.get(f"/people/{user_id}").text
    assert anna.post(f"/people/{user_id}/withdraw").status_code == 303
    assert "no invitation that still works" in anna.get(f"/people/{user_id}").text
    anna.post(f"/people/{user_id}/withdraw")
    assert "No invitation is open" in anna.get(f"/people/{user_id}").text


# Every door, on every process


@pytest.mark.attack(54)
def test_an_open_stream_ends_with_the_blocking(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, quiet_hub: Hub
) -> None:
    boris = cast.demo.users["boris"]
    lines = iter(client_as("boris").get("/live", buffered=False).response)
    next(lines)
    with work_as("anna") as work:
        block_person(work, boris)
    quiet_hub.pass_on(json.dumps({"tenant": cast.demo.tenant_id, "topic": "session", "ids": [boris]}))
    assert b"signed-out" in list(lines)[-1]
    assert quiet_hub.count() == 0


@pytest.mark.attack(54)
def test_a_stream_that_heard_nothing_of_the_blocking_ends_within_a_minute(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, quiet_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert views.QUIET_S + views.CHECK_S <= 60
    monkeypatch.setattr(views, "QUIET_S", 0.01)
    monkeypatch.setattr(views, "CHECK_S", 0.0)
    lines = iter(client_as("boris").get("/live", buffered=False).response)
    next(lines)
    with work_as("anna") as work:
        block_person(work, cast.demo.users["boris"])
    assert b"signed-out" in list(lines)[-1]


@pytest.mark.attack(54)
def test_another_process_refuses_a_blocked_user_with_the_next_request(committed: Cast, app: Flask) -> None:
    boris = signed_in_client(app, committed, "boris")
    with unit_of_work(committed.actor("boris")) as work:
        made = add_client(work, "iPhone")
    with running_server() as address:
        port = int(address.rpartition(":")[2])
        phone = DavClient(made.username, made.password)
        assert status_at(port, phone) == 207
        assert boris.get("/contacts/").status_code == 200
        with unit_of_work(committed.actor("anna")) as work:
            block_person(work, committed.demo.users["boris"])
        assert status_at(port, phone) == 401
        assert boris.get("/contacts/").status_code == 303


def status_at(port: int, phone: DavClient) -> int:
    """What the server on this port answers to the phone."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    pair = base64.b64encode(f"{phone.username}:{phone.password}".encode()).decode()
    headers = {"Authorization": f"Basic {pair}", "Depth": "0"}
    connection.request("PROPFIND", f"/dav/{phone.username}/", headers=headers)
    return connection.getresponse().status

"""The pages of lines: who is dialled by what, which devices ring, and the way to the telephone network."""

import re
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from core.calls.lines import DeviceDraft, add_device, digest_of
from core.calls.models import Device, PhoneLine, Trunk, TrunkNumber
from core.foundation import clock
from core.tenants.models import Tenant
from tenant_app.lines.provisioning import NAMESPACE
from tenant_app.sealing import VALID_FOR
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast
from tests.support.telephony import BORIS_OUTSIDE, PROVIDER, PROVIDER_PORT, Telephony, set_up

PHONE = {"kind": "sip", "name": "Softphone", "ring_delay_s": "10", "ring_time_s": "25"}
MOBILE = {
    "kind": "external",
    "name": "Mobile",
    "external_number": "777 123 456",
    "ring_delay_s": "5",
    "ring_time_s": "15",
}


@pytest.fixture
def telephony(work_as: WorkAs, cast: Cast) -> Telephony:
    """The demo company's lines, phones, trunk and number."""
    with work_as("system") as work:
        return set_up(work, cast.demo)


def devices_of(work_as: WorkAs, line_id: int) -> list[Device]:
    """The line's devices, in the order of their adding."""
    with work_as("system") as work:
        query = select(Device).where(Device.line_id == line_id).order_by(Device.id)
        return list(work.session.scalars(query.execution_options(populate_existing=True)))


def shown(page: str, name: str) -> str:
    """What a field to copy holds."""
    found = re.search(rf'id="{name}"[^>]*>([^<]*)</textarea>', page)
    assert found, page
    return found[1]


def add_phone(client: FlaskClient, telephony: Telephony) -> str:
    """Add a phone to Boris' line; answers the page that shows its password."""
    answer = client.post(f"/lines/{telephony.lines['101']}/devices/new", data=PHONE)
    assert answer.status_code == 303
    return str(answer.location)


# Lines


def test_every_line_stands_in_the_list_with_its_person_and_number(client_as: ClientAs, telephony: Telephony) -> None:
    page = client_as("anna").get("/lines/").text
    for words in ("101", "Boris Nováková", "224 811 101", "Desk phone: not signed in"):
        assert words in page


@pytest.mark.covers("D-FAQ-13")
def test_a_line_is_given_to_somebody_and_a_refused_one_keeps_what_was_typed(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, telephony: Telephony
) -> None:
    anna = client_as("anna")
    with work_as("system") as work:
        work.session.delete(work.session.get_one(PhoneLine, telephony.lines["103"]))
    refused = anna.post("/lines/new", data={"user_id": cast.demo.users["vera"], "number": "101"})
    assert refused.status_code == 422
    assert "This is the line of Boris Nováková." in refused.text
    assert 'value="101"' in refused.text
    nobody = anna.post("/lines/new", data={"user_id": "", "number": "230"})
    assert (nobody.status_code, "Choose whose line it is." in nobody.text) == (422, True)
    assert anna.post("/lines/new", data={"user_id": cast.demo.users["vera"], "number": "230"}).status_code == 303
    assert "230" in anna.get("/lines/").text


def test_a_line_shows_only_numbers_of_the_company_to_callees(
    client_as: ClientAs, work_as: WorkAs, telephony: Telephony
) -> None:
    anna, url = client_as("anna"), f"/lines/{telephony.lines['101']}/edit"
    assert f'value="{BORIS_OUTSIDE}"' in anna.get(url).text
    assert anna.post(url, data={"number": "101", "caller_id": BORIS_OUTSIDE}).status_code == 303
    assert anna.post(url, data={"number": "101", "caller_id": "+420777000111"}).status_code == 422
    with work_as("system") as work:
        assert work.session.get_one(PhoneLine, telephony.lines["101"]).caller_id == BORIS_OUTSIDE


def test_removing_a_line_names_what_goes_with_it(client_as: ClientAs, work_as: WorkAs, telephony: Telephony) -> None:
    anna, line = client_as("anna"), telephony.lines["101"]
    page = anna.get(f"/lines/{line}").text
    assert "1 device loses its sign-in." in page
    assert "1 number of the company rings nowhere." in page
    assert anna.post(f"/lines/{line}/remove").status_code == 303
    assert devices_of(work_as, line) == []


# Devices


def test_everybody_who_calls_has_a_page_of_their_own_line(client_as: ClientAs, telephony: Telephony) -> None:
    page = client_as("boris").get("/lines/mine").text
    assert "101" in page
    assert "Rings at once, for 30 s." in page
    assert f"/lines/{telephony.lines['101']}/devices/new" in page


def test_somebody_without_a_line_is_told_what_to_do(client_as: ClientAs, rolled_back: None) -> None:
    assert "Ask an administrator for one." in client_as("boris").get("/lines/mine").text
    assert "Give me a line" in client_as("anna").get("/lines/mine").text


@pytest.mark.covers("D-FAQ-5")
def test_a_new_phones_password_is_shown_once(client_as: ClientAs, work_as: WorkAs, telephony: Telephony) -> None:
    boris = client_as("boris")
    url = add_phone(boris, telephony)
    ready = boris.get(url)
    assert ready.headers["Cache-Control"] == "no-store"
    username, password = shown(ready.text, "sip-username"), shown(ready.text, "sip-password")
    assert shown(ready.text, "sip-domain") == "demo.localhost"
    assert shown(ready.text, "sip-proxy") == "127.0.0.1:5060"
    with work_as("system") as work:
        realm = work.session.scalars(select(Tenant.realm)).first() or ""
        device = work.session.scalars(select(Device).where(Device.sip_username == username)).one()
        assert device.ha1 == digest_of(username, realm, password)
        assert (device.ring_delay_s, device.ring_time_s) == (10, 25)
    again = boris.get(url)
    assert again.status_code == 410
    assert password not in again.text
    assert password not in boris.get("/lines/mine").text


def test_the_code_holds_the_settings_for_a_quarter_of_an_hour(client_as: ClientAs, telephony: Telephony) -> None:
    boris = client_as("boris")
    page = boris.get(add_phone(boris, telephony)).text
    path = shown(page, "sip-link").removeprefix("http://demo.localhost")
    answer = client_as("nobody").get(path)
    assert answer.headers["Cache-Control"] == "no-store"
    entries = {
        entry.attrib["name"]: entry.text
        for entry in ElementTree.fromstring(answer.data).iter(f"{{{NAMESPACE}}}entry")  # noqa: S314  # our own answer
    }
    assert entries["reg_proxy"] == "<sip:127.0.0.1:5060;transport=tcp>"
    assert str(entries["reg_identity"]).endswith("@demo.localhost")
    assert entries["passwd"] == shown(page, "sip-password")
    assert client_as("oleg").get(path).status_code == 410
    assert client_as("nobody").get(path[:-2]).status_code == 410
    clock.hold(clock.now() + VALID_FOR + timedelta(seconds=1))
    assert client_as("nobody").get(path).status_code == 410


def test_a_new_password_ends_the_old_one(client_as: ClientAs, work_as: WorkAs, telephony: Telephony) -> None:
    boris, phone = client_as("boris"), telephony.phones["101"]
    [before] = devices_of(work_as, telephony.lines["101"])
    old = before.ha1
    answer = boris.post(f"/lines/devices/{phone.id}/password")
    assert answer.location == f"/lines/devices/{phone.id}/ready"
    assert shown(boris.get(answer.location).text, "sip-password") != phone.password
    assert devices_of(work_as, telephony.lines["101"])[0].ha1 != old


@pytest.mark.covers("D-FAQ-7")
def test_a_number_outside_is_added_without_a_password(
    client_as: ClientAs, work_as: WorkAs, telephony: Telephony
) -> None:
    boris, line = client_as("boris"), telephony.lines["101"]
    assert boris.post(f"/lines/{line}/devices/new", data=MOBILE).location == "/lines/mine"
    assert devices_of(work_as, line)[-1].external_number == "+420777123456"
    page = boris.get("/lines/mine").text
    assert "777 123 456" in page
    assert "Rings after 5 s, for 15 s." in page


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({**PHONE, "name": " "}, "Give it a name"),
        ({**PHONE, "ring_delay_s": "61"}, "It may wait at most 60 seconds."),
        ({**PHONE, "ring_time_s": "soon"}, "It may ring 5 to 120 seconds."),
        ({**MOBILE, "external_number": "12"}, "external_number-error"),
        ({**PHONE, "kind": "fax"}, "There is no such kind of device."),
    ],
)
def test_a_refused_device_keeps_what_was_typed(
    client_as: ClientAs, work_as: WorkAs, telephony: Telephony, typed: dict[str, str], words: str
) -> None:
    line = telephony.lines["101"]
    answer = client_as("boris").post(f"/lines/{line}/devices/new", data=typed)
    assert answer.status_code == 422
    assert words in answer.text
    assert f'value="{typed["ring_time_s"]}"' in answer.text
    assert len(devices_of(work_as, line)) == 1


def test_a_device_is_switched_off_and_on(client_as: ClientAs, work_as: WorkAs, telephony: Telephony) -> None:
    boris, line, url = client_as("boris"), telephony.lines["101"], f"/lines/devices/{telephony.phones['101'].id}/switch"
    boris.post(url, data={"on": "0"})
    assert not devices_of(work_as, line)[0].is_enabled
    page = boris.get("/lines/mine").text
    assert "Switched off" in page
    assert "All devices are switched off, so the line cannot ring." in page
    boris.post(url, data={"on": "1"})
    assert devices_of(work_as, line)[0].is_enabled


def test_changing_a_device_that_is_off_does_not_switch_it_on(
    client_as: ClientAs, work_as: WorkAs, telephony: Telephony
) -> None:
    boris, phone = client_as("boris"), telephony.phones["101"].id
    boris.post(f"/lines/devices/{phone}/switch", data={"on": "0"})
    boris.post(f"/lines/devices/{phone}/edit", data={**PHONE, "name": "Reception"})
    [device] = devices_of(work_as, telephony.lines["101"])
    assert (device.name, device.is_enabled, device.kind) == ("Reception", False, "sip")


def test_removing_the_last_device_says_that_the_line_is_silent(client_as: ClientAs, telephony: Telephony) -> None:
    boris = client_as("boris")
    assert "It is the last device: line 101 cannot ring after that." in boris.get("/lines/mine").text
    boris.post(f"/lines/devices/{telephony.phones['101'].id}/remove")
    assert "Nothing rings yet" in boris.get("/lines/mine").text


@pytest.mark.attack(57)
def test_nobody_finds_a_colleagues_devices(client_as: ClientAs, work_as: WorkAs, telephony: Telephony) -> None:
    boris, theirs, line = client_as("boris"), telephony.phones["102"].id, telephony.lines["102"]
    for path in (f"/lines/devices/{theirs}/edit", f"/lines/devices/{theirs}/ready", f"/lines/{line}/devices/new"):
        assert boris.get(path).status_code == 404
    for action in ("edit", "switch", "password", "remove"):
        assert boris.post(f"/lines/devices/{theirs}/{action}", data=PHONE).status_code == 404
    assert boris.post(f"/lines/{line}/devices/new", data=PHONE).status_code == 404
    assert len(devices_of(work_as, line)) == 1


def test_too_many_devices_are_refused_with_what_was_typed(
    client_as: ClientAs, work_as: WorkAs, telephony: Telephony
) -> None:
    line = telephony.lines["101"]
    with work_as("system") as work:
        for number in range(9):
            add_device(work, line, DeviceDraft(kind="sip", name=f"Phone {number}"))
    answer = client_as("boris").post(f"/lines/{line}/devices/new", data=PHONE)
    assert (answer.status_code, "Softphone" in answer.text) == (409, True)


# Trunks


def test_a_trunk_is_added_and_its_password_is_never_shown(
    client_as: ClientAs, work_as: WorkAs, telephony: Telephony
) -> None:
    anna = client_as("anna")
    typed = {"name": "Second", "host": "sip.provider.example", "port": "5061", "transport": "tls", "username": "acme"}
    assert anna.post("/lines/trunks/new", data={**typed, "password": "s3cret-word"}).status_code == 303
    with work_as("system") as work:
        trunk = work.session.scalars(select(Trunk).where(Trunk.name == "Second")).one()
        stored = trunk.sealed_password
    page = anna.get(f"/lines/trunks/{trunk.id}/edit").text
    assert "s3cret-word" not in page
    assert "Leave it empty to keep the one that is stored." in page
    kept = {**typed, "name": "Renamed", "password": "", "is_enabled": "1"}
    assert anna.post(f"/lines/trunks/{trunk.id}/edit", data=kept).status_code == 303
    with work_as("system") as work:
        changed = work.session.get_one(Trunk, trunk.id, populate_existing=True)
        assert (changed.name, changed.sealed_password, changed.is_enabled) == ("Renamed", stored, True)


def test_a_refused_trunk_keeps_what_was_typed(client_as: ClientAs, telephony: Telephony) -> None:
    typed = {"name": "Provider", "host": "not a host", "port": "99999", "transport": "udp", "username": "acme"}
    answer = client_as("anna").post("/lines/trunks/new", data=typed)
    assert answer.status_code == 422
    for words in ("There is a trunk of this name.", "no host name", "from 1 to 65535", 'value="not a host"'):
        assert words in answer.text


def test_a_number_is_added_routed_and_removed(client_as: ClientAs, work_as: WorkAs, telephony: Telephony) -> None:
    anna, url = client_as("anna"), f"/lines/trunks/{telephony.trunk}/numbers"
    assert anna.post(url, data={"number": "224 811 199", "line_id": ""}).status_code == 303
    with work_as("system") as work:
        number = work.session.scalars(select(TrunkNumber).where(TrunkNumber.number == "+420224811199")).one().id
    assert anna.post(f"/lines/numbers/{number}/route", data={"line_id": telephony.lines["102"]}).status_code == 303
    with work_as("system") as work:
        routed = work.session.get_one(TrunkNumber, number, populate_existing=True)
        assert routed.line_id == telephony.lines["102"]
    assert "Calls to it ring 102 no more." in anna.get("/lines/trunks").text
    assert anna.post(f"/lines/numbers/{number}/remove").status_code == 303
    assert "224 811 199" not in anna.get("/lines/trunks").text


def test_a_refused_number_keeps_what_was_typed(client_as: ClientAs, telephony: Telephony) -> None:
    anna, url = client_as("anna"), f"/lines/trunks/{telephony.trunk}/numbers"
    taken = anna.post(url, data={"number": BORIS_OUTSIDE, "line_id": telephony.lines["103"]})
    assert taken.status_code == 422
    assert "This number is set up already." in taken.text
    assert f'value="{BORIS_OUTSIDE}"' in taken.text
    assert anna.post(url, data={"number": "12", "line_id": ""}).status_code == 422


def test_trunks_show_where_they_lead(client_as: ClientAs, telephony: Telephony) -> None:
    page = client_as("anna").get("/lines/trunks").text
    assert f"{PROVIDER}:{PROVIDER_PORT}" in page
    assert "224 811 101" in page

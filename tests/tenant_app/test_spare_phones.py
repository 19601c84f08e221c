"""Phones on no line: taken from one, waiting, put on another."""

import pytest

from core.calls.lines import MOST_DEVICES, DeviceDraft, add_device
from core.calls.models import Device
from core.calls.spare import give_device, release_device
from core.foundation.errors import Conflict
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast
from tests.support.telephony import set_up


def device(work_as: WorkAs, device_id: int) -> Device | None:
    """The device as it is stored."""
    with work_as("system") as work:
        return work.session.get(Device, device_id, populate_existing=True)


@pytest.mark.covers("TC-21")
def test_a_phone_is_taken_from_its_line_and_put_on_another(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        telephony = set_up(work, cast.demo)
    anna, phone = client_as("anna"), telephony.phones["101"].id
    before = device(work_as, phone)
    assert before is not None
    digest = before.ha1
    assert "Every phone is on a line" in anna.get("/lines/spare").text
    assert f"/lines/devices/{phone}/release" in anna.get(f"/lines/{telephony.lines['101']}").text
    assert anna.post(f"/lines/devices/{phone}/release").status_code == 303
    assert telephony.phones["101"].sip_username in anna.get("/lines/spare").text
    assert telephony.phones["101"].sip_username not in anna.get("/lines/").text
    assert client_as("boris").post(f"/lines/devices/{phone}/edit", data={"name": "Mine"}).status_code == 404
    answer = anna.post(f"/lines/spare/{phone}/give", data={"line_id": telephony.lines["103"]})
    assert answer.location == f"/lines/{telephony.lines['103']}"
    after = device(work_as, phone)
    assert after is not None
    assert (after.line_id, after.ha1) == (telephony.lines["103"], digest)
    assert anna.post(f"/lines/spare/{phone}/give", data={"line_id": telephony.lines["103"]}).status_code == 404


def test_a_spare_phone_is_removed_for_good(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        phone = set_up(work, cast.demo).phones["101"].id
        release_device(work, phone)
    anna = client_as("anna")
    assert "It can neither ring nor call any more." in anna.get("/lines/spare").text
    assert anna.post(f"/lines/spare/{phone}/remove").status_code == 303
    assert device(work_as, phone) is None


def test_a_number_outside_is_not_kept_and_a_full_line_takes_no_more(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        telephony = set_up(work, cast.demo)
        line = telephony.lines["101"]
        mobile = add_device(work, line, DeviceDraft(kind="external", name="Mobile", external_number="777 123 456"))
        with pytest.raises(Conflict):
            release_device(work, mobile.id)
        spare = telephony.phones["103"].id
        release_device(work, spare)
        for place in range(MOST_DEVICES - 2):
            add_device(work, line, DeviceDraft(kind="sip", name=f"Phone {place}"))
        with pytest.raises(Conflict):
            give_device(work, spare, line)


@pytest.mark.attack(2)
def test_a_phone_goes_to_no_line_of_another_company(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("other system") as work:
        theirs = set_up(work, cast.other, number="+420224811999").lines["101"]
    with work_as("anna") as work:
        phone = set_up(work, cast.demo).phones["101"].id
        release_device(work, phone)
    assert client_as("anna").post(f"/lines/spare/{phone}/give", data={"line_id": theirs}).status_code == 404
    found = device(work_as, phone)
    assert found is not None
    assert found.line_id is None

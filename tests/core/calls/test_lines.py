"""Lines, devices, trunks and numbers: who may set them up, and what is refused."""

import pytest
from sqlalchemy import select

from core.calls.lines import (
    DeviceDraft,
    add_device,
    change_device,
    digest_of,
    lines,
    my_line,
    remove_device,
    remove_line,
    renew_password,
    set_line,
)
from core.calls.models import Device, Trunk
from core.calls.sealing import unseal
from core.calls.trunks import TrunkDraft, add_number, change_trunk, create_trunk, remove_number, route_number, trunks
from core.foundation.errors import Forbidden, Invalid, NotFound
from core.foundation.history import Change
from core.tenants.service import tenant_profile
from tests.conftest import WorkAs
from tests.support.cast import Cast
from tests.support.telephony import BORIS_OUTSIDE, Telephony, set_up

PHONE = DeviceDraft(kind="sip", name="Desk phone")
MOBILE = DeviceDraft(kind="external", name="Mobile", external_number="777 123 456", ring_delay_s=10)


@pytest.fixture
def telephony(work_as: WorkAs, cast: Cast) -> Telephony:
    with work_as("anna") as work:
        return set_up(work, cast.demo)


@pytest.mark.covers("D-FAQ-2", "D-FAQ-12")
def test_the_owner_sees_every_line_with_its_devices(work_as: WorkAs, telephony: Telephony) -> None:
    with work_as("anna") as work:
        first = lines(work)[0]
        assert [line.number for line in lines(work)] == ["101", "102", "103"]
    assert (first.user_name, list(first.numbers)) == ("Boris Nováková", [BORIS_OUTSIDE])
    assert [(device.name, device.is_registered) for device in first.devices] == [("Desk phone", False)]


def test_only_who_manages_lines_sets_them(work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work, pytest.raises(Forbidden):
        set_line(work, cast.demo.users["boris"], "101")


@pytest.mark.parametrize("number", ["1", "1234567", "1a", "", "112", "155", "١٢٣"])
def test_a_line_is_a_short_number_that_calls_no_help(work_as: WorkAs, cast: Cast, number: str) -> None:
    with work_as("anna") as work, pytest.raises(Invalid) as refused:
        set_line(work, cast.demo.users["boris"], number)
    assert set(refused.value.problems) == {"number"}


def test_a_line_belongs_to_one_user(work_as: WorkAs, cast: Cast, telephony: Telephony) -> None:
    with work_as("anna") as work:
        with pytest.raises(Invalid, match="Boris"):
            set_line(work, cast.demo.users["vera"], "101")
        assert set_line(work, cast.demo.users["boris"], "110") == telephony.lines["101"]


def test_callers_are_shown_numbers_of_the_company_only(work_as: WorkAs, cast: Cast, telephony: Telephony) -> None:
    with work_as("anna") as work:
        with pytest.raises(Invalid) as refused:
            set_line(work, cast.demo.users["boris"], "101", "+420601123456")
        assert set(refused.value.problems) == {"caller_id"}
        set_line(work, cast.demo.users["boris"], "101", "224 811 101")
        assert lines(work)[0].caller_id == BORIS_OUTSIDE


def test_a_password_is_kept_as_a_digest_only(work_as: WorkAs, telephony: Telephony) -> None:
    with work_as("anna") as work:
        new = add_device(work, telephony.lines["101"], PHONE)
        device = work.session.get_one(Device, new.id)
        assert new.password is not None
        assert device.ha1 == digest_of(new.sip_username, tenant_profile(work).realm, new.password)
        renewed = renew_password(work, new.id)
        assert renewed.password != new.password
        written = str(work.session.scalars(select(Change.fields)).all())
    assert new.password not in written
    assert device.ha1 not in written


def test_a_number_outside_needs_no_password(work_as: WorkAs, telephony: Telephony) -> None:
    with work_as("boris") as work:
        new = add_device(work, telephony.lines["101"], MOBILE)
        own = my_line(work)
    assert (new.sip_username, new.password) == ("", None)
    assert own is not None
    assert own.devices[-1].external_number == "+420777123456"


@pytest.mark.attack(48)
def test_a_number_with_extra_charges_is_no_device(work_as: WorkAs, telephony: Telephony) -> None:
    draft = DeviceDraft(kind="external", name="Hot line", external_number="906 123 456")
    with work_as("boris") as work, pytest.raises(Invalid) as refused:
        add_device(work, telephony.lines["101"], draft)
    assert set(refused.value.problems) == {"external_number"}


@pytest.mark.parametrize(("name", "line"), [("boris", "102"), ("vera", "103")])
def test_others_lines_are_left_alone(work_as: WorkAs, telephony: Telephony, name: str, line: str) -> None:
    with work_as(name) as work:
        with pytest.raises(Forbidden):
            add_device(work, telephony.lines[line], PHONE)
        with pytest.raises(Forbidden):
            change_device(work, telephony.phones[line].id, PHONE)
        with pytest.raises(Forbidden):
            renew_password(work, telephony.phones[line].id)
        with pytest.raises(Forbidden):
            remove_device(work, telephony.phones[line].id)


def test_another_company_finds_nothing(work_as: WorkAs, cast: Cast, telephony: Telephony) -> None:
    with work_as("oleg") as work:
        assert lines(work) == []
        assert trunks(work) == []
        with pytest.raises(NotFound):
            add_device(work, telephony.lines["101"], PHONE)
        with pytest.raises(NotFound):
            renew_password(work, telephony.phones["101"].id)
        with pytest.raises(NotFound):
            set_line(work, cast.demo.users["boris"], "101")
        with pytest.raises(NotFound):
            add_number(work, "+420224811109", telephony.trunk, None)


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (DeviceDraft(kind="fax", name="Fax"), "kind"),
        (DeviceDraft(kind="sip", name="  "), "name"),
        (DeviceDraft(kind="sip", name="Phone", ring_delay_s=61), "ring_delay_s"),
        (DeviceDraft(kind="sip", name="Phone", ring_time_s=4), "ring_time_s"),
        (DeviceDraft(kind="external", name="Mobile"), "external_number"),
    ],
)
def test_a_device_that_cannot_be_is_refused(
    work_as: WorkAs, telephony: Telephony, draft: DeviceDraft, field: str
) -> None:
    with work_as("boris") as work, pytest.raises(Invalid) as refused:
        add_device(work, telephony.lines["101"], draft)
    assert set(refused.value.problems) == {field}


def test_a_removed_line_takes_its_devices_along(work_as: WorkAs, telephony: Telephony) -> None:
    with work_as("anna") as work:
        remove_line(work, telephony.lines["101"])
        assert [number.line_id for number in trunks(work)[0].numbers] == [None]
        assert work.session.get(Device, telephony.phones["101"].id, populate_existing=True) is None


def test_a_number_is_set_up_once_in_the_whole_installation(work_as: WorkAs, cast: Cast, telephony: Telephony) -> None:
    with work_as("oleg") as work:
        trunk = create_trunk(work, TrunkDraft(name="Provider", host="sip.provider.example"))
        with pytest.raises(Invalid, match="set up already"):
            add_number(work, BORIS_OUTSIDE, trunk, None)


def test_a_number_is_routed_anew_and_removed(work_as: WorkAs, telephony: Telephony) -> None:
    with work_as("anna") as work:
        route_number(work, telephony.number, telephony.lines["102"])
        assert trunks(work)[0].numbers[0].line_number == "102"
        with pytest.raises(Invalid):
            route_number(work, telephony.number, 999_999)
        remove_number(work, telephony.number)
        assert trunks(work)[0].numbers == []


def test_a_trunks_password_is_sealed_and_kept(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        draft = TrunkDraft(name="Main", host="SIP.provider.example", username="acme", password="secret")
        trunk_id = create_trunk(work, draft)
        change_trunk(work, trunk_id, TrunkDraft(name="Main", host="sip.provider.example", port=5070, username="acme"))
        trunk = work.session.get_one(Trunk, trunk_id)
        assert unseal(trunk.sealed_password, tenant_id=cast.demo.tenant_id) == "secret"
        assert unseal(trunk.sealed_password, tenant_id=cast.other.tenant_id) == ""
        assert (trunk.host, trunk.port) == ("sip.provider.example", 5070)


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (TrunkDraft(name="", host="sip.provider.example"), "name"),
        (TrunkDraft(name="Main", host="not a host"), "host"),
        (TrunkDraft(name="Main", host="0.0.0.0"), "host"),  # noqa: S104  # refused
        (TrunkDraft(name="Main", host="sip.provider.example", port=0), "port"),
        (TrunkDraft(name="Main", host="sip.provider.example", transport="ws"), "transport"),
        (TrunkDraft(name="Main", host="sip.provider.example", username='a"b'), "username"),
    ],
)
def test_a_trunk_that_cannot_be_is_refused(work_as: WorkAs, draft: TrunkDraft, field: str) -> None:
    with work_as("anna") as work, pytest.raises(Invalid) as refused:
        create_trunk(work, draft)
    assert set(refused.value.problems) == {field}

"""INVITEs as text: whom the worker believes, and what broken ones come to."""

import pytest

from core.calls.plans import Leg
from telephony_gateway.invites import caller_address, read_invite
from telephony_gateway.signals import Invite

EDGE = 5070
GOOD = (
    "INVITE sip:102@demo.localhost SIP/2.0",
    f"Via: SIP/2.0/TCP 127.0.0.1:{EDGE};branch=z9hG4bK1",
    "Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK2",
    'From: "Boris" <sip:boris@demo.localhost>;tag=1',
    "Call-ID: a84b4c76e66710",
    "X-Tenant: 7",
    "X-Device: 12",
)


def text(*lines: str) -> str:
    return "\r\n".join((*lines, "", "v=0"))


def without(name: str) -> list[str]:
    return [line for line in GOOD if not line.startswith(name)]


def test_the_edge_says_who_calls_whom() -> None:
    assert read_invite(text(*GOOD), edge_port=EDGE) == Invite(
        tenant_id=7, device_id=12, dialled="102", caller="boris", sip_call_id="a84b4c76e66710"
    )


def test_a_trunks_caller_is_their_number() -> None:
    lines = [
        "INVITE sip:%2B420224811101;npdi@127.0.0.1:5080 SIP/2.0",
        *without("X-Device")[1:3],
        "f: <sip:+420601123456@provider.example;user=phone>;tag=9",
        "i: 77",
        "X-Tenant: 7",
        "X-Trunk: 3",
    ]
    found = read_invite(text(*lines), edge_port=EDGE)
    assert found == Invite(tenant_id=7, trunk_id=3, dialled="+420224811101", caller="+420601123456", sip_call_id="77")


@pytest.mark.parametrize(
    "lines",
    [
        without("X-Tenant"),
        without("X-Device"),
        without("Via"),
        [*GOOD, "X-Trunk: 3"],
        [line.replace("127.0.0.1:5070", "127.0.0.1:5071") for line in GOOD],
        [line.replace("SIP/2.0/TCP", "SIP/2.0/UDP") for line in GOOD],
        [line.replace("X-Tenant: 7", "X-Tenant: 7 or 1=1") for line in GOOD],
        [line.replace("X-Tenant: 7", "X-Tenant: 99999999999999999999") for line in GOOD],
        [line.replace("INVITE sip:", "INVITE tel:") for line in GOOD],
        [""],
    ],
)
@pytest.mark.attack(49)
def test_nobody_else_is_believed(lines: list[str]) -> None:
    assert read_invite(text(*lines), edge_port=EDGE) is None


@pytest.mark.attack(49)
def test_whatever_bytes_a_phone_sends_can_be_kept() -> None:
    lines = [line.replace("a84b4c76e66710", "a\udcff\x01č" + "b" * 400) for line in GOOD]
    found = read_invite(text(*lines), edge_port=EDGE)
    assert found is not None
    assert found.sip_call_id == "a???" + "b" * 251


def test_a_forged_second_header_does_not_count() -> None:
    found = read_invite(text(*GOOD, "X-Tenant: 8"), edge_port=EDGE)
    assert found is not None
    assert found.tenant_id == 7


@pytest.mark.parametrize(
    ("caller", "name", "shown"),
    [
        ("101", "Boris Havran", '"Boris Havran" <sip:101@realm>'),
        ("101", 'B"o\\\r\nX-Trunk: 1', '"BoX-Trunk: 1" <sip:101@realm>'),
        ("+420601123456", "", "<sip:+420601123456@realm>"),
        ("", "Somebody", '"Anonymous" <sip:anonymous@anonymous.invalid>'),
    ],
)
def test_a_phone_is_shown_who_calls_and_nothing_else(caller: str, name: str, shown: str) -> None:
    leg = Leg(device_id=1, uri="sip:102@realm", caller=caller, caller_name=name)
    assert caller_address(leg, "realm") == shown

"""What rings: numbers as people dial them, lines, trunks, and what is refused."""

from dataclasses import replace

import pytest

from core.calls.causes import Cause
from core.calls.numbers import Dialled, Reach, read_caller, read_dialled, short_number
from core.calls.plans import DeviceFacts, Dialling, Facts, LineFacts, TrunkFacts, plan_call

REALM = "0a1b2c3d4e5f6071"
DESK = DeviceFacts(id=1, kind="sip", sip_username="102-desk", external_number="", ring_delay_s=0, ring_time_s=30)
BROWSER = replace(DESK, id=2, kind="browser", sip_username="102-web", ring_delay_s=5)
MOBILE = DeviceFacts(
    id=3, kind="external", sip_username="", external_number="+420777123456", ring_delay_s=10, ring_time_s=20
)
BORIS = LineFacts(id=11, number="101", user_id=21, user_name="Boris", caller_id="+420224811101")
ANNA = LineFacts(id=12, number="102", user_id=22, user_name="Anna", caller_id="", devices=(MOBILE, BROWSER, DESK))
TRUNK = TrunkFacts(
    id=31, host="sip.provider.example", port=5060, username="", password="",
    numbers=(("+420224811101", 11), ("+420224811102", 12)),
)  # fmt: skip
SECOND = replace(TRUNK, id=32, host="two.example", username="u", password="p", numbers=(("+420224811103", None),))


def dialled(typed: str, country: str = "CZ") -> Dialled | None:
    return read_dialled(typed, country)


@pytest.mark.parametrize(
    ("typed", "country", "number", "reach"),
    [
        ("102", "CZ", "102", Reach.LINE),
        ("601123456", "CZ", "+420601123456", Reach.OUTSIDE),
        ("601 123 456", "CZ", "+420601123456", Reach.OUTSIDE),
        ("00420601123456", "CZ", "+420601123456", Reach.OUTSIDE),
        ("+48221234567", "CZ", "+48221234567", Reach.OUTSIDE),
        ("22 123 45 67", "PL", "+48221234567", Reach.OUTSIDE),
        ("112", "CZ", "112", Reach.EMERGENCY),
        ("155", "CZ", "155", Reach.EMERGENCY),
        ("997", "PL", "997", Reach.EMERGENCY),
        ("155", "PL", "155", Reach.LINE),
    ],
)
def test_a_dialled_number_is_read_for_the_country(typed: str, country: str, number: str, reach: Reach) -> None:
    assert dialled(typed, country) == Dialled(number, reach)


@pytest.mark.parametrize("typed", ["", "1", "anna", "101;x=1", "%23", "+420999999999999", "1234567", "+", "1" * 30])
def test_what_is_no_number_is_none(typed: str) -> None:
    assert dialled(typed) is None


@pytest.mark.parametrize("typed", ["906123456", "00420906123456", "+48701234567"])
def test_numbers_with_extra_charges_are_known(typed: str) -> None:
    found = dialled(typed)
    assert found is not None
    assert found.is_premium


def test_a_short_number_of_the_network_is_dialled_as_it_is() -> None:
    assert short_number("116111", "CZ") == Dialled("116111", Reach.SHORT)
    assert short_number("101", "CZ") is None


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("+420601123456", "+420601123456"),
        ("420601123456", "+420601123456"),
        ("601123456", "+420601123456"),
        ("0048221234567", "+48221234567"),
        ("anonymous", ""),
        ("", ""),
        ("12345", "12345"),
        ("+1' or 1=1", ""),
    ],
)
def test_a_caller_is_read_however_the_provider_writes_them(said: str, number: str) -> None:
    assert read_caller(said, "CZ") == number


def test_a_line_rings_all_its_devices_each_in_its_time() -> None:
    asked = Dialling(dialled=dialled("102"), caller_line=BORIS, device_id=9)
    plan = plan_call(asked, Facts(realm=REALM, called_line=ANNA, trunks=(TRUNK,)))
    assert (plan.direction, plan.from_number, plan.to_number, plan.refusal) == ("internal", "101", "102", None)
    assert [(leg.device_id, leg.delay_s, leg.ring_s) for leg in plan.legs] == [(1, 0, 30), (2, 5, 30), (3, 10, 20)]
    assert [leg.uri for leg in plan.legs] == [
        f"sip:102-desk@{REALM}",
        f"sip:102-web@{REALM}",
        "sip:+420777123456@sip.provider.example:5060",
    ]
    assert [leg.trunk_id for leg in plan.legs] == [None, None, 31]
    assert [leg.is_browser for leg in plan.legs] == [False, True, False]
    assert [leg.caller for leg in plan.legs] == ["101", "101", "+420224811102"]
    assert plan.legs[0].caller_name == "Boris"


def test_a_number_outside_is_no_leg_without_a_trunk() -> None:
    plan = plan_call(Dialling(dialled=dialled("102"), caller_line=BORIS), Facts(realm=REALM, called_line=ANNA))
    assert [leg.device_id for leg in plan.legs] == [1, 2]


def test_a_line_without_devices_is_unreachable() -> None:
    silent = replace(ANNA, devices=())
    plan = plan_call(Dialling(dialled=dialled("102"), caller_line=BORIS), Facts(realm=REALM, called_line=silent))
    assert (plan.legs, plan.refusal, plan.line_id) == ((), Cause.UNREACHABLE, 12)


def test_a_phone_that_dials_its_own_line_does_not_ring_itself() -> None:
    only = replace(ANNA, devices=(DESK,))
    asked = Dialling(dialled=dialled("102"), caller_line=only, device_id=DESK.id)
    assert plan_call(asked, Facts(realm=REALM, called_line=only)).refusal is Cause.ENGAGED


def test_a_line_that_nobody_has_is_not_found() -> None:
    plan = plan_call(Dialling(dialled=dialled("199"), caller_line=BORIS), Facts(realm=REALM))
    assert (plan.direction, plan.refusal, plan.legs) == ("internal", Cause.NOT_FOUND, ())


def test_a_call_outside_leaves_by_the_trunk_of_the_callers_number() -> None:
    asked = Dialling(dialled=dialled("601123456"), caller_line=replace(BORIS, caller_id="+420224811103"))
    plan = plan_call(asked, Facts(realm=REALM, trunks=(TRUNK, SECOND)))
    assert (plan.direction, plan.from_number, plan.to_number) == ("out", "+420224811103", "+420601123456")
    [leg] = plan.legs
    assert (leg.uri, leg.trunk_id, leg.caller) == ("sip:+420601123456@two.example:5060", 32, "+420224811103")
    assert leg.credentials is not None
    assert "p" not in repr(leg.credentials).partition("username")[2].replace("'u'", "")


def test_without_a_chosen_number_the_callers_own_is_shown() -> None:
    asked = Dialling(dialled=dialled("601123456"), caller_line=replace(ANNA, caller_id=""))
    assert plan_call(asked, Facts(realm=REALM, trunks=(SECOND, TRUNK))).legs[0].caller == "+420224811102"


def test_without_a_trunk_no_number_outside_is_found() -> None:
    plan = plan_call(Dialling(dialled=dialled("601123456"), caller_line=BORIS), Facts(realm=REALM))
    assert (plan.direction, plan.refusal) == ("out", Cause.NOT_FOUND)


@pytest.mark.attack(48)
def test_a_number_with_extra_charges_is_refused() -> None:
    plan = plan_call(Dialling(dialled=dialled("906123456"), caller_line=BORIS), Facts(realm=REALM, trunks=(TRUNK,)))
    assert (plan.refusal, plan.legs) == (Cause.FORBIDDEN, ())


def test_help_is_called_as_dialled() -> None:
    plan = plan_call(Dialling(dialled=dialled("112"), caller_line=BORIS), Facts(realm=REALM, trunks=(TRUNK,)))
    assert plan.legs[0].uri == "sip:112@sip.provider.example:5060"


def test_a_call_from_outside_rings_the_line_of_the_number() -> None:
    asked = Dialling(dialled=Dialled("+420224811102", Reach.OUTSIDE), caller="+420601123456")
    plan = plan_call(asked, Facts(realm=REALM, called_line=replace(ANNA, devices=(DESK,))))
    assert (plan.direction, plan.from_number, plan.line_id, plan.caller_line_id) == ("in", "+420601123456", 12, None)
    assert [leg.caller for leg in plan.legs] == ["+420601123456"]


def test_a_number_that_leads_nowhere_is_not_found() -> None:
    asked = Dialling(dialled=Dialled("+420224811109", Reach.OUTSIDE), caller="")
    assert plan_call(asked, Facts(realm=REALM)).refusal is Cause.NOT_FOUND

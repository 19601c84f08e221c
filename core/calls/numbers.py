"""What was dialled, and who calls: read for the tenant's country. Pure; rules are those of libphonenumber."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberType, ShortNumberCost, shortnumberinfo

from core.directory.phones import NotANumber, as_e164

LINE: Final = re.compile(r"[0-9]{2,6}")
DIALLED: Final = re.compile(r"\+?[0-9]{2,20}")
CALLER: Final = re.compile(r"\+?[0-9]{2,20}")
SEPARATORS: Final = str.maketrans("", "", " -./()")


class Reach(StrEnum):
    """How far a dialled number leads."""

    LINE = "line"
    EMERGENCY = "emergency"
    SHORT = "short"
    OUTSIDE = "outside"


@dataclass(frozen=True, slots=True)
class Dialled:
    """A number to call: a line's, a short one that is dialled as it is, or one in E.164."""

    number: str
    reach: Reach
    is_premium: bool = False


def read_dialled(typed: str, country: str) -> Dialled | None:
    """What ``typed`` means to a telephone of ``country`` (ISO 3166-1 alpha-2); None if it is no number.

    Whatever looks like a line's number is one, but for the country's emergency numbers; ``short_number`` tells what it
    is if there is no such line.
    """
    digits = typed.translate(SEPARATORS)
    if not DIALLED.fullmatch(digits):
        return None
    if is_emergency(digits, country):
        return Dialled(digits, Reach.EMERGENCY)
    if LINE.fullmatch(digits):
        return Dialled(digits, Reach.LINE)
    try:
        number = as_e164(digits, country)
    except NotANumber:
        return None
    kind = phonenumbers.number_type(phonenumbers.parse(number, None))
    return Dialled(number, Reach.OUTSIDE, is_premium=kind == PhoneNumberType.PREMIUM_RATE)


def short_number(digits: str, country: str) -> Dialled | None:
    """A short number of the country's network, such as directory enquiries; None if it has no such number."""
    parsed = phonenumbers.PhoneNumber(
        country_code=phonenumbers.country_code_for_region(country), national_number=int(digits)
    )
    if not phonenumbers.is_valid_short_number_for_region(parsed, country):
        return None
    cost = shortnumberinfo.expected_cost_for_region(parsed, country)
    return Dialled(digits, Reach.SHORT, is_premium=cost == ShortNumberCost.PREMIUM_RATE)


def is_emergency(digits: str, country: str) -> bool:
    """Whether the number calls for help in that country; it is never refused and never a line."""
    return bool(phonenumbers.is_emergency_number(digits, country))


def read_caller(said: str, country: str) -> str:
    """The number of a caller from outside: in E.164 if it is one, as it came if it has digits only, else empty.

    Providers write it nationally, internationally, or with the plus left out.
    """
    digits = said.translate(SEPARATORS)
    if not CALLER.fullmatch(digits):
        return ""
    for form in (digits, f"+{digits}"):
        try:
            return as_e164(form, country)
        except NotANumber:
            continue
    return digits

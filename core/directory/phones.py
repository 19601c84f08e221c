"""Phone numbers: stored in E.164, shown as people at home write them."""

from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberFormat, ValidationResult

from core.foundation.i18n import Message, _

LONGEST_TYPED: Final = 60


class NotANumber(Exception):
    """What was typed is no phone number; ``problem`` says why."""

    def __init__(self, problem: Message) -> None:
        super().__init__(str(problem))
        self.problem = problem


@lru_cache(maxsize=4096)
def as_e164(typed: str, country: str) -> str:
    """The number in E.164 (``+420601123456``); without a prefix it is one of ``country`` (ISO 3166-1 alpha-2).

    Raises ``NotANumber``: letters, extensions, and numbers that no network has handed out.
    """
    number = _parsed(typed, country)
    if number.extension:
        raise NotANumber(_("An extension cannot be kept with the number; write it into the note."))
    if not phonenumbers.is_valid_number(number):
        raise NotANumber(_why_not(number))
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


@lru_cache(maxsize=4096)
def shown_phone(e164: str, country: str) -> str:
    """The number as ``country`` writes it: nationally if it has that country's code, else internationally."""
    try:
        number = phonenumbers.parse(e164, None)
    except NumberParseException:
        return e164
    is_home = number.country_code == phonenumbers.country_code_for_region(country)
    form = PhoneNumberFormat.NATIONAL if is_home else PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, form)


@lru_cache(maxsize=4096)
def national_digits(e164: str) -> str:
    """The digits that are dialled at home, with the leading zero where a country has one; for search."""
    try:
        number = phonenumbers.parse(e164, None)
    except NumberParseException:
        return e164.removeprefix("+")
    national = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    return "".join(sign for sign in national if sign.isdigit())


def _parsed(typed: str, country: str) -> PhoneNumber:
    if len(typed) > LONGEST_TYPED:
        raise NotANumber(_("This is too long for a phone number."))
    try:
        number = phonenumbers.parse(typed, country)
    except NumberParseException as error:
        if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
            raise NotANumber(_("No country has this code; write the number as +420 601 234 567.")) from error
        raise NotANumber(_("This is no phone number; write it as +420 601 234 567.")) from error
    if not number.extension and any(sign.isalpha() for sign in typed):
        raise NotANumber(_("A phone number has digits only."))
    return number


def _why_not(number: PhoneNumber) -> Message:
    verdict = phonenumbers.is_possible_number_with_reason(number)
    if verdict == ValidationResult.TOO_SHORT:
        return _("This is too short for a phone number.")
    if verdict == ValidationResult.TOO_LONG:
        return _("This is too long for a phone number.")
    return _("No network has this number; check the digits and the country code.")

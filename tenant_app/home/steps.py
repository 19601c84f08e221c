"""How the first steps of a company are told, and where each is taken."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from core.foundation.i18n import Message, _
from core.founding.steps import FirstStep, Step


@dataclass(frozen=True, slots=True)
class Telling:
    """A step in words, and the page on which it is taken."""

    name: Message
    about: Message
    url: str
    icon: str


@dataclass(frozen=True, slots=True)
class ToldStep:
    """A step as the page shows it."""

    telling: Telling
    is_done: bool


TELLINGS: Final = {
    Step.COMPANY: Telling(
        _("Look over your company"),
        _("Name, logo, colour, language, time zone and country."),
        "/settings/company/",
        "building-2",
    ),
    Step.HOURS: Telling(
        _("Say when you are open"),
        _("Business hours for each weekday; the country's holidays are known."),
        "/settings/company/hours",
        "clock",
    ),
    Step.PERMISSION_GROUPS: Telling(
        _("Decide who may do what"),
        _("A permission group says what its users may open and change."),
        "/settings/permission-groups/new",
        "key-round",
    ),
    Step.USER_GROUPS: Telling(
        _("Draw up your teams"),
        _("User groups decide who sees which contacts, queues and tickets."),
        "/settings/user-groups/new",
        "users-round",
    ),
    Step.PEOPLE: Telling(
        _("Bring in your colleagues"),
        _("One by one, or all from a CSV table; each gets an invitation by e-mail."),
        "/people/invite",
        "user-plus",
    ),
    Step.MAIL: Telling(
        _("Let mail in"),
        _("Forward your customers' mail to the address below: each mail becomes a ticket."),
        "/tickets/",
        "mail",
    ),
    Step.PHONE: Telling(
        _("Connect a phone"), _("A line with a number, and the phone or program that rings."), "/lines/new", "phone"
    ),
    Step.ADDRESS_BOOK: Telling(
        _("Take the contacts along"),
        _("The shared address book on your own phone, always as it is here."),
        "/synced/new",
        "smartphone",
    ),
    Step.SECOND_FACTOR: Telling(
        _("Protect your sign-in"),
        _("A code from your phone beside the password: for yourself, and if you like for everybody."),
        "/security/",
        "shield-check",
    ),
}


def told(steps: Sequence[FirstStep]) -> list[ToldStep]:
    """The steps with their words."""
    return [ToldStep(TELLINGS[one.step], one.is_done) for one in steps]

"""The kinds of notifications: what each tells, who may get it, and by which channels it comes unless its reader says
otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from core.foundation.i18n import Message, _
from core.foundation.permissions import Permission


class Channel(StrEnum):
    """By which way a notification reaches somebody."""

    APP = "app"
    MAIL = "mail"
    PUSH = "push"


class Kind(StrEnum):
    """What happened. Stored by value."""

    TICKET_ASSIGNED = "ticket_assigned"
    CUSTOMER_ANSWERED = "customer_answered"
    COLLEAGUE_ANSWERED = "colleague_answered"
    TICKET_OPENED = "ticket_opened"
    MAIL_FAILED = "mail_failed"
    CALL_MISSED = "call_missed"
    NEW_BROWSER = "new_browser"


EVERYWHERE: Final = frozenset(Channel)
NOWHERE: Final[frozenset[Channel]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """A kind in words. ``permission`` is what its reader needs; channels in ``always`` are not theirs to choose."""

    name: Message
    explanation: Message
    permission: Permission | None
    defaults: frozenset[Channel]
    always: frozenset[Channel] = NOWHERE


KINDS: Final[Mapping[Kind, About]] = {
    Kind.TICKET_ASSIGNED: About(
        name=_("A ticket becomes yours"),
        explanation=_("A colleague made you its owner."),
        permission=Permission.TICKETS_READ,
        defaults=EVERYWHERE,
    ),
    Kind.CUSTOMER_ANSWERED: About(
        name=_("A customer answers"),
        explanation=_("On a ticket of yours. Several answers are one notification."),
        permission=Permission.TICKETS_READ,
        defaults=EVERYWHERE,
    ),
    Kind.COLLEAGUE_ANSWERED: About(
        name=_("A colleague answers"),
        explanation=_("To the customer of a ticket of yours."),
        permission=Permission.TICKETS_READ,
        defaults=frozenset({Channel.APP}),
    ),
    Kind.TICKET_OPENED: About(
        name=_("A new ticket comes in"),
        explanation=_("In any category that you see."),
        permission=Permission.TICKETS_READ,
        defaults=NOWHERE,
    ),
    Kind.MAIL_FAILED: About(
        name=_("An e-mail of yours does not arrive"),
        explanation=_("It was refused, came back, or waits for more than an hour."),
        permission=Permission.TICKETS_READ,
        defaults=EVERYWHERE,
    ),
    Kind.CALL_MISSED: About(
        name=_("You missed a call"),
        explanation=_("Somebody called your line and nobody answered."),
        permission=Permission.CALLS_READ,
        defaults=frozenset({Channel.APP, Channel.PUSH}),
    ),
    Kind.NEW_BROWSER: About(
        name=_("A new browser signs in as you"),
        explanation=_("An e-mail about it comes always."),
        permission=None,
        defaults=EVERYWHERE,
        always=frozenset({Channel.MAIL}),
    ),
}


def title(kind: str, detail: str, count: int) -> Message:
    """What happened, in one short sentence that names nobody."""
    once, often = _TITLES.get((kind, detail)) or _TITLES[kind, ""]
    return Message(once) if count == 1 else Message(often, {"count": count})


def _said(once: Message, often: Message | None = None) -> tuple[str, str]:
    return once.msgid, (often or once).msgid


_TITLES: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    (Kind.TICKET_ASSIGNED, ""): _said(_("A ticket is yours now")),
    (Kind.CUSTOMER_ANSWERED, ""): _said(_("The customer answered"), _("The customer answered (%(count)s×)")),
    (Kind.COLLEAGUE_ANSWERED, ""): _said(_("A colleague answered"), _("Colleagues answered (%(count)s×)")),
    (Kind.TICKET_OPENED, ""): _said(_("New ticket")),
    (Kind.MAIL_FAILED, ""): _said(_("Your e-mail was not delivered")),
    (Kind.MAIL_FAILED, "partly"): _said(_("Your e-mail did not reach everybody")),
    (Kind.MAIL_FAILED, "waits"): _said(_("Your e-mail still waits to be sent")),
    (Kind.MAIL_FAILED, "uncertain"): _said(_("Nobody knows whether your e-mail left")),
    (Kind.CALL_MISSED, ""): _said(_("Missed call")),
    (Kind.NEW_BROWSER, ""): _said(_("A new browser signed in as you"), _("New browsers signed in as you (%(count)s×)")),
}

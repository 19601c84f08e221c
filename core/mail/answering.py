"""Whom an answer goes to and what it quotes, decided from the conversation."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from core.mail.queries import ThreadMail
from core.mail.quoting import quoted
from core.tenants.service import TenantProfile

OFFERED: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """An answer before anybody typed: addresses are separated by commas.

    ``answers`` is the activity of the mail that is answered, ``quote`` what would stand below the text, and ``offered``
    are the other addresses of the conversation, newest first.
    """

    to: str
    copies: str
    answers: int | None
    quote: str
    offered: Sequence[str]


def suggest_answer(
    thread: Sequence[ThreadMail], *, requester: str, ours: Collection[str], tenant: TenantProfile
) -> Suggestion:
    """To where whoever wrote last wants answers (Reply-To, else From), else to the requester.

    The others of that mail get copies, our own addresses never.
    Reports of mail servers are no letters: nobody answers them.
    """
    letters = [mail for mail in thread if mail.direction == "in" and "bounce" not in mail.flags]
    if not letters:
        return Suggestion(to=requester, copies="", answers=None, quote="", offered=_others(thread, {*ours, requester}))
    mail = letters[-1]
    wanted = list(_foreign(mail.reply_to, ours)) or [mail.sender[1] or requester]
    copies = list(_foreign((address for _name, address in (*mail.recipients, *mail.copies)), {*ours, *wanted}))
    return Suggestion(
        to=", ".join(wanted),
        copies=", ".join(copies),
        answers=mail.activity_id if mail.body.strip() else None,
        quote=_quote(mail, tenant) if mail.body.strip() else "",
        offered=_others(thread, {*ours, *wanted, *copies}),
    )


def _quote(mail: ThreadMail, tenant: TenantProfile) -> str:
    return quoted(mail.body, sender=mail.sender, at=mail.occurred_at, locale=tenant.locale, time_zone=tenant.time_zone)


def _others(thread: Sequence[ThreadMail], known: Collection[str]) -> list[str]:
    people = (
        address
        for mail in reversed(thread)
        if "bounce" not in mail.flags
        for _name, address in (mail.sender, *mail.recipients, *mail.copies)
    )
    return list(_foreign(people, known))[:OFFERED]


def _foreign(addresses: Iterable[str], known: Collection[str]) -> Iterator[str]:
    """Each address once, without those that are known or the plus address of a known one."""
    seen = {address.lower() for address in known}
    for address in addresses:
        local, _at, domain = address.lower().rpartition("@")
        if local and address.lower() not in seen and f"{local.partition('+')[0]}@{domain}" not in seen:
            seen.add(address.lower())
            yield address

"""What is in a conversation's address and composer: how each mail is shown, whom an answer may go to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from core.mail.queries import ThreadMail
from tenant_app.typed import as_id

OFFERED: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Which mails are shown otherwise than by default; it stands in the address, so it works without scripts.

    ``formatted`` is shown with its own formatting, ``plain`` as text, and ``pictures`` loads pictures from the web.
    """

    formatted: int | None
    plain: int | None
    pictures: int | None

    @classmethod
    def from_url(cls, arguments: Mapping[str, str]) -> "Opened":
        """``?formatted=``, ``?plain=`` and ``?pictures=``, each an activity's id."""
        return cls(
            formatted=as_id(arguments.get("formatted")),
            plain=as_id(arguments.get("plain")),
            pictures=as_id(arguments.get("pictures")),
        )

    def is_formatted(self, mail: ThreadMail) -> bool:
        """Whether the mail is shown as its sender laid it out: if asked, or if its text alone would lose something."""
        if not mail.has_html or self.plain == mail.activity_id:
            return False
        return mail.is_laid_out or mail.activity_id in {self.formatted, self.pictures}

    def has_pictures(self, mail: ThreadMail) -> bool:
        """Whether the mail may load pictures from the web."""
        return self.pictures == mail.activity_id


def draft_key(ticket_id: int, thread: Sequence[ThreadMail], *, user_id: int | None) -> str:
    """Under which name the browser keeps an answer; another once the viewer has sent it, whatever colleagues send."""
    own = (mail.activity_id for mail in thread if mail.direction == "out" and mail.user_id == user_id)
    return f"ticket-{ticket_id}-reply-{max(own, default=0)}"


def others_of(thread: Iterable[ThreadMail], *, ours: Iterable[str], chosen: str) -> list[str]:
    """The addresses of the conversation that an answer could go to as well, newest first."""
    known = {address.lower() for address in ours} | {word.strip().lower() for word in chosen.split(",")}
    found: dict[str, str] = {}
    for mail in reversed(list(thread)):
        for _name, address in (mail.sender, *mail.recipients, *mail.copies):
            local, _at, domain = address.lower().rpartition("@")
            if address and address.lower() not in known and f"{local.partition('+')[0]}@{domain}" not in known:
                found.setdefault(address.lower(), address)
    return list(found.values())[:OFFERED]

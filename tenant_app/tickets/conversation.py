"""How each mail of a conversation is shown, and under which name its answer is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.mail.queries import ThreadMail
from tenant_app.typed import as_id


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

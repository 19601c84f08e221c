"""Words for people, in their language.

Core raises and stores *messages* (a msgid and its values); a product turns them into text at its edge, with the
viewer's language. Catalogues lie in ``locales/<language>/LC_MESSAGES/messages.po``.
"""

import gettext
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

LOCALES: Final = ("en", "cs", "pl")
CATALOGUES: Final = Path(__file__).with_name("locales")


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence that is translated when it is shown; ``values`` fill its ``%(name)s`` places."""

    msgid: str
    values: Mapping[str, str | int] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.msgid % self.values if self.values else self.msgid


def _(msgid: str, **values: str | int) -> Message:
    """Mark ``msgid`` for translation; the extractor of catalogues looks for this name."""
    return Message(msgid, values)


def translate(message: Message | str, locale: str) -> str:
    """The message's text in ``locale``; English where a translation is missing."""
    if isinstance(message, str):
        return message
    text = catalogue_of(locale).gettext(message.msgid) if message.msgid else ""
    return text % message.values if message.values else text


@cache
def catalogue_of(locale: str) -> gettext.NullTranslations:
    """The words of a language; English has none of its own."""
    return gettext.translation("messages", CATALOGUES, languages=[locale], fallback=True)

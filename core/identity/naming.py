"""Names that people give to groups."""

import unicodedata
from typing import Final

from core.foundation.i18n import Message, _

LONGEST: Final = 80
UNPRINTABLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def cleaned_name(typed: str) -> str:
    """One line, composed, without signs that nobody sees."""
    text = unicodedata.normalize("NFC", typed)
    printable = (" " if sign.isspace() else sign for sign in text)
    return " ".join("".join(sign for sign in printable if unicodedata.category(sign) not in UNPRINTABLE).split())


def problem_of_name(name: str) -> Message | None:
    """Why a cleaned name cannot be used."""
    if not name:
        return _("A group needs a name.")
    if len(name) > LONGEST:
        return _("A name has at most %(limit)d characters.", limit=LONGEST)
    return None

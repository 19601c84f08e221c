"""Names that people give to groups, and addresses of users who have none."""

import secrets
import unicodedata
from typing import Final

from core.foundation.i18n import Message, _

LONGEST: Final = 80
UNPRINTABLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

NOWHERE: Final = "@users.invalid"
"""RFC 2606, 2: ``.invalid`` exists nowhere, so nobody can sign in or get mail there."""


def no_address() -> str:
    """What stands in place of an e-mail address for somebody without one; never the same twice."""
    return f"{secrets.token_hex(8)}{NOWHERE}"


def shown_address(email: str) -> str:
    """The address as people read it: empty for somebody without one."""
    return "" if email.endswith(NOWHERE) else email


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

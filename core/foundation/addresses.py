"""E-mail addresses as people type them (RFC 5321 syntax, no look-up)."""

import re
from functools import lru_cache
from typing import Final

import email_validator
from email_validator import EmailNotValidError

NAMED: Final = re.compile(r"[^<>]*<([^<>]*)>")
"""``Jana Malá <jana@customer.example>`` as mail programs copy it; the library takes no such name outside ASCII."""

# The library refuses names such as company.local and host.test. Companies do use them inside; whether mail can get
# there is for the outgoing server to say.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()


class NotAnAddress(ValueError):
    """What was typed is no address."""


@lru_cache(maxsize=4096)
def checked_address(typed: str) -> str:
    """The address to send to, a display name before it taken away and the domain in ASCII; else ``NotAnAddress``.

    Letters outside ASCII before the @ are refused: few servers take them (RFC 6531).
    """
    named = NAMED.fullmatch(typed.strip())
    try:
        found = email_validator.validate_email(
            (named[1] if named else typed).strip(),
            check_deliverability=False,
            globally_deliverable=False,
            allow_smtputf8=False,
        )
    except EmailNotValidError as error:
        raise NotAnAddress(typed) from error
    return found.ascii_email or found.normalized

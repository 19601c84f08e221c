"""Passwords: people's own by Argon2id (RFC 9106) with the library's current parameters, and those made for devices."""

import secrets
import unicodedata
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from core.foundation.errors import Invalid
from core.foundation.i18n import Message, _

READABLE_SIGNS: Final = "abcdefghijkmnpqrstuvwxyz23456789"
"""No sign that is taken for another when it is typed; five bits each."""


LEAST_CHARACTERS: Final = 8
MOST_CHARACTERS: Final = 1000
RULES: Final = ("length", "upper", "lower", "digit", "special")
"""What a password must hold (TC-26), by the names under which the form explains them."""


def unmet_rules(password: str) -> list[str]:
    """The rules that ``password`` does not meet. Letters count in every script; any sign that is neither letter, digit
    nor space is special."""
    met = {
        "length": len(password) >= LEAST_CHARACTERS,
        "upper": any(sign.isupper() for sign in password),
        "lower": any(sign.islower() for sign in password),
        "digit": any(sign.isdigit() for sign in password),
        "special": any(unicodedata.category(sign)[0] in "PS" for sign in password),
    }
    return [rule for rule in RULES if not met[rule]]


def check_new_password(password: str, again: str) -> None:
    """Raise ``Invalid`` unless ``password`` meets the rules and was typed twice alike (TC-26)."""
    problems: dict[str, Message] = {}
    if unmet_rules(password):
        problems["password"] = _(
            "Use at least 8 characters, with an upper and a lower case letter, a digit and a special character."
        )
    elif len(password) > MOST_CHARACTERS:
        problems["password"] = _("That is too long.")
    elif password != again:
        problems["password_again"] = _("This is not the same as above.")
    if problems:
        raise Invalid(problems)


def hash_password(password: str) -> str:
    """The encoded hash to store."""
    return _hasher().hash(password)


def password_matches(password: str, stored: str | None) -> bool:
    """Whether ``password`` is the stored one; takes as long when there is none to compare with."""
    nobodys = _nobodys_hash()  # made in either case: the first time it takes as long as a check
    try:
        return _hasher().verify(stored or nobodys, password) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def readable_signs(length: int) -> str:
    """Random signs that can be read out and typed."""
    return "".join(secrets.choice(READABLE_SIGNS) for _place in range(length))


def readable_password(*, groups: int, signs: int) -> str:
    """A random password for a device, in groups: ``abcde-fghij``. Long enough ones need no slow hash."""
    return "-".join(readable_signs(signs) for _group in range(groups))


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys_hash() -> str:
    return _hasher().hash("nobody has this password")

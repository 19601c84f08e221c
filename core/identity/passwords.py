"""Passwords: people's own by Argon2id (RFC 9106) with the library's current parameters, and those made for devices."""

import secrets
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

READABLE_SIGNS: Final = "abcdefghijkmnpqrstuvwxyz23456789"
"""No sign that is taken for another when it is typed; five bits each."""


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

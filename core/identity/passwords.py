"""Passwords: Argon2id (RFC 9106) with the library's current parameters."""

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError


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


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobodys_hash() -> str:
    return _hasher().hash("nobody has this password")

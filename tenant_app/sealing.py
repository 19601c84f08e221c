"""Passwords on their way to the page that shows them once, and into the code that a phone scans.

``base64url(sealed(until | id | text))``, see ``core.foundation.sealing``. Nothing is stored: the database keeps a
digest of the password alone.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from core.foundation import clock, sealing

VALID_FOR: Final = timedelta(minutes=15)
HEAD: Final = struct.Struct(">Iq")
"""Seconds since 1970 until which it holds, and the id of what the password belongs to."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is carried."""

    id: int
    text: str
    until: datetime


def seal(id_: int, text: str, *, purpose: bytes, tenant_id: int) -> str:
    """A text for addresses that nobody but this server can read, for a quarter of an hour."""
    until = int((clock.now() + VALID_FOR).timestamp())
    raw = sealing.seal(HEAD.pack(until, id_) + text.encode(), purpose=purpose, tenant_id=tenant_id)
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def unseal(token: str, *, purpose: bytes, tenant_id: int) -> Sealed | None:
    """What it carries; None if it is forged, of another tenant, or too old."""
    try:
        raw = urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4))
    except (NotBase64, ValueError):
        return None
    plain = sealing.unseal(raw, purpose=purpose, tenant_id=tenant_id)
    if plain is None:
        return None
    until_s, id_ = HEAD.unpack_from(plain)
    until = datetime.fromtimestamp(until_s, UTC)
    return Sealed(id_, plain[HEAD.size :].decode(), until) if clock.now() < until else None

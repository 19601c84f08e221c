"""The link behind the QR code: it carries an app password that nobody but this server can read.

``base64url(nonce | AES-256-GCM(until | client | password))`` (NIST SP 800-38D) under a key of its own that derives from
the installation's (HKDF, RFC 5869), with the tenant as associated data: a link of one tenant opens nothing in another,
and a changed one opens nothing at all. That it works once is for the row of ``profile_link`` to say, which holds the
link's SHA-256; so neither the database nor its backups hold the password.
"""

import hashlib
import os
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.foundation import clock
from core.foundation.settings import settings

VALID_FOR: Final = timedelta(minutes=15)
NONCE_BYTES: Final = 12
HEAD: Final = struct.Struct(">Iq")
"""Seconds since 1970 until which it holds, and the client's id."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a link carries."""

    client_id: int
    password: str
    until: datetime


def seal(client_id: int, password: str, *, tenant_id: int) -> str:
    """A link's secret part, which holds for a quarter of an hour."""
    until = int((clock.now() + VALID_FOR).timestamp())
    nonce = os.urandom(NONCE_BYTES)
    plain = HEAD.pack(until, client_id) + password.encode()
    sealed = AESGCM(_key()).encrypt(nonce, plain, str(tenant_id).encode())
    return urlsafe_b64encode(nonce + sealed).rstrip(b"=").decode()


def unseal(token: str, *, tenant_id: int) -> Sealed | None:
    """What the link carries; None if it is forged, of another tenant, or too old."""
    try:
        raw = urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4))
        plain = AESGCM(_key()).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], str(tenant_id).encode())
    except (NotBase64, InvalidTag, ValueError):
        return None
    until_s, client_id = HEAD.unpack_from(plain)
    until = datetime.fromtimestamp(until_s, UTC)
    return Sealed(client_id, plain[HEAD.size :].decode(), until) if clock.now() < until else None


def fingerprint(token: str) -> bytes:
    """What the database knows of a link."""
    return hashlib.sha256(token.encode()).digest()


def _key() -> bytes:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"centrala profile link 1")
    return derive.derive(settings().secret_key.encode())

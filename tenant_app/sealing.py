"""A device's new password on its way to the page that shows it once, and into the code that a phone scans.

``base64url(nonce | AES-256-GCM(until | device | user name | password))`` (NIST SP 800-38D) under a key of its own that
derives from the installation's (HKDF, RFC 5869), with the tenant as associated data. Nothing is stored: the database
keeps a digest of the password alone.
"""

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

from core.calls.lines import NewDevice
from core.foundation import clock
from core.foundation.settings import settings

VALID_FOR: Final = timedelta(minutes=15)
NONCE_BYTES: Final = 12
HEAD: Final = struct.Struct(">Iq")
"""Seconds since 1970 until which it holds, and the device's id."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is carried."""

    device_id: int
    username: str
    password: str
    until: datetime


def seal(device: NewDevice, *, tenant_id: int) -> str:
    """A text that nobody but this server can read, for a quarter of an hour."""
    until = int((clock.now() + VALID_FOR).timestamp())
    nonce = os.urandom(NONCE_BYTES)
    plain = HEAD.pack(until, device.id) + f"{device.sip_username}\n{device.password}".encode()
    sealed = AESGCM(_key()).encrypt(nonce, plain, str(tenant_id).encode())
    return urlsafe_b64encode(nonce + sealed).rstrip(b"=").decode()


def unseal(token: str, *, tenant_id: int) -> Sealed | None:
    """What it carries; None if it is forged, of another tenant, or too old."""
    try:
        raw = urlsafe_b64decode(token.encode() + b"=" * (-len(token) % 4))
        plain = AESGCM(_key()).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], str(tenant_id).encode())
    except (NotBase64, InvalidTag, ValueError):
        return None
    until_s, device_id = HEAD.unpack_from(plain)
    until = datetime.fromtimestamp(until_s, UTC)
    username, _newline, password = plain[HEAD.size :].decode().partition("\n")
    return Sealed(device_id, username, password, until) if clock.now() < until else None


def _key() -> bytes:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"centrala sip device 1")
    return derive.derive(settings().secret_key.encode())

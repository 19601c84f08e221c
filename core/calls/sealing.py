"""Passwords that must be said again, to a provider: encrypted under a key that follows from the installation's.

AES-256-GCM (NIST SP 800-38D) under a key derived by HKDF (RFC 5869), with the trunk's tenant as associated data.
"""

import os
from functools import cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.foundation.settings import settings

NONCE_BYTES: Final = 12
PURPOSE: Final = b"centrala trunk password"


def seal(text: str, *, tenant_id: int) -> bytes:
    """``text``, readable only with the installation's key and for this tenant."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(_key(settings().secret_key)).encrypt(nonce, text.encode(), str(tenant_id).encode())


def unseal(sealed: bytes | None, *, tenant_id: int) -> str:
    """What was sealed; empty where nothing was, or under a key that is no longer ours."""
    if not sealed:
        return ""
    nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        return AESGCM(_key(settings().secret_key)).decrypt(nonce, rest, str(tenant_id).encode()).decode()
    except InvalidTag:
        return ""


@cache
def _key(secret: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(secret.encode())

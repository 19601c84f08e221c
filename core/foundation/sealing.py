"""Short secrets that must be read again: encrypted under keys that follow from the installation's.

AES-256-GCM (NIST SP 800-38D) under a key for each purpose, derived by HKDF (RFC 5869), with the tenant as associated
data: what is sealed for one tenant or purpose opens nothing in another.
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


def seal(plain: bytes, *, purpose: bytes, tenant_id: int) -> bytes:
    """A nonce, and ``plain`` encrypted; readable only with the installation's key, for this purpose and tenant."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(_key(settings().secret_key, purpose)).encrypt(nonce, plain, _bound_to(tenant_id))


def unseal(sealed: bytes, *, purpose: bytes, tenant_id: int) -> bytes | None:
    """What was sealed; None if it is forged, of another tenant or purpose, or under a key that is no longer ours."""
    nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        return AESGCM(_key(settings().secret_key, purpose)).decrypt(nonce, rest, _bound_to(tenant_id))
    except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
        return None


def _bound_to(tenant_id: int) -> bytes:
    return str(tenant_id).encode()


@cache
def _key(secret: str, purpose: bytes) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(secret.encode())

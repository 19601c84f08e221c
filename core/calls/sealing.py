"""Passwords that must be said again, to a provider: sealed for the trunk's tenant."""

from typing import Final

from core.foundation import sealing

PURPOSE: Final = b"centrala trunk password"


def seal(text: str, *, tenant_id: int) -> bytes:
    """``text``, readable only with the installation's key and for this tenant."""
    return sealing.seal(text.encode(), purpose=PURPOSE, tenant_id=tenant_id)


def unseal(sealed: bytes | None, *, tenant_id: int) -> str:
    """What was sealed; empty where nothing was, or under a key that is no longer ours."""
    plain = sealing.unseal(sealed, purpose=PURPOSE, tenant_id=tenant_id) if sealed else None
    return plain.decode() if plain else ""

"""The link behind the QR code: it carries an app password that nobody but this server can read.

A link of one tenant opens nothing in another, and a changed one opens nothing at all (``tenant_app.sealing``). That it
works once is for the row of ``profile_link`` to say, which holds the link's SHA-256; so neither the database nor its
backups hold the password.
"""

import hashlib
from typing import Final

from tenant_app import sealing

PURPOSE: Final = b"centrala profile link 1"


def seal(client_id: int, password: str, *, tenant_id: int) -> str:
    """A link's secret part."""
    return sealing.seal(client_id, password, purpose=PURPOSE, tenant_id=tenant_id)


def unseal(token: str, *, tenant_id: int) -> sealing.Sealed | None:
    """The client's id and its password; None if the link is forged, of another tenant, or too old."""
    return sealing.unseal(token, purpose=PURPOSE, tenant_id=tenant_id)


def fingerprint(token: str) -> bytes:
    """What the database knows of a link."""
    return hashlib.sha256(token.encode()).digest()

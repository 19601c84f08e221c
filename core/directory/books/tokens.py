"""Sync tokens (RFC 6578, 4): up to which version, and under which view, a client was told.

A token is signed for its client and collection, so that a made-up or another client's is noticed.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

from core.foundation.settings import settings

FORM: Final = re.compile(r"urn:centrala:sync:(\d{1,18}):([0-9a-f]{8}):([0-9a-f]{16})")
WIPED: Final = re.compile(r"urn:centrala:wiped:([0-9a-f]{16})")


class InvalidToken(ValueError):
    """The token is none of ours, or of another client or book."""


@dataclass(frozen=True, slots=True)
class SyncPoint:
    """A version of the card clock, and a digest of what the client's user saw then."""

    version: int
    scope: str


def scope_digest(scope: str) -> str:
    """What a user sees (databases, books), as eight characters."""
    return hashlib.sha256(scope.encode()).hexdigest()[:8]


def sync_token(point: SyncPoint, *, client_id: int, collection: str) -> str:
    """The token that says ``point``."""
    return f"urn:centrala:sync:{point.version}:{point.scope}:{_signature(point, client_id, collection)}"


def read_sync_token(token: str, *, client_id: int, collection: str) -> SyncPoint:
    """The point that a token says; raises ``InvalidToken``."""
    found = FORM.fullmatch(token)
    if found is None:
        raise InvalidToken
    point = SyncPoint(int(found[1]), found[2])
    if not hmac.compare_digest(found[3], _signature(point, client_id, collection)):
        raise InvalidToken
    return point


def wiped_token(client_id: int) -> str:
    """The marked token: whoever presents it has been told that everything is gone."""
    return f"urn:centrala:wiped:{_mac(f'wiped:{client_id}')}"


def is_wiped_token(token: str, client_id: int) -> bool:
    """Whether this is the client's own marked token."""
    found = WIPED.fullmatch(token)
    return found is not None and hmac.compare_digest(found[1], _mac(f"wiped:{client_id}"))


def _signature(point: SyncPoint, client_id: int, collection: str) -> str:
    return _mac(f"sync:{client_id}:{collection}:{point.version}:{point.scope}")


def _mac(text: str) -> str:
    return hmac.digest(settings().secret_key.encode(), text.encode(), "sha256").hex()[:16]

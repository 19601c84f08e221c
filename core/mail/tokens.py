"""Signatures by which a mail proves that it answers one of ours.

Two places carry one: the plus part of the reply address (``support+t17.9f…@host``) and the Message-ID
(``<c.17.random.9f…@host>``). Both are HMAC-SHA256 under the installation's key, bound to the tenant's realm, so that a
signature of one tenant is worth nothing in another.
"""

import hmac
import re
import secrets
from typing import Final

from core.foundation.settings import settings

SIGNATURE_DIGITS: Final = 32
REPLY_PART: Final = re.compile(r"t(\d{1,18})\.([0-9a-f]{32})")
MESSAGE_ID: Final = re.compile(r"c\.(\d{1,18})\.([0-9a-f]{16})\.([0-9a-f]{32})@")


def reply_address(address: str, *, realm: str, ticket_id: int) -> str:
    """``address`` with the ticket's signed plus part."""
    local, _at, domain = address.partition("@")
    return f"{local}+t{ticket_id}.{_sign(realm, f'reply:{ticket_id}')}@{domain}"


def new_message_id(*, realm: str, ticket_id: int, host: str) -> str:
    """A fresh Message-ID without angle brackets (RFC 5322, 3.6.4)."""
    nonce = secrets.token_hex(8)
    return f"c.{ticket_id}.{nonce}.{_sign(realm, f'message:{ticket_id}:{nonce}')}@{host}"


def ticket_of_recipient(recipient: str, *, realm: str) -> int | None:
    """The ticket whose signed part the address carries."""
    part = recipient.partition("@")[0].partition("+")[2].lower()
    found = REPLY_PART.fullmatch(part)
    if found is None or not _is_signed(found[2], realm, f"reply:{found[1]}"):
        return None
    return int(found[1])


def ticket_of_message_id(message_id: str, *, realm: str) -> int | None:
    """The ticket that a Message-ID of ours belongs to; None for others' and for forged ones."""
    found = MESSAGE_ID.match(message_id)
    if found is None or not _is_signed(found[3], realm, f"message:{found[1]}:{found[2]}"):
        return None
    return int(found[1])


def _is_signed(signature: str, realm: str, value: str) -> bool:
    return hmac.compare_digest(signature, _sign(realm, value))


def _sign(realm: str, value: str) -> str:
    key = settings().secret_key.encode()
    return hmac.digest(key, f"mail:{realm}:{value}".encode(), "sha256").hex()[:SIGNATURE_DIGITS]

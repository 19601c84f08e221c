"""Browsers that take pushes: each belongs to a sign-in, and goes with it."""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from core.foundation import clock
from core.foundation.errors import Forbidden, Invalid, NotFound
from core.foundation.i18n import _
from core.foundation.outgoing import Refused, checked_url
from core.foundation.unit_of_work import Work
from core.identity.models import SignInSession
from core.identity.sessions import digest
from core.notifications.models import PushSubscription

AUTH_BYTES: Final = 16
KEY_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserKeys:
    """What a browser gives away to be pushed to (Push API): an address, and two keys in base64url."""

    endpoint: str
    p256dh: str
    auth: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PushBrowser:
    """One of the actor's browsers that take pushes. ``endpoint_hash`` lets a browser find itself (hex SHA-256)."""

    id: int
    agent: str
    endpoint_hash: str
    is_this: bool
    created_at: datetime
    delivered_at: datetime | None


def subscribe(work: Work, keys: BrowserKeys, *, token: str) -> None:
    """Let the browser whose sign-in holds ``token`` take the actor's pushes; whoever had it before gets none there.

    Raises ``Invalid`` for an address or keys that no browser gives, ``Forbidden`` without such a sign-in.
    """
    _check(keys)
    session_id = work.session.scalar(
        select(SignInSession.id).where(
            SignInSession.token_sha256 == digest(token), SignInSession.user_id == work.actor.user_id
        )
    )
    if session_id is None:
        raise Forbidden
    work.session.execute(delete(PushSubscription).where(PushSubscription.session_id == session_id))
    values = {
        "user_id": work.actor.user_id,
        "session_id": session_id,
        "endpoint": keys.endpoint,
        "p256dh": keys.p256dh,
        "auth": keys.auth,
        "created_at": clock.now(),
        "delivered_at": None,
    }
    row = insert(PushSubscription).values(endpoint_sha256=_hash(keys.endpoint), **values)
    work.session.execute(row.on_conflict_do_update(index_elements=["tenant_id", "endpoint_sha256"], set_=values))


def unsubscribe(work: Work, subscription_id: int) -> None:
    """Let one of the actor's browsers take no pushes any more. Raises ``NotFound`` for others'."""
    row = work.session.get(PushSubscription, subscription_id)
    if row is None or row.user_id != work.actor.user_id:
        raise NotFound
    work.session.delete(row)


def my_browsers(work: Work, token: str) -> Sequence[PushBrowser]:
    """The actor's browsers that take pushes, that of ``token`` first."""
    query = (
        select(PushSubscription, SignInSession.browser, SignInSession.token_sha256)
        .join(SignInSession, SignInSession.id == PushSubscription.session_id)
        .where(PushSubscription.user_id == work.actor.user_id, SignInSession.expires_at > clock.now())
        .order_by(PushSubscription.id.desc())
    )
    rows = [
        PushBrowser(
            id=row.id,
            agent=agent,
            endpoint_hash=row.endpoint_sha256.hex(),
            is_this=token_sha256 == digest(token),
            created_at=row.created_at,
            delivered_at=row.delivered_at,
        )
        for row, agent, token_sha256 in work.session.execute(query)
    ]
    return sorted(rows, key=lambda row: not row.is_this)


def _check(keys: BrowserKeys) -> None:
    try:
        checked_url(keys.endpoint)
        point, secret = _decoded(keys.p256dh), _decoded(keys.auth)
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except (Refused, ValueError):
        point, secret = b"", b""
    if not point.startswith(b"\x04") or len(secret) != AUTH_BYTES:
        raise Invalid({"endpoint": _("This is not what a browser sends. Nothing was stored.")})


def _decoded(text: str) -> bytes:
    """What is written in base64url, with or without padding; raises ``ValueError``."""
    if len(text) > KEY_CHARACTERS:
        raise ValueError
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error as error:
        raise ValueError from error


def _hash(endpoint: str) -> bytes:
    return hashlib.sha256(endpoint.encode()).digest()

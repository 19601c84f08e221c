"""The key by which push services know the company (VAPID, RFC 8292): made at the first use, its private half sealed."""

import base64
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from core.foundation.sealing import seal, unseal
from core.foundation.unit_of_work import Work
from core.notifications.models import PushKey

PURPOSE: Final = b"web push key"


def public_key(work: Work) -> str:
    """The company's public key in base64url, which browsers ask their push service to heed."""
    return _key(work).public_key


def private_key(work: Work) -> ec.EllipticCurvePrivateKey:
    """The company's private key, by which what is pushed is signed."""
    plain = unseal(_key(work).sealed_private_key, purpose=PURPOSE, tenant_id=work.actor.tenant_id)
    if plain is None:
        raise RuntimeError("the key for web push is sealed under another key of the installation")
    loaded = serialization.load_der_private_key(plain, password=None)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise TypeError
    return loaded


def _key(work: Work) -> PushKey:
    """The company's key, made at the first use."""
    found = work.session.scalar(select(PushKey))
    if found is None:
        work.session.execute(insert(PushKey).values(**_new_key(work)).on_conflict_do_nothing())
        found = work.session.scalars(select(PushKey)).one()
    return found


def _new_key(work: Work) -> dict[str, object]:
    made = ec.generate_private_key(ec.SECP256R1())
    plain = made.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    point = made.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    return {
        "public_key": base64.urlsafe_b64encode(point).rstrip(b"=").decode(),
        "sealed_private_key": seal(plain, purpose=PURPOSE, tenant_id=work.actor.tenant_id),
    }

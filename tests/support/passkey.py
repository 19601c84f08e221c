"""An authenticator in software: it makes passkeys and answers challenges as a phone or a security key does."""

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from core.foundation.settings import settings

PRESENT, VERIFIED, HOLDS_KEY = 0x01, 0x04, 0x40
ES256 = -7


@dataclass
class Authenticator:
    """One device with one passkey. Whatever stands here can be changed to answer wrongly."""

    origin: str = field(default_factory=lambda: f"http://demo.localhost:{settings().web_port}")
    rp_id: str = "demo.localhost"
    is_verified: bool = True
    counter: int = 0
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    handle: bytes = b""

    def made(self, options: str) -> str:
        """The answer to ``navigator.credentials.create``, as JSON."""
        wanted = json.loads(options)
        self.handle = decoded(wanted["user"]["id"])
        statement = {"fmt": "none", "attStmt": {}, "authData": self._data(with_key=True)}
        answer = {"attestationObject": encoded(cbor2.dumps(statement)), "transports": ["internal"]}
        return self._answer("webauthn.create", wanted["challenge"], answer)

    def signed(self, options: str) -> str:
        """The answer to ``navigator.credentials.get``, as JSON; the counter goes up."""
        wanted = json.loads(options)
        self.counter += 1
        data, client = self._data(with_key=False), self._client("webauthn.get", wanted["challenge"])
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        answer = {
            "authenticatorData": encoded(data),
            "signature": encoded(signature),
            "userHandle": encoded(self.handle),
        }
        return self._answer("webauthn.get", wanted["challenge"], answer)

    def _answer(self, kind: str, challenge: str, response: dict[str, Any]) -> str:
        client = encoded(self._client(kind, challenge))
        named = encoded(self.credential_id)
        answer = {"id": named, "rawId": named, "type": "public-key", "clientExtensionResults": {}}
        return json.dumps({**answer, "response": {"clientDataJSON": client, **response}})

    def _client(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _data(self, *, with_key: bool) -> bytes:
        flags = PRESENT | (VERIFIED if self.is_verified else 0) | (HOLDS_KEY if with_key else 0)
        head = hashlib.sha256(self.rp_id.encode()).digest() + bytes([flags]) + self.counter.to_bytes(4, "big")
        if not with_key:
            return head
        numbers = self.key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        key = cbor2.dumps({1: 2, 3: ES256, -1: 1, -2: x, -3: y})
        return head + bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + key


def encoded(raw: bytes) -> str:
    """Base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """What ``encoded`` wrote."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))

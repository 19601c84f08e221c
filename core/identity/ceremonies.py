"""What passes between this server and a passkey (Web Authentication, W3C): challenges, and answers that hold.

A challenge is a row of five minutes, bound to the browser by a random token and gone with the first answer, whether it
holds or not. The relying party is the tenant's primary host and the origin its configured address: what a request's
Host claims decides nothing (ATTACK 30).
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

import webauthn
from sqlalchemy import ColumnElement, delete, select
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from core.foundation import clock
from core.foundation.settings import settings
from core.foundation.unit_of_work import Work
from core.identity.models import Passkey, PasskeyChallenge, UserAccount
from core.identity.sessions import digest
from core.tenants.service import primary_host, primary_url, tenant_profile

VALID_FOR: Final = timedelta(minutes=5)
CHALLENGE_BYTES: Final = 32
MOST_CHARACTERS: Final = 32_768
"""More than any authenticator answers."""
NO_ANSWER: Final = (WebAuthnException, ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""What the library raises for answers that are none: its own errors, and those of what it parses with."""


class Purpose(StrEnum):
    """What a challenge is answered for."""

    CREATION = "creation"
    SIGN_IN = "sign_in"
    SECOND_STEP = "second_step"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What has to be signed, and by whom: None where the passkey says so itself."""

    challenge: bytes
    user_id: int | None


def make_challenge(work: Work, purpose: Purpose, user_id: int | None = None) -> tuple[str, bytes]:
    """A new challenge, and the token that the browser keeps for it."""
    work.session.execute(delete(PasskeyChallenge).where(PasskeyChallenge.expires_at <= clock.now()))
    token, challenge = secrets.token_urlsafe(32), secrets.token_bytes(CHALLENGE_BYTES)
    row = PasskeyChallenge(
        purpose=purpose.value,
        user_id=user_id,
        token_sha256=digest(token),
        challenge=challenge,
        expires_at=clock.now() + VALID_FOR,
    )
    work.session.add(row)
    work.session.flush()
    return token, challenge


def open_challenge(work: Work, purpose: Purpose, token: str) -> Challenge | None:
    """The challenge that waits for this browser's answer, without using it up."""
    query = select(PasskeyChallenge.challenge, PasskeyChallenge.user_id).where(*_is_open(purpose, token))
    found = work.session.execute(query).one_or_none()
    return Challenge(*found) if found else None


def take_challenge(work: Work, purpose: Purpose, token: str) -> Challenge | None:
    """The same, and it is gone: of two answers at the same moment one finds it. Commit it whatever the answer is."""
    taken = delete(PasskeyChallenge).where(*_is_open(purpose, token))
    found = work.session.execute(taken.returning(PasskeyChallenge.challenge, PasskeyChallenge.user_id)).one_or_none()
    return Challenge(*found) if found else None


def creation_options(work: Work, user: UserAccount, challenge: bytes) -> str:
    """What the browser is to be told so that it makes a passkey which can sign in alone, as JSON."""
    options = webauthn.generate_registration_options(
        rp_id=primary_host(work),
        rp_name=tenant_profile(work).name,
        user_id=user_handle(work, user.id),
        user_name=user.email,
        user_display_name=user.name,
        challenge=challenge,
        timeout=_milliseconds(),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_passkeys_of(work, user.id),
    )
    return webauthn.options_to_json(options)


def request_options(work: Work, challenge: bytes, *, user_id: int | None = None) -> str:
    """What the browser is to be told so that a passkey answers, of this user or of whoever it belongs to, as JSON."""
    options = webauthn.generate_authentication_options(
        rp_id=primary_host(work),
        challenge=challenge,
        timeout=_milliseconds(),
        allow_credentials=_passkeys_of(work, user_id) if user_id is not None else [],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def checked_creation(work: Work, answer: str, challenge: bytes) -> VerifiedRegistration | None:
    """The passkey that was made; None if the answer does not hold."""
    try:
        return webauthn.verify_registration_response(
            credential=answer[:MOST_CHARACTERS],
            expected_challenge=challenge,
            expected_rp_id=primary_host(work),
            expected_origin=_origin(work),
            require_user_verification=True,
        )
    except NO_ANSWER:
        return None


def parsed_answer(answer: str) -> AuthenticationCredential | None:
    """An answer whose form is right; nothing of it is verified."""
    try:
        return parse_authentication_credential_json(answer[:MOST_CHARACTERS])
    except NO_ANSWER:
        return None


def checked_answer(
    work: Work, answer: AuthenticationCredential, passkey: Passkey, challenge: bytes
) -> VerifiedAuthentication | None:
    """What the passkey has signed; None if it does not hold. Whoever calls looks at its counter."""
    try:
        return webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=primary_host(work),
            expected_origin=_origin(work),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except NO_ANSWER:
        return None


def user_handle(work: Work, user_id: int) -> bytes:
    """Under what passkeys know a user: it tells nothing of them, and is the same for all of their passkeys."""
    plain = f"passkey user:{work.actor.tenant_id}:{user_id}"
    return hmac.digest(settings().secret_key.encode(), plain.encode(), "sha256")


def _passkeys_of(work: Work, user_id: int) -> list[PublicKeyCredentialDescriptor]:
    query = select(Passkey.credential_id).where(Passkey.user_id == user_id).order_by(Passkey.id)
    return [PublicKeyCredentialDescriptor(id=credential_id) for credential_id in work.session.scalars(query)]


def _origin(work: Work) -> str:
    return primary_url(work).removesuffix(":80")


def _milliseconds() -> int:
    return int(VALID_FOR.total_seconds() * 1000)


def _is_open(purpose: Purpose, token: str) -> tuple[ColumnElement[bool], ...]:
    return (
        PasskeyChallenge.token_sha256 == digest(token),
        PasskeyChallenge.purpose == purpose.value,
        PasskeyChallenge.expires_at > clock.now(),
    )

"""What is said between Centrala and a provider: OpenID Connect Core 1.0, Discovery 1.0, RFC 6749, 7636, 9207.

Nothing here touches the database; whatever asks the network raises ``Unavailable``, in words for whoever set it up.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from requests import RequestException

from core.foundation import clock
from core.foundation.errors import Unavailable
from core.foundation.i18n import Message, _
from core.identity.openid.asking import guarded, is_askable

SCOPE: Final = "openid email profile"
SIGNED_BY: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""By keys of the provider alone: never ``none``, never a secret that both sides know."""
LEEWAY_S: Final = 60
REMEMBERED_S: Final = 600.0
MOST_REMEMBERED: Final = 500
LONGEST_SUBJECT: Final = 255

_metadata: dict[str, tuple[float, "Metadata"]] = {}
_keys: dict[str, tuple[float, KeySet]] = {}


class NotGenuine(Exception):
    """What the provider answered does not prove who it is; ``reason`` is a word for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """What this company is at a provider."""

    kind: str
    issuer: str
    client_id: str
    client_secret: str
    redirect_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What a provider says of itself."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    algorithms: tuple[str, ...]
    token_auth_method: str
    names_itself: bool
    """Whether it puts its issuer into the address by which browsers come back (RFC 9207)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Whom the provider answers for; ``email`` is in lower case, and empty unless it has been verified."""

    subject: str
    email: str


def discover(issuer: str) -> Metadata:
    """Ask the provider what it is. Raises ``Unavailable``, which says what is wrong."""
    found = _json(get_well_known_url(issuer, external=True))
    if found.get("issuer") != issuer:
        raise Unavailable(
            _("The provider calls itself “%(found)s”. Enter this as the issuer.", found=str(found.get("issuer"))[:200])
        )
    endpoints = {name: _endpoint(found, name) for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    algorithms = tuple(name for name in _listed(found, "id_token_signing_alg_values_supported") if name in SIGNED_BY)
    if not algorithms:
        raise Unavailable(_("The provider signs in no way that can be trusted. Let it use RS256."))
    methods = _listed(found, "token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return Metadata(
        **endpoints,
        userinfo_endpoint=_endpoint(found, "userinfo_endpoint") if found.get("userinfo_endpoint") else "",
        algorithms=algorithms,
        token_auth_method="client_secret_basic" if "client_secret_basic" in methods else "client_secret_post",
        names_itself=found.get("authorization_response_iss_parameter_supported") is True,
    )


def metadata_of(issuer: str) -> Metadata:
    """The same, remembered for ten minutes."""
    until, known = _metadata.get(issuer, (0.0, None))
    if known is None or until < time.monotonic():
        known = discover(issuer)
        if len(_metadata) >= MOST_REMEMBERED:
            _metadata.clear()
        _metadata[issuer] = (time.monotonic() + REMEMBERED_S, known)
    return known


def forget_providers() -> None:
    """Ask every provider again; for tests."""
    _metadata.clear()
    _keys.clear()


def check_client(client: Client) -> int:
    """Try everything that a sign-in needs but a person; answers how many keys the provider signs with.

    Raises ``Unavailable``, which says what is wrong.
    """
    metadata = discover(client.issuer)
    keys = _fetched_keys(metadata.jwks_uri)
    problem = _problem_of_client(client, metadata)
    if problem is not None:
        raise Unavailable(problem)
    return len(keys.keys)


def authorization_url(client: Client, *, state: str, nonce: str, code_verifier: str) -> str:
    """Where the browser is sent to."""
    metadata = metadata_of(client.issuer)
    with _session(client, metadata) as session:
        url, _state = session.create_authorization_url(
            metadata.authorization_endpoint, state=state, nonce=nonce, code_verifier=code_verifier
        )
    return str(url)


def identify(client: Client, code: str, *, code_verifier: str, nonce: str) -> Identity:
    """Whom the provider answers for with ``code``. Raises ``NotGenuine``, and ``Unavailable``."""
    metadata = metadata_of(client.issuer)
    with _session(client, metadata) as session:
        try:
            token = session.fetch_token(
                metadata.token_endpoint,
                code=code,
                code_verifier=code_verifier,
                redirect_uri=client.redirect_url,
                grant_type="authorization_code",
            )
        except OAuthError as error:
            raise NotGenuine("code") from error
        except (RequestException, ValueError) as error:
            raise _unreadable() from error
    claims = _checked_claims(client, metadata, token, nonce=nonce)
    if not claims.get("email") and metadata.userinfo_endpoint:
        claims = _with_userinfo(claims, metadata, str(token.get("access_token", "")))
    return Identity(subject=claims["sub"], email=verified_email(client.kind, claims))


def verified_email(kind: str, claims: Mapping[str, Any]) -> str:
    """The e-mail that the provider vouches for, in lower case; empty if it does not.

    Google answers for its own addresses and for those of a company that it hosts (``hd``); somebody's else was verified
    once, when the account was made. Microsoft says whether the domain's owner is verified (``xms_edov``).
    """
    email = claims.get("email")
    if not isinstance(email, str) or email.count("@") != 1:
        return ""
    email = email.lower()
    domain = email.partition("@")[2]
    is_verified = claims.get("email_verified") in (True, "true")
    if kind == "google":
        is_verified = is_verified and (domain == "gmail.com" or str(claims.get("hd", "")).lower() == domain)
    if kind == "microsoft":
        is_verified = is_verified or claims.get("xms_edov") in (True, 1, "1", "true")
    return email if is_verified else ""


def _checked_claims(client: Client, metadata: Metadata, token: Mapping[str, Any], *, nonce: str) -> CodeIDToken:
    raw = token.get("id_token")
    if not isinstance(raw, str):
        raise NotGenuine("no_id_token")
    decoded = _decoded(raw, metadata)
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        options={
            "iss": {"essential": True, "value": client.issuer},
            "aud": {"essential": True, "value": client.client_id},
        },
        params={"nonce": nonce, "client_id": client.client_id, "access_token": token.get("access_token")},
    )
    try:
        claims.validate(now=int(clock.now().timestamp()), leeway=LEEWAY_S)
    except JoseError as error:
        raise NotGenuine(str(getattr(error, "claim", None) or error.error)) from error
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject or len(subject) > LONGEST_SUBJECT or not subject.isprintable():
        raise NotGenuine("sub")
    return claims


def _decoded(raw: str, metadata: Metadata) -> jwt.Token:
    """The token, if the provider signed it. What fails with keys that are remembered is tried once with new ones."""
    until, known = _keys.get(metadata.jwks_uri, (0.0, None))
    if known is not None and until > time.monotonic():
        with suppress(JoseError, ValueError):
            return jwt.decode(raw, known, algorithms=metadata.algorithms)
    try:
        return jwt.decode(raw, _fetched_keys(metadata.jwks_uri), algorithms=metadata.algorithms)
    except (JoseError, ValueError) as error:
        raise NotGenuine("signature") from error


def _fetched_keys(url: str) -> KeySet:
    found = _json(url)
    try:
        keys = KeySet.import_key_set({"keys": [key for key in found["keys"] if key.get("use", "sig") == "sig"]})
    except (JoseError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unavailable(_("The keys of the provider cannot be read.")) from error
    if not keys.keys:
        raise Unavailable(_("The provider has no key that it signs with."))
    if len(_keys) >= MOST_REMEMBERED:
        _keys.clear()
    _keys[url] = (time.monotonic() + REMEMBERED_S, keys)
    return keys


def _with_userinfo(claims: CodeIDToken, metadata: Metadata, access_token: str) -> CodeIDToken:
    """The claims with those that the provider tells only when asked (OpenID Connect Core, 5.3)."""
    more = _json(metadata.userinfo_endpoint, {"Authorization": f"Bearer {access_token}"})
    if more.get("sub") != claims["sub"]:
        raise NotGenuine("userinfo")
    claims.update({name: more[name] for name in ("email", "email_verified") if name in more})
    return claims


def _problem_of_client(client: Client, metadata: Metadata) -> Message | None:
    """Whether the provider knows the client and its secret: it looks at these before it finds that the code is none."""
    with _session(client, metadata) as session:
        try:
            session.fetch_token(
                metadata.token_endpoint,
                code="no-code",
                code_verifier="x" * 43,
                redirect_uri=client.redirect_url,
                grant_type="authorization_code",
            )
        except OAuthError as error:
            if error.error in {"invalid_client", "unauthorized_client"}:
                return _("The provider does not know this client id with this client secret.")
        except (RequestException, ValueError) as error:
            raise _unreadable() from error
    return None


def _session(client: Client, metadata: Metadata) -> OAuth2Session:
    return guarded(
        OAuth2Session(
            client.client_id,
            client.client_secret,
            token_endpoint_auth_method=metadata.token_auth_method,
            scope=SCOPE,
            redirect_uri=client.redirect_url,
            code_challenge_method="S256",
        )
    )


def _json(url: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    with guarded(OAuth2Session()) as session:
        try:
            answer = session.get(url, headers=dict(headers or {}), withhold_token=True)
            found = answer.json() if answer.status_code == 200 else None
        except (RequestException, ValueError) as error:
            raise _unreadable() from error
    if answer.status_code != 200:
        raise Unavailable(_("%(url)s answers with status %(status)d.", url=url, status=answer.status_code))
    if not isinstance(found, dict):
        raise _unreadable()
    return found


def _endpoint(found: Mapping[str, Any], name: str) -> str:
    url = found.get(name)
    if not isinstance(url, str) or not is_askable(url):
        raise Unavailable(_("The provider names no usable address as its %(name)s.", name=name))
    return url


def _listed(found: Mapping[str, Any], name: str) -> list[str]:
    value = found.get(name)
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _unreadable() -> Unavailable:
    return Unavailable(_("The provider's answer cannot be read. Is this the address of an OpenID Connect provider?"))

"""A provider of OpenID Connect on loopback, made of Authlib's server side; it asks who one is on a page with a button.

It insists on PKCE. What it says can be bent: ``claims`` go over those of the token, ``forge`` over the token itself.
"""

import base64
import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import ClientMixin, InvalidRequestError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, jsonify, request
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from tests.support.ports import free_port

BACK: Final = "/sign-in/openid"
CLIENT_ID: Final = "centrala"
CLIENT_SECRET: Final = "a secret of the provider's"
PAGE: Final = """<!doctype html><html lang="en"><title>Accounts</title><main><h1>Accounts</h1>
<form method="post"><button>Go on as {email}</button></form></main></html>"""


@dataclass
class Client(ClientMixin):  # type: ignore[misc]  # the library has no types
    """The one client."""

    redirect_url: str = ""

    def get_client_id(self) -> str:
        """Its id."""
        return CLIENT_ID

    def get_default_redirect_uri(self) -> str:
        """Where browsers go back to."""
        return self.redirect_url

    def get_allowed_scope(self, scope: str) -> str:
        """All of it."""
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Only the address that was set up."""
        return redirect_uri == self.redirect_url

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether it is the client's."""
        return client_secret == CLIENT_SECRET

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        """As the discovery says."""
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        """Codes only."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """Codes only."""
        return grant_type == "authorization_code"


@dataclass
class Code:
    """A code that was given out."""

    code: str
    redirect_uri: str
    scope: str
    nonce: str
    code_challenge: str
    code_challenge_method: str

    def get_redirect_uri(self) -> str:
        """The one that it was given to."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """What was asked for."""
        return self.scope

    def get_nonce(self) -> str:
        """The client's."""
        return self.nonce

    def get_auth_time(self) -> None:
        """Not told."""

    get_acr = get_amr = get_auth_time


@dataclass
class Provider:
    """The running provider."""

    port: int
    client: Client = field(default_factory=Client)
    person: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    discovery: dict[str, Any] = field(default_factory=dict)
    forge: Callable[[str], str] | None = None
    codes: dict[str, Code] = field(default_factory=dict)
    keys: list[RSAKey] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        """What it calls itself."""
        return f"http://localhost:{self.port}"

    def rotate(self) -> None:
        """Sign with a new key, and forget the one before."""
        self.keys[:] = [RSAKey.generate_key(2048, {"kid": f"key-{len(self.asked)}", "use": "sig"})]

    def reset(self) -> None:
        """Be honest again."""
        self.claims.clear()
        self.discovery.clear()
        self.asked.clear()
        self.forge = None
        self.person = {"sub": "boris-1", "email": "boris@demo.localhost", "email_verified": True}

    def go_on(self, url: str) -> str:
        """Press the button of the page at ``url``; answers where the browser is sent."""
        parts = urlsplit(url)
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("POST", f"{parts.path}?{parts.query}")
            answer = connection.getresponse()
            text = answer.read().decode()
            assert answer.status == 302, text
            return answer.headers["Location"]
        finally:
            connection.close()


def query_of(url: str) -> dict[str, str]:
    """The values of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def unsigned(raw: str) -> str:
    """The same claims, signed by nobody."""
    return f"{_part({'alg': 'none'})}.{_part(_claims(raw))}."


def signed_with_the_secret(raw: str) -> str:
    """The same claims, signed with what the client knows too."""
    return jwt.encode({"alg": "HS256"}, _claims(raw), OctKey.import_key(CLIENT_SECRET), ["HS256"])


def changed(raw: str) -> str:
    """Other claims below the same signature."""
    head, _claim, signature = raw.split(".")
    return f"{head}.{_part({**_claims(raw), 'sub': 'anna-1'})}.{signature}"


def sent(client: FlaskClient, provider: Provider, provider_id: int, wanted: str = "/contacts/") -> str:
    """Press the button; answers the address at the provider."""
    answer = client.get(f"/sign-in/with/{provider_id}", query_string={"next": wanted})
    assert answer.status_code == 303, answer.text
    provider.client.redirect_url = query_of(answer.location)["redirect_uri"]
    return str(answer.location)


def back(client: FlaskClient, provider: Provider, url: str) -> TestResponse:
    """Go on at the provider and come back with what it says."""
    return client.get(BACK, query_string=query_of(provider.go_on(url)))


def through(client: FlaskClient, provider: Provider, provider_id: int, wanted: str = "/contacts/") -> TestResponse:
    """The whole way."""
    return back(client, provider, sent(client, provider, provider_id, wanted))


@contextmanager
def running_provider() -> Iterator[Provider]:
    """A provider until the block ends."""
    before = os.environ.get("AUTHLIB_INSECURE_TRANSPORT")
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    provider = Provider(free_port())
    provider.reset()
    provider.rotate()
    server = make_server("127.0.0.1", provider.port, _app(provider), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
        if before is None:
            del os.environ["AUTHLIB_INSECURE_TRANSPORT"]


def _app(provider: Provider) -> Flask:
    app = Flask("provider")
    server = AuthorizationServer(
        app, query_client=lambda name: provider.client if name == CLIENT_ID else None, save_token=lambda *_: None
    )
    server.register_grant(_grant(provider), [_tokens(provider), _Pkce()])

    @app.before_request
    def note() -> None:
        provider.asked.append(request.path)

    @app.get("/.well-known/openid-configuration")
    def discovery() -> Any:
        return jsonify(_discovery(provider))

    @app.get("/keys")
    def keys() -> Any:
        return jsonify(KeySet(list(provider.keys)).as_dict(private=False))

    @app.get("/authorize")
    def ask() -> Any:
        try:
            server.get_consent_grant(end_user=provider.person)
        except OAuth2Error as error:
            return str(error.error), 400
        return PAGE.format(email=provider.person.get("email", "somebody"))

    @app.post("/authorize")
    def answer() -> Any:
        try:
            grant = server.get_consent_grant(end_user=provider.person)
        except OAuth2Error as error:
            return str(error.error), 400
        return server.create_authorization_response(grant_user=provider.person, grant=grant)

    @app.post("/token")
    def token() -> Any:
        return server.create_token_response()

    @app.get("/userinfo")
    def userinfo() -> Any:
        return jsonify(provider.person)

    return app


def _discovery(provider: Provider) -> Mapping[str, Any]:
    return {
        "issuer": provider.issuer,
        "authorization_endpoint": f"{provider.issuer}/authorize",
        "token_endpoint": f"{provider.issuer}/token",
        "userinfo_endpoint": f"{provider.issuer}/userinfo",
        "jwks_uri": f"{provider.issuer}/keys",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
        **provider.discovery,
    }


class _Pkce(CodeChallenge):  # type: ignore[misc]  # the library has no types
    """PKCE by S256 for every client, as RFC 9700 wishes."""

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        if grant.request.payload.data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("PKCE is missing")
        super().validate_code_challenge(grant, redirect_uri)


def _grant(provider: Provider) -> type[AuthorizationCodeGrant]:
    class Grant(AuthorizationCodeGrant):  # type: ignore[misc]  # the library has no types
        def save_authorization_code(self, code: str, request: Any) -> None:
            data = request.payload.data
            names = ("redirect_uri", "scope", "nonce", "code_challenge", "code_challenge_method")
            provider.codes[code] = Code(code=code, **{name: data[name] for name in names})

        def query_authorization_code(self, code: str, _client: Client) -> Code | None:
            return provider.codes.get(code)

        def delete_authorization_code(self, authorization_code: Code) -> None:
            del provider.codes[authorization_code.code]

        def authenticate_user(self, _code: Code) -> Any:
            return provider.person

    return Grant


def _tokens(provider: Provider) -> OpenIDCode:
    class Tokens(OpenIDCode):  # type: ignore[misc]  # the library has no types
        def exists_nonce(self, _nonce: str, _request: Any) -> bool:
            return False

        def resolve_client_private_key(self, _client: Client) -> RSAKey:
            return provider.keys[0]

        def get_encode_header(self, _client: Client) -> dict[str, Any]:
            return {"alg": "RS256", "kid": provider.keys[0].kid}

        def get_client_claims(self, _client: Client) -> dict[str, Any]:
            return {"iss": provider.issuer, "aud": [CLIENT_ID]}

        def generate_user_info(self, user: Mapping[str, Any], _scope: str) -> dict[str, Any]:
            return {**user, **provider.claims}

        def encode_id_token(self, token: Any, request: Any) -> str:
            raw = str(super().encode_id_token(token, request))
            return provider.forge(raw) if provider.forge else raw

    return Tokens(require_nonce=True)


def _part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _claims(raw: str) -> dict[str, object]:
    payload = raw.split(".")[1]
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found

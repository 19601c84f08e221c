"""Headers that keep the browser strict, on whatever is answered."""

import pytest
from flask import Flask

from tenant_app.assets import asset
from tenant_app.headers import POLICY
from tests.conftest import ClientAs


def test_the_policy_allows_nothing_inline_and_nobody_else() -> None:
    directives = dict(part.split(" ", 1) for part in POLICY.split("; "))
    assert directives.pop("default-src") == "'none'"
    assert directives.pop("base-uri") == "'none'"
    assert directives.pop("frame-ancestors") == "'none'"
    assert directives.pop("img-src") == "'self' data:"
    assert set(directives.values()) == {"'self'"}
    assert {"script-src", "style-src", "connect-src", "form-action", "worker-src", "frame-src"} <= directives.keys()


@pytest.mark.parametrize(
    "path", ["/gallery", "/sign-in", "/theme.css", "/health", "/no/such/page", "/sign-out", "/static/nothing.js"]
)
def test_every_answer_carries_the_strict_headers(client_as: ClientAs, path: str) -> None:
    headers = client_as("anna").get(path).headers
    assert headers["Content-Security-Policy"] == POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_pages_are_kept_by_no_cache_in_between(client_as: ClientAs) -> None:
    client = client_as("anna")
    for path in ("/gallery", "/no/such/page", "/contacts/"):
        assert client.get(path).headers["Cache-Control"] == "private, no-cache"


def test_a_bundled_file_is_kept_for_ever_and_everywhere(app: Flask) -> None:
    answer = app.test_client().get(asset("app.css"))
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/dist/../../app.py", "/static//etc/passwd"]
)
def test_static_files_come_from_their_folder_only(app: Flask, path: str) -> None:
    assert app.test_client().get(f"/static/{path}").status_code == 404

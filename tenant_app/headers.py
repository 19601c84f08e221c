"""Response headers that keep the browser strict."""

from typing import Final

from flask import Flask, Response, request

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; font-src 'self'; "
    "connect-src 'self'; frame-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
"""The policy of our own pages; mail bodies and files set their own, stricter one."""

YEAR_S: Final = 365 * 24 * 3600


def install(app: Flask) -> None:
    """Add the headers to every response that has not set its own."""
    app.after_request(_strict)


def _strict(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    if request.endpoint == "static" and "/dist/" in request.path:
        headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
    else:
        headers.setdefault("Cache-Control", "private, no-cache")
    return response

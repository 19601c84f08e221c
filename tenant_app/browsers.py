"""The browser that asks, and the token by which it is known."""

from typing import Final

from flask import Response, current_app, request

from core.identity.sessions import BROWSER_LIFETIME, Browser, new_browser_token

COOKIE: Final = "centrala_browser"
DOOR: Final = "/sign-in"
"""The token is sent where somebody signs in, and nowhere else."""
TOKEN_LENGTH: Final = len(new_browser_token())


def this_browser() -> Browser:
    """The request's browser, with a token of its own in any case: ``remember`` gives it to the browser."""
    token = request.cookies.get(COOKIE, "")
    is_one = len(token) == TOKEN_LENGTH and token.isascii() and token.isprintable()
    return Browser(
        agent=request.user_agent.string,
        address=request.remote_addr or "",
        token=token if is_one else new_browser_token(),
    )


def remember(browser: Browser, response: Response) -> Response:
    """Let the browser keep its token."""
    response.set_cookie(
        COOKIE,
        browser.token,
        max_age=BROWSER_LIFETIME,
        path=DOOR,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )
    return response

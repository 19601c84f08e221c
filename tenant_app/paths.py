"""Addresses within the app that come from outside, such as the page to go back to."""

from urllib.parse import quote


def local_path(target: str | None) -> str:
    """``target`` if it is a path on this host, else the home page (ATTACK 29)."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target:
        return "/"
    return target if target.isprintable() else "/"


def sign_in_url(wanted: str) -> str:
    """The sign-in page, which leads back to the path ``wanted``."""
    return f"/sign-in?next={quote(wanted, safe='')}"


def set_up_url(wanted: str) -> str:
    """Where a second factor is set up, which leads back to the path ``wanted``."""
    return f"/security/second-factor/?next={quote(wanted, safe='')}"


def code_url(wanted: str) -> str:
    """Where the second factor is asked for at sign-in, which leads on to the path ``wanted``."""
    return f"/sign-in/code?next={quote(wanted, safe='')}"

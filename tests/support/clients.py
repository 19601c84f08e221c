"""Test clients of the web app, signed in through the real form."""

import re
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from tests.support.cast import PASSWORD, Cast


class Client(FlaskClient):
    """A client on one company's host that sends the form's token with each post, as a browser would."""

    base_url = ""
    token = ""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Send a request to the company's host."""
        kwargs.setdefault("base_url", self.base_url)
        if kwargs.get("method") == "POST" and isinstance(kwargs.get("data", {}), dict):
            kwargs["data"] = {"csrf_token": self.token, **kwargs.get("data", {})}
        return super().open(*args, **kwargs)


def signed_in_client(app: Flask, cast: Cast, name: str) -> FlaskClient:
    """A client of somebody of the cast, or of ``nobody``."""
    client = Client(app, app.response_class, use_cookies=True)
    company = cast.company_of(name)
    client.base_url = company.base_url
    client.token = form_token(client.get("/sign-in").text)
    if name != "nobody":
        answer = client.post("/sign-in", data={"email": f"{name}@{company.host}", "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        client.token = form_token(client.get("/gallery").text)
    return client


def form_token(page: str) -> str:
    """The token of a page's forms."""
    found = re.search(r'name="csrf[-_]token" (?:value|content)="([^"]+)"', page)
    assert found, page
    return found.group(1)

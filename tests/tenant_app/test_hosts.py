"""The host name decides the company, and nothing else does."""

import time

import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from core.foundation.settings import settings
from tenant_app import hosts
from tests.conftest import ClientAs
from tests.support.cast import Cast


@pytest.mark.attack(30)
@pytest.mark.parametrize(
    "host",
    ["nowhere.localhost", "localhost", "127.0.0.1:8080", "[::1]:8080", "demo.localhost.evil.example", "demo", "%00"],
)
def test_an_unknown_host_is_a_plain_404(app: Flask, cast: Cast, host: str) -> None:
    for path in ("/", "/sign-in", "/theme.css", "/no/such/page"):
        answer = app.test_client().get(path, headers={"Host": host})
        assert (answer.status_code, answer.mimetype) == (404, "text/plain")
        assert "Set-Cookie" not in answer.headers
        assert "Content-Security-Policy" in answer.headers


@pytest.mark.parametrize("host", ["ho st", "a/b", "", "demo.localhost:99999999", "<script>"])
def test_a_host_that_is_none_is_refused(app: Flask, cast: Cast, host: str) -> None:
    answer = app.test_client().get("/sign-in", headers={"Host": host})
    assert answer.status_code in {400, 404}
    assert "<script>" not in answer.text


@pytest.mark.attack(30)
def test_forwarding_headers_change_nothing(client_as: ClientAs, cast: Cast) -> None:
    headers = {"X-Forwarded-Host": cast.other.host, "Forwarded": f"host={cast.other.host}", "X-Host": cast.other.host}
    page = client_as("nobody").get("/sign-in", headers=headers).text
    assert "Demo" in page
    assert "Other" not in page


@pytest.mark.parametrize("host", ["DEMO.localhost", "demo.localhost:8080"])
def test_case_and_port_do_not_matter(app: Flask, cast: Cast, host: str) -> None:
    assert "Demo" in app.test_client().get("/sign-in", headers={"Host": host}).text


def test_a_new_host_name_works_soon(app: Flask, committed: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    hosts.forget_hosts()
    client = app.test_client()
    assert client.get("/sign-in", base_url="http://second.localhost").status_code == 404
    engine = create_engine(settings().owner_database_url)
    with engine.begin() as connection:
        connection.execute(
            text("insert into tenant_host (host, tenant_id, is_primary) values ('second.localhost', :id, false)"),
            {"id": committed.demo.tenant_id},
        )
    engine.dispose()
    assert client.get("/sign-in", base_url="http://second.localhost").status_code == 404
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + hosts.REMEMBERED_S + 1)
    assert client.get("/sign-in", base_url="http://second.localhost").status_code == 200
    hosts.forget_hosts()


def test_names_that_lead_nowhere_do_not_fill_the_memory(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts.forget_hosts()
    monkeypatch.setattr(hosts, "tenant_of_host", lambda _host: None)
    for number in range(10_050):
        hosts._tenant_of(f"{number}.localhost")  # noqa: SLF001  # ten thousand requests would take a minute
    assert len(hosts._remembered) < 10_010  # noqa: SLF001
    hosts.forget_hosts()

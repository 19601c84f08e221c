"""What goes wrong becomes a page that says so, and tells nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, ProgrammingError
from structlog.testing import capture_logs

from core.foundation import errors as told
from core.foundation.actor import Door, system_actor
from core.foundation.i18n import _
from core.foundation.unit_of_work import Work, unit_of_work
from core.identity.models import UserGroup
from deploy.local.postgres import Postgres
from tenant_app import errors, hosts, pages
from tenant_app.app import create_app
from tenant_app.headers import POLICY
from tests.conftest import ClientAs
from tests.support.cast import Cast
from tests.support.clients import signed_in_client
from tests.support.database import environment_for, using

SECRET = "jan.tajny@example.com"


class Original(Exception):
    """What a driver says, with a value in it."""


RAISED: dict[str, tuple[Exception, int]] = {
    "not-found": (told.NotFound(), 404),
    "forbidden": (told.Forbidden(), 403),
    "invalid": (told.Invalid({"name": _("Enter a name.")}), 422),
    "conflict": (told.Conflict(_("Somebody saved in the meantime.")), 409),
    "too-large": (told.TooLarge(_("At most 20 MB.")), 413),
    "unavailable": (told.Unavailable(_("The mail server does not answer.")), 503),
    "bug": (RuntimeError(SECRET), 500),
    "bad-statement": (ProgrammingError(SECRET, {"email": SECRET}, Original(SECRET)), 500),
    "clash": (IntegrityError(SECRET, {"email": SECRET}, Original(SECRET)), 409),
    "unstorable": (DataError(SECRET, {"email": SECRET}, Original(SECRET)), 404),  # to a GET with an id
    "away": (OperationalError(SECRET, {"email": SECRET}, Original(SECRET)), 503),
}


@pytest.fixture(scope="module")
def failing_app(cast: Cast) -> Flask:
    """The web app with pages that fail, each after it wrote something."""
    app = create_app()

    def fail(_self: object, work: Work, kind: str) -> str:
        work.session.add(UserGroup(name="half done"))
        work.session.flush()
        raise RAISED[kind][0]

    app.add_url_rule("/fail/<kind>", "fail", lambda kind: pages.signed_in_only(fail)(None, kind=kind))
    app.add_url_rule("/teapot", "teapot", lambda: abort(418))
    return app


@pytest.fixture
def failing(failing_app: Flask, cast: Cast, rolled_back: None) -> FlaskClient:
    """Anna at the failing pages."""
    return signed_in_client(failing_app, cast, "anna")


def half_done(cast: Cast) -> int:
    """How many rows failing pages left."""
    with unit_of_work(system_actor(cast.demo.tenant_id, door=Door.SETUP)) as work:
        return work.session.scalar(select(func.count()).where(UserGroup.name == "half done")) or 0


@pytest.mark.parametrize("kind", RAISED)
def test_an_error_becomes_a_page_that_leaks_nothing(failing: FlaskClient, cast: Cast, kind: str) -> None:
    with capture_logs() as logged:
        answer = failing.get(f"/fail/{kind}")
    assert (answer.status_code, answer.mimetype) == (RAISED[kind][1], "text/html")
    assert f'<p class="error-code">{answer.status_code}</p>' in answer.text
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert SECRET not in str([{**entry, "exc_info": None} for entry in logged])
    assert half_done(cast) == 0


def test_the_message_stands_on_the_page_in_the_viewers_language(failing: FlaskClient) -> None:
    assert "Somebody saved in the meantime." in failing.get("/fail/conflict").text
    failing.post("/preferences/language", data={"locale": "cs"})
    assert 'lang="cs"' in failing.get("/fail/not-found").text


def test_a_failing_service_may_be_asked_again_soon(failing: FlaskClient) -> None:
    assert failing.get("/fail/unavailable").headers["Retry-After"] == "5"


def test_every_error_of_core_has_a_status() -> None:
    assert set(errors.STATUS) == set(told.CentralaError.__subclasses__())


def test_other_statuses_are_pages_too(failing: FlaskClient) -> None:
    assert (failing.get("/teapot").status_code, failing.get("/teapot").mimetype) == (418, "text/html")


def test_an_unknown_page_is_our_404(client_as: ClientAs) -> None:
    for person in ("anna", "nobody"):
        answer = client_as(person).get("/no/such/<page>?x=1")
        assert answer.status_code == 404
        assert "There is no such page." in answer.text
        assert "&lt;page" not in answer.text


def test_a_wrong_method_names_the_right_ones(client_as: ClientAs) -> None:
    answer = client_as("anna").get("/sign-out")
    assert (answer.status_code, set(answer.headers["Allow"].split(", "))) == (405, {"OPTIONS", "POST"})


def test_a_body_that_is_too_large_is_413(app: Flask, client_as: ClientAs, monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_as("anna")
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 2000)
    answer = client.post("/preferences/theme", data={"theme": "x" * 3000})
    assert answer.status_code == 413
    assert "more than fits" in answer.text


@pytest.mark.parametrize("path", ["/contacts/99999999999999999999999", "/tickets/9223372036854775808"])
def test_an_id_beyond_all_numbers_is_not_found(client_as: ClientAs, path: str) -> None:
    assert client_as("anna").get(path).status_code == 404


@pytest.mark.parametrize("path", ["/contacts/?q=%00", "/tickets/?q=%00", "/search?q=%00", "/contacts/?after=%00"])
def test_a_zero_byte_in_a_question_is_no_crash(client_as: ClientAs, path: str) -> None:
    assert client_as("anna").get(path).status_code in {200, 422}


# The database is away


@pytest.fixture
def unplugged(app: Flask, committed: Cast, server: tuple[Postgres, Path]) -> Iterator[tuple[FlaskClient, Any]]:
    """Anna, signed in, and a switch that takes the database away until the end."""
    client = signed_in_client(app, committed, "anna")
    postgres, folder = server
    dead = Postgres(postgres.folder, 1)
    environment = {
        name: value for name, value in environment_for(dead, "clone", folder).items() if "DATABASE_URL" in name
    }
    yield client, lambda: using(environment)
    hosts.forget_hosts()


def test_without_a_database_every_page_is_a_503_that_explains(unplugged: tuple[FlaskClient, Any]) -> None:
    client, take_away = unplugged
    with take_away():
        for path in ("/gallery", "/contacts/", "/sign-in", "/no/such/page"):
            answer = client.get(path)
            assert (answer.status_code, answer.mimetype) == (503, "text/html"), path
            assert "The database does not answer" in answer.text
            assert answer.headers["Retry-After"] == "5"
    assert client.get("/gallery").status_code == 200


def test_a_host_that_cannot_be_looked_up_is_a_503_and_not_forgotten(unplugged: tuple[FlaskClient, Any]) -> None:
    client, take_away = unplugged
    with take_away():
        hosts.forget_hosts()
        assert client.get("/sign-in").status_code == 503
    assert client.get("/sign-in").status_code == 303


def test_a_form_sent_while_the_database_is_away_is_refused_and_can_be_sent_again(
    unplugged: tuple[FlaskClient, Any], committed: Cast
) -> None:
    client, take_away = unplugged
    with take_away():
        assert client.post("/preferences/theme", data={"theme": "dark"}).status_code == 503
    assert client.post("/preferences/theme", data={"theme": "dark"}).status_code == 303
    with unit_of_work(committed.actor("anna")) as work:
        assert (
            work.session.scalar(
                text("select theme from user_account where id = :id"), {"id": committed.demo.users["anna"]}
            )
            == "dark"
        )


def test_a_connection_that_broke_is_replaced_unnoticed(app: Flask, committed: Cast) -> None:
    client = signed_in_client(app, committed, "anna")
    with unit_of_work(committed.actor("anna")) as work:
        work.session.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where usename = 'centrala_app' and pid <> pg_backend_pid()"
            )
        )
    assert client.get("/gallery").status_code == 200

"""Signing in with an account from elsewhere where a second factor is asked for."""

import pytest
from sqlalchemy import update

from core.identity.openid.models import OpenIdProvider
from core.identity.security_policy import ask_of_all
from tests.conftest import ClientAs, WorkAs
from tests.support.clients import form_token
from tests.support.factors import give_app
from tests.support.openid_provider import Provider, through
from tests.tenant_app.test_openid import _loopback, demo, provider, running

__all__ = ["_loopback", "demo", "provider", "running"]


@pytest.fixture
def strict(demo: int, work_as: WorkAs) -> int:
    """The provider does not count as second factor."""
    with work_as("system") as work:
        work.session.execute(update(OpenIdProvider).values(counts_as_factor=False))
    return demo


def test_a_provider_that_counts_spares_the_second_factor(
    client_as: ClientAs, provider: Provider, demo: int, work_as: WorkAs
) -> None:
    with work_as("boris") as work:
        give_app(work)
    client = client_as("nobody")
    assert through(client, provider, demo).location == "/contacts/"
    assert client.get("/contacts/").status_code == 200


def test_a_provider_that_does_not_count_leads_to_the_second_factor(
    client_as: ClientAs, provider: Provider, strict: int, work_as: WorkAs
) -> None:
    with work_as("boris") as work:
        app = give_app(work)
    client = client_as("nobody")
    assert through(client, provider, strict).location == "/sign-in/code?next=%2Fcontacts%2F"
    assert client.get("/contacts/").status_code == 303
    page = client.get("/sign-in/code?next=/contacts/").text
    answer = client.post("/sign-in/code?next=/contacts/", data={"code": app.code(), "csrf_token": form_token(page)})
    assert answer.location == "/contacts/"
    assert client.get("/contacts/").status_code == 200


def test_where_everybody_needs_one_the_providers_may_do(
    client_as: ClientAs, provider: Provider, demo: int, work_as: WorkAs
) -> None:
    with work_as("anna") as work:
        ask_of_all(work, "required")
    client = client_as("nobody")
    through(client, provider, demo)
    assert client.get("/contacts/").status_code == 200


def test_where_everybody_needs_one_and_the_providers_does_not_do_it_is_set_up(
    client_as: ClientAs, provider: Provider, strict: int, work_as: WorkAs
) -> None:
    with work_as("anna") as work:
        ask_of_all(work, "required")
    client = client_as("nobody")
    through(client, provider, strict)
    assert client.get("/contacts/").location == "/security/second-factor/?next=%2Fcontacts%2F"

"""Signing in with an account from elsewhere: to a real provider on loopback and back."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from core.foundation import clock, outgoing
from core.foundation.history import Change
from core.foundation.settings import settings
from core.identity.models import SignInAttempt, SignInSession, UserAccount
from core.identity.openid.models import LinkedAccount, OpenIdProvider, OpenIdVisit
from core.identity.openid.protocol import forget_providers
from core.identity.openid.providers import ProviderDraft, add_provider
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast
from tests.support.clients import form_token
from tests.support.openid_provider import (
    BACK,
    CLIENT_ID,
    CLIENT_SECRET,
    Provider,
    back,
    changed,
    query_of,
    running_provider,
    sent,
    signed_with_the_secret,
    through,
    unsigned,
)


@pytest.fixture(autouse=True)
def _loopback(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:  # the settings must stand
    """The provider may be asked where it is."""
    monkeypatch.setattr(outgoing, "settings", lambda: replace(settings(), private_destinations=True))


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    """The provider of this module."""
    with running_provider() as provider:
        yield provider


@pytest.fixture
def provider(running: Provider) -> Provider:
    """The same, honest, and unknown to the product."""
    running.reset()
    forget_providers()
    return running


@pytest.fixture
def demo(provider: Provider, work_as: WorkAs) -> int:
    """The demo company trusts it with its own domain."""
    return trust(provider, work_as, "anna", "demo.localhost")


def trust(provider: Provider, work_as: WorkAs, owner: str, domain: str) -> int:
    """Let the company of ``owner`` trust the provider; answers its id there."""
    with work_as(owner) as work:
        draft = ProviderDraft(
            name="Staff accounts",
            place=provider.issuer,
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            domains=domain,
        )
        return add_provider(work, "generic", draft)


@pytest.mark.covers("P-18")
def test_a_user_signs_in_by_a_button(
    client_as: ClientAs, provider: Provider, demo: int, work_as: WorkAs, cast: Cast
) -> None:
    client = client_as("nobody")
    page = client.get("/sign-in?next=/contacts/").text
    assert f'href="/sign-in/with/{demo}?next=/contacts/"' in page
    assert "Sign in with Staff accounts" in page
    answer = through(client, provider, demo)
    assert (answer.status_code, answer.location) == (303, "/contacts/")
    assert "Boris Nováková" in client.get("/gallery").text
    with work_as("system") as work:
        link = work.session.scalars(select(LinkedAccount)).one()
        assert (link.user_id, link.subject) == (cast.demo.users["boris"], "boris-1")
        assert work.session.scalars(select(OpenIdVisit.id)).all() == []
        assert work.session.scalars(select(SignInAttempt.id)).all() == []
        change = work.session.scalars(select(Change).order_by(Change.id.desc()).limit(1)).one()
        assert change.fields == {"linked_account": [None, "Staff accounts"]}


def test_it_asks_for_a_code_with_pkce_state_and_nonce(client_as: ClientAs, provider: Provider, demo: int) -> None:
    first, second = (query_of(sent(client_as("nobody"), provider, demo)) for _ in range(2))
    assert (first["response_type"], first["code_challenge_method"]) == ("code", "S256")
    for name in ("state", "nonce", "code_challenge"):
        assert len(first[name]) >= 43
        assert first[name] != second[name]
    assert first["redirect_uri"].partition("://")[2].startswith("demo.localhost:")


def test_later_the_account_counts_and_not_its_address(
    client_as: ClientAs, provider: Provider, demo: int, work_as: WorkAs
) -> None:
    through(client_as("nobody"), provider, demo)
    provider.person |= {"email": "vera@demo.localhost"}
    client = client_as("nobody")
    assert through(client, provider, demo).status_code == 303
    assert "Boris Nováková" in client.get("/gallery").text
    with work_as("system") as work:
        assert work.session.scalars(select(LinkedAccount.email)).all() == ["boris@demo.localhost"]


def test_whoever_inherits_an_address_does_not_inherit_the_user(
    client_as: ClientAs, provider: Provider, demo: int
) -> None:
    through(client_as("nobody"), provider, demo)
    provider.person |= {"sub": "another-2"}
    assert through(client_as("nobody"), provider, demo).status_code == 403


def test_the_session_tells_of_a_new_browser(client_as: ClientAs, provider: Provider, demo: int) -> None:
    known = client_as("boris")
    through(client_as("nobody"), provider, demo)
    assert "not seen before" in known.get("/contacts/").text


@pytest.mark.attack(33)
@pytest.mark.parametrize(
    "person",
    [
        {"email": "nobody@demo.localhost"},
        {"email": "oleg@other.localhost"},
        {"email": "boris@elsewhere.example"},
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "yes"},
        {"email": None},
        {"email": ["boris@demo.localhost"]},
        {"email": "boris@demo.localhost@demo.localhost"},
    ],
)
def test_who_is_not_known_reads_one_wording(
    client_as: ClientAs, provider: Provider, demo: int, work_as: WorkAs, person: dict[str, object]
) -> None:
    provider.person |= person
    answer = through(client_as("nobody"), provider, demo)
    assert answer.status_code == 403
    assert "Nobody here signs in with this account" in answer.text
    with work_as("system") as work:
        assert work.session.scalars(select(LinkedAccount.id)).all() == []
        assert work.session.scalars(select(SignInSession.id)).all() == []


@pytest.mark.attack(54)
def test_a_blocked_user_is_not_known(
    client_as: ClientAs, provider: Provider, demo: int, work_as: WorkAs, cast: Cast
) -> None:
    through(client_as("nobody"), provider, demo)
    with work_as("system") as work:
        blocked = update(UserAccount).where(UserAccount.id == cast.demo.users["boris"]).values(is_blocked=True)
        work.session.execute(blocked)
    for subject in ("boris-1", "boris-2"):
        provider.person |= {"sub": subject}
        answer = through(client_as("nobody"), provider, demo)
        assert answer.status_code == 403
        assert "Nobody here signs in with this account" in answer.text


@pytest.mark.attack(36)
def test_a_state_works_once(client_as: ClientAs, provider: Provider, demo: int) -> None:
    client = client_as("nobody")
    answered = query_of(provider.go_on(sent(client, provider, demo)))
    assert client.get(BACK, query_string=answered).status_code == 303
    client.token = form_token(client.get("/gallery").text)  # type: ignore[attr-defined]  # our own client
    assert client.post("/sign-out").status_code == 303
    again = client.get(BACK, query_string=answered)
    assert again.status_code == 410
    assert "Begin again here." in again.text
    assert client.get("/contacts/").status_code == 303


@pytest.mark.attack(36)
def test_a_state_of_another_browser_is_refused(client_as: ClientAs, provider: Provider, demo: int) -> None:
    attacker, victim = client_as("nobody"), client_as("nobody")
    sent(victim, provider, demo)
    answered = query_of(provider.go_on(sent(attacker, provider, demo)))
    assert victim.get(BACK, query_string=answered).status_code == 410
    assert victim.get("/contacts/").status_code == 303
    assert attacker.get(BACK, query_string=answered).status_code == 303  # its own way is not spoilt by that


@pytest.mark.attack(36)
@pytest.mark.parametrize("state", ["", "forged", "x" * 9000, "é\x00"])
def test_a_forged_state_is_refused(client_as: ClientAs, provider: Provider, demo: int, state: str) -> None:
    client = client_as("nobody")
    sent(client, provider, demo)
    assert client.get(BACK, query_string={"state": state, "code": "x"}).status_code == 410


@pytest.mark.attack(36)
def test_a_state_ends_after_ten_minutes(client_as: ClientAs, provider: Provider, demo: int) -> None:
    client = client_as("nobody")
    answered = query_of(provider.go_on(sent(client, provider, demo)))
    clock.hold(clock.now() + timedelta(minutes=10))
    assert client.get(BACK, query_string=answered).status_code == 410


@pytest.mark.attack(36)
def test_the_provider_refuses_a_request_without_pkce(client_as: ClientAs, provider: Provider, demo: int) -> None:
    url = sent(client_as("nobody"), provider, demo)
    with pytest.raises(AssertionError, match="invalid_request"):
        provider.go_on(url.replace("code_challenge_method=S256", "").replace("code_challenge=", "ignored="))


@pytest.mark.attack(36)
def test_a_code_of_another_way_is_refused(client_as: ClientAs, provider: Provider, demo: int) -> None:
    stolen = query_of(provider.go_on(sent(client_as("nobody"), provider, demo)))["code"]
    client = client_as("nobody")
    own = query_of(provider.go_on(sent(client, provider, demo)))
    assert client.get(BACK, query_string={**own, "code": stolen}).status_code == 403


@pytest.mark.attack(36)
@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://accounts.google.com"},
        {"iss": None},
        {"aud": ["another-client"]},
        {"aud": [CLIENT_ID, "another-client"]},
        {"aud": None},
        {"azp": "another-client"},
        {"exp": 1},
        {"exp": "tomorrow"},
        {"iat": 9_999_999_999},
        {"nbf": 9_999_999_999},
        {"at_hash": "AAAA"},
        {"sub": ""},
        {"sub": None},
        {"sub": "x" * 256},
        {"sub": 7},
    ],
)
def test_a_token_that_does_not_fit_is_refused(
    client_as: ClientAs, provider: Provider, demo: int, work_as: WorkAs, claims: dict[str, object]
) -> None:
    provider.claims |= claims
    client = client_as("nobody")
    answer = through(client, provider, demo)
    assert answer.status_code == 403
    assert "could not be trusted" in answer.text
    with work_as("system") as work:
        assert work.session.scalars(select(SignInSession.id)).all() == []


@pytest.mark.attack(36)
@pytest.mark.parametrize("forge", [unsigned, signed_with_the_secret, changed, lambda _raw: "no.token", lambda _raw: ""])
def test_a_token_that_the_provider_did_not_sign_is_refused(
    client_as: ClientAs, provider: Provider, demo: int, forge: object
) -> None:
    provider.forge = forge  # type: ignore[assignment]  # what the parameters are
    assert through(client_as("nobody"), provider, demo).status_code == 403


def test_a_new_key_of_the_provider_is_fetched_once(client_as: ClientAs, provider: Provider, demo: int) -> None:
    through(client_as("nobody"), provider, demo)
    provider.asked.clear()
    assert through(client_as("nobody"), provider, demo).status_code == 303
    assert provider.asked.count("/keys") == 0
    provider.rotate()
    assert through(client_as("nobody"), provider, demo).status_code == 303
    assert provider.asked.count("/keys") == 1
    provider.forge = changed
    assert through(client_as("nobody"), provider, demo).status_code == 403
    assert provider.asked.count("/keys") == 2


def test_an_address_that_only_userinfo_tells_counts(client_as: ClientAs, provider: Provider, demo: int) -> None:
    provider.claims |= {"email": None}
    assert through(client_as("nobody"), provider, demo).status_code == 303


@pytest.mark.attack(36)
def test_an_answer_that_names_another_issuer_is_refused(client_as: ClientAs, provider: Provider, demo: int) -> None:
    client = client_as("nobody")
    answered = query_of(provider.go_on(sent(client, provider, demo)))
    assert client.get(BACK, query_string={**answered, "iss": "https://evil.example"}).status_code == 403
    forget_providers()
    provider.discovery["authorization_response_iss_parameter_supported"] = True
    assert through(client, provider, demo).status_code == 403


def test_whoever_breaks_off_is_told_so(client_as: ClientAs, provider: Provider, demo: int) -> None:
    client = client_as("nobody")
    state = query_of(sent(client, provider, demo))["state"]
    answer = client.get(BACK, query_string={"state": state, "error": "access_denied", "error_description": "<b>x"})
    assert answer.status_code == 403
    assert "broken off" in answer.text
    assert "<b>x" not in answer.text


def test_a_provider_that_is_away_lets_nobody_wait(
    client_as: ClientAs, provider: Provider, demo: int, work_as: WorkAs
) -> None:
    with work_as("system") as work:
        work.session.execute(update(OpenIdProvider).values(issuer="http://localhost:1"))
    answer = client_as("nobody").get(f"/sign-in/with/{demo}")
    assert answer.status_code == 503
    assert "does not answer as it should" in answer.text


@pytest.mark.attack(1)
def test_another_companys_provider_leads_nowhere(
    client_as: ClientAs, provider: Provider, demo: int, work_as: WorkAs, cast: Cast
) -> None:
    stranger = client_as("nobody")
    assert stranger.get(f"/sign-in/with/{demo}", base_url=cast.other.base_url).status_code == 404
    answered = query_of(provider.go_on(sent(stranger, provider, demo)))
    trust(provider, work_as, "oleg", "demo.localhost")
    assert stranger.get(BACK, query_string=answered, base_url=cast.other.base_url).status_code == 410


def test_a_provider_that_is_switched_off_lets_nobody_in(
    client_as: ClientAs, provider: Provider, demo: int, work_as: WorkAs
) -> None:
    client = client_as("nobody")
    url = sent(client, provider, demo)
    with work_as("system") as work:
        work.session.execute(update(OpenIdProvider).values(is_enabled=False))
    assert back(client, provider, url).status_code == 403
    assert client.get(f"/sign-in/with/{demo}").status_code == 404
    assert "Staff accounts" not in client.get("/sign-in").text


@pytest.mark.attack(29)
@pytest.mark.parametrize("wanted", ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example"])
def test_the_way_back_stays_here(client_as: ClientAs, provider: Provider, demo: int, wanted: str) -> None:
    assert through(client_as("nobody"), provider, demo, wanted).location == "/"
    assert client_as("anna").get(f"/sign-in/with/{demo}", query_string={"next": wanted}).location == "/"


@pytest.mark.attack(30)
def test_the_way_back_is_the_configured_address(client_as: ClientAs, provider: Provider, demo: int) -> None:
    headers = {"X-Forwarded-Host": "evil.example", "Host": "demo.localhost:666"}
    answer = client_as("nobody").get(f"/sign-in/with/{demo}", headers=headers)
    assert "evil.example" not in answer.location
    assert ":666" not in query_of(answer.location)["redirect_uri"]


@pytest.mark.attack(46)
def test_whoever_begins_too_often_waits(client_as: ClientAs, provider: Provider, demo: int) -> None:
    client = client_as("nobody")
    for _ in range(10):
        sent(client, provider, demo)
    assert client.get(f"/sign-in/with/{demo}").status_code == 429


def test_the_page_of_security_shows_the_account_and_removes_it(
    client_as: ClientAs, provider: Provider, demo: int, work_as: WorkAs
) -> None:
    through(client_as("nobody"), provider, demo)
    client = client_as("boris")
    assert "Staff accounts · boris@demo.localhost" in client.get("/security/").text
    with work_as("system") as work:
        link_id = work.session.scalars(select(LinkedAccount.id)).one()
    assert client_as("vera").post(f"/security/linked/{link_id}/remove").status_code == 404
    assert client.post(f"/security/linked/{link_id}/remove").status_code == 303
    assert "Staff accounts · boris" not in client.get("/security/").text


def test_somebody_without_a_password_is_active_once_linked(
    client_as: ClientAs, provider: Provider, demo: int, work_as: WorkAs, cast: Cast
) -> None:
    with work_as("system") as work:
        emptied = update(UserAccount).where(UserAccount.id == cast.demo.users["boris"]).values(password_hash=None)
        work.session.execute(emptied)
    through(client_as("nobody"), provider, demo)
    page = client_as("anna").get("/people/?state=active").text
    assert "boris@demo.localhost" in page

"""Providers of sign-ins: set up by owners, with their secret sealed and their answers tested."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select, text, update

from core.foundation import outgoing
from core.foundation.errors import Forbidden, Invalid
from core.foundation.history import Change
from core.foundation.permissions import Permission
from core.foundation.settings import settings
from core.identity.models import UserAccount
from core.identity.openid.models import LinkedAccount, OpenIdProvider
from core.identity.openid.protocol import verified_email
from core.identity.openid.providers import MICROSOFT, ProviderDraft, add_provider
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast
from tests.support.openid_provider import CLIENT_ID, CLIENT_SECRET, Provider, running_provider

PATH = "/settings/sign-in/"
TENANT = "0f3c3b0e-6d1c-4c42-9a55-6a2e9f1c7d10"
FORM = {
    "name": "Staff accounts",
    "place": "https://login.company.com",
    "client_id": CLIENT_ID,
    "client_secret": CLIENT_SECRET,
    "domains": "demo.localhost, @Company.com",
}


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
def added(running: Provider, work_as: WorkAs, cast: Cast) -> int:
    """The running provider in the demo company, with Boris linked."""
    running.reset()
    with work_as("anna") as work:
        draft = ProviderDraft(**FORM | {"place": running.issuer})  # type: ignore[arg-type]  # all of them texts
        provider_id = add_provider(work, "generic", draft)
        boris = cast.demo.users["boris"]
        work.session.add(LinkedAccount(provider_id=provider_id, user_id=boris, subject="1", email="b@demo.localhost"))
        return provider_id


@pytest.mark.covers("P-18")
def test_an_owner_adds_a_provider(client_as: ClientAs, work_as: WorkAs) -> None:
    client = client_as("anna")
    assert "No provider yet" in client.get(PATH).text
    form = client.get(f"{PATH}new?kind=generic").text
    assert "/sign-in/openid</textarea>" in form
    assert client.post(f"{PATH}new?kind=generic", data=FORM).location == PATH
    page = client.get(PATH).text
    assert "Staff accounts" in page
    assert "E-mails of company.com, demo.localhost." in page
    assert CLIENT_SECRET not in page
    with work_as("system") as work:
        stored = work.session.scalars(select(OpenIdProvider)).one()
        assert CLIENT_SECRET.encode() not in stored.sealed_secret
        change = work.session.scalars(select(Change).order_by(Change.id.desc()).limit(1)).one()
        assert change.fields["client_secret"] == [None, "new"]
        assert change.fields["issuer"] == [None, "https://login.company.com"]
    assert CLIENT_SECRET not in client.get(f"{PATH}{stored.id}/edit").text


@pytest.mark.parametrize(
    ("kind", "change", "field"),
    [
        ("generic", {"name": " "}, "name"),
        ("generic", {"name": "x" * 61}, "name"),
        ("generic", {"place": "http://login.company.com:x"}, "place"),
        ("generic", {"place": "ftp://login.company.com"}, "place"),
        ("generic", {"place": "https://login.company.com?x=1"}, "place"),
        ("generic", {"place": "https://user:pw@login.company.com"}, "place"),
        ("generic", {"client_id": ""}, "client_id"),
        ("generic", {"client_id": "á"}, "client_id"),
        ("generic", {"client_secret": ""}, "client_secret"),
        ("generic", {"domains": " , "}, "domains"),
        ("generic", {"domains": "company"}, "domains"),
        ("generic", {"domains": "company.com <b>"}, "domains"),
        ("generic", {"domains": " ".join(f"company{number}.com" for number in range(51))}, "domains"),
        ("microsoft", {"place": "common"}, "place"),
        ("microsoft", {"place": "organizations"}, "place"),
        ("microsoft", {"place": "9188040d-6c67-4c5b-b112-36a304b66dad"}, "place"),
        ("microsoft", {"place": "company.onmicrosoft.com"}, "place"),
    ],
)
def test_a_bad_form_says_what_is_wrong_and_keeps_the_rest(
    client_as: ClientAs, kind: str, change: dict[str, str], field: str
) -> None:
    answer = client_as("anna").post(f"{PATH}new?kind={kind}", data=FORM | change)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    kept = (f'value="{FORM[name]}"' for name in ("client_id", "client_secret") if name != field)
    assert all(text.replace("'", "&#39;") in answer.text for text in kept)


def test_google_and_microsoft_have_their_own_issuer(client_as: ClientAs, work_as: WorkAs) -> None:
    client = client_as("anna")
    client.post(f"{PATH}new?kind=google", data=FORM | {"name": "Google", "place": "https://evil.example"})
    client.post(f"{PATH}new?kind=microsoft", data=FORM | {"name": "Microsoft", "place": TENANT.upper()})
    assert client.post(f"{PATH}new?kind=other", data=FORM).status_code == 404
    with work_as("system") as work:
        issuers = set(work.session.scalars(select(OpenIdProvider.issuer)))
    assert issuers == {"https://accounts.google.com", MICROSOFT.format(tenant=TENANT)}


def test_a_name_is_taken_once(client_as: ClientAs, added: int) -> None:
    assert "There is a provider of this name." in client_as("anna").post(f"{PATH}new", data=FORM).text


def test_a_change_keeps_issuer_and_secret(client_as: ClientAs, added: int, work_as: WorkAs, running: Provider) -> None:
    with work_as("system") as work:
        sealed = work.session.get_one(OpenIdProvider, added).sealed_secret
    data = FORM | {"name": "Renamed", "client_secret": "", "place": "https://evil.example", "is_enabled": "1"}
    assert client_as("anna").post(f"{PATH}{added}/edit", data=data).status_code == 303
    with work_as("system") as work:
        row = work.session.get_one(OpenIdProvider, added)
        assert (row.name, row.issuer, row.sealed_secret) == ("Renamed", running.issuer, sealed)
    client_as("anna").post(f"{PATH}{added}/edit", data=data | {"client_secret": "another"})
    with work_as("system") as work:
        assert work.session.get_one(OpenIdProvider, added).sealed_secret != sealed


def test_removing_says_who_signs_in_only_so(client_as: ClientAs, added: int, work_as: WorkAs, cast: Cast) -> None:
    client = client_as("anna")
    assert "needs a password first" not in client.get(PATH).text
    with work_as("system") as work:
        boris = UserAccount.id == cast.demo.users["boris"]
        work.session.execute(update(UserAccount).where(boris).values(password_hash=None))
    page = client.get(PATH).text
    assert "1 linked account is forgotten." in page
    assert "1 person has no other way to sign in and needs a password first: Boris Nováková." in page
    assert client.post(f"{PATH}{added}/remove").status_code == 303
    with work_as("system") as work:
        assert work.session.scalars(select(LinkedAccount.id)).all() == []
        change = work.session.scalars(select(Change).order_by(Change.id.desc()).limit(1)).one()
        assert (change.subject_kind, change.fields["name"]) == ("openid_provider", ["Staff accounts", None])


def test_the_log_of_changes_speaks_of_it(client_as: ClientAs, added: int) -> None:
    page = client_as("anna").get("/settings/audit/").text
    assert "Sign-in provider" in page
    assert "Client secret" in page
    assert CLIENT_SECRET not in page


def test_a_test_says_that_everything_fits(client_as: ClientAs, added: int) -> None:
    answer = client_as("anna").post(f"{PATH}{added}/test", headers={"HX-Request": "true"})
    assert "Everything fits." in answer.text
    assert "signs with 1 key," in answer.text
    client = client_as("anna")
    assert client.post(f"{PATH}{added}/test").status_code == 303
    assert "Everything fits." in client.get(PATH).text


@pytest.mark.parametrize(
    ("discovery", "words"),
    [
        ({"issuer": "https://another.example/"}, "calls itself “https://another.example/”"),
        ({"token_endpoint": None}, "no usable address as its token_endpoint"),
        ({"jwks_uri": "file:///etc/passwd"}, "no usable address as its jwks_uri"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "no usable address as its authorization_endpoint"),
        ({"id_token_signing_alg_values_supported": ["none", "HS256"]}, "signs in no way that can be trusted"),
    ],
)
def test_a_test_says_what_is_wrong_with_the_provider(
    client_as: ClientAs, added: int, running: Provider, discovery: dict[str, object], words: str
) -> None:
    running.discovery |= discovery
    answer = client_as("anna").post(f"{PATH}{added}/test", headers={"HX-Request": "true"})
    assert words in answer.text


def test_a_test_finds_a_wrong_secret(client_as: ClientAs, added: int) -> None:
    client = client_as("anna")
    client.post(f"{PATH}{added}/edit", data=FORM | {"client_secret": "wrong", "is_enabled": "1"})
    answer = client.post(f"{PATH}{added}/test", headers={"HX-Request": "true"})
    assert "does not know this client id with this client secret" in answer.text


@pytest.mark.attack(38)
def test_a_test_reaches_nothing_inside(
    client_as: ClientAs, added: int, work_as: WorkAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "settings", settings)
    with work_as("system") as work:
        work.session.execute(update(OpenIdProvider).values(issuer="https://169.254.169.254"))
    answer = client_as("anna").post(f"{PATH}{added}/test", headers={"HX-Request": "true"})
    assert "lies in a private network" in answer.text


def test_only_an_owner_sets_it_up(work_as: WorkAs, client_as: ClientAs, added: int, cast: Cast) -> None:
    with work_as("system") as work:
        group = work.session.get_one(UserAccount, cast.demo.users["boris"]).permission_group_id
        grant = "insert into permission_grant (permission_group_id, permission) values (:group, :permission)"
        work.session.execute(text(grant), {"group": group, "permission": Permission.SETTINGS_MANAGE.value})
    client = client_as("boris")
    page = client.get(PATH).text
    assert "Only an owner sets this up." in page
    assert "/remove" not in page
    assert client.get(f"{PATH}new").status_code == 403
    assert client.get(f"{PATH}{added}/edit").status_code == 403
    for path in ("new?kind=generic", f"{added}/edit", f"{added}/remove", f"{added}/test"):
        assert client.post(f"{PATH}{path}", data=FORM | {"name": "New"}).status_code == 403, path


def test_the_services_ask_for_an_owner_themselves(work_as: WorkAs) -> None:
    draft = ProviderDraft(**FORM)  # type: ignore[arg-type]  # all of them texts
    with work_as("boris") as work, pytest.raises(Forbidden):
        add_provider(work, "generic", draft)
    with work_as("anna") as work, pytest.raises(Invalid):
        add_provider(work, "generic", replace(draft, domains=""))


@pytest.mark.parametrize(
    ("kind", "claims", "email"),
    [
        ("generic", {"email": "Jana@Company.com", "email_verified": True}, "jana@company.com"),
        ("generic", {"email": "jana@company.com", "email_verified": "true"}, "jana@company.com"),
        ("generic", {"email": "jana@company.com"}, ""),
        ("generic", {"email": "jana@company.com", "xms_edov": True}, ""),
        ("google", {"email": "jana@gmail.com", "email_verified": True}, "jana@gmail.com"),
        ("google", {"email": "jana@company.com", "email_verified": True}, ""),
        ("google", {"email": "jana@company.com", "email_verified": True, "hd": "other.com"}, ""),
        ("google", {"email": "jana@company.com", "email_verified": True, "hd": "company.com"}, "jana@company.com"),
        ("google", {"email": "jana@company.com", "email_verified": False, "hd": "company.com"}, ""),
        ("microsoft", {"email": "jana@company.com"}, ""),
        ("microsoft", {"email": "jana@company.com", "xms_edov": False}, ""),
        ("microsoft", {"email": "jana@company.com", "xms_edov": True}, "jana@company.com"),
        ("microsoft", {"email": "jana@company.com", "xms_edov": "1"}, "jana@company.com"),
    ],
)
def test_which_addresses_a_provider_vouches_for(kind: str, claims: dict[str, object], email: str) -> None:
    assert verified_email(kind, claims) == email

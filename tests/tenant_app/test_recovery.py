"""A forgotten password and an accepted invitation, and what an attacker tries there."""

import re
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from core.foundation import clock
from core.foundation.actor import Door, system_actor
from core.foundation.history import Change
from core.foundation.outbox import StoredEvent
from core.foundation.unit_of_work import Work, unit_of_work
from core.identity.events import PasswordChanged, ResetAsked
from core.identity.links import VALID_FOR, LinkKind, make_link
from core.identity.models import SignInSession, UserAccount
from core.identity.recovery import ONE_LINK_IN
from core.mail.jobs import send_reset_link, tell_of_new_password
from core.mail.models import OutboundMail
from core.mail.queries import outbox_mail
from core.mail.sending import send_outbound
from core.people.invitations import send_invitation
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import PASSWORD, Cast
from tests.support.clients import signed_in_client

VERA = "vera@demo.localhost"
NEW = {"password": "Another-2-password!", "password_again": "Another-2-password!"}
FORGOTTEN = "/sign-in/forgotten"


def words(page: str) -> str:
    """The page without its tokens, and without the address that was typed."""
    return re.sub(r'(content|value)="[^"]*"|\S+@\S+', "", page)


def asked_for(work: Work) -> list[int]:
    """For whom links were asked."""
    events = work.session.scalars(select(StoredEvent.payload).where(StoredEvent.name == ResetAsked.name))
    return [int(payload["user_id"]) for payload in events.all()]


def mails(work_as: WorkAs, cast: Cast) -> list[str]:
    """The text of each mail that waits for an outgoing server."""
    with work_as("system") as work:
        ids = work.session.scalars(select(OutboundMail.id).order_by(OutboundMail.id)).all()
    for mail_id in ids:
        send_outbound(system_actor(cast.demo.tenant_id, door=Door.JOB), mail_id)
    with work_as("anna") as work:
        return [outbox_mail(work, mail_id).text for mail_id in ids]


def link(work_as: WorkAs, cast: Cast, kind: LinkKind, name: str = "vera") -> str:
    """The address that a mail carries."""
    with work_as("system") as work:
        token = make_link(work, kind, cast.demo.users[name])
    return f"/{'reset' if kind is LinkKind.RESET else 'welcome'}/{token}"


def signs_in(client_as: ClientAs, password: str) -> bool:
    """Whether Vera gets in with it."""
    return client_as("nobody").post("/sign-in", data={"email": VERA, "password": password}).status_code == 303


def test_the_sign_in_page_leads_there(client_as: ClientAs) -> None:
    assert f'href="{FORGOTTEN}"' in client_as("nobody").get("/sign-in").text


def test_a_forgotten_password_is_replaced_by_mail(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    client, elsewhere = client_as("nobody"), client_as("vera")
    assert "mailbox" in client.post(FORGOTTEN, data={"email": " Vera@Demo.localhost "}).text
    with work_as("system") as work:
        (user_id,) = asked_for(work)
    assert user_id == cast.demo.users["vera"]
    send_reset_link(system_actor(cast.demo.tenant_id, door=Door.JOB), user_id=user_id)
    (text,) = mails(work_as, cast)
    (path,) = re.findall(r"http://demo\.localhost:\d+(/reset/\S+)", text)
    assert VERA in client.get(path).text
    assert client.post(path, data=NEW).location == "/sign-in"
    assert "Your password is changed" in client.get("/sign-in").text
    assert elsewhere.get("/contacts/").status_code == 303
    assert (signs_in(client_as, PASSWORD), signs_in(client_as, NEW["password"])) == (False, True)
    with work_as("system") as work:
        changed = work.session.scalars(select(StoredEvent.payload).where(StoredEvent.name == PasswordChanged.name))
        assert changed.all() == [{"user_id": user_id}]
        of_vera = (Change.subject_kind == "user", Change.subject_id == user_id)
        fields = [change.fields for change in work.session.scalars(select(Change).where(*of_vera))]
        assert {"password": ["old", "new"], "way": [None, "reset"]} in fields
    tell_of_new_password(system_actor(cast.demo.tenant_id, door=Door.JOB), user_id=user_id)
    assert len(mails(work_as, cast)) == 2


@pytest.mark.attack(33)
def test_asking_reads_the_same_whoever_exists(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        blocked = update(UserAccount).where(UserAccount.id == cast.demo.users["boris"]).values(is_blocked=True)
        work.session.execute(blocked)
    client = client_as("nobody")
    asked = [VERA, "nobody@demo.localhost", "boris@demo.localhost", "oleg@other.localhost"]
    answers = [client.post(FORGOTTEN, data={"email": email}) for email in asked]
    assert len({(answer.status_code, words(answer.text)) for answer in answers}) == 1
    with work_as("system") as work:
        assert asked_for(work) == [cast.demo.users["vera"], 0, cast.demo.users["boris"], 0]
    for user_id in (0, cast.demo.users["boris"]):
        send_reset_link(system_actor(cast.demo.tenant_id, door=Door.JOB), user_id=user_id)
    assert mails(work_as, cast) == []


def test_impatience_brings_one_mail_whose_link_works(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    actor, vera = system_actor(cast.demo.tenant_id, door=Door.JOB), cast.demo.users["vera"]
    send_reset_link(actor, user_id=vera)
    send_reset_link(actor, user_id=vera)
    assert len(mails(work_as, cast)) == 1
    clock.hold(clock.now() + ONE_LINK_IN + timedelta(seconds=5))
    send_reset_link(actor, user_id=vera)
    older, newer = (re.findall(r"/reset/\S+", text)[0] for text in mails(work_as, cast))
    assert client_as("nobody").get(older).status_code == 410
    assert client_as("nobody").get(newer).status_code == 200


@pytest.mark.attack(30)
@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Forwarded-Server", "Forwarded", "X-Host", "X-Original-Host"])
def test_the_link_leads_to_the_host_that_is_set_up(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, header: str
) -> None:
    client_as("nobody").post(FORGOTTEN, data={"email": VERA}, headers={header: "evil.example"})
    send_reset_link(system_actor(cast.demo.tenant_id, door=Door.JOB), user_id=cast.demo.users["vera"])
    (text,) = mails(work_as, cast)
    assert "evil" not in text
    assert "http://demo.localhost" in text


@pytest.mark.attack(30)
def test_a_foreign_host_is_served_nothing(client_as: ClientAs) -> None:
    answer = client_as("nobody").post(FORGOTTEN, data={"email": VERA}, base_url="http://evil.example")
    assert answer.status_code == 404


@pytest.mark.attack(31)
@pytest.mark.parametrize(
    "typed",
    [[VERA, "evil@x.example"], [f"{VERA},evil@x.example"], [f"{VERA} evil@x.example"], [f"{VERA};evil@x.example"],
     [f"{VERA}\r\nBcc: evil@x.example"], [f"{VERA}\nevil@x.example"], [], [""], ["x" * 5000], ["\x00@x.example"],
     ["@"]],
)  # fmt: skip
def test_one_address_is_asked_for(client_as: ClientAs, work_as: WorkAs, typed: list[str]) -> None:
    assert client_as("nobody").post(FORGOTTEN, data={"email": typed}).status_code == 422
    with work_as("system") as work:
        assert asked_for(work) == []


@pytest.mark.attack(46)
def test_asking_too_often_is_refused_for_known_and_unknown_alike(app: Flask, committed: Cast) -> None:
    client = signed_in_client(app, committed, "nobody")
    for email in (VERA, "nobody@demo.localhost"):
        for _again in range(10):
            assert client.post(FORGOTTEN, data={"email": email}).status_code == 200
        refused = client.post(FORGOTTEN, data={"email": email})
        assert (refused.status_code, "Too many attempts" in refused.text) == (429, True)
    assert client.post("/sign-in", data={"email": VERA, "password": PASSWORD}).status_code == 303


@pytest.mark.attack(32, 33)
@pytest.mark.parametrize("kind", list(LinkKind))
def test_a_link_that_is_used_or_old_or_unknown_answers_410(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, kind: LinkKind
) -> None:
    client, used = client_as("nobody"), link(work_as, cast, kind)
    assert client.post(used, data=NEW).status_code == 303
    client = client_as("nobody")
    old = link(work_as, cast, kind, "boris")
    clock.hold(clock.now() + VALID_FOR[kind] + timedelta(seconds=5))
    answers = [client.get(path) for path in (used, old, f"{used[:9]}x", f"{used}é")]
    answers += [client.post(path, data=NEW) for path in (used, old)]
    assert {answer.status_code for answer in answers} == {410}
    assert len({words(answer.text) for answer in answers}) == 1
    assert signs_in(client_as, NEW["password"])


@pytest.mark.attack(1, 2)
@pytest.mark.parametrize("kind", list(LinkKind))
def test_a_link_leads_nowhere_in_another_company(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, kind: LinkKind
) -> None:
    path = link(work_as, cast, kind)
    assert client_as("oleg").get(path).status_code == 410
    assert client_as("oleg").post(path, data=NEW).status_code == 410
    assert signs_in(client_as, PASSWORD)


@pytest.mark.covers("TC-26")
@pytest.mark.parametrize("kind", list(LinkKind))
def test_a_bad_password_leaves_the_link_working(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, kind: LinkKind
) -> None:
    client, path = client_as("nobody"), link(work_as, cast, kind)
    for change, sentence in (
        ({"password": "short"}, "at least 8 characters"),
        ({"password_again": "other"}, "not the same"),
    ):
        answer = client.post(path, data={**NEW, **change})
        assert (answer.status_code, sentence in answer.text) == (422, True)
        assert NEW["password"] not in answer.text
    assert client.post(path, data=NEW).status_code == 303


def test_an_invitation_leads_in(client_as: ClientAs, work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        work.session.execute(update(UserAccount).where(UserAccount.email == VERA).values(password_hash=None))
        send_invitation(work, cast.demo.users["vera"])
    (text,) = mails(work_as, cast)
    (path,) = re.findall(r"http://demo\.localhost:\d+(/welcome/\S+)", text)
    client = client_as("nobody")
    assert not signs_in(client_as, PASSWORD)
    assert "Welcome" in client.get(path).text
    assert client.post(path, data=NEW).location == "/"
    assert client.get("/gallery").status_code == 200
    assert signs_in(client_as, NEW["password"])
    with work_as("system") as work:
        assert work.session.scalars(select(StoredEvent.id).where(StoredEvent.name == PasswordChanged.name)).all() == []


def test_whoever_failed_too_often_gets_in_with_a_new_password(app: Flask, committed: Cast) -> None:
    client = signed_in_client(app, committed, "nobody")
    for _again in range(10):
        client.post("/sign-in", data={"email": VERA, "password": "wrong"})
    assert client.post("/sign-in", data={"email": VERA, "password": PASSWORD}).status_code == 429
    with unit_of_work(system_actor(committed.demo.tenant_id, door=Door.WEB)) as work:
        token = make_link(work, LinkKind.RESET, committed.demo.users["vera"])
    assert client.post(f"/reset/{token}", data=NEW).status_code == 303
    again = signed_in_client(app, committed, "nobody")
    assert again.post("/sign-in", data={"email": VERA, "password": NEW["password"]}).status_code == 303


@pytest.mark.attack(34)
@pytest.mark.parametrize("kind", list(LinkKind))
def test_without_the_forms_token_nothing_happens(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, kind: LinkKind
) -> None:
    client, path = client_as("nobody"), link(work_as, cast, kind)
    assert client.post(path, data={**NEW, "csrf_token": "forged"}).status_code == 403
    assert client.post(FORGOTTEN, data={"email": VERA, "csrf_token": "forged"}).status_code == 403
    assert client.post("/sign-in", data={"email": VERA, "password": PASSWORD, "csrf_token": ""}).status_code == 403
    assert client.get(path).status_code == 200
    with work_as("system") as work:
        assert asked_for(work) == []
        assert work.session.scalars(select(SignInSession.id)).all() == []


@pytest.mark.attack(35)
@pytest.mark.parametrize(
    "header",
    ["Remote-User", "X-Remote-User", "X-Forwarded-User", "X-Auth-Request-User", "X-Forwarded-Email", "X-User",
     "X-Authenticated-User", "Authorization"],
)  # fmt: skip
def test_a_forged_header_of_single_sign_on_opens_nothing(client_as: ClientAs, header: str) -> None:
    value = "Basic YW5uYUBkZW1vLmxvY2FsaG9zdDp4" if header == "Authorization" else "anna@demo.localhost"
    assert client_as("nobody").get("/gallery", headers={header: value}).status_code == 303
    assert client_as("nobody").get("/gallery", environ_overrides={"REMOTE_USER": "anna"}).status_code == 303

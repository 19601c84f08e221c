"""Links that let somebody in once, and the notices that carry them."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from sqlalchemy import select

from core.foundation import clock
from core.foundation.actor import Door, system_actor
from core.foundation.errors import NotFound
from core.foundation.i18n import _
from core.foundation.jobs import Job
from core.foundation.settings import settings
from core.foundation.unit_of_work import unit_of_work
from core.identity.links import VALID_FOR, LinkKind, link_holder, make_link, use_link, withdraw_link
from core.identity.models import OneTimeLink, UserAccount
from core.mail.models import OutboundMail
from core.mail.notices import Notice, queue_notice
from core.mail.queries import count_troubled, outbox, outbox_mail
from core.mail.sending import send_outbound
from core.tenants.service import primary_url
from tests.conftest import WorkAs
from tests.support.cast import Cast
from tests.support.mailbox import open_mailbox

KINDS = pytest.mark.parametrize("kind", list(LinkKind))


@KINDS
@pytest.mark.attack(32)
def test_a_link_works_once(work_as: WorkAs, cast: Cast, kind: LinkKind) -> None:
    with work_as("system") as work:
        token = make_link(work, kind, cast.demo.users["vera"])
        assert link_holder(work, kind, token).email == "vera@demo.localhost"
        assert use_link(work, kind, token).user_id == cast.demo.users["vera"]
        with pytest.raises(NotFound):
            use_link(work, kind, token)
        with pytest.raises(NotFound):
            link_holder(work, kind, token)


@KINDS
@pytest.mark.attack(32)
def test_a_link_ends_at_its_time(work_as: WorkAs, cast: Cast, kind: LinkKind) -> None:
    with work_as("system") as work:
        token, made_at = make_link(work, kind, cast.demo.users["vera"]), clock.now()
        clock.hold(made_at + VALID_FOR[kind] - timedelta(seconds=5))
        link_holder(work, kind, token)
        clock.hold(made_at + VALID_FOR[kind] + timedelta(seconds=5))
        with pytest.raises(NotFound):
            use_link(work, kind, token)


def test_a_newer_link_takes_the_older_ones_place(work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        first = make_link(work, LinkKind.INVITATION, cast.demo.users["vera"])
        second = make_link(work, LinkKind.INVITATION, cast.demo.users["vera"])
        with pytest.raises(NotFound):
            link_holder(work, LinkKind.INVITATION, first)
        link_holder(work, LinkKind.INVITATION, second)
        assert withdraw_link(work, LinkKind.INVITATION, cast.demo.users["vera"])
        assert not withdraw_link(work, LinkKind.INVITATION, cast.demo.users["vera"])
        with pytest.raises(NotFound):
            link_holder(work, LinkKind.INVITATION, second)


def test_an_invitation_is_no_reset(work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        token = make_link(work, LinkKind.INVITATION, cast.demo.users["vera"])
        with pytest.raises(NotFound):
            use_link(work, LinkKind.RESET, token)


def test_a_blocked_users_link_does_not_work(work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        token = make_link(work, LinkKind.RESET, cast.demo.users["vera"])
        work.session.get_one(UserAccount, cast.demo.users["vera"]).is_blocked = True
        work.session.flush()
        with pytest.raises(NotFound):
            link_holder(work, LinkKind.RESET, token)


@pytest.mark.attack(2)
def test_a_link_leads_nowhere_in_another_company(work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        token = make_link(work, LinkKind.RESET, cast.demo.users["vera"])
    with work_as("other system") as work, pytest.raises(NotFound):
        link_holder(work, LinkKind.RESET, token)


def test_the_token_itself_is_not_stored(work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        token = make_link(work, LinkKind.RESET, cast.demo.users["vera"])
        stored = work.session.scalars(select(OneTimeLink)).one()
        assert token not in str(vars(stored))
        assert len(stored.token_sha256) == 32


@pytest.mark.attack(32)
def test_of_two_at_the_same_moment_one_is_let_in(committed: Cast) -> None:
    actor = system_actor(committed.demo.tenant_id, door=Door.WEB)
    with unit_of_work(actor) as work:
        token = make_link(work, LinkKind.RESET, committed.demo.users["vera"])
    barrier, outcomes = Barrier(2), []

    def use() -> None:
        with unit_of_work(actor) as work:
            link_holder(work, LinkKind.RESET, token)
            barrier.wait(10)
            try:
                use_link(work, LinkKind.RESET, token)
            except NotFound:
                outcomes.append("refused")
            else:
                outcomes.append("let in")

    threads = [Thread(target=use) for _each in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(outcomes) == ["let in", "refused"]


# Notices


def notice(locale: str = "cs") -> Notice:
    """One for Vera."""
    return Notice(
        email="vera@demo.localhost",
        name="Věra Nováková",
        locale=locale,
        subject=_("Sign in"),
        paragraphs=("https://demo.localhost/secret-link",),
    )


def test_a_notice_reaches_its_reader_in_their_language(
    work_as: WorkAs, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_mailbox() as mailbox:
        monkeypatch.setattr("core.mail.sending.settings", lambda: _with(mailbox.url))
        with work_as("boris") as work:
            outbound_id = queue_notice(work, notice())
        with work_as("system") as work:
            assert work.session.scalars(select(Job.arguments)).one() == {"outbound_mail_id": outbound_id}
        send_outbound(system_actor(cast.demo.tenant_id, door=Door.JOB), outbound_id)
        mail = mailbox.mails_to("vera@demo.localhost")[0]
    assert (mail["Subject"], mail["Auto-Submitted"]) == ("Přihlásit se", "auto-generated")
    assert mail["From"].addresses[0].addr_spec == "support@demo.localhost"
    assert "secret-link" in mail.get_content()


def test_nobody_but_an_owner_sees_a_notice_and_only_while_it_waits(work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        outbound_id = queue_notice(work, notice())
        assert outbox(work).rows == []
        with pytest.raises(NotFound):
            outbox_mail(work, outbound_id)
    send_outbound(system_actor(cast.demo.tenant_id, door=Door.JOB), outbound_id)
    with work_as("anna") as work:
        assert [row.state for row in outbox(work).rows] == ["held"]
        assert "secret-link" in outbox_mail(work, outbound_id).text
        work.session.get_one(OutboundMail, outbound_id).state = "refused"
        work.session.flush()
        assert "secret-link" not in str(outbox_mail(work, outbound_id))
        assert count_troubled(work).refused == 1
    with work_as("oleg") as work:
        assert outbox(work).rows == []


def test_the_address_in_a_link_is_the_one_that_is_set_up(work_as: WorkAs) -> None:
    with work_as("system") as work:
        assert primary_url(work) == f"http://demo.localhost:{settings().web_port}"


def _with(url: str) -> object:
    from dataclasses import replace

    return replace(settings(), outgoing_smtp_url=url)

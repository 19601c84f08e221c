"""Whom something concerns, and whom not."""

import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, text, update

from core.calls.causes import Cause, EndedBy
from core.calls.service import Ending, end_call
from core.foundation import clock
from core.foundation.unit_of_work import Work, unit_of_work
from core.identity.models import PermissionGrant, UserAccount
from core.identity.sessions import Browser, new_browser_token, open_session
from core.mail.models import OutboundMail
from core.mail.writing import MailDraft, reply_to_ticket
from core.notifications.choices import choose
from core.notifications.choosing import tell_of_mail_not_sent
from core.notifications.jobs import clear
from core.notifications.models import Notification
from core.notifications.queries import find_notification, list_notifications, unread_count
from core.notifications.service import read_about_ticket, read_all
from core.people.leaving import delete_person
from core.tickets.models import Ticket
from core.tickets.service import TicketDraft, TicketPatch, change_ticket, open_ticket, take_ticket
from tests.conftest import WorkAs
from tests.support.cast import Cast
from tests.support.incoming import CUSTOMER, product, receive, written
from tests.support.news import run_news, told
from tests.support.telephony import call_from_line, call_from_outside, set_up

DRAFT = MailDraft(to=CUSTOMER, subject="Printer", text="Which one?")


def ticket_of(work: Work, cast: Cast, owner: str | None = None) -> int:
    """A ticket, of somebody perhaps."""
    ticket = open_ticket(work, TicketDraft(title="Printer", category_id=cast.demo.open_category, requester=CUSTOMER))
    if owner:
        ticket.owner_id = cast.demo.users[owner]
        work.session.flush()
    return ticket.id


def news(work_as: WorkAs, cast: Cast, name: str) -> list[tuple[str, int]]:
    """What somebody was told once everything ran."""
    run_news(cast.demo.tenant_id)
    with work_as("system") as work:
        return told(work, cast.demo.users[name])


def answer(ticket_id: int, work_as: WorkAs, *, headers: Iterable[tuple[str, str]] = ()) -> None:
    """The customer answers in the ticket."""
    with work_as("system") as work:
        number = work.session.get_one(Ticket, ticket_id).number
    text = f"This one: {secrets.token_hex(8)}"  # the same bytes again would be the same mail
    receive(written(subject=f"Re: Printer [#{number}]", text=text, headers=headers))


@pytest.mark.covers("P-4")
def test_a_ticket_given_by_a_colleague_is_told_to_its_new_owner_alone(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        ticket_id = ticket_of(work, cast)
        change_ticket(work, ticket_id, TicketPatch(owner_id=cast.demo.users["boris"]), version=1)
    assert news(work_as, cast, "boris") == [("ticket_assigned", 1)]
    assert news(work_as, cast, "anna") == []
    with work_as("boris") as work:
        assert unread_count(work) == 1
        (row,) = list_notifications(work, limit=10).rows
        assert (row.about.endswith(" Printer"), row.path) == (True, f"/tickets/{ticket_id}")


def test_nobody_is_told_of_what_they_did_themselves(work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        take_ticket(work, ticket_of(work, cast))
        mine = ticket_of(work, cast, "boris")
        reply_to_ticket(work, mine, DRAFT)
        choose(work, {"ticket_opened": ["app"]})
        ticket_of(work, cast)
    assert news(work_as, cast, "boris") == []


def test_a_ticket_that_is_anothers_again_is_no_news(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        ticket_id = ticket_of(work, cast)
        change_ticket(work, ticket_id, TicketPatch(owner_id=cast.demo.users["boris"]), version=1)
        change_ticket(work, ticket_id, TicketPatch(owner_id=cast.demo.users["anna"]), version=2)
    assert news(work_as, cast, "boris") == []


@pytest.mark.covers("P-4")
def test_a_customers_answers_are_one_notification(work_as: WorkAs, cast: Cast) -> None:
    (ticket,) = receive(written())
    with work_as("boris") as work:
        take_ticket(work, ticket.id)
    for _again in range(3):
        answer(ticket.id, work_as)
    assert news(work_as, cast, "boris") == [("customer_answered", 3)]
    with work_as("boris") as work:
        assert unread_count(work) == 1
        read_about_ticket(work, ticket.id)
        assert unread_count(work) == 0
    answer(ticket.id, work_as)
    assert news(work_as, cast, "boris") == [("customer_answered", 3), ("customer_answered", 1)]


def test_a_job_that_runs_twice_tells_once(work_as: WorkAs, cast: Cast) -> None:
    from core.notifications.jobs import tell_of_mail_in

    (ticket,) = receive(written())
    with work_as("boris") as work:
        take_ticket(work, ticket.id)
    answer(ticket.id, work_as)
    assert news(work_as, cast, "boris") == [("customer_answered", 1)]
    with work_as("system") as work:
        source = work.session.scalars(select(Notification.source_id)).one()
    tell_of_mail_in(product(cast.demo.tenant_id), activity_id=source)
    assert news(work_as, cast, "boris") == [("customer_answered", 1)]
    with work_as("boris") as work:
        read_all(work)
    tell_of_mail_in(product(cast.demo.tenant_id), activity_id=source)
    assert news(work_as, cast, "boris") == [("customer_answered", 1)]


def test_an_absence_notice_is_no_answer(work_as: WorkAs, cast: Cast) -> None:
    (ticket,) = receive(written())
    with work_as("boris") as work:
        take_ticket(work, ticket.id)
    answer(ticket.id, work_as, headers=[("Auto-Submitted", "auto-replied")])
    assert news(work_as, cast, "boris") == []


def test_a_colleagues_answer_is_told_to_the_owner(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        ticket_id = ticket_of(work, cast, "boris")
        reply_to_ticket(work, ticket_id, DRAFT)
    assert news(work_as, cast, "boris") == [("colleague_answered", 1)]


@pytest.mark.covers("P-4")
def test_new_tickets_are_told_to_those_who_asked_and_see_the_category(work_as: WorkAs, cast: Cast) -> None:
    for name in ("anna", "boris", "vera"):
        with work_as(name) as work:
            choose(work, {"ticket_opened": ["app"] if name != "vera" else []})
    with work_as("system") as work:
        ticket_of(work, cast)
        open_ticket(work, TicketDraft(title="Law suit", category_id=cast.demo.closed_category))
    assert news(work_as, cast, "boris") == [("ticket_opened", 1)]
    assert news(work_as, cast, "vera") == []
    assert news(work_as, cast, "anna") == [("ticket_opened", 1)] * 2


def test_new_tickets_are_off_until_somebody_wants_them(work_as: WorkAs, cast: Cast) -> None:
    receive(written())
    assert [news(work_as, cast, name) for name in ("anna", "boris", "vera")] == [[], [], []]


@pytest.mark.covers("P-4")
@pytest.mark.parametrize(
    ("cause", "is_told"), [(Cause.NO_ANSWER, True), (Cause.CANCELLED, True), (Cause.REJECTED, False)]
)
def test_a_missed_call_is_told_to_whose_line_rang(work_as: WorkAs, cast: Cast, cause: Cause, is_told: bool) -> None:
    with work_as("system") as work:
        telephony = set_up(work, cast.demo)
        call_id = call_from_outside(work, telephony).call_id
        end_call(work, call_id, Ending(cause=cause, ended_by=EndedBy.CALLER, at=clock.now(), sip_status=480))
    assert news(work_as, cast, "boris") == ([("call_missed", 1)] if is_told else [])
    with work_as("boris") as work:
        assert [row.number for row in list_notifications(work, limit=10).rows] == ["+420601123456"] * is_told


def test_whoever_called_a_colleague_in_vain_missed_nothing(work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        call_id = call_from_line(work, set_up(work, cast.demo), "103").call_id
        ending = Ending(cause=Cause.NO_ANSWER, ended_by=EndedBy.CALLER, at=clock.now(), sip_status=480)
        end_call(work, call_id, ending)
    assert news(work_as, cast, "boris") == []
    assert news(work_as, cast, "vera") == [("call_missed", 1)]


@pytest.mark.covers("P-4")
@pytest.mark.parametrize("state", ["refused", "uncertain", "waits", "partly"])
def test_a_mail_that_does_not_arrive_is_told_to_its_writer_once(work_as: WorkAs, cast: Cast, state: str) -> None:
    with work_as("boris") as work:
        activity_id = reply_to_ticket(work, ticket_of(work, cast), DRAFT)
    stored = {"waits": "queued", "partly": "sent"}.get(state, state)
    with work_as("system") as work:
        changed = update(OutboundMail).where(OutboundMail.activity_id == activity_id).values(state=stored)
        mail_id = work.session.scalars(changed.returning(OutboundMail.id)).one()
        for _again in range(2):
            tell_of_mail_not_sent(work, mail_id, state=state)
    assert news(work_as, cast, "boris") == [("mail_failed", 1)]


def test_a_mail_that_left_meanwhile_is_no_news(work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        activity_id = reply_to_ticket(work, ticket_of(work, cast), DRAFT)
    with work_as("system") as work:
        changed = update(OutboundMail).where(OutboundMail.activity_id == activity_id).values(state="sent")
        mail_id = work.session.scalars(changed.returning(OutboundMail.id)).one()
        tell_of_mail_not_sent(work, mail_id, state="waits")
    assert news(work_as, cast, "boris") == []


def test_a_new_browser_is_told_in_the_app_and_not_by_a_second_mail(work_as: WorkAs, cast: Cast) -> None:
    vera = cast.demo.users["vera"]
    with work_as("system") as work:
        for _browser in range(2):
            open_session(work, vera, Browser(agent="Firefox", token=new_browser_token()))
    assert news(work_as, cast, "vera") == [("new_browser", 1)]
    with work_as("system") as work:
        assert work.session.scalars(select(Notification.mail_wanted)).all() == [False]


# What may not be seen


@pytest.mark.attack(57)
@pytest.mark.covers("P-4")
def test_what_may_not_be_seen_any_more_is_gone_from_the_list(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        ticket_id = ticket_of(work, cast)
        change_ticket(work, ticket_id, TicketPatch(owner_id=cast.demo.users["boris"]), version=1)
    assert news(work_as, cast, "boris") == [("ticket_assigned", 1)]
    with work_as("anna") as work:
        notification_id = work.session.execute(text("select id from notification")).all()
        assert notification_id == []  # others' are not even the owner's to see
        change_ticket(work, ticket_id, TicketPatch(category_id=cast.demo.closed_category), version=2)
    with work_as("boris") as work:
        assert unread_count(work) == 0
        assert list_notifications(work, limit=10).rows == []


@pytest.mark.attack(57)
def test_a_ticket_in_a_hidden_category_is_told_to_nobody_who_does_not_see_it(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        ticket = open_ticket(work, TicketDraft(title="Law suit", category_id=cast.demo.closed_category))
        change_ticket(work, ticket.id, TicketPatch(owner_id=cast.demo.users["boris"]), version=1)
    assert news(work_as, cast, "boris") == []


@pytest.mark.parametrize("change", ["permission", "blocked"])
def test_whoever_may_not_read_tickets_is_not_told_of_them(work_as: WorkAs, cast: Cast, change: str) -> None:
    with work_as("anna") as work:
        ticket_id = ticket_of(work, cast)
        change_ticket(work, ticket_id, TicketPatch(owner_id=cast.demo.users["boris"]), version=1)
    with work_as("system") as work:
        if change == "permission":
            work.session.execute(delete(PermissionGrant).where(PermissionGrant.permission == "tickets.read"))
        else:
            boris = UserAccount.id == cast.demo.users["boris"]
            work.session.execute(update(UserAccount).where(boris).values(is_blocked=True))
    assert news(work_as, cast, "boris") == []


@pytest.mark.attack(1)
def test_another_company_sees_none_of_it(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        ticket_id = ticket_of(work, cast)
        change_ticket(work, ticket_id, TicketPatch(owner_id=cast.demo.users["boris"]), version=1)
    news(work_as, cast, "boris")
    with work_as("system") as work:
        notification_id = work.session.scalars(select(Notification.id)).one()
    with work_as("oleg") as work:
        assert find_notification(work, notification_id) is None
    with work_as("vera") as work:
        assert find_notification(work, notification_id) is None


def test_what_is_older_than_ninety_days_is_removed(work_as: WorkAs, cast: Cast, held_clock: object) -> None:
    began = clock.now()
    for days in (0, 60, 91):
        clock.hold(began + timedelta(days=days))
        with work_as("anna") as work:
            ticket_id = ticket_of(work, cast)
            change_ticket(work, ticket_id, TicketPatch(owner_id=cast.demo.users["boris"]), version=1)
        news(work_as, cast, "boris")
    clear(product(cast.demo.tenant_id))
    with work_as("system") as work:
        assert len(told(work, cast.demo.users["boris"])) == 2
    assert "notifications.clear" in run_news(cast.demo.tenant_id, until=timedelta(days=1, minutes=1))


def test_what_was_told_to_somebody_who_is_gone_goes_too(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        ticket_id = ticket_of(work, cast)
        change_ticket(work, ticket_id, TicketPatch(owner_id=cast.demo.users["boris"]), version=1)
    news(work_as, cast, "boris")
    with work_as("anna") as work:
        delete_person(work, cast.demo.users["boris"], successor_id=cast.demo.users["anna"])
    clear(product(cast.demo.tenant_id))
    assert news(work_as, cast, "boris") == []


def test_an_owner_who_looks_on_as_a_group_reads_nothing_by_that(work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        ticket_id = ticket_of(work, cast)
        change_ticket(work, ticket_id, TicketPatch(owner_id=cast.demo.users["anna"]), version=1)
    assert news(work_as, cast, "anna") == [("ticket_assigned", 1)]
    with unit_of_work(replace(cast.actor("anna"), is_viewing=True)) as work:
        read_about_ticket(work, ticket_id)
    with work_as("anna") as work:
        assert unread_count(work) == 1

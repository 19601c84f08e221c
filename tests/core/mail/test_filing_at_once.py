"""Several workers file at the same time, with real commits."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select

from core.foundation.jobs import Job
from core.foundation.unit_of_work import unit_of_work
from core.mail.filing import file_inbound
from core.mail.intake import accept_mail
from core.mail.models import InboundMail
from core.tickets.models import Ticket
from tests.support.cast import Cast
from tests.support.incoming import (
    CUSTOMER,
    SUPPORT,
    deliveries,
    messages_of,
    newest_inbound,
    product,
    ticket_of,
    written,
)


def test_two_workers_on_one_mail_file_it_once(committed: Cast) -> None:
    accept_mail(written(), sender=CUSTOMER, deliveries=deliveries([SUPPORT]))
    actor = product(committed.demo.tenant_id)
    inbound_mail_id = newest_inbound(actor)
    with ThreadPoolExecutor(2) as workers:
        list(workers.map(lambda _number: file_inbound(actor, inbound_mail_id), range(2)))
    assert len(messages_of(actor, ticket_of(actor, inbound_mail_id).id)) == 1


def test_copies_filed_at_once_are_one(committed: Cast) -> None:
    raw = written()
    for _ in range(3):
        accept_mail(raw, sender=CUSTOMER, deliveries=deliveries([SUPPORT]))
    actor = product(committed.demo.tenant_id)
    _file_all(committed)
    with unit_of_work(actor) as work:
        assert work.session.scalar(select(func.count()).select_from(Ticket)) == 1
        assert set(work.session.scalars(select(InboundMail.state))) == {"filed"}


def test_mails_filed_at_once_get_numbers_without_gaps(committed: Cast) -> None:
    for number in range(8):
        accept_mail(written(text=str(number)), sender=CUSTOMER, deliveries=deliveries([SUPPORT]))
    _file_all(committed)
    with unit_of_work(product(committed.demo.tenant_id)) as work:
        assert sorted(work.session.scalars(select(Ticket.number))) == list(range(1, 9))


def test_taking_in_stores_the_bytes_as_they_came_and_a_job(committed: Cast) -> None:
    raw = written()
    accept_mail(raw, sender="a\x00b@x.example", deliveries=deliveries([SUPPORT]))
    with unit_of_work(product(committed.demo.tenant_id)) as work:
        arrived = work.session.scalars(select(InboundMail)).one()
        jobs = work.session.scalars(select(Job.name).where(Job.name == "mail.file")).all()
    assert (arrived.sha256, arrived.sender, len(jobs)) == (hashlib.sha256(raw).digest(), "ab@x.example", 1)


def _file_all(cast: Cast) -> None:
    actor = product(cast.demo.tenant_id)
    with unit_of_work(actor) as work:
        waiting = list(work.session.scalars(select(InboundMail.id)))
    with ThreadPoolExecutor(4) as workers:
        list(workers.map(lambda inbound_mail_id: file_inbound(actor, inbound_mail_id), waiting))

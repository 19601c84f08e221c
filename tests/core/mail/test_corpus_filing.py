"""Every mail of the corpora becomes something that people see."""

import os
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.mail.filing import file_inbound
from core.mail.intake import accept_mail
from core.mail.models import InboundMail
from core.tickets.models import Ticket
from core.timeline.models import Activity
from tests.conftest import WorkAs
from tests.support.cast import Cast
from tests.support.incoming import CUSTOMER, SUPPORT, deliveries, product
from tests.support.notes import note


@pytest.mark.covers("D-MAIL-1")
@pytest.mark.attack(16)
def test_all_mails_are_taken_in_and_visible(
    corpora: Path, cast: Cast, work_as: WorkAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _file: None)  # thousands of small files need not outlive the test
    paths = sorted((corpora / "mail").glob("*/*.eml"))
    actor, to_support = product(cast.demo.tenant_id), deliveries([SUPPORT])
    started = time.monotonic()
    for path in paths:
        accept_mail(path.read_bytes(), sender=CUSTOMER, deliveries=to_support)
    with work_as("system") as work:
        waiting = list(work.session.scalars(select(InboundMail.id).order_by(InboundMail.id)))
    for inbound_mail_id in waiting:
        file_inbound(actor, inbound_mail_id)
    note(f"{len(paths)} mails taken in and filed in {time.monotonic() - started:.0f} s")
    with work_as("boris") as work:
        counts = dict(work.session.execute(select(InboundMail.state, func.count()).group_by(InboundMail.state)).all())
        orphans = select(func.count()).select_from(InboundMail).where(InboundMail.activity_id.is_(None))
        hidden = select(func.count()).select_from(Activity).where(Activity.ticket_id.not_in(select(Ticket.id)))
        titles = work.session.scalars(select(Ticket.title).distinct()).all()
        assert all(title.strip() for title in titles)
        assert work.session.scalar(orphans) == 0
        assert work.session.scalar(hidden) == 0
    note(f"states: {counts}")
    assert sum(counts.values()) == len(paths) == 993
    assert counts.get("unreadable", 0) <= 5

"""Every mail of the corpora becomes something that people see."""

import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.mail.models import InboundMail
from core.tickets.models import Ticket
from core.timeline.models import Activity
from tests.conftest import WorkAs
from tests.support.incoming import receive


@pytest.mark.covers("D-MAIL-1")
@pytest.mark.attack(16)
def test_all_mails_are_taken_in_and_visible(corpora: Path, work_as: WorkAs) -> None:
    paths = sorted((corpora / "mail").glob("*/*.eml"))
    started = time.monotonic()
    for path in paths:
        (ticket,) = receive(path.read_bytes())
        assert ticket.title.strip(), path.name
    print(f"{len(paths)} mails taken in and filed in {time.monotonic() - started:.0f} s")
    with work_as("boris") as work:
        counts = dict(work.session.execute(select(InboundMail.state, func.count()).group_by(InboundMail.state)).all())
        orphans = select(func.count()).select_from(InboundMail).where(InboundMail.activity_id.is_(None))
        hidden = select(func.count()).select_from(Activity).where(Activity.ticket_id.not_in(select(Ticket.id)))
        assert work.session.scalar(orphans) == 0
        assert work.session.scalar(hidden) == 0
    print(f"states: {counts}")
    assert sum(counts.values()) == len(paths) == 993
    assert counts.get("unreadable", 0) <= 5

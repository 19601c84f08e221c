"""Who changed and who saw what; and who acts."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import select

from core.directory.events import ContactSaved
from core.foundation import clock
from core.foundation.actor import Door, TenantId, system_actor
from core.foundation.announcing import announce
from core.foundation.errors import Forbidden
from core.foundation.history import Change, record_change
from core.foundation.outbox import StoredEvent
from core.foundation.permissions import Permission
from core.foundation.read_log import How, ReadEvent, record_read
from tests.conftest import WorkAs
from tests.support.cast import Cast
from tests.support.statements import counted_statements


def test_a_change_holds_the_fields_that_differ_and_who_did_it(work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        assert record_change(
            work, "contact", 7, before={"name": "A", "city": "Brno"}, after={"name": "B", "city": "Brno"}
        )
    with work_as("system") as work:
        change = work.session.scalars(select(Change).where(Change.subject_id == 7)).one()
        assert change.fields == {"name": ["A", "B"]}
        assert (change.user_id, change.door, change.subject_kind) == (cast.demo.users["boris"], "web", "contact")


def test_new_and_gone_fields_have_nothing_on_one_side(work_as: WorkAs) -> None:
    with work_as("system") as work:
        record_change(work, "contact", 8, before={"old": 1}, after={"new": [1, None]})
        work.session.flush()
        change = work.session.scalars(select(Change).where(Change.subject_id == 8)).one()
        assert change.fields == {"new": [None, [1, None]], "old": [1, None]}
        assert (change.user_id, change.door) == (None, "job")


def test_no_difference_is_no_change(work_as: WorkAs) -> None:
    with work_as("system") as work:
        assert not record_change(work, "contact", 9, before={"name": "A"}, after={"name": "A"})
        assert work.session.scalars(select(Change.id).where(Change.subject_id == 9)).all() == []


def test_an_announced_change_is_history_event_and_news_at_once(work_as: WorkAs, cast: Cast) -> None:
    with counted_statements() as sent, work_as("boris") as work:
        announce(work, "contact", 7, before={"name": "A", "city": ""}, after={"name": "B"}, event=ContactSaved(7))
    assert len([statement for statement in sent if "app_announce" in statement]) == 1
    with work_as("system") as work:
        change = work.session.scalars(select(Change).where(Change.subject_id == 7)).one()
        assert change.fields == {"city": ["", None], "name": ["A", "B"]}
        assert (change.user_id, change.door) == (cast.demo.users["boris"], "web")
        event = work.session.scalars(select(StoredEvent).order_by(StoredEvent.id.desc())).first()
        assert event is not None
        assert (event.name, event.payload) == (ContactSaved.name, {"contact_id": 7})


def test_what_differs_in_nothing_is_announced_without_history(work_as: WorkAs) -> None:
    with work_as("boris") as work:
        announce(work, "contact", 9, before={"name": "A"}, after={"name": "A"}, event=ContactSaved(9))
        assert work.session.scalars(select(Change.id).where(Change.subject_id == 9)).all() == []


@pytest.mark.covers("GD-39")
def test_a_look_is_noted_with_what_it_showed(work_as: WorkAs, cast: Cast) -> None:
    with work_as("vera") as work:
        record_read(work, "contact", [3, 4], how=How.SEARCH)
        record_read(work, "contact", [], how=How.LIST)
    with work_as("system") as work:
        (look,) = work.session.scalars(select(ReadEvent).where(ReadEvent.subject_ids.contains([3])))
        assert (look.subject_ids, look.how, look.user_id) == ([3, 4], "search", cast.demo.users["vera"])


def test_an_actor_has_the_permissions_of_their_group_only(cast: Cast) -> None:
    vera = cast.actor("vera")
    vera.require(Permission.CONTACTS_READ)
    with pytest.raises(Forbidden):
        vera.require(Permission.CONTACTS_WRITE)
    assert all(system_actor(TenantId(1), door=Door.JOB).may(permission) for permission in Permission)


def test_the_clock_can_be_held_and_is_in_utc() -> None:
    moment = datetime(2026, 3, 2, 10, 0, tzinfo=timezone(timedelta(hours=1)))
    clock.hold(moment)
    assert (clock.now(), clock.now().tzinfo) == (moment, UTC)
    clock.release()
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(minutes=1)

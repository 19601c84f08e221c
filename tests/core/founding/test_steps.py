"""A first step is done when what it leads to is there."""

from collections.abc import Callable

import pytest
from sqlalchemy import delete, update

from core.calls.models import Device, PhoneLine
from core.directory.books.models import SyncedClient
from core.foundation import clock
from core.foundation.errors import Forbidden
from core.foundation.unit_of_work import Work
from core.founding.steps import PERMISSIONS, Step, first_steps, show_first_steps
from core.identity.models import UserAccount
from core.tenants.company import CompanyDraft, change_company_settings
from core.tenants.opening import set_opening_hours
from tests.conftest import WorkAs
from tests.support.cast import Cast
from tests.support.factors import give_app
from tests.support.mails import letter, receive


def _look_over(work: Work, _cast: Cast) -> None:
    change_company_settings(work, CompanyDraft(name="Demo Works", locale="en", country="CZ", time_zone="Europe/Prague"))


def _open(work: Work, _cast: Cast) -> None:
    set_opening_hours(work, {0: [("8:00", "16:00")]})


def _let_in(_work: Work, _cast: Cast) -> None:
    receive(letter())


def _connect(work: Work, cast: Cast) -> None:
    line = PhoneLine(user_id=cast.demo.users["anna"], number="10")
    work.session.add(line)
    work.session.flush()
    work.session.add(Device(line_id=line.id, kind="external", name="Mobile", external_number="+420601234567"))


def _take_along(work: Work, cast: Cast) -> None:
    client = SyncedClient(
        user_id=cast.demo.users["anna"],
        name="Phone",
        username="0123456789abcdef-0123456789",
        secret_sha256=b"0" * 32,
        last_seen_at=clock.now(),
    )
    work.session.add(client)


def _protect(work: Work, _cast: Cast) -> None:
    give_app(work)


TAKEN: dict[Step, Callable[[Work, Cast], None]] = {
    Step.COMPANY: _look_over,
    Step.HOURS: _open,
    Step.MAIL: _let_in,
    Step.PHONE: _connect,
    Step.ADDRESS_BOOK: _take_along,
    Step.SECOND_FACTOR: _protect,
}


def done(work: Work) -> dict[Step, bool]:
    """Each step that is shown, and whether it is done."""
    return {one.step: one.is_done for one in first_steps(work)}


def test_the_cast_has_groups_and_colleagues_and_nothing_else(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        steps = done(work)
    assert list(steps) == list(Step)
    assert {step for step, is_done in steps.items() if is_done} == set(Step) - set(TAKEN)


@pytest.mark.parametrize("step", TAKEN, ids=str)
def test_a_step_is_done_by_doing_it(work_as: WorkAs, cast: Cast, step: Step) -> None:
    with work_as("anna") as work:
        before = done(work)
        TAKEN[step](work, cast)
        work.session.flush()
    with work_as("anna") as work:
        assert {one for one, is_done in done(work).items() if is_done != before[one]} == {step}


def test_colleagues_who_left_do_not_count(work_as: WorkAs, cast: Cast) -> None:
    others = UserAccount.id != cast.demo.users["anna"]
    gone = {"deleted_at": clock.now(), "is_blocked": True, "permission_group_id": None}
    with work_as("system") as work:
        work.session.execute(update(UserAccount).where(others).values(gone))
    with work_as("anna") as work:
        assert done(work)[Step.PEOPLE] is False


def test_when_all_are_done_none_is_shown(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        for take in TAKEN.values():
            take(work, cast)
        work.session.flush()
    with work_as("anna") as work:
        assert first_steps(work) == []
        work.session.execute(delete(Device))
        assert done(work)[Step.PHONE] is False


def test_they_are_put_away_for_oneself_and_taken_out_again(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        show_first_steps(work, shown=False)
        work.session.flush()
        assert first_steps(work) == []
        show_first_steps(work, shown=True)
        work.session.flush()
        assert len(first_steps(work)) == len(Step) == len(PERMISSIONS)


def test_whoever_sets_nothing_up_sees_none(work_as: WorkAs) -> None:
    with work_as("boris") as work:
        assert first_steps(work) == []
        with pytest.raises(Forbidden):
            show_first_steps(work, shown=True)

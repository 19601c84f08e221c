"""Codes of an app and recovery codes: what counts, once, and what is kept of them."""

from threading import Barrier, Thread

import pytest
from sqlalchemy import select, text

from core.foundation import clock
from core.foundation.errors import Conflict, Forbidden, Invalid, NotFound, Unavailable
from core.foundation.history import Change
from core.foundation.outbox import StoredEvent
from core.foundation.unit_of_work import Work, unit_of_work
from core.identity.attempts import begin_attempt
from core.identity.events import SecondFactorChanged
from core.identity.models import SecondStep
from core.identity.recovery_codes import HOW_MANY
from core.identity.second_factor import (
    PENDING_FOR,
    begin_app,
    confirm_app,
    factor_of,
    is_right_code,
    new_codes,
    pending_app,
    turn_off,
)
from core.identity.second_step import VALID_FOR, Step, finish_with_code, step_holder
from core.identity.security_policy import ask_of_all, unready_people
from core.identity.sessions import Browser, end_sessions
from core.identity.sign_in import sign_in, signed_in
from tests.conftest import WorkAs
from tests.support.cast import PASSWORD, Cast
from tests.support.factors import App, give_app, shown_code, wait_a_step

BORIS = "boris@demo.localhost"
ADDRESS = "198.51.100.7"


@pytest.fixture
def app(work_as: WorkAs) -> App:
    """Boris has a second factor."""
    with work_as("boris") as work:
        return give_app(work)


def step(work: Work) -> str:
    """The right password of Boris: the token of the step at which more is asked for."""
    opened = sign_in(work, begin_attempt(work, BORIS, address=ADDRESS), PASSWORD, browser=Browser())
    assert isinstance(opened, Step)
    return opened.token


def finish(work: Work, token: str, code: str) -> str | None:
    """Give the code."""
    return finish_with_code(work, begin_attempt(work, BORIS, address=ADDRESS), token, code, browser=Browser())


@pytest.mark.covers("P-18")
def test_the_password_alone_opens_no_session(work_as: WorkAs, app: App) -> None:
    with work_as("system") as work:
        token = step(work)
        assert signed_in(work, token) is None
        session = finish(work, token, app.code())
        assert session is not None
        person = signed_in(work, session)
        assert person is not None
        assert person.email == BORIS


@pytest.mark.parametrize(("steps", "counts"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_code_counts_for_its_own_step_and_those_beside_it(
    work_as: WorkAs, app: App, steps: int, counts: bool
) -> None:
    wait_a_step()
    wait_a_step()
    with work_as("system") as work:
        assert (finish(work, step(work), app.code(steps=steps)) is not None) is counts


@pytest.mark.covers("P-18")
def test_a_code_that_was_seen_cannot_be_used_again(work_as: WorkAs, app: App) -> None:
    with work_as("system") as work:
        code, earlier = app.code(), app.code(steps=-1)
        assert finish(work, step(work), code)
        assert finish(work, step(work), code) is None
        assert finish(work, step(work), earlier) is None
        wait_a_step()
        assert finish(work, step(work), code) is None
        assert finish(work, step(work), app.code())


def test_the_code_that_confirmed_the_app_signs_nobody_in(work_as: WorkAs) -> None:
    with work_as("vera") as work:
        begin_app(work)
        pending = pending_app(work)
        assert pending is not None
        code = shown_code(pending.secret)
        confirm_app(work, code)
        assert not is_right_code(work, work.actor.user_id or 0, code)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "\x00", "１２３４５６", "-" * 40, "’ or 1=1 --"])
def test_strange_codes_are_wrong_codes(work_as: WorkAs, app: App, code: str) -> None:
    with work_as("system") as work:
        assert finish(work, step(work), code) is None


@pytest.mark.covers("P-18")
def test_a_recovery_code_lets_in_once_however_it_is_typed(work_as: WorkAs, cast: Cast, app: App) -> None:
    assert len(set(app.recovery_codes)) == HOW_MANY
    with work_as("system") as work:
        assert finish(work, step(work), f" {app.recovery_codes[0].upper().replace('-', ' ')} ")
        assert finish(work, step(work), app.recovery_codes[0]) is None
        assert factor_of(work, cast.demo.users["boris"]).codes_left == HOW_MANY - 1
        assert finish(work, step(work), app.recovery_codes[1])
        told = work.session.scalars(select(StoredEvent.payload).where(StoredEvent.name == SecondFactorChanged.name))
        assert [payload["change"] for payload in told] == ["app_on", "recovery_used", "recovery_used"]


def test_new_recovery_codes_end_the_earlier_ones(work_as: WorkAs, app: App) -> None:
    with work_as("boris") as work:
        codes = new_codes(work)
    assert not set(codes) & set(app.recovery_codes)
    with work_as("system") as work:
        assert finish(work, step(work), app.recovery_codes[0]) is None
        assert finish(work, step(work), codes[0])


def test_somebody_elses_recovery_code_is_worthless(work_as: WorkAs, app: App) -> None:
    with work_as("vera") as work:
        codes = give_app(work).recovery_codes
    with work_as("system") as work:
        assert finish(work, step(work), codes[0]) is None


def test_neither_secrets_nor_codes_stand_in_the_database(work_as: WorkAs, app: App) -> None:
    with work_as("system") as work:
        finish(work, step(work), app.recovery_codes[0])
        work.session.flush()
        for table in ("second_factor", "second_step", "change", "event", "job"):
            rows = str(work.session.execute(text(f"select t::text from {table} t")).all())
            assert app.secret not in rows
            assert app.secret.encode().hex() not in rows
            for code in app.recovery_codes:
                assert code not in rows
                assert code.replace("-", "").encode().hex() not in rows
        changes = work.session.scalars(select(Change.fields).where(Change.subject_kind == "user")).all()
    assert {"second_factor": [False, True], "app_secret": [None, "new"]} in changes
    assert {"codes_left": [10, 9]} in changes


@pytest.mark.covers("P-18")
def test_a_step_is_used_once_and_ends_by_itself(work_as: WorkAs, app: App) -> None:
    with work_as("system") as work:
        token = step(work)
        assert finish(work, token, app.code())
        with pytest.raises(NotFound):
            finish(work, token, app.recovery_codes[0])
        token = step(work)
        clock.hold(clock.now() + VALID_FOR)
        with pytest.raises(NotFound):
            finish(work, token, app.recovery_codes[0])
        assert finish(work, step(work), app.recovery_codes[0])
        assert len(work.session.scalars(select(SecondStep.id)).all()) == 0


@pytest.mark.attack(54)
def test_a_step_ends_with_everything_that_ends_sessions(work_as: WorkAs, cast: Cast, app: App) -> None:
    with work_as("system") as work:
        token = step(work)
        work.session.execute(text("update user_account set is_blocked = true where email = :e"), {"e": BORIS})
        with pytest.raises(NotFound):
            step_holder(work, token)
        work.session.execute(text("update user_account set is_blocked = false where email = :e"), {"e": BORIS})
        assert step_holder(work, token).email == BORIS
        end_sessions(work, cast.demo.users["boris"])
        with pytest.raises(NotFound):
            step_holder(work, token)


@pytest.mark.attack(1)
def test_a_step_of_one_company_is_unknown_in_another(work_as: WorkAs, app: App) -> None:
    with work_as("system") as work:
        token = step(work)
    with work_as("other system") as work, pytest.raises(NotFound):
        step_holder(work, token)


@pytest.mark.attack(46)
def test_codes_cannot_be_guessed_however_often_the_password_is_given(work_as: WorkAs, app: App) -> None:
    with work_as("system") as work:
        for _number in range(10):
            assert finish(work, step(work), "000000") is None
        with pytest.raises(Unavailable):
            step(work)
        token = work.session.scalars(select(SecondStep.id)).all()
        assert token  # earlier steps stand, and let nobody try either
        with pytest.raises(Unavailable):
            finish(work, "any", app.code())


@pytest.mark.covers("P-18")
def test_one_code_at_the_same_moment_lets_one_in(committed: Cast) -> None:
    boris = committed.actor("boris")
    with unit_of_work(boris) as work:
        app = give_app(work)
    results, barrier, code = [], Barrier(4), app.code()

    def use(one: str) -> None:
        barrier.wait()
        with unit_of_work(boris) as work:
            results.append((one, is_right_code(work, boris.user_id or 0, one)))

    threads = [Thread(target=use, args=(one,)) for one in (code, code, app.recovery_codes[0], app.recovery_codes[0])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(right for _code, right in results) == [False, False, True, True]
    assert len({one for one, right in results if right}) == 2


def test_an_app_counts_once_it_has_shown_its_code(work_as: WorkAs, cast: Cast) -> None:
    vera = cast.demo.users["vera"]
    with work_as("vera") as work:
        begin_app(work)
        with pytest.raises(Invalid):
            confirm_app(work, "000000")
        assert not factor_of(work, vera).is_on
        pending = pending_app(work)
        assert pending is not None
        assert "issuer=Demo" in pending.uri
        clock.hold(clock.now() + PENDING_FOR)
        assert pending_app(work) is None
        with pytest.raises(Conflict):
            confirm_app(work, shown_code(pending.secret))


@pytest.mark.covers("P-18")
def test_moving_to_another_app_keeps_the_recovery_codes(work_as: WorkAs, cast: Cast, app: App) -> None:
    with work_as("boris") as work:
        begin_app(work)
        assert is_right_code(work, cast.demo.users["boris"], app.code())  # until the other has shown its code
        pending = pending_app(work)
        assert pending is not None
        assert list(confirm_app(work, shown_code(pending.secret))) == []
        wait_a_step()
    with work_as("system") as work:
        assert finish(work, step(work), app.code()) is None
        assert finish(work, step(work), shown_code(pending.secret))
        assert finish(work, step(work), app.recovery_codes[0])


@pytest.mark.covers("P-18")
def test_turned_off_the_password_is_enough_again(work_as: WorkAs, app: App) -> None:
    with work_as("boris") as work:
        turn_off(work)
        assert pending_app(work) is None
        with pytest.raises(Conflict):
            new_codes(work)
    with work_as("system") as work:
        opened = sign_in(work, begin_attempt(work, BORIS, address=ADDRESS), PASSWORD, browser=Browser())
        assert isinstance(opened, str)


@pytest.mark.covers("P-18")
def test_where_it_is_asked_of_everybody_nobody_turns_it_off(work_as: WorkAs, app: App) -> None:
    with work_as("anna") as work:
        assert [person.name.split()[0] for person in unready_people(work)] == ["Anna", "Vera"]
        ask_of_all(work, "required")
        with pytest.raises(Invalid):
            ask_of_all(work, "whatever")
    with work_as("boris") as work:
        with pytest.raises(Conflict):
            turn_off(work)
        with pytest.raises(Forbidden):
            ask_of_all(work, "optional")
        with pytest.raises(Forbidden):
            unready_people(work)


@pytest.mark.attack(1)
def test_what_one_company_asks_for_is_not_asked_in_another(work_as: WorkAs) -> None:
    with work_as("anna") as work:
        ask_of_all(work, "required")
    with work_as("other system") as work:
        attempt = begin_attempt(work, "oleg@other.localhost", address=ADDRESS)
        opened = sign_in(work, attempt, PASSWORD, browser=Browser())
        assert isinstance(opened, str)
        person = signed_in(work, opened)
        assert person is not None
        assert not person.must_set_up

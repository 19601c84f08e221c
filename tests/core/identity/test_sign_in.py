"""Who gets in, who does not, and that an outsider learns nothing from the difference."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from core.foundation import clock
from core.foundation.actor import Door, system_actor
from core.foundation.errors import Forbidden, Invalid, Unavailable
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work, unit_of_work
from core.identity import sign_in as door
from core.identity.attempts import begin_attempt
from core.identity.models import SignInAttempt, SignInSession, UserAccount, UserGroup, UserGroupMember
from core.identity.passwords import hash_password, password_matches
from core.identity.second_step import Step
from core.identity.service import UserDraft, choose_language, choose_theme, colleagues, create_user, position_group
from core.identity.sessions import SESSION_LIFETIME, Browser
from core.identity.sign_in import sign_in, sign_out, signed_in
from tests.conftest import WorkAs
from tests.support.cast import PASSWORD, Cast

BORIS = "boris@demo.localhost"


def enter(work: Work, email: str = BORIS, password: str = PASSWORD, *, address: str = "198.51.100.7") -> str | None:
    """One whole attempt of somebody without a second factor; answers the token."""
    attempt = begin_attempt(work, email, address=address)
    opened = sign_in(work, attempt, password, browser=Browser(agent="Firefox"))
    assert not isinstance(opened, Step)
    return opened


def test_the_right_password_opens_a_session(work_as: WorkAs, cast: Cast) -> None:
    with work_as("system") as work:
        person = signed_in(work, enter(work) or "")
        assert person is not None
        assert (person.user_id, person.email, person.is_owner) == (cast.demo.users["boris"], BORIS, False)
        assert person.permissions == cast.actor("boris").permissions


def test_the_owner_may_do_everything(work_as: WorkAs) -> None:
    with work_as("system") as work:
        person = signed_in(work, enter(work, "anna@demo.localhost") or "")
        assert person is not None
        assert person.permissions == frozenset(Permission)


@pytest.mark.parametrize(("email", "password"), [(BORIS, "wrong"), ("nobody@demo.localhost", PASSWORD), ("", "")])
def test_the_wrong_password_or_user_opens_nothing(work_as: WorkAs, email: str, password: str) -> None:
    with work_as("system") as work:
        assert enter(work, email, password) is None
        assert work.session.scalars(select(SignInSession.id)).all() == []


def test_an_email_is_the_same_in_any_case(work_as: WorkAs) -> None:
    with work_as("system") as work:
        assert enter(work, "  BORIS@Demo.localhost ")


@pytest.mark.attack(54)
def test_a_blocked_user_is_refused_and_their_open_session_ends_at_once(work_as: WorkAs) -> None:
    with work_as("system") as work:
        token = enter(work) or ""
        assert signed_in(work, token)
        work.session.execute(update(UserAccount).where(UserAccount.email == BORIS).values(is_blocked=True))
        assert signed_in(work, token) is None
        assert enter(work) is None


def test_a_session_ends_by_itself(work_as: WorkAs) -> None:
    with work_as("system") as work:
        token = enter(work) or ""
        clock.hold(clock.now() + SESSION_LIFETIME - timedelta(minutes=1))
        assert signed_in(work, token)
        clock.hold(clock.now() + timedelta(minutes=2))
        assert signed_in(work, token) is None


def test_ended_sessions_are_removed_at_the_next_sign_in(work_as: WorkAs) -> None:
    with work_as("system") as work:
        enter(work)
        clock.hold(clock.now() + SESSION_LIFETIME + timedelta(minutes=1))
        enter(work)
        assert len(work.session.scalars(select(SignInSession.id)).all()) == 1


def test_signing_out_ends_the_session_on_the_server(work_as: WorkAs) -> None:
    with work_as("system") as work:
        token, other = enter(work) or "", enter(work) or ""
        sign_out(work, token)
        assert signed_in(work, token) is None
        assert signed_in(work, other)


def test_a_token_is_worthless_in_another_company(work_as: WorkAs) -> None:
    with work_as("system") as work:
        token = enter(work) or ""
    with work_as("other system") as work:
        assert signed_in(work, token) is None


def test_the_database_does_not_hold_the_token(work_as: WorkAs) -> None:
    with work_as("system") as work:
        token = enter(work) or ""
        (stored,) = work.session.scalars(select(SignInSession.token_sha256))
        assert token.encode() not in stored
        assert len(token) >= 43


# Guessing


@pytest.mark.attack(46)
def test_ten_failures_close_the_account_even_to_the_right_password(work_as: WorkAs) -> None:
    with work_as("system") as work:
        for number in range(10):
            assert enter(work, password="wrong", address=f"198.51.100.{number}") is None
        with pytest.raises(Unavailable):
            enter(work, address="198.51.100.99")
        assert enter(work, "vera@demo.localhost", address="198.51.100.99")


@pytest.mark.attack(46)
def test_fifty_failures_close_the_address_to_every_account(work_as: WorkAs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "password_matches", lambda *_: False)
    with work_as("system") as work:
        for number in range(50):
            assert enter(work, f"guess-{number}@demo.localhost") is None
        with pytest.raises(Unavailable):
            enter(work)


@pytest.mark.attack(33)
def test_guessing_is_throttled_alike_for_an_account_that_does_not_exist(work_as: WorkAs) -> None:
    with work_as("system") as work:
        told = {}
        for email in (BORIS, "nobody@demo.localhost"):
            for number in range(10):
                enter(work, email, "wrong", address=f"{email}-{number}")
            with pytest.raises(Unavailable) as refused:
                enter(work, email, "wrong", address=email)
            told[email] = str(refused.value.message)
        assert len(set(told.values())) == 1


def test_after_a_quarter_of_an_hour_one_may_try_again(work_as: WorkAs) -> None:
    with work_as("system") as work:
        for number in range(10):
            enter(work, password="wrong", address=f"198.51.100.{number}")
        clock.hold(clock.now() + timedelta(minutes=14))
        with pytest.raises(Unavailable):
            enter(work)
        clock.hold(clock.now() + timedelta(minutes=2))
        assert enter(work)
        assert work.session.scalars(select(SignInAttempt.id).where(SignInAttempt.failed_at > clock.now())).all() == []


def test_a_success_is_not_counted(work_as: WorkAs) -> None:
    with work_as("system") as work:
        for _ in range(12):
            assert enter(work)
        assert work.session.scalars(select(SignInAttempt.id)).all() == []


def test_attempts_hold_neither_address_nor_email(work_as: WorkAs) -> None:
    with work_as("system") as work:
        enter(work, password="wrong")
        subjects = work.session.scalars(select(SignInAttempt.subject)).all()
        assert len(subjects) == 2
        assert not any(word in subject for subject in subjects for word in (b"boris", b"198.51"))


@pytest.mark.attack(46)
def test_many_guesses_at_the_same_moment_try_no_more_passwords(
    committed: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def refuse(password: str, _stored: str | None) -> bool:
        tried.append(password)
        return False

    monkeypatch.setattr(door, "password_matches", refuse)
    begun = Barrier(15)

    def guess(number: int) -> None:
        actor = system_actor(committed.demo.tenant_id, door=Door.WEB)
        attempts = []
        with _throttled(), unit_of_work(actor) as work:
            attempts.append(begin_attempt(work, BORIS, address=f"198.51.100.{number}"))
        begun.wait(60)
        for attempt in attempts:  # none, if ten others were noted before
            with _throttled(), unit_of_work(actor) as work:
                sign_in(work, attempt, f"guess {number}", browser=Browser())

    threads = [Thread(target=guess, args=(number,)) for number in range(15)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert len(tried) <= 10


@contextmanager
def _throttled() -> Iterator[None]:
    try:
        yield
    except Unavailable:
        return


# Passwords


def test_passwords_are_hashed_by_argon2id() -> None:
    stored = hash_password(PASSWORD)
    assert stored.startswith("$argon2id$")
    assert password_matches(PASSWORD, stored)
    assert not password_matches("other", stored)
    assert stored != hash_password(PASSWORD)


@pytest.mark.attack(33)
@pytest.mark.parametrize("stored", [None, hash_password("another")], ids=["nobody", "somebody"])
def test_a_missing_account_costs_the_same_work(monkeypatch: pytest.MonkeyPatch, stored: str | None) -> None:
    password_matches("warm up", None)
    verified: list[str] = []
    verify = PasswordHasher.verify

    def watched(self: PasswordHasher, known: str, word: str) -> bool:
        verified.append(known)
        return verify(self, known, word)

    monkeypatch.setattr(PasswordHasher, "verify", watched)
    assert not password_matches(PASSWORD, stored)
    assert len(verified) == 1
    assert verified[0].startswith("$argon2id$v=19$m=65536")


def test_a_damaged_hash_lets_nobody_in() -> None:
    assert not password_matches(PASSWORD, "not a hash")


# Groups and users


@pytest.mark.covers("TC-6")
def test_a_user_has_exactly_one_permission_group(work_as: WorkAs) -> None:
    with pytest.raises(IntegrityError, match="permission_group_id"), work_as("system") as work:
        work.session.execute(update(UserAccount).where(UserAccount.email == BORIS).values(permission_group_id=None))


@pytest.mark.covers("TC-16")
@pytest.mark.parametrize(
    "statement",
    [
        "delete from user_group",
        "update user_group set is_position = false",
        "update user_group set parent_id = id",
    ],
)
def test_the_group_position_is_permanent(work_as: WorkAs, statement: str) -> None:
    with pytest.raises(IntegrityError, match="permanent"), work_as("system") as work:
        work.session.execute(text(f"{statement} where is_position"))


@pytest.mark.covers("TC-16")
def test_everybody_belongs_to_position(work_as: WorkAs) -> None:
    with work_as("system") as work:
        everybody = set(work.session.scalars(select(UserAccount.id)))
        query = select(UserGroupMember.user_id).join(UserGroup, UserGroup.id == UserGroupMember.user_group_id)
        assert set(work.session.scalars(query.where(UserGroup.is_position))) == everybody
        assert position_group(work) == position_group(work)


def test_two_users_cannot_share_an_email(work_as: WorkAs) -> None:
    with work_as("anna") as work, pytest.raises(Invalid) as refused:
        create_user(work, UserDraft(email=" Boris@demo.localhost", name="B", password="x", permission_group_id=1))
    assert "email" in refused.value.problems


def test_only_who_manages_people_creates_users(work_as: WorkAs) -> None:
    with work_as("boris") as work, pytest.raises(Forbidden):
        create_user(work, UserDraft(email="x@demo.localhost", name="X", password="x", permission_group_id=1))


def test_colleagues_stand_in_alphabetical_order_without_the_blocked(work_as: WorkAs, cast: Cast) -> None:
    with work_as("anna") as work:
        work.session.execute(update(UserAccount).where(UserAccount.email == BORIS).values(is_blocked=True))
        assert [person.id for person in colleagues(work)] == [cast.demo.users["anna"], cast.demo.users["vera"]]


def test_a_choice_is_stored_for_the_acting_user_only(work_as: WorkAs, cast: Cast) -> None:
    with work_as("vera") as work:
        choose_theme(work, "dark")
        choose_language(work, "pl")
    with work_as("system") as work:
        rows = work.session.execute(select(UserAccount.id, UserAccount.theme, UserAccount.locale)).all()
        assert {row.id for row in rows if (row.theme, row.locale) == ("dark", "pl")} == {cast.demo.users["vera"]}


def test_a_choice_that_does_not_exist_is_refused(work_as: WorkAs) -> None:
    with work_as("vera") as work:
        with pytest.raises(Invalid):
            choose_theme(work, "pink")
        with pytest.raises(Invalid):
            choose_language(work, "de")

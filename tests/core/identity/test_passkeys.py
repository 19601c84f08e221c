"""Passkeys: whose answers hold, once, and what is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select, update

from core.foundation import clock
from core.foundation.errors import Conflict, Invalid, NotFound
from core.foundation.history import Change
from core.foundation.outbox import StoredEvent
from core.foundation.unit_of_work import Work
from core.identity.attempts import begin_attempt
from core.identity.ceremonies import VALID_FOR, Purpose, take_challenge
from core.identity.events import SecondFactorChanged
from core.identity.models import Passkey, UserAccount
from core.identity.passkeys import (
    add_passkey,
    ask_passkey,
    begin_passkey,
    delete_passkey,
    my_passkeys,
    passkey_options,
    rename_passkey,
    sign_in_with_passkey,
)
from core.identity.second_factor import factor_of, turn_off
from core.identity.second_step import Step, finish_with_code, finish_with_passkey, step_holder
from core.identity.security_policy import ask_of_all, unready_people
from core.identity.sessions import Browser
from core.identity.sign_in import sign_in, signed_in
from tests.conftest import WorkAs
from tests.support.cast import PASSWORD, Cast
from tests.support.factors import give_app
from tests.support.passkey import Authenticator, decoded, encoded

BORIS = "boris@demo.localhost"
ADDRESS = "198.51.100.7"


def give_passkey(work: Work, device: Authenticator, name: str = "Laptop") -> list[str]:
    """Make a passkey for the actor; answers the recovery codes."""
    token = begin_passkey(work)
    options = passkey_options(work, token)
    assert options is not None
    return list(add_passkey(work, token, device.made(options), name=name))


@pytest.fixture
def device(work_as: WorkAs) -> Authenticator:
    """Boris's device with his passkey."""
    made = Authenticator()
    with work_as("boris") as work:
        give_passkey(work, made)
    return made


def enter(work: Work, answer: Callable[[str], str]) -> str | None:
    """Sign in with a passkey alone."""
    token, options = ask_passkey(work, Purpose.SIGN_IN)
    asked = take_challenge(work, Purpose.SIGN_IN, token)
    assert asked is not None
    attempt = begin_attempt(work, "passkey:", address=ADDRESS)
    return sign_in_with_passkey(work, attempt, asked, answer(options), browser=Browser())


def step(work: Work) -> str:
    """The right password of Boris: the token of the step at which more is asked for."""
    opened = sign_in(work, begin_attempt(work, BORIS, address=ADDRESS), PASSWORD, browser=Browser())
    assert isinstance(opened, Step)
    return opened.token


@pytest.mark.covers("P-18")
def test_a_passkey_alone_signs_in(work_as: WorkAs, device: Authenticator) -> None:
    with work_as("system") as work:
        session = enter(work, device.signed)
        assert session is not None
        person = signed_in(work, session)
        assert person is not None
        assert person.email == BORIS
        stored = work.session.scalars(select(Passkey)).one()
        assert (stored.sign_count, stored.last_used_at is not None) == (1, True)
        assert enter(work, device.signed)


@pytest.mark.covers("P-18")
def test_a_passkey_is_a_second_factor_after_the_password(work_as: WorkAs, cast: Cast, device: Authenticator) -> None:
    boris = cast.demo.users["boris"]
    with work_as("system") as work:
        token = step(work)
        assert (step_holder(work, token).has_passkey, step_holder(work, token).takes_app_codes) == (True, False)
        for other in (Authenticator(), device):
            asking, options = ask_passkey(work, Purpose.SECOND_STEP, boris)
            asked = take_challenge(work, Purpose.SECOND_STEP, asking)
            assert asked is not None
            attempt = begin_attempt(work, BORIS, address=ADDRESS)
            opened = finish_with_passkey(work, attempt, token, asked, other.signed(options), browser=Browser())
            assert (opened is not None) is (other is device)


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "http://demo.localhost.evil.example"},
        {"origin": "http://demo.localhost"},
        {"origin": "https://demo.localhost"},
        {"rp_id": "other.localhost"},
        {"rp_id": "localhost"},
        {"is_verified": False},
        {"credential_id": b"unknown to us"},
        {"handle": b"somebody else"},
        {"handle": b""},
        {"key": ec.generate_private_key(ec.SECP256R1())},
    ],
    ids=lambda wrong: str(next(iter(wrong))),
)
@pytest.mark.covers("P-18")
@pytest.mark.attack(30)
def test_an_answer_that_is_not_its_own_opens_nothing(
    work_as: WorkAs, device: Authenticator, wrong: dict[str, object]
) -> None:
    with work_as("system") as work:
        assert enter(work, replace(device, **wrong).signed) is None  # type: ignore[arg-type]  # one field of each kind
        assert enter(work, device.signed)


@pytest.mark.covers("P-18")
def test_a_challenge_is_answered_once_and_by_the_browser_that_asked(work_as: WorkAs, device: Authenticator) -> None:
    with work_as("system") as work:
        token, options = ask_passkey(work, Purpose.SIGN_IN)
        first = take_challenge(work, Purpose.SIGN_IN, token)
        assert first is not None
        assert take_challenge(work, Purpose.SIGN_IN, token) is None
        replayed = device.signed(options)
        assert enter(work, lambda _other: replayed) is None
        token, _options = ask_passkey(work, Purpose.SIGN_IN)
        assert take_challenge(work, Purpose.SIGN_IN, "of another browser") is None
        assert take_challenge(work, Purpose.CREATION, token) is None
        clock.hold(clock.now() + VALID_FOR)
        assert take_challenge(work, Purpose.SIGN_IN, token) is None


@pytest.mark.covers("P-18")
def test_a_counter_that_does_not_go_up_is_refused_and_recorded(work_as: WorkAs, device: Authenticator) -> None:
    copy = replace(device)
    with work_as("system") as work:
        assert enter(work, device.signed)
        assert enter(work, device.signed)
        assert enter(work, copy.signed) is None
        assert enter(work, device.signed)
        changes = work.session.scalars(select(Change.fields).where(Change.fields.has_key("passkey_refused"))).all()
        assert changes == [{"passkey_refused": [None, "Laptop"]}]
        told = work.session.scalars(select(StoredEvent.payload).where(StoredEvent.name == SecondFactorChanged.name))
        assert [payload["change"] for payload in told] == ["passkey_added", "passkey_refused"]


def test_a_passkey_that_counts_nothing_is_no_copy(work_as: WorkAs, device: Authenticator) -> None:
    with work_as("system") as work:
        for _time in range(2):
            device.counter = -1  # synced passkeys always answer 0
            assert enter(work, device.signed)


@pytest.mark.attack(54)
def test_a_blocked_users_passkey_opens_nothing(work_as: WorkAs, device: Authenticator) -> None:
    with work_as("system") as work:
        work.session.execute(update(UserAccount).where(UserAccount.email == BORIS).values(is_blocked=True))
        assert enter(work, device.signed) is None


@pytest.mark.attack(1)
def test_a_passkey_of_one_company_is_unknown_in_another(work_as: WorkAs, device: Authenticator) -> None:
    with work_as("other system") as work:
        other = replace(device, origin=device.origin.replace("demo", "other"), rp_id="other.localhost")
        assert enter(work, other.signed) is None


@pytest.mark.parametrize(
    "answer",
    ["", "null", "[]", "{}", "x" * 100_000, "[" * 20_000, '{"id": 1}', "\x00", '{"id": "a", "rawId": "a"}',
     '{"id": "é", "rawId": "é", "type": "public-key", "response": {"clientDataJSON": "!", "signature": "!"}}'],
)  # fmt: skip
def test_what_is_no_answer_opens_nothing(work_as: WorkAs, device: Authenticator, answer: str) -> None:
    with work_as("system") as work:
        assert enter(work, lambda _options: answer) is None
    with work_as("boris") as work, pytest.raises(Conflict):
        add_passkey(work, begin_passkey(work), answer, name="Phone")


def test_a_mangled_answer_opens_nothing(work_as: WorkAs, device: Authenticator) -> None:
    def mangled(part: str) -> Callable[[str], str]:
        def answer(options: str) -> str:
            found = json.loads(device.signed(options))
            raw = bytearray(decoded(found["response"][part]))
            raw[len(raw) // 2] ^= 1
            found["response"][part] = encoded(bytes(raw))
            return json.dumps(found)

        return answer

    with work_as("system") as work:
        for part in ("clientDataJSON", "authenticatorData", "signature"):
            assert enter(work, mangled(part)) is None, part


@pytest.mark.covers("P-18")
def test_the_first_factor_brings_recovery_codes(work_as: WorkAs, cast: Cast) -> None:
    with work_as("boris") as work:
        codes = give_passkey(work, Authenticator())
        assert len(codes) == 10
        assert give_passkey(work, Authenticator(), "Phone") == []
        assert [passkey.name for passkey in my_passkeys(work)] == ["Laptop", "Phone"]
    with work_as("system") as work:
        attempt = begin_attempt(work, BORIS, address=ADDRESS)
        assert finish_with_code(work, attempt, step(work), codes[0], browser=Browser())


def test_a_passkey_is_made_for_who_asked_and_once(work_as: WorkAs, device: Authenticator) -> None:
    with work_as("boris") as work:
        token = begin_passkey(work)
        options = passkey_options(work, token) or ""
        assert encoded(device.credential_id) in options  # so that a device makes no second one
        answer = Authenticator().made(options)
        unverified = Authenticator(is_verified=False).made(options)
    with work_as("vera") as work:
        assert passkey_options(work, token) is None
        with pytest.raises(Conflict):
            add_passkey(work, token, answer, name="Phone")
    with work_as("boris") as work:
        with pytest.raises(Conflict):  # used up by Vera's answer
            add_passkey(work, token, answer, name="Phone")
        token = begin_passkey(work)
        with pytest.raises(Conflict):
            add_passkey(work, token, unverified, name="Phone")
        token = begin_passkey(work)
        clock.hold(clock.now() + VALID_FOR + timedelta(seconds=1))
        assert passkey_options(work, token) is None
        token = begin_passkey(work)
        with pytest.raises(Conflict):  # the same key again
            add_passkey(work, token, device.made(passkey_options(work, token) or ""), name="Again")
        for name in ("", " \u200b ", "x" * 61):
            with pytest.raises(Invalid):
                add_passkey(work, token, answer, name=name)


@pytest.mark.attack(1)
def test_nobody_renames_or_deletes_anothers(work_as: WorkAs, device: Authenticator) -> None:
    with work_as("system") as work:
        passkey_id = work.session.scalars(select(Passkey.id)).one()
    for name in ("anna", "oleg"):
        with work_as(name) as work:
            with pytest.raises(NotFound):
                rename_passkey(work, passkey_id, "Mine")
            with pytest.raises(NotFound):
                delete_passkey(work, passkey_id)
    with work_as("boris") as work:
        rename_passkey(work, passkey_id, "  Old   laptop ")
        assert [passkey.name for passkey in my_passkeys(work)] == ["Old laptop"]


@pytest.mark.covers("P-18")
def test_deleting_the_last_factor_leaves_the_password_alone(work_as: WorkAs, cast: Cast, device: Authenticator) -> None:
    with work_as("boris") as work:
        delete_passkey(work, my_passkeys(work)[0].id)
        state = factor_of(work, cast.demo.users["boris"])
        assert (state.is_on, state.codes_left) == (False, 0)
    with work_as("system") as work:
        assert enter(work, device.signed) is None
        attempt = begin_attempt(work, BORIS, address=ADDRESS)
        assert isinstance(sign_in(work, attempt, PASSWORD, browser=Browser()), str)


@pytest.mark.covers("P-18")
def test_the_last_of_what_is_asked_of_everybody_stays(work_as: WorkAs, device: Authenticator) -> None:
    with work_as("anna") as work:
        ask_of_all(work, "required")
    with work_as("boris") as work:
        (only,) = my_passkeys(work)
        with pytest.raises(Conflict):
            delete_passkey(work, only.id)
        give_app(work)
        turn_off(work)  # the passkey is left
        give_app(work)
    with work_as("anna") as work:
        ask_of_all(work, "passkey")
        assert "Boris" not in str(unready_people(work))
    with work_as("boris") as work:
        with pytest.raises(Conflict):
            delete_passkey(work, only.id)
        give_passkey(work, Authenticator(), "Phone")
        delete_passkey(work, only.id)


@pytest.mark.covers("P-18")
def test_where_passkeys_are_asked_for_an_apps_code_is_not_enough(
    work_as: WorkAs, cast: Cast, device: Authenticator
) -> None:
    with work_as("boris") as work:
        app = give_app(work)
    with work_as("vera") as work:
        give_app(work)
    with work_as("anna") as work:
        ask_of_all(work, "passkey")
        assert [person.name.split()[0] for person in unready_people(work)] == ["Anna"]
    with work_as("system") as work:
        token = step(work)
        assert not step_holder(work, token).takes_app_codes
        attempt = begin_attempt(work, BORIS, address=ADDRESS)
        assert finish_with_code(work, attempt, token, app.code(), browser=Browser()) is None
        session = enter(work, device.signed)
        person = signed_in(work, session or "")
        assert person is not None
        assert not person.must_set_up
        attempt = begin_attempt(work, "vera@demo.localhost", address=ADDRESS)
        opened = sign_in(work, attempt, PASSWORD, browser=Browser())
        assert isinstance(opened, Step)
        assert step_holder(work, opened.token).takes_app_codes  # until she has a passkey

"""What a user sees of their browsers, and how sessions end."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.foundation import clock
from core.foundation.errors import Invalid, NotFound
from core.foundation.history import Change
from core.foundation.unit_of_work import Work
from core.identity.attempts import begin_attempt
from core.identity.models import KnownBrowser, SignInSession
from core.identity.own_account import change_password, prove
from core.identity.passwords import RULES, unmet_rules
from core.identity.sessions import (
    Browser,
    accept_browsers,
    end_other_sessions,
    end_session,
    end_sessions,
    my_sessions,
    network_of,
    new_browser_token,
    new_browsers,
    open_session,
)
from core.identity.sign_in import sign_in, signed_in
from tests.conftest import WorkAs
from tests.support.cast import PASSWORD, Cast

BORIS = "boris@demo.localhost"
NEW_PASSWORD = "Another-2-password!"


def enter(work_as: WorkAs, cast: Cast, browser: Browser | None = None, *, name: str = "boris") -> str:
    """A session of somebody's."""
    with work_as("system") as work:
        return open_session(work, cast.demo.users[name], browser or Browser(token=new_browser_token()))


def is_open(work: Work, token: str) -> bool:
    """Whether the token still signs somebody in."""
    return signed_in(work, token) is not None


def test_a_list_tells_ones_browsers_apart(work_as: WorkAs, cast: Cast) -> None:
    first = enter(work_as, cast, Browser(agent="Firefox", address="198.51.100.77"))
    clock.hold(clock.now() + timedelta(hours=1))
    enter(work_as, cast, Browser(agent="Chrome", address="2001:db8:1:2:3::4"))
    enter(work_as, cast, name="vera")
    with work_as("boris") as work:
        rows = my_sessions(work, first)
    assert [(row.agent, row.network, row.is_this) for row in rows] == [
        ("Firefox", "198.51.100.0/24", True),
        ("Chrome", "2001:db8:1::/48", False),
    ]


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.200", "203.0.113.0/24"),
        ("::ffff:203.0.113.200", "203.0.113.0/24"),
        ("2001:db8:aaaa:bbbb::1", "2001:db8:aaaa::/48"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_of_an_address_the_network_is_kept(address: str, network: str) -> None:
    assert network_of(address) == network


def test_a_whole_address_is_stored_nowhere(work_as: WorkAs, cast: Cast) -> None:
    enter(work_as, cast, Browser(agent="Firefox", address="203.0.113.200", token=new_browser_token()))
    with work_as("system") as work:
        rows = [*work.session.scalars(select(SignInSession)), *work.session.scalars(select(KnownBrowser))]
        stored = str([{name: value for name, value in vars(row).items() if name[0] != "_"} for row in rows])
    assert "203.0.113.0/24" in stored
    assert "113.200" not in stored


def test_use_is_noted_every_few_minutes(work_as: WorkAs, cast: Cast) -> None:
    began = clock.now()
    clock.hold(began)
    token = enter(work_as, cast)
    for minutes, noted in ((4, 0), (6, 6), (8, 6)):
        clock.hold(began + timedelta(minutes=minutes))
        with work_as("system") as work:
            assert is_open(work, token)
        with work_as("boris") as work:
            assert my_sessions(work, token)[0].last_seen_at == began + timedelta(minutes=noted)


# New browsers


def test_the_first_browser_of_all_is_no_news(work_as: WorkAs, cast: Cast) -> None:
    token = enter(work_as, cast)
    with work_as("boris") as work:
        assert new_browsers(work, token) == []


def test_a_browser_that_was_not_seen_before_is_told_to_the_others(work_as: WorkAs, cast: Cast) -> None:
    known = enter(work_as, cast)
    strange = enter(work_as, cast, Browser(agent="Strange", token=new_browser_token()))
    with work_as("boris") as work:
        assert [row.agent for row in new_browsers(work, known)] == ["Strange"]
        assert new_browsers(work, strange) == ()
        person = signed_in(work, known)
        assert person is not None
        assert person.has_new_browser
        intruder = signed_in(work, strange)
        assert intruder is not None
        assert not intruder.has_new_browser


def test_the_same_browser_again_is_no_news(work_as: WorkAs, cast: Cast) -> None:
    laptop, phone = Browser(token=new_browser_token()), Browser(token=new_browser_token())
    first = enter(work_as, cast, laptop)
    enter(work_as, cast, phone)
    with work_as("boris") as work:
        accept_browsers(work, first)
        assert new_browsers(work, first) == []
    enter(work_as, cast, phone)
    with work_as("boris") as work:
        assert new_browsers(work, first) == []


def test_a_new_browser_cannot_vouch_for_itself(work_as: WorkAs, cast: Cast) -> None:
    known, strange = enter(work_as, cast), enter(work_as, cast)
    with work_as("boris") as work:
        accept_browsers(work, strange)
        assert len(new_browsers(work, known)) == 1


# Ending


def test_one_browser_is_signed_out_and_no_other(work_as: WorkAs, cast: Cast) -> None:
    mine, other = enter(work_as, cast), enter(work_as, cast)
    with work_as("boris") as work:
        end_session(work, my_sessions(work, mine)[1].id)
    with work_as("system") as work:
        assert (is_open(work, mine), is_open(work, other)) == (True, False)


@pytest.mark.attack(1, 2)
@pytest.mark.parametrize("name", ["vera", "oleg", "anna"])
def test_nobody_elses_session_is_found(work_as: WorkAs, cast: Cast, name: str) -> None:
    token = enter(work_as, cast)
    with work_as("boris") as work:
        session_id = my_sessions(work, token)[0].id
    with pytest.raises(NotFound), work_as(name) as work:
        end_session(work, session_id)
    with work_as("system") as work:
        assert is_open(work, token)


def test_all_others_are_signed_out_at_once(work_as: WorkAs, cast: Cast) -> None:
    mine, *others = [enter(work_as, cast) for _ in range(3)]
    veras = enter(work_as, cast, name="vera")
    with work_as("boris") as work:
        assert end_other_sessions(work, mine) == 2
    with work_as("system") as work:
        assert [is_open(work, token) for token in (mine, *others, veras)] == [True, False, False, True]


@pytest.mark.attack(54)
def test_ended_sessions_do_not_come_back_with_an_unblocked_user(work_as: WorkAs, cast: Cast) -> None:
    token = enter(work_as, cast)
    with work_as("anna") as work:
        assert end_sessions(work, cast.demo.users["boris"]) == 1
    with work_as("system") as work:
        assert not is_open(work, token)
        of_boris = (Change.subject_kind == "user", Change.subject_id == cast.demo.users["boris"])
        change = work.session.scalars(select(Change).where(*of_boris).order_by(Change.id.desc()).limit(1)).one()
        assert (change.fields, change.user_id) == ({"sessions": [1, 0]}, cast.demo.users["anna"])


# One's own password


@pytest.mark.covers("TC-26")
@pytest.mark.parametrize(
    ("password", "unmet"),
    [
        ("Aa1!aaaa", []),
        ("Aa1!aaa", ["length"]),
        ("aa1!aaaa", ["upper"]),
        ("AA1!AAAA", ["lower"]),
        ("Aab!aaaa", ["digit"]),
        ("Aa1 aaaa", ["special"]),
        ("Žluťoučký2€", []),
        ("", list(RULES)),
    ],
)
def test_a_password_says_which_rules_it_does_not_meet(password: str, unmet: list[str]) -> None:
    assert unmet_rules(password) == unmet


@pytest.mark.covers("TC-26")
def test_a_new_password_ends_the_other_sessions_and_the_old_password(work_as: WorkAs, cast: Cast) -> None:
    mine, other = enter(work_as, cast), enter(work_as, cast)
    with work_as("boris") as work:
        assert change_password(work, NEW_PASSWORD, NEW_PASSWORD, token=mine) == 1
    with work_as("system") as work:
        assert (is_open(work, mine), is_open(work, other)) == (True, False)
        for password, opens in ((PASSWORD, False), (NEW_PASSWORD, True)):
            attempt = begin_attempt(work, BORIS, address="198.51.100.7")
            assert bool(sign_in(work, attempt, password, browser=Browser())) is opens
        of_boris = (Change.subject_kind == "user", Change.subject_id == cast.demo.users["boris"])
        changes = work.session.scalars(select(Change).where(*of_boris)).all()
        assert {"password": ["old", "new"]} in [change.fields for change in changes]


@pytest.mark.covers("TC-26")
@pytest.mark.parametrize(
    ("password", "again", "field"),
    [("short", "short", "password"), (NEW_PASSWORD, "other", "password_again"), (PASSWORD, PASSWORD, "password")],
)
def test_a_bad_new_password_changes_nothing(work_as: WorkAs, cast: Cast, password: str, again: str, field: str) -> None:
    mine, other = enter(work_as, cast), enter(work_as, cast)
    with pytest.raises(Invalid) as refused, work_as("boris") as work:
        change_password(work, password, again, token=mine)
    assert list(refused.value.problems) == [field]
    with work_as("system") as work:
        assert is_open(work, other)


def test_a_proof_is_the_actors_own_password(work_as: WorkAs) -> None:
    with work_as("boris") as work:
        attempt = begin_attempt(work, BORIS, address="198.51.100.7")
        assert not prove(work, attempt, "wrong")
        assert prove(work, attempt, PASSWORD)

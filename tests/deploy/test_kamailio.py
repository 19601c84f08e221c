"""Who registers at the telephone edge, a real Kamailio, and what guessing gets."""

import re

import pytest

from deploy.local.kamailio import ATTACKS, FAILURES, GUESSES
from tests.support.cast import Cast
from tests.support.edge import DEMO, OTHER, Edge, phone
from tests.support.sip import Message
from tests.support.waiting import wait_until

WRONG = "wrong"
REGISTERED = "select username, domain, received from kamailio.location where username = %s and domain = %s"


def likeness(answer: Message) -> list[str]:
    """An answer without what is new in every answer."""
    lines = [answer.first, *(f"{name}: {value}" for name, value in answer.headers)]
    return [
        re.sub(
            r'nonce="[^"]+"|branch=\S+|tag=\S+|call-id: \S+|127[\d.]+|rport=\d+|(?<=\d):\d{3,}|(?<=sip:)(101|nobody)',
            "…",
            line,
        )
        for line in lines
    ]


def test_the_right_password_registers_where_the_phone_really_is(edge: Edge) -> None:
    device = phone(edge, "101")
    assert device.register().status == 200
    rows = edge.database.execute(REGISTERED, ("101", edge.realms[DEMO])).fetchall()
    assert ("101", edge.realms[DEMO], f"sip:{device.address}:{device.port}") in rows


def test_every_host_name_of_a_company_and_its_realm_lead_to_one_address_of_record(edge: Edge, cast: Cast) -> None:
    edge.database.execute("insert into tenant_host values ('phones.example', %s)", (cast.demo.tenant_id,))
    for domain in ("phones.example", "Phones.Example", edge.realms[DEMO]):
        assert phone(edge, "102", domain=domain).register().status == 200
    rows = edge.database.execute("select distinct domain from kamailio.location where username = '102'").fetchall()
    assert rows == [(edge.realms[DEMO],)]


def test_a_phone_may_leave(edge: Edge) -> None:
    device = phone(edge, "102")
    device.register()
    assert device.register(expires=0).status == 200
    received = [row[2] for row in edge.database.execute(REGISTERED, ("102", edge.realms[DEMO]))]
    assert f"sip:{device.address}:{device.port}" not in received


@pytest.mark.parametrize(("asked", "granted"), [(1, 60), (600, 600), (999_999, 3600)])
def test_a_registration_lasts_neither_too_short_nor_too_long(edge: Edge, asked: int, granted: int) -> None:
    answer = phone(edge, "101").register(expires=asked)
    assert f"expires={granted}" in answer["contact"]


def test_a_device_has_a_limited_number_of_places(edge: Edge, cast: Cast) -> None:
    edge.add_device(108, "108", "many", tenant=DEMO, tenant_id=cast.demo.tenant_id)
    answers = [phone(edge, "108", "many").register().status for _ in range(9)]
    assert answers == [200] * 8 + [503]


@pytest.mark.attack(47)
def test_known_and_unknown_users_are_refused_alike(edge: Edge) -> None:
    answers = [likeness(phone(edge, user, WRONG).register()) for user in ("101", "nobody")]
    assert answers[0] == answers[1]
    assert answers[0][0].startswith("SIP/2.0 401")
    calls = [likeness(phone(edge, user, WRONG).invite("102")) for user in ("101", "nobody")]
    assert calls[0] == calls[1]
    assert calls[0][0].startswith("SIP/2.0 407")


@pytest.mark.attack(47)
@pytest.mark.parametrize("name", ["x' or '1'='1", "\\' or true; --", "%", "101\x00", "ž" * 40, "1" * 300])
def test_a_user_name_that_is_a_trick_is_an_unknown_user(edge: Edge, name: str) -> None:
    assert phone(edge, "101", authorize_as=name).register().status == 401


@pytest.mark.attack(47)
@pytest.mark.parametrize("user", ["101", "nobody"])
def test_a_guessed_user_is_refused_from_there_even_with_the_right_password(edge: Edge, user: str) -> None:
    guesser = phone(edge, user, WRONG)
    answers = [guesser.register().status for _ in range(FAILURES + 1)]
    assert answers == [401] * FAILURES + [403]
    assert phone(edge, user, address=guesser.address).register().status == 403
    assert phone(edge, "102", address=guesser.address).register().status == 200
    assert f'"sip_auth_failed", "source": "{guesser.address}"' in edge.log.read_text()


@pytest.mark.attack(47)
def test_who_guesses_on_is_not_heard_any_more(edge: Edge) -> None:
    address = phone(edge, "101").address
    for number in range(GUESSES + 1):
        assert phone(edge, f"user{number}", WRONG, address=address).register().status == 401
    with pytest.raises(TimeoutError):
        phone(edge, "101", address=address).receive_answer_to_register(0.5)


@pytest.mark.attack(47)
def test_guessing_from_everywhere_shuts_nobody_out_of_where_they_are(edge: Edge, cast: Cast) -> None:
    edge.add_device(109, "109", "good", tenant=DEMO, tenant_id=cast.demo.tenant_id)
    device = phone(edge, "109", "good")
    assert device.register().status == 200
    for _ in range(ATTACKS):
        phone(edge, "109", WRONG).register()
    assert phone(edge, "109", "good").register().status == 403
    assert device.register().status == 200


def test_the_other_companys_password_opens_nothing(edge: Edge) -> None:
    assert phone(edge, "101", "another secret", OTHER).register().status == 200
    assert phone(edge, "101", "another secret", DEMO).register().status == 401


def test_a_host_of_nobody_looks_like_any_other(edge: Edge) -> None:
    answer = phone(edge, "101", WRONG, "nobody.example").register()
    assert answer.status == 401
    assert re.search(r'realm="[0-9a-f]{16}"', answer["www-authenticate"])


@pytest.mark.attack(50)
def test_nobody_registers_for_somebody_else(edge: Edge) -> None:
    assert phone(edge, "102", authorize_as="101").register().status == 403


def test_a_replayed_answer_to_a_challenge_does_not_serve(edge: Edge) -> None:
    device = phone(edge, "101")
    device.register()
    again = re.sub(rb"branch=\S+?;", b"branch=z9hG4bKreplayed;", device.sent[-1])
    device.write(again)
    assert device.receive().status == 401


def test_a_revoked_device_is_refused_at_once(edge: Edge, cast: Cast) -> None:
    edge.add_device(107, "107", "soon gone", tenant=DEMO, tenant_id=cast.demo.tenant_id)
    assert phone(edge, "107", "soon gone").register().status == 200
    edge.database.execute("update device set is_enabled = false where id = 107")
    assert phone(edge, "107", "soon gone").register().status == 401


def test_it_goes_on_after_the_database_dropped_its_connections(edge: Edge) -> None:
    edge.database.execute("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'centrala_kamailio'")
    wait_until(lambda: phone(edge, "101").register().status == 200)


def test_its_role_sees_the_views_and_its_registrations_alone(edge: Edge) -> None:
    with edge.as_kamailio() as connection:
        for table in ("device", "contact", "tenant", "user_account"):
            with pytest.raises(Exception, match="permission denied"):
                connection.execute(f"select * from {table}")
        with pytest.raises(Exception, match="permission denied"):
            connection.execute("create table kamailio.mine ()")


def test_a_registration_outlives_kill_9(edge: Edge, cast: Cast) -> None:
    edge.add_device(106, "106", "steady", tenant=DEMO, tenant_id=cast.demo.tenant_id)
    device = phone(edge, "106", "steady")
    assert device.register().status == 200
    edge.kill()
    edge.start()
    assert edge.process.poll() is None
    wait_until(lambda: f"sip:{device.address}:{device.port}" in str(edge.kamailio.ask("ul.dump")))

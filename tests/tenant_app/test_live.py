"""The stream that tells open browsers what changed: their own company's only, after the commit,
never with silent gaps."""

import json
import queue
from collections.abc import Iterator
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from psycopg import OperationalError
from sqlalchemy import text

from core.foundation import clock, db
from core.foundation.actor import Door, system_actor
from core.foundation.live import CHANNEL, MOST_IDS, tell
from core.foundation.unit_of_work import unit_of_work
from core.identity.sessions import SESSION_LIFETIME, end_sessions
from tenant_app.live import hub as hubs
from tenant_app.live import views
from tenant_app.live.hub import BACKLOG, REFRESH, Hub, Stream
from tests.conftest import ClientAs, WorkAs
from tests.support.cast import Cast
from tests.support.clients import signed_in_client
from tests.support.waiting import wait_until


def told(stream: hubs.Stream) -> list[dict[str, Any]]:
    """What a stream has been told and not read."""
    found = []
    while not stream.empty():
        found.append(json.loads(stream.get_nowait()))
    return found


def payload(tenant_id: int, *ids: int) -> str:
    """A notification."""
    return json.dumps({"tenant": tenant_id, "topic": "ticket", "ids": list(ids)})


@pytest.fixture
def listening(committed: Cast) -> Iterator[Hub]:
    """A hub that listens to a database with real commits."""
    hub = Hub()
    probe = hub.open(committed.demo.tenant_id)
    Thread(target=hub.listen_for_ever, daemon=True).start()
    wait_until(lambda: told(probe) == [json.loads(REFRESH)])
    hub.close(committed.demo.tenant_id, probe)
    yield hub
    hub.stop()


def next_of(stream: Stream) -> dict[str, object]:
    """The next message without its time."""
    message: dict[str, object] = json.loads(stream.get(timeout=5))
    assert message.pop("at")
    return message


def test_a_message_arrives_after_the_commit_and_not_before(listening: Hub, committed: Cast) -> None:
    stream = listening.open(committed.demo.tenant_id)
    with unit_of_work(committed.actor("anna")) as work:
        tell(work, "ticket", [17])
        with pytest.raises(queue.Empty):
            stream.get(timeout=0.3)
    assert next_of(stream) == {"topic": "ticket", "ids": [17]}


def test_what_was_rolled_back_is_not_told(listening: Hub, committed: Cast) -> None:
    stream = listening.open(committed.demo.tenant_id)
    with pytest.raises(RuntimeError), unit_of_work(committed.actor("anna")) as work:
        tell(work, "ticket", [17])
        raise RuntimeError
    with unit_of_work(committed.actor("anna")) as work:
        tell(work, "ticket", [18])
    assert json.loads(stream.get(timeout=5))["ids"] == [18]


@pytest.mark.attack(5)
def test_another_companys_stream_gets_not_one_byte(listening: Hub, committed: Cast) -> None:
    ours, theirs = listening.open(committed.demo.tenant_id), listening.open(committed.other.tenant_id)
    with unit_of_work(committed.actor("anna")) as work:
        tell(work, "ticket", [17])
    with unit_of_work(committed.actor("oleg")) as work:
        tell(work, "contact", [4])
    assert next_of(ours) == {"topic": "ticket", "ids": [17]}
    assert next_of(theirs) == {"topic": "contact", "ids": [4]}
    assert (ours.empty(), theirs.empty()) == (True, True)


def test_a_lost_connection_is_made_again_and_everybody_refreshes(listening: Hub, committed: Cast) -> None:
    stream = listening.open(committed.demo.tenant_id)
    with db.engine().connect() as connection:
        connection.execute(
            text("select pg_terminate_backend(pid) from pg_stat_activity where query = :q"), {"q": f"listen {CHANNEL}"}
        )
    assert stream.get(timeout=10) == REFRESH


def test_a_message_that_nobody_understands_does_not_end_the_listening(listening: Hub, committed: Cast) -> None:
    stream = listening.open(committed.demo.tenant_id)
    for nonsense in ("", "[]", "{}", '{"tenant": 1'):
        with db.engine().begin() as connection:
            connection.execute(text("select pg_notify(:c, :p)"), {"c": CHANNEL, "p": nonsense})
    assert stream.get(timeout=10) == REFRESH


def test_so_many_ids_become_the_whole_topic(listening: Hub, committed: Cast) -> None:
    stream = listening.open(committed.demo.tenant_id)
    with unit_of_work(committed.actor("anna")) as work:
        tell(work, "contact", [2**62 + number for number in range(MOST_IDS)])
        tell(work, "contact", range(MOST_IDS + 1))
    assert len(json.loads(stream.get(timeout=5))["ids"]) == MOST_IDS
    assert json.loads(stream.get(timeout=5))["ids"] == []


def test_a_stream_that_falls_behind_is_told_to_refresh() -> None:
    hub = Hub()
    stream = hub.open(1)
    for number in range(BACKLOG + 5):
        hub.pass_on(payload(1, number))
    heard = told(stream)
    assert heard[0] == json.loads(REFRESH)
    assert [message["ids"] for message in heard[1:]] == [[BACKLOG + n] for n in range(1, 5)]


def test_a_slow_stream_costs_the_others_nothing() -> None:
    hub = Hub()
    hub.open(1)
    quick, heard = hub.open(1), []
    for number in range(BACKLOG * 2):
        hub.pass_on(payload(1, number))
        heard += told(quick)
    assert [message["ids"] for message in heard] == [[number] for number in range(BACKLOG * 2)]


def test_a_closed_stream_leaves_nothing_behind() -> None:
    hub = Hub()
    stream = hub.open(1)
    hub.close(1, stream)
    assert hub.count() == 0
    hub.close(1, stream)


# Over HTTP


@pytest.fixture
def quiet_hub(monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub without a listener in place of the process's."""
    made = Hub()
    monkeypatch.setattr(views, "hub", lambda: made)
    monkeypatch.setattr(views, "QUIET_S", 0.05)
    return made


def test_a_browser_hears_of_changes(client_as: ClientAs, cast: Cast, quiet_hub: Hub) -> None:
    answer = client_as("vera").get("/live", buffered=False)
    lines = iter(answer.response)
    assert (answer.mimetype, answer.headers["Cache-Control"]) == ("text/event-stream", "no-store")
    assert next(lines) == b"retry: 2000\n\n"
    quiet_hub.pass_on(payload(cast.other.tenant_id, 1))
    quiet_hub.pass_on(payload(cast.demo.tenant_id, 2))
    told = next(lines)
    assert isinstance(told, bytes)
    assert told.startswith(b'data: {"topic": "ticket", "ids": [2], "at": ')
    assert next(lines) == b": still here\n\n"
    answer.close()
    assert quiet_hub.count() == 0


@pytest.mark.attack(54)
def test_the_stream_ends_with_the_sign_in(client_as: ClientAs, quiet_hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "CHECK_S", 0.0)
    lines = iter(client_as("vera").get("/live", buffered=False).response)
    next(lines)
    assert next(lines) == b": still here\n\n"
    clock.hold(clock.now() + SESSION_LIFETIME + timedelta(minutes=1))
    assert b"signed-out" in list(lines)[-1]
    assert quiet_hub.count() == 0


@pytest.mark.attack(54)
def test_a_stream_ends_at_once_with_a_session_that_is_ended(
    client_as: ClientAs, work_as: WorkAs, cast: Cast, quiet_hub: Hub
) -> None:
    lines = iter(client_as("vera").get("/live", buffered=False).response)
    next(lines)
    vera = cast.demo.users["vera"]
    with work_as("system") as work:
        end_sessions(work, vera)
    for user_id in (cast.demo.users["boris"], vera):
        quiet_hub.pass_on(json.dumps({"tenant": cast.demo.tenant_id, "topic": "session", "ids": [user_id]}))
    heard = list(lines)
    assert len(heard) == 3
    assert b"signed-out" in heard[-1]
    assert quiet_hub.count() == 0


def test_a_sign_in_is_looked_at_often_enough() -> None:
    assert views.QUIET_S + views.CHECK_S <= 60


def test_a_stream_holds_no_connection(app: Flask, committed: Cast, quiet_hub: Hub) -> None:
    answer = signed_in_client(app, committed, "vera").get("/live", buffered=False)
    next(iter(answer.response))
    assert db.engine().pool.checkedout() == 0  # type: ignore[attr-defined]  # of the pool that the product uses
    answer.close()


def test_a_hub_is_made_once_for_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "_hubs", [])
    monkeypatch.setattr(Hub, "listen_for_ever", lambda _self: None)
    made: list[Hub] = []
    threads = [Thread(target=lambda: made.append(hubs.hub())) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(map(id, made))) == 1


def test_the_product_itself_tells_of_its_changes_too(listening: Hub, committed: Cast) -> None:
    stream = listening.open(committed.demo.tenant_id)
    with unit_of_work(system_actor(committed.demo.tenant_id, door=Door.JOB)) as work:
        tell(work, "outbox")
    assert next_of(stream) == {"topic": "outbox", "ids": []}


def test_what_goes_wrong_while_listening_is_survived(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub()
    failures = iter([OperationalError(), ValueError(), TypeError()])

    def listen(_url: str) -> None:
        if (error := next(failures, None)) is None:
            hub.stop()
        else:
            raise error

    monkeypatch.setattr(hub, "_listen", listen)
    monkeypatch.setattr(hubs, "PAUSE_S", 0.01)
    hub.listen_for_ever()
    assert next(failures, None) is None


def test_a_new_stream_hears_what_was_said_just_before() -> None:
    made = Hub()
    made.pass_on(json.dumps({"tenant": 1, "topic": "ticket", "ids": [17]}))
    made.pass_on(json.dumps({"tenant": 2, "topic": "ticket", "ids": [18]}))
    stream = made.open(1)
    assert next_of(stream) == {"topic": "ticket", "ids": [17]}
    assert stream.empty()


def test_a_new_stream_does_not_hear_what_is_long_past(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Hub()
    made.pass_on(json.dumps({"tenant": 1, "topic": "ticket", "ids": [17]}))
    monkeypatch.setattr("tenant_app.live.hub.REMEMBERED_S", -1.0)
    assert made.open(1).empty()

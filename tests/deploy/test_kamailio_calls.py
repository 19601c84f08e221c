"""Calls at the telephone edge: whom a worker hears of, what it is told, and where its own calls may go."""

import re
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from deploy.local.postgres import Postgres
from tests.support.cast import Cast
from tests.support.edge import DEMO, OTHER, PASSWORD, PROVIDER, Edge, phone, running_edge
from tests.support.ports import free_port, free_ports
from tests.support.sip import Phone, Worker, answer_to, digest, running_worker
from tests.support.waiting import wait_until

STRAY = (
    "X-Tenant: 2",
    "x-tenant : 3",
    "X-Device: 9",
    "X-TRUNK: 7",
    "X-Trunk:\r\n 8",
    "P-Asserted-Identity: <sip:+420111222333@bank.example>",
    "Remote-Party-ID: <sip:1@bank.example>",
)


def provider(edge: Edge, *, port: int | None = None, address: str = PROVIDER) -> Phone:
    """The provider's server, which knows no password."""
    return Phone(edge.port, "+420777888999", "", "provider.example", address=address, port=port or edge.provider_port)


@pytest.fixture
def trunk(edge: Edge) -> Iterator[Phone]:
    """The provider at the address that both companies entered."""
    found = provider(edge)
    yield found
    found.line.close()


def test_a_devices_call_reaches_the_worker_with_its_company_and_device(edge: Edge, worker: Worker, cast: Cast) -> None:
    assert phone(edge, "101").invite("102").status == 200
    call = worker.calls[0]
    assert call.uri == f"sip:102@{DEMO}"
    assert (call["x-tenant"], call["x-device"], call["x-trunk"]) == (str(cast.demo.tenant_id), "101", "")


def test_the_password_stays_at_the_edge(edge: Edge, worker: Worker) -> None:
    phone(edge, "101").invite("102")
    assert worker.calls[0]["proxy-authorization"] == ""


@pytest.mark.attack(50)
def test_headers_that_the_worker_trusts_never_come_from_outside(edge: Edge, worker: Worker, cast: Cast) -> None:
    assert phone(edge, "101").invite("102", *STRAY).status == 200
    call = worker.calls[0]
    assert call.all("x-tenant") == [str(cast.demo.tenant_id)]
    assert call.all("x-device") == ["101"]
    assert [call[name] for name in ("x-trunk", "p-asserted-identity", "remote-party-id")] == ["", "", ""]


@pytest.mark.attack(50)
def test_a_caller_who_is_not_the_authenticated_user_is_refused(edge: Edge, worker: Worker) -> None:
    assert phone(edge, "102", authorize_as="101").invite("101").status == 403
    assert worker.calls == []


def test_the_same_extension_in_two_companies_stays_apart(edge: Edge, worker: Worker, cast: Cast) -> None:
    phone(edge, "101").invite("102")
    phone(edge, "101", "another secret", OTHER).invite("102")
    assert [(call["x-tenant"], call["x-device"]) for call in worker.calls] == [
        (str(cast.demo.tenant_id), "101"),
        (str(cast.other.tenant_id), "201"),
    ]


@pytest.mark.attack(48)
@pytest.mark.parametrize("user", ["nobody", "101"])
def test_an_empty_secret_is_no_password(edge: Edge, worker: Worker, user: str) -> None:
    device = phone(edge, user)
    for ha1 in ("", "0", "0" * 32):
        challenged = device.send("INVITE", f"sip:102@{DEMO}", to="102")
        proof = digest(
            ha1, method="INVITE", uri=f"sip:102@{DEMO}", challenge=challenged["proxy-authenticate"], username=user
        )
        assert device.send("INVITE", f"sip:102@{DEMO}", f"Proxy-Authorization: {proof}", to="102").status == 407
    assert worker.calls == []


@pytest.mark.attack(48)
@pytest.mark.parametrize("number", ["102", "+420555000111", "0090012345678", "900123456"])
def test_a_call_without_a_password_goes_nowhere(edge: Edge, worker: Worker, number: str) -> None:
    assert phone(edge, "101", "").invite(number, *STRAY).status == 407
    assert worker.heard == []


def test_a_providers_call_is_known_by_its_address_and_the_number(
    edge: Edge, worker: Worker, trunk: Phone, cast: Cast
) -> None:
    assert trunk.invite("+420555000111", "X-Trunk: 2").status == 200
    assert trunk.invite("420555000222").status == 200
    assert [(call["x-tenant"], call.all("x-trunk")) for call in worker.calls] == [
        (str(cast.demo.tenant_id), ["1"]),
        (str(cast.other.tenant_id), ["2"]),
    ]


def test_a_provider_may_be_known_by_a_host_name(edge: Edge, worker: Worker, cast: Cast) -> None:
    known = provider(edge, address="127.0.0.1", port=free_port())
    edge.add_trunk(5, "+420555000555", tenant_id=cast.demo.tenant_id, host="localhost", port=known.port)
    stranger = provider(edge, address="127.0.0.10", port=known.port)
    assert [stranger.invite("+420555000555").status for _ in range(2)] == [407, 407]
    assert known.invite("+420555000555").status == 200
    assert [call["x-trunk"] for call in worker.calls] == ["5"]


def test_a_number_of_nobody_is_not_found(edge: Edge, worker: Worker, trunk: Phone) -> None:
    trunk.invite("+420555000111")
    assert trunk.invite("+420555000999").status == 404


@pytest.mark.attack(48)
@pytest.mark.parametrize("address", [PROVIDER, "127.0.0.10"])
def test_a_provider_from_elsewhere_is_a_stranger(edge: Edge, worker: Worker, address: str) -> None:
    stranger = provider(edge, address=address, port=free_port())
    assert stranger.invite("+420555000111").status == 407
    assert worker.calls == []


@pytest.mark.attack(48)
@pytest.mark.parametrize(
    "target", [f"sip:+420777888999@{PROVIDER}:5066", "sip:101@203.0.113.9", "sip:127.0.0.1:{edge}"]
)
def test_a_made_up_dialog_is_no_way_through(edge: Edge, worker: Worker, target: str) -> None:
    device = phone(edge, "101")
    uri = target.format(edge=edge.settings.sip_edge_port)
    for route in ((), ("Route: <sip:203.0.113.9;lr>",)):
        own = f"Route: <sip:127.0.0.1:{edge.port};lr>"
        device.sequence += 1
        request = device.request("INVITE", uri, own, *route, to="102")
        device.write(re.sub(rb"To: (\S+)", rb"To: \1;tag=made-up", request))
        assert device.receive().status == 403
    assert worker.heard == []


def test_a_route_that_a_caller_wishes_for_is_ignored(edge: Edge, worker: Worker) -> None:
    wish = f"Route: <sip:127.0.0.1:{edge.port};lr>, <sip:203.0.113.9;lr>"
    assert phone(edge, "101").invite("102", wish).status == 200
    assert worker.calls[0]["route"] == ""


def test_a_dialog_goes_on_in_both_directions(edge: Edge, worker: Worker) -> None:
    device = phone(edge, "101")
    answer = device.invite("102")
    routes = [f"Route: {route}" for route in reversed(answer.all("record-route"))]
    contact = answer["contact"].strip("<>")
    device.sequence += 1
    text = device.request("BYE", contact, *routes, "X-Tenant: 2", to="102")
    device.write(text.replace(b"To: <sip:102@" + DEMO.encode() + b">", f"To: {answer['to']}".encode()))
    assert device.receive().status == 200
    bye = next(message for message in worker.heard if message.first.startswith("BYE"))
    assert bye["x-tenant"] == ""


def test_a_repeated_call_reaches_the_worker_once(edge: Edge, worker: Worker) -> None:
    device = phone(edge, "101")
    device.invite("102")
    device.write(device.sent[-1])
    device.receive()
    assert len(worker.calls) == 1


def test_a_worker_calls_a_registered_device_and_its_secrets_stay_inside(edge: Edge, worker: Worker) -> None:
    device = phone(edge, "102")
    device.register()
    worker.begin(f"sip:102@{edge.realms[DEMO]}", "X-Tenant: 1", "X-Note: inside")
    request = device.receive()
    assert request.first.startswith("INVITE sip:102@")
    assert [name for name, _value in request.headers if name.startswith("x-")] == []
    device.write(answer_to(request, 486))


def test_a_device_that_is_not_there_is_unavailable(edge: Edge, worker: Worker) -> None:
    assert worker.call(f"sip:199@{edge.realms[DEMO]}").status == 480


def test_a_device_is_called_after_kill_9_without_registering_again(edge: Edge, worker: Worker) -> None:
    device = phone(edge, "101")
    device.register()
    edge.kill()
    edge.start()
    worker.begin(f"sip:101@{edge.realms[DEMO]}")
    assert device.receive(10).first.startswith("INVITE sip:101@")


def test_a_worker_calls_a_trunk_by_its_id_and_its_address(edge: Edge, worker: Worker, trunk: Phone) -> None:
    worker.begin(f"sip:+420123456789@{PROVIDER}:{edge.provider_port}", "X-Trunk: 1", "X-Tenant: 1")
    request = trunk.receive()
    assert request.uri == f"sip:+420123456789@{PROVIDER}:{edge.provider_port}"
    assert [name for name, _value in request.headers if name.startswith("x-")] == []


@pytest.mark.attack(48)
@pytest.mark.parametrize("trunk_id", ["3", "1 or true", "1;drop table trunk"])
def test_a_call_to_another_address_than_the_trunks_is_refused(edge: Edge, worker: Worker, trunk_id: str) -> None:
    uri = f"sip:+420123456789@{PROVIDER}:{edge.provider_port}"
    assert worker.call(uri, f"X-Trunk: {trunk_id}").status in {400, 403}
    assert worker.call("sip:+420123456789@203.0.113.9:5060", "X-Trunk: 1").status == 403


def test_acknowledging_a_refusal_ends_it_also_with_a_preset_route(edge: Edge, worker: Worker) -> None:
    worker.answer_invite = 486
    caller = phone(edge, "101")
    refused = caller.invite("102")
    assert refused.status == 486
    acknowledgement = caller.sent[-1].decode().replace("INVITE", "ACK")
    acknowledgement = re.sub(r"\r\nTo: [^\r]*", f"\r\nTo: {refused['to']}", acknowledgement)
    route = f"\r\nRoute: <sip:127.0.0.1:{edge.port};transport=udp;lr>"
    caller.write(acknowledgement.replace("\r\nMax-Forwards", f"{route}\r\nMax-Forwards").encode())
    with pytest.raises(TimeoutError):
        caller.receive(2.0)


def test_without_a_worker_a_caller_hears_so_at_once(edge: Edge) -> None:
    assert phone(edge, "101").invite("102").status == 503


def test_a_company_stays_with_its_worker_and_moves_when_it_dies(
    server: tuple[Postgres, Path], edge_database: str, cast: Cast, edge: Edge
) -> None:
    port = free_ports(2)
    ports = {"CENTRALA_GATEWAY_PORT": str(port), "CENTRALA_GATEWAY_WORKERS": "2"}
    with (
        running_edge(server[0], edge_database, server[1], **ports) as pair,
        ExitStack() as first,
        ExitStack() as second,
    ):
        door = pair.settings.sip_edge_port
        both = {stack: stack.enter_context(running_worker(port + n, door)) for n, stack in enumerate((first, second))}
        wait_until(lambda: str(pair.kamailio.ask("dispatcher.list")).count("AP") == 2)
        for _ in range(4):
            assert phone(pair, "101").invite("102").status == 200
        ours, others = sorted(both, key=lambda stack: -len(both[stack].calls))
        assert [len(both[ours].calls), len(both[others].calls)] == [4, 0]
        ours.close()
        assert phone(pair, "101").invite("102").status == 200
        assert len(both[others].calls) == 1


def test_flooding_is_not_answered_for_long(server: tuple[Postgres, Path], edge_database: str, edge: Edge) -> None:
    with running_edge(server[0], edge_database, server[1], CENTRALA_SIP_REQUESTS_PER_SECOND="5") as strict:
        device = phone(strict, "101", secrets.token_hex(4))
        for _ in range(40):
            device.write(device.request("REGISTER", f"sip:{DEMO}", to="101"))
        answers = 0
        with pytest.raises(TimeoutError):
            while True:
                device.receive(0.5)
                answers += 1
        assert 0 < answers < 30
        assert phone(strict, "101", PASSWORD).register().status == 200

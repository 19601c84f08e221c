"""The telephone edge, a real Kamailio: who may register and call, what guessing and broken messages get."""

import re
import secrets
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.foundation import db
from deploy.local.kamailio import FAILURES, GUESSES, PACKAGES, is_installed
from deploy.local.places import free_port
from deploy.local.postgres import Postgres
from tests.support.cast import Cast
from tests.support.database import TEMPLATE
from tests.support.edge import Edge, create_tables, running_edge
from tests.support.sip import Message, Phone, Worker, running_worker
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(not is_installed(), reason=f"needs: apt-get install {' '.join(PACKAGES)}")

DEMO, OTHER = "demo.localhost", "other.localhost"
PASSWORD = "correct horse"
PROVIDER = "127.0.0.9"


@pytest.fixture(scope="module")
def edge(server: tuple[Postgres, Path], cast: Cast) -> Iterator[Edge]:
    """An edge with phones 101 and 102 of the demo company, 101 of the other, and both companies' trunks."""
    postgres, folder = server
    db.engine().dispose()
    postgres.drop_database("edge")
    postgres.create_database("edge", template=TEMPLATE)
    create_tables(postgres, "edge")
    with running_edge(postgres, "edge", folder) as edge:
        demo, other = cast.demo.tenant_id, cast.other.tenant_id
        edge.add_device(101, "101", PASSWORD, tenant=DEMO, tenant_id=demo)
        edge.add_device(102, "102", PASSWORD, tenant=DEMO, tenant_id=demo)
        edge.add_device(201, "101", "another secret", tenant=OTHER, tenant_id=other)
        yield edge
    postgres.drop_database("edge")


@pytest.fixture
def worker(edge: Edge) -> Iterator[Worker]:
    """The only worker, which the edge knows to be there."""
    settings = edge.kamailio.settings
    with running_worker(settings.gateway_port, settings.sip_edge_port) as worker:
        wait_until(lambda: "AP" in str(edge.kamailio.ask("dispatcher.list")))
        yield worker


def phone(edge: Edge, user: str, password: str = PASSWORD, domain: str = DEMO, **more: str) -> Phone:
    """A phone at an address that no other test uses, so that bans stay apart."""
    address = more.pop("address", f"127.1.{secrets.randbelow(250)}.{1 + secrets.randbelow(250)}")
    return Phone(edge.port, user, password, domain, address=address, **more)


def test_the_right_password_registers(edge: Edge) -> None:
    device = phone(edge, "101")
    assert device.register().status == 200
    rows = edge.database.execute("select username, domain, received from kamailio.location").fetchall()
    assert rows == [("101", edge.realms[DEMO], f"sip:{device.address}:{device.port}")]


def test_a_device_calls(edge: Edge, worker: Worker) -> None:
    answer = phone(edge, "101").invite("102")
    assert answer.status == 200
    call = worker.calls[0]
    print(call)

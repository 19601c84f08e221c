"""The telephone edge of the tests here, and a worker behind it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.foundation import db
from deploy.local.kamailio import PACKAGES, is_installed
from deploy.local.postgres import Postgres
from tests.support.cast import Cast
from tests.support.database import TEMPLATE
from tests.support.edge import DEMO, OTHER, PASSWORD, PROVIDER, Edge, running_edge
from tests.support.ports import free_port
from tests.support.sip import Worker, running_worker
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def edge_database(server: tuple[Postgres, Path], cast: Cast) -> Iterator[str]:
    """A database of the edge's own."""
    if not is_installed():
        pytest.skip(f"needs: apt-get install {' '.join(PACKAGES)}")
    postgres, _folder = server
    db.engine().dispose()
    postgres.drop_database("edge")
    postgres.create_database("edge", template=TEMPLATE)
    yield "edge"
    postgres.drop_database("edge")


@pytest.fixture(scope="module")
def edge(server: tuple[Postgres, Path], cast: Cast, edge_database: str) -> Iterator[Edge]:
    """An edge with phones 101 and 102 of the demo company, 101 of the other, and a provider whom both have."""
    with running_edge(server[0], edge_database, server[1]) as edge:
        demo, other = cast.demo.tenant_id, cast.other.tenant_id
        edge.add_device(101, "101", PASSWORD, tenant=DEMO, tenant_id=demo)
        edge.add_device(102, "102", PASSWORD, tenant=DEMO, tenant_id=demo)
        edge.add_device(201, "101", "another secret", tenant=OTHER, tenant_id=other)
        port = free_port()
        edge.add_trunk(1, "+420555000111", tenant_id=demo, host=PROVIDER, port=port)
        edge.add_trunk(2, "+420555000222", tenant_id=other, host=PROVIDER, port=port)
        edge.provider_port = port
        yield edge


@pytest.fixture
def worker(edge: Edge) -> Iterator[Worker]:
    """The only worker; the edge knows that it is there."""
    with running_worker(edge.settings.gateway_port, edge.settings.sip_edge_port) as worker:
        wait_until(lambda: "AP" in str(edge.kamailio.ask("dispatcher.list")))
        yield worker

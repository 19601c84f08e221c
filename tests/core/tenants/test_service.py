"""How a host name leads to a company."""

import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core.foundation.settings import settings
from core.foundation.unit_of_work import unit_of_work
from core.tenants.models import TenantHost
from core.tenants.service import create_tenant, primary_host, tenant_of_host, tenant_profile
from tests.conftest import WorkAs
from tests.support.cast import Cast


def test_a_host_name_leads_to_its_company(cast: Cast) -> None:
    found = tenant_of_host("demo.localhost")
    assert found is not None
    assert (found.id, found.name) == (cast.demo.tenant_id, "Demo")
    assert tenant_of_host("nowhere.localhost") is None


def test_an_actor_knows_their_own_company(work_as: WorkAs, cast: Cast) -> None:
    with work_as("oleg") as work:
        assert (tenant_profile(work).name, primary_host(work)) == ("Other", "other.localhost")


def test_links_carry_the_primary_name_also_when_there_are_others(committed: Cast) -> None:
    engine = create_engine(settings().owner_database_url)
    with Session(engine) as session, session.begin():
        session.add(TenantHost(host="a.localhost", tenant_id=committed.demo.tenant_id, is_primary=False))
    engine.dispose()
    with unit_of_work(committed.actor("vera")) as work:
        assert primary_host(work) == "demo.localhost"


def test_two_companies_cannot_share_a_host_name_and_never_share_a_realm(committed: Cast) -> None:
    engine = create_engine(settings().owner_database_url)
    with pytest.raises(IntegrityError), Session(engine) as session, session.begin():
        create_tenant(session, "Third", host="demo.localhost")
    engine.dispose()
    realms = {found.realm for host in ("demo.localhost", "other.localhost") if (found := tenant_of_host(host))}
    assert len(realms) == 2

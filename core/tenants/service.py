"""Finding the tenant of a request, and creating tenants."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.foundation.actor import TenantId
from core.foundation.settings import settings
from core.foundation.unit_of_work import Work, outside_tenants
from core.tenants.models import Tenant, TenantHost

PROFILE: Final = "tenant_profile"
_realms: dict[str, TenantId] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantProfile:
    """What every page needs to know of its tenant. ``country`` is ISO 3166-1 alpha-2, ``accent`` ``#rrggbb``; ``logo``
    names the version of its logo."""

    id: TenantId
    name: str
    realm: str
    locale: str
    country: str
    time_zone: str
    accent: str | None
    logo: str | None = None


def tenant_of_host(host: str) -> TenantProfile | None:
    """The tenant that ``host`` (lower case, without port) leads to."""
    query = select(Tenant).join(TenantHost, TenantHost.tenant_id == Tenant.id).where(TenantHost.host == host)
    with outside_tenants() as session:
        tenant = session.scalars(query).one_or_none()
        return _as_profile(tenant) if tenant else None


def all_tenants() -> list[TenantId]:
    """Every tenant of the installation; for processes that serve all of them."""
    with outside_tenants() as session:
        return [TenantId(tenant_id) for tenant_id in session.scalars(select(Tenant.id).order_by(Tenant.id))]


def tenant_of_realm(realm: str) -> TenantId | None:
    """The tenant of a realm. Realms never change, so those found are kept."""
    if realm not in _realms:
        with outside_tenants() as session:
            found = session.scalars(select(Tenant.id).where(Tenant.realm == realm)).one_or_none()
        if found is None:
            return None
        _realms[realm] = TenantId(found)
    return _realms[realm]


def tenant_profile(work: Work) -> TenantProfile:
    """The profile of the actor's own tenant; read once in a transaction."""
    found = work.session.info.get(PROFILE)
    if not isinstance(found, TenantProfile):
        found = work.session.info[PROFILE] = _as_profile(work.session.get_one(Tenant, work.actor.tenant_id))
    return found


def keep_profile(work: Work, row: Mapping[str, Any]) -> None:
    """Spare the transaction a question: ``row`` is the actor's own tenant as its table has it."""
    work.session.info[PROFILE] = TenantProfile(**{field.name: row[field.name] for field in fields(TenantProfile)})


def primary_host(work: Work) -> str:
    """The host name that links to this tenant carry."""
    query = select(TenantHost.host).where(TenantHost.tenant_id == work.actor.tenant_id)
    return work.session.scalars(query.order_by(TenantHost.is_primary.desc(), TenantHost.host).limit(1)).one()


def primary_url(work: Work) -> str:
    """Where this tenant's web app is found from outside, as set up: never what a request's Host claims (ATTACK 30)."""
    if settings().secure_cookies:
        return f"https://{primary_host(work)}"
    return f"http://{primary_host(work)}:{settings().web_port}"


def create_tenant(
    session: Session,
    name: str,
    *,
    host: str,
    locale: str = "en",
    country: str = "CZ",
    accent: str | None = None,
) -> TenantId:
    """Create a tenant under ``host``; ``session`` must be the schema owner's."""
    tenant = Tenant(name=name, realm=secrets.token_hex(8), locale=locale, country=country, accent=accent)
    session.add(tenant)
    session.flush()
    session.add(TenantHost(host=host, tenant_id=tenant.id))
    session.flush()
    return TenantId(tenant.id)


def _as_profile(tenant: Tenant) -> TenantProfile:
    return TenantProfile(
        id=TenantId(tenant.id),
        name=tenant.name,
        realm=tenant.realm,
        locale=tenant.locale,
        country=tenant.country,
        time_zone=tenant.time_zone,
        accent=tenant.accent,
        logo=tenant.logo,
    )

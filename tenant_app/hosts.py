"""Which tenant a request belongs to: decided by the host name, before anything else."""

import time
from threading import Lock
from typing import Final

from flask import Flask, abort, g, request

from core.foundation.settings import settings
from core.tenants.service import TenantProfile, tenant_of_host

REMEMBERED_S: Final = 30.0
WITHOUT_TENANT: Final = frozenset({"static", "Health.show", "Health.metrics"})

_remembered: dict[str, tuple[float, TenantProfile | None]] = {}
_lock = Lock()


def install(app: Flask) -> None:
    """Let every request carry its tenant in ``g.tenant``; an unknown host is a plain 404."""
    app.before_request(_find_tenant)


def current_tenant() -> TenantProfile:
    """The request's tenant."""
    tenant: TenantProfile = g.tenant
    return tenant


def forget_hosts() -> None:
    """Ask the database again for every host; for tests and for changes of host names."""
    with _lock:
        _remembered.clear()


def _find_tenant() -> None:
    if request.endpoint in WITHOUT_TENANT:
        return
    tenant = _tenant_of(request.host.partition(":")[0].lower())
    if tenant is None:
        abort(404)
    g.tenant = tenant


def _tenant_of(host: str) -> TenantProfile | None:
    until, tenant = _remembered.get(host, (0.0, None))
    if until > time.monotonic():
        return tenant
    if host == settings().base_domain:
        return None
    tenant = tenant_of_host(host)
    with _lock:
        if len(_remembered) > 10_000:
            _remembered.clear()
        _remembered[host] = (time.monotonic() + REMEMBERED_S, tenant)
    return tenant

"""Whether anything in the database changed."""

import hashlib

from sqlalchemy import text

from core.foundation.actor import Door, TenantId, system_actor
from core.foundation.unit_of_work import unit_of_work
from migrations.metadata import metadata
from tests.support.cast import Cast

_QUERY = text(
    " union all ".join(
        f"select '{name}', coalesce(md5(string_agg(t::text, '|' order by t::text)), '') from {name} t"
        for name in sorted(metadata.tables)
    )
)


def fingerprint(cast: Cast) -> str:
    """A digest of every row of both companies."""
    digest = hashlib.sha256()
    for company in (cast.demo, cast.other):
        digest.update(_rows_of(company.tenant_id).encode())
    return digest.hexdigest()


def _rows_of(tenant_id: TenantId) -> str:
    with unit_of_work(system_actor(tenant_id, door=Door.SETUP)) as work:
        return str(work.session.execute(_QUERY).all())

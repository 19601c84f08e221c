"""Tenants and their host names: the only tables without row-level security, since they decide which tenant it is."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity
from sqlalchemy.orm import Mapped, mapped_column

from core.foundation.models import NOT_PERSONAL, Base, created_now


class Tenant(Base):
    """A company. ``realm`` never changes, host names may: signatures and digests are bound to it."""

    __tablename__ = "tenant"
    __table_args__ = (CheckConstraint("accent ~ '^#[0-9a-f]{6}$'", name="accent"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    realm: Mapped[str] = mapped_column(unique=True, info=NOT_PERSONAL)
    locale: Mapped[str] = mapped_column(server_default="en", info=NOT_PERSONAL)
    country: Mapped[str] = mapped_column(server_default="CZ", info=NOT_PERSONAL)
    time_zone: Mapped[str] = mapped_column(server_default="Europe/Prague", info=NOT_PERSONAL)
    accent: Mapped[str | None] = mapped_column(info=NOT_PERSONAL)
    created_at: Mapped[datetime] = created_now()


class TenantHost(Base):
    """A host name that leads to a tenant; the first one stands in links that are sent out."""

    __tablename__ = "tenant_host"

    host: Mapped[str] = mapped_column(primary_key=True, info=NOT_PERSONAL)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenant.id"))
    is_primary: Mapped[bool] = mapped_column(server_default="true")

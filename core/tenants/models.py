"""Tenants and their host names, the only tables without row-level security, since they decide which tenant it is; and
what a tenant sets for itself: its logo, when it is open, and its holidays."""

from datetime import date, datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, SmallInteger, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.foundation.models import NOT_PERSONAL, Base, TenantRow, created_now, tenant_constraints, tenant_link


class Tenant(Base):
    """A company. ``realm`` never changes, host names may: signatures and digests are bound to it.

    The application changes its own row alone, through ``app_set_company``. ``logo`` names the logo's present version.
    """

    __tablename__ = "tenant"
    __table_args__ = (CheckConstraint("accent ~ '^#[0-9a-f]{6}$'", name="accent"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    realm: Mapped[str] = mapped_column(unique=True, info=NOT_PERSONAL)
    locale: Mapped[str] = mapped_column(server_default="en", info=NOT_PERSONAL)
    country: Mapped[str] = mapped_column(server_default="CZ", info=NOT_PERSONAL)
    time_zone: Mapped[str] = mapped_column(server_default="Europe/Prague", info=NOT_PERSONAL)
    accent: Mapped[str | None] = mapped_column(info=NOT_PERSONAL)
    logo: Mapped[str | None] = mapped_column(info=NOT_PERSONAL)
    created_at: Mapped[datetime] = created_now()


class TenantHost(Base):
    """A host name that leads to a tenant; the first one stands in links that are sent out."""

    __tablename__ = "tenant_host"

    host: Mapped[str] = mapped_column(primary_key=True, info=NOT_PERSONAL)
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenant.id"))
    is_primary: Mapped[bool] = mapped_column(server_default="true")


class CompanyLogo(TenantRow, Base):
    """The tenant's logo: a PNG that the product wrote itself."""

    __tablename__ = "company_logo"
    __table_args__ = tenant_constraints(UniqueConstraint("tenant_id"), tenant_link("blob_id", "blob"))

    blob_id: Mapped[int] = mapped_column(BigInteger)


class OpeningHours(TenantRow, Base):
    """A span in which the company is open, in minutes of the local day. ``weekday`` 0 is Monday."""

    __tablename__ = "opening_hours"
    __table_args__ = tenant_constraints(
        UniqueConstraint("tenant_id", "weekday", "opens_minute"),
        CheckConstraint("weekday between 0 and 6", name="weekday"),
        CheckConstraint("opens_minute >= 0 and opens_minute < closes_minute and closes_minute <= 1440", name="span"),
    )

    weekday: Mapped[int] = mapped_column(SmallInteger)
    opens_minute: Mapped[int] = mapped_column(SmallInteger)
    closes_minute: Mapped[int] = mapped_column(SmallInteger)


class HolidayRule(TenantRow, Base):
    """A day that differs from the country's holidays: closed of one's own, or a holiday on which the company works."""

    __tablename__ = "holiday_rule"
    __table_args__ = tenant_constraints(UniqueConstraint("tenant_id", "day"))

    day: Mapped[date]
    name: Mapped[str] = mapped_column(server_default="", info=NOT_PERSONAL)
    is_open: Mapped[bool] = mapped_column(server_default="false")

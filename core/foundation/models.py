"""What every table has in common.

``Base`` collects the tables for migrations. ``TenantRow`` gives a table its tenant: the database fills it from the
transaction's tenant, row-level security holds it, and composite foreign keys ``(tenant_id, id)`` keep links inside.

Every text or binary column says in ``info["personal"]`` what erasure does with it: ``no`` (holds no personal data),
``erase``, ``anonymise``, or ``keep:<legal ground>``. A test refuses a column that says nothing.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    MetaData,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column

NOT_PERSONAL: Final[dict[str, str]] = {"personal": "no"}
ERASE: Final[dict[str, str]] = {"personal": "erase"}
ANONYMISE: Final[dict[str, str]] = {"personal": "anonymise"}


def keep(ground: str) -> dict[str, str]:
    """Personal data that stays after an erasure, on the named legal ground."""
    return {"personal": f"keep:{ground}"}


class Base(DeclarativeBase):
    """The declarative base; constraint names are predictable, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012  # SQLAlchemy reads it as a plain attribute


class TenantRow:
    """A row of one tenant."""

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    tenant_id: Mapped[int] = mapped_column(BigInteger, server_default=text("app_tenant()"))

    @declared_attr.directive
    @classmethod
    def __table_args__(cls) -> tuple[Any, ...]:
        return tenant_constraints()


def tenant_constraints(*more: object) -> tuple[Any, ...]:
    """The constraints of every tenant table, and ``more`` of its own, for ``__table_args__``."""
    return (UniqueConstraint("tenant_id", "id"), ForeignKeyConstraint(["tenant_id"], ["tenant.id"]), *more)


def tenant_link(column: str, target: str, *, on_delete: str | None = None) -> ForeignKeyConstraint:
    """A foreign key from ``column`` to ``target``'s id that cannot leave the tenant.

    Foreign-key checks bypass row-level security; only the tenant's id inside the key keeps a forged id out.
    ``on_delete`` is an SQL action such as ``CASCADE`` or ``SET NULL (column)``.
    """
    return ForeignKeyConstraint(["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], ondelete=on_delete)


def created_now() -> Any:
    """A column that the database fills with the transaction's time."""
    return mapped_column(server_default=func.now())

"""Who changed what, when, through which door: one row per change of one thing.

Erasure redacts the values and keeps the rows.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.foundation.models import ERASE, NOT_PERSONAL, Base, TenantRow, created_now, tenant_constraints
from core.foundation.unit_of_work import Work

Values = Mapping[str, Any]


class Change(TenantRow, Base):
    """One change. ``fields`` maps a field's name to ``[before, after]``."""

    __tablename__ = "change"
    __table_args__ = tenant_constraints(Index(None, "tenant_id", "subject_kind", "subject_id", "id"))

    subject_kind: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    subject_id: Mapped[int] = mapped_column(BigInteger)
    fields: Mapped[dict[str, list[Any]]] = mapped_column(JSONB, info=ERASE)
    user_id: Mapped[int | None] = mapped_column(BigInteger)
    door: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    changed_at: Mapped[datetime] = created_now()


def record_change(work: Work, kind: str, subject_id: int, *, before: Values, after: Values) -> bool:
    """Write down the fields that differ; answers whether any did.

    Values must be what JSON can hold. ``before`` is empty for something new, ``after`` for something deleted.
    """
    fields = differences(before, after)
    if not fields:
        return False
    actor = work.actor
    work.session.add(
        Change(subject_kind=kind, subject_id=subject_id, fields=fields, user_id=actor.user_id, door=actor.door)
    )
    return True


def differences(before: Values, after: Values) -> dict[str, list[Any]]:
    """The fields that differ, in alphabetical order, with their values before and after."""
    names = sorted(before.keys() | after.keys())
    return {name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)}

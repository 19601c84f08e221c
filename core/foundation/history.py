"""Who changed what, when, through which door: one row per change of one thing.

Erasure redacts the values and keeps the rows.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.foundation.models import ERASE, NOT_PERSONAL, Base, TenantRow, created_now, tenant_constraints
from core.foundation.unit_of_work import Work

Values = Mapping[str, Any]

SECRETS: Final = ("password", "secret", "token", "hash", "ha1", "recovery", "private_key")
"""A field with one of these in its name holds what nobody may read later: only that it changed is kept."""
SECRET_SIDES: Final = ("old", "new")
"""What stands for a secret's value before and after."""


class Change(TenantRow, Base):
    """One change. ``fields`` maps a field's name to ``[before, after]``."""

    __tablename__ = "change"
    __table_args__ = tenant_constraints(
        Index(None, "tenant_id", "subject_kind", "subject_id", "id"),
        Index("ix_change_time", "tenant_id", "changed_at", "id"),
        Index("ix_change_user", "tenant_id", "user_id", "changed_at", "id"),
    )

    subject_kind: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    subject_id: Mapped[int] = mapped_column(BigInteger)
    fields: Mapped[dict[str, list[Any]]] = mapped_column(JSONB, info=ERASE)
    user_id: Mapped[int | None] = mapped_column(BigInteger)
    door: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    changed_at: Mapped[datetime] = created_now()


def record_change(work: Work, kind: str, subject_id: int, *, before: Values, after: Values) -> bool:
    """Write down the fields that differ; answers whether any did.

    Values must be what JSON can hold; of a secret only is kept that it changed. ``before`` is empty for something new,
    ``after`` for something deleted.
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
    """The fields that differ, in alphabetical order, with their values before and after; of secrets none."""
    names = sorted(before.keys() | after.keys())
    return {
        name: [_kept(name, before.get(name), SECRET_SIDES[0]), _kept(name, after.get(name), SECRET_SIDES[1])]
        for name in names
        if before.get(name) != after.get(name)
    }


def is_secret(field: str) -> bool:
    """Whether the field's values must not be kept."""
    return any(word in field for word in SECRETS)


def _kept(field: str, value: Any, stand_in: str) -> Any:
    return stand_in if isinstance(value, str) and value and is_secret(field) else value

"""Who saw whose data, when, and how (GD-39): one row per page or answer, with the ids that it showed."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import BigInteger, Index, insert
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from core.foundation.models import NOT_PERSONAL, Base, TenantRow, created_now, tenant_constraints
from core.foundation.unit_of_work import Work


class How(StrEnum):
    """In which view the data stood."""

    LIST = "list"
    DETAIL = "detail"
    SEARCH = "search"
    EXPORT = "export"


class ReadEvent(TenantRow, Base):
    """One look at one or many things of a kind."""

    __tablename__ = "read_event"
    __table_args__ = tenant_constraints(
        Index(None, "tenant_id", "subject_ids", postgresql_using="gin"),
        Index(None, "tenant_id", "read_at"),
    )

    subject_kind: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    subject_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    how: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    user_id: Mapped[int | None] = mapped_column(BigInteger)
    door: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    read_at: Mapped[datetime] = created_now()


READ: Final = (
    "insert into read_event (subject_kind, subject_ids, how, user_id, door) "
    "select :read_kind, {ids}, :read_how, :read_by, :read_door"
)
"""For statements that hand out rows and note it at once: ``ids`` is an SQL array of ids; see ``read_values``."""


def read_values(work: Work, kind: str, *, how: How) -> dict[str, object]:
    """The parameters of ``READ``."""
    return {"read_kind": kind, "read_how": how, "read_by": work.actor.user_id, "read_door": work.actor.door}


def record_read(work: Work, kind: str, ids: Sequence[int], *, how: How) -> None:
    """Note that the actor was shown these rows; query functions call it, with what they return."""
    if not ids:
        return
    actor = work.actor
    row = {
        "subject_kind": kind,
        "subject_ids": list(ids),
        "how": how,
        "user_id": actor.user_id,
        "door": actor.door,
    }
    work.session.execute(insert(ReadEvent), row)

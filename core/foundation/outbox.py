"""Events: facts that other features react to.

``emit`` stores the event in the same transaction as the change that it tells of; so neither happens without the
other. The relay (``core.worker``) turns each into one job per handler that ``core.wiring`` names.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Any, ClassVar, Final, Protocol

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.foundation.models import NOT_PERSONAL, Base, TenantRow, created_now
from core.foundation.unit_of_work import Work

WAKE_CHANNEL: Final = "centrala_work"


class Event(Protocol):
    """A frozen dataclass of ids (int) and short codes (str), named as ``feature.what_happened``."""

    name: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Any]]


class StoredEvent(TenantRow, Base):
    """An event that the relay has not taken yet."""

    __tablename__ = "event"

    name: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    payload: Mapped[dict[str, int | str]] = mapped_column(JSONB, info=NOT_PERSONAL)
    occurred_at: Mapped[datetime] = created_now()


def emit(work: Work, event: Event) -> None:
    """Store ``event`` and wake the relay after the commit."""
    work.session.add(StoredEvent(name=event.name, payload=asdict(event)))
    wake_relay(work)


def wake_relay(work: Work) -> None:
    """Let the relay look for due work as soon as this transaction commits."""
    work.session.execute(select(func.pg_notify(WAKE_CHANNEL, "")))

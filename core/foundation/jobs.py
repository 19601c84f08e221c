"""Work that happens after the commit, or later: rows, claimed by the relay, run by a worker.

A job is a plain function ``(actor, **ids) -> None`` under a name. It opens its own units of work, may run twice, and
then does no harm. Arguments are int and str only.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Concatenate, Final, ParamSpec

from sqlalchemy import Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.foundation import clock
from core.foundation.actor import Actor
from core.foundation.models import NOT_PERSONAL, Base, TenantRow, created_now, tenant_constraints
from core.foundation.outbox import wake_relay
from core.foundation.unit_of_work import Work

P = ParamSpec("P")
JobFunction = Callable[Concatenate[Actor, ...], None]

registered: Final[dict[str, JobFunction]] = {}


class Job(TenantRow, Base):
    """One piece of due work.

    ``leased_until`` says until when a worker has it; ``running_by`` which one began. Finished ones are removed,
    failed ones (``failed_at``) stay for somebody to look at; ``last_error`` is a code, never text from outside.
    """

    __tablename__ = "job"
    __table_args__ = tenant_constraints(Index(None, "due_at", postgresql_where=text("failed_at is null")))

    name: Mapped[str] = mapped_column(info=NOT_PERSONAL)
    arguments: Mapped[dict[str, int | str]] = mapped_column(JSONB, info=NOT_PERSONAL)
    due_at: Mapped[datetime]
    attempts: Mapped[int] = mapped_column(server_default="0")
    leased_until: Mapped[datetime | None]
    running_by: Mapped[str | None] = mapped_column(info=NOT_PERSONAL)
    failed_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(info=NOT_PERSONAL)
    created_at: Mapped[datetime] = created_now()


def job(
    name: str,
) -> Callable[[Callable[Concatenate[Actor, P], None]], Callable[Concatenate[Actor, P], None]]:
    """Register a function as the job ``name`` (``feature.verb``)."""

    def register(function: Callable[Concatenate[Actor, P], None]) -> Callable[Concatenate[Actor, P], None]:
        if name in registered:
            raise RuntimeError(f"two jobs are named {name}")
        registered[name] = function
        return function

    return register


def enqueue(work: Work, name: str, arguments: dict[str, int | str], *, due_at: datetime | None = None) -> None:
    """Let job ``name`` run after this transaction commits, not before ``due_at`` (default: at once)."""
    work.session.add(Job(name=name, arguments=arguments, due_at=due_at or clock.now()))
    wake_relay(work)

"""One transaction, in one tenant, as one actor.

Entry points (a view, a job, a mail taken in) open it; services only receive it. Leaving commits, an exception rolls
everything back. The database learns tenant, user and what this user may see when the transaction begins, so a
forgotten filter shows nothing rather than too much.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from core.foundation import db
from core.foundation.actor import Actor
from core.foundation.statements import Statement

_ENTER: Final = Statement("select app_enter(:tenant_id, :user_id)")


@dataclass(frozen=True, slots=True)
class Work:
    """The open transaction and who acts in it."""

    session: Session
    actor: Actor


@contextmanager
def unit_of_work(actor: Actor) -> Iterator[Work]:
    """Open a transaction in which ``actor`` sees what they may see (policies, DESIGN of tenancy)."""
    with db.new_session() as session, session.begin():
        _ENTER.rows(session, {"tenant_id": actor.tenant_id, "user_id": actor.user_id})
        yield Work(session, actor)


@contextmanager
def outside_tenants() -> Iterator[Session]:
    """A transaction that belongs to no tenant: it reads what leads to one, or enters it by itself."""
    with db.new_session() as session, session.begin():
        yield session

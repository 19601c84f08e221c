"""The accounts elsewhere with which somebody signs in, as they see them themselves."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from core.foundation.errors import NotFound
from core.foundation.history import record_change
from core.foundation.live import tell
from core.foundation.unit_of_work import Work
from core.identity.openid.models import LinkedAccount, OpenIdProvider
from core.identity.own_account import own_account


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedRow:
    """An account that the user signs in with."""

    id: int
    provider: str
    kind: str
    email: str
    linked_at: datetime
    last_used_at: datetime


def my_linked_accounts(work: Work) -> list[LinkedRow]:
    """The actor's, by the provider's name."""
    query = (
        select(
            LinkedAccount.id,
            OpenIdProvider.name.label("provider"),
            OpenIdProvider.kind,
            LinkedAccount.email,
            LinkedAccount.linked_at,
            LinkedAccount.last_used_at,
        )
        .join(OpenIdProvider, OpenIdProvider.id == LinkedAccount.provider_id)
        .where(LinkedAccount.user_id == own_account(work).id)
        .order_by(OpenIdProvider.name)
    )
    return [LinkedRow(**row) for row in work.session.execute(query).mappings()]


def unlink_account(work: Work, link_id: int) -> None:
    """Forget one of the actor's; raises ``NotFound``, also for somebody else's."""
    row = work.session.get(LinkedAccount, link_id, with_for_update=True)
    if row is None or row.user_id != work.actor.user_id:
        raise NotFound
    name = work.session.get_one(OpenIdProvider, row.provider_id).name
    record_change(work, "user", row.user_id, before={"linked_account": name}, after={"linked_account": None})
    work.session.delete(row)
    tell(work, "user", [row.user_id])

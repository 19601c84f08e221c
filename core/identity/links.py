"""Links that let somebody in once without a password: an invitation, a forgotten password.

The link carries a random token, the table only its SHA-256. A user has one link of a kind at most: a newer one takes
the older one's place. Whoever takes care of the page answers 410 for ``NotFound``, in the same words whatever was wrong
with the link (ATTACKS 32, 33).
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import Select, delete, select, update

from core.foundation import clock
from core.foundation.actor import UserId
from core.foundation.errors import NotFound
from core.foundation.i18n import _
from core.foundation.unit_of_work import Work
from core.identity.models import OneTimeLink, UserAccount

TOKEN_BYTES: Final = 32


class LinkKind(StrEnum):
    """What a link lets its holder do."""

    INVITATION = "invitation"
    RESET = "reset"


VALID_FOR: Final = {LinkKind.INVITATION: timedelta(days=7), LinkKind.RESET: timedelta(hours=1)}


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkHolder:
    """Whom a link that still works belongs to."""

    user_id: UserId
    name: str
    email: str
    locale: str
    expires_at: datetime


def make_link(work: Work, kind: LinkKind, user_id: int) -> str:
    """A new link's token, for as long as ``VALID_FOR`` says; the user's earlier ones of this kind end."""
    withdraw_link(work, kind, user_id)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    expires_at = clock.now() + VALID_FOR[kind]
    link = OneTimeLink(kind=kind.value, user_id=user_id, token_sha256=_digest(token), expires_at=expires_at)
    work.session.add(link)
    work.session.flush()
    return token


def link_holder(work: Work, kind: LinkKind, token: str) -> LinkHolder:
    """Whose link it is, without using it up; ``NotFound`` if it is unknown, used, too old, or its user is blocked."""
    found = work.session.execute(_usable(kind, token)).one_or_none()
    if found is None:
        raise _spent()
    return LinkHolder(
        user_id=UserId(found.user_id),
        name=found.name,
        email=found.email,
        locale=found.locale,
        expires_at=found.expires_at,
    )


def use_link(work: Work, kind: LinkKind, token: str) -> LinkHolder:
    """The same, and nobody can use it again: of two at the same moment one gets ``NotFound``."""
    holder = link_holder(work, kind, token)
    unused = (OneTimeLink.token_sha256 == _digest(token), OneTimeLink.used_at.is_(None))
    used = update(OneTimeLink).where(*unused).values(used_at=clock.now()).returning(OneTimeLink.id)
    if work.session.scalar(used) is None:
        raise _spent()
    return holder


def withdraw_link(work: Work, kind: LinkKind, user_id: int) -> bool:
    """End the user's links of this kind; answers whether one still worked."""
    mine = (OneTimeLink.kind == kind.value, OneTimeLink.user_id == user_id)
    ended = delete(OneTimeLink).where(*mine).returning(OneTimeLink.used_at, OneTimeLink.expires_at)
    return any(used_at is None and expires_at > clock.now() for used_at, expires_at in work.session.execute(ended))


def _usable(kind: LinkKind, token: str) -> Select[int, str, str, str, datetime]:
    return (
        select(
            UserAccount.id.label("user_id"),
            UserAccount.name,
            UserAccount.email,
            UserAccount.locale,
            OneTimeLink.expires_at,
        )
        .join(OneTimeLink, OneTimeLink.user_id == UserAccount.id)
        .where(
            OneTimeLink.kind == kind.value,
            OneTimeLink.token_sha256 == _digest(token),
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > clock.now(),
            ~UserAccount.is_blocked,
        )
    )


def _spent() -> NotFound:
    return NotFound(_("This link does not work any more."))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()

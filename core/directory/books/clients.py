"""Synced clients: adding one, revoking it, and what the ledger says of it.

Nothing here claims that a contact was deleted on a phone: only that its removal was served, and that the client came
back after it. Whoever has not come back is named with the day on which it was last seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select, text, update

from core.directory import checks
from core.directory.books.models import ProfileLink, SyncedClient
from core.directory.books.visits import secret_digest
from core.directory.events import ClientRevoked
from core.foundation import clock
from core.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from core.foundation.history import record_change
from core.foundation.i18n import _
from core.foundation.live import tell
from core.foundation.outbox import emit
from core.foundation.permissions import Permission
from core.foundation.unit_of_work import Work
from core.identity.passwords import readable_password, readable_signs
from core.tenants.service import tenant_profile

MOST_CLIENTS: Final = 30
USERNAME_LENGTH: Final = 10
PASSWORD_GROUPS: Final = 5
PASSWORD_GROUP_SIGNS: Final = 6


@dataclass(frozen=True, slots=True)
class NewClient:
    """A client that was just added. The password is shown once and stored as a digest only."""

    id: int
    username: str
    password: str


@dataclass(frozen=True, slots=True)
class ClientBook:
    """How far a client is in a book; ``name`` is empty for the merged book. ``behind``: changes it was not told yet."""

    name: str
    served_at: datetime
    behind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientRow:
    """A client with its books. ``card_count``: cards it was handed and that were not withdrawn since."""

    id: int
    user_id: int
    user_name: str
    name: str
    username: str
    state: str
    created_at: datetime
    last_seen_at: datetime | None
    last_user_agent: str
    wipe_started_at: datetime | None
    wipe_served_at: datetime | None
    wipe_confirmed_at: datetime | None
    revoked_at: datetime | None
    card_count: int
    books: Sequence[ClientBook]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A client that was handed a contact's card. ``withdrawn`` is None while the contact still stands in the book, else
    ``pending``, ``served`` (its removal stood in an answer) or ``confirmed`` (the client came back after that)."""

    client_id: int
    client_name: str
    user_name: str
    book_name: str
    served_at: datetime
    last_seen_at: datetime | None
    state: str
    withdrawn: str | None
    withdrawn_at: datetime | None
    removal_served_at: datetime | None


@dataclass(frozen=True, slots=True)
class ProfileClient:
    """The client that a profile link belongs to."""

    id: int
    name: str
    username: str


def add_client(work: Work, name: str) -> NewClient:
    """Add a client for the actor; raises ``Invalid``, ``Conflict`` past 30 of them."""
    work.actor.require(Permission.CONTACTS_READ)
    if work.actor.user_id is None:
        raise Forbidden
    problems: checks.Problems = {}
    shown = checks.name(problems, name, missing=_("Give it a name, so that you know it again."))
    if problems:
        raise Invalid(problems)
    mine = select(SyncedClient.id).where(SyncedClient.user_id == work.actor.user_id, SyncedClient.state != "revoked")
    if len(work.session.scalars(mine).all()) >= MOST_CLIENTS:
        raise Conflict(_("More than %(limit)d are too many; revoke one that is not used.", limit=MOST_CLIENTS))
    password = readable_password(groups=PASSWORD_GROUPS, signs=PASSWORD_GROUP_SIGNS)
    client = SyncedClient(
        user_id=work.actor.user_id,
        name=shown,
        username=f"{tenant_profile(work).realm}-{readable_signs(USERNAME_LENGTH)}",
        secret_sha256=secret_digest(password),
    )
    work.session.add(client)
    work.session.flush()
    record_change(work, "synced_client", client.id, before={}, after={"name": shown, "user_id": client.user_id})
    tell(work, "client", [client.id])
    return NewClient(client.id, client.username, password)


def revoke_client(work: Work, client_id: int) -> str:
    """Wipe a client at its next sync; one that is being wiped already is cut off at once. Answers the new state.

    One's own, or anybody's with ``people.manage``. Raises ``NotFound``; emits ``ClientRevoked``.
    """
    client = work.session.get(SyncedClient, client_id, with_for_update=True)
    is_own = client is not None and client.user_id == work.actor.user_id
    if client is None or not (is_own or work.actor.may(Permission.PEOPLE_MANAGE)):
        raise NotFound
    return _revoke(work, client)


def revoke_clients_of(work: Work, user_id: int) -> int:
    """Revoke every client of somebody who leaves, for a service that has checked that the actor may; answers how many.

    Whoever was handed cards is wiped at its next sync, also when its user is gone by then.
    """
    mine = select(SyncedClient).where(SyncedClient.user_id == user_id, SyncedClient.state == "active")
    clients = list(work.session.scalars(mine.with_for_update()))
    for client in clients:
        _revoke(work, client)
    return len(clients)


def _revoke(work: Work, client: SyncedClient) -> str:
    before, at = client.state, clock.now()
    if before == "active" and client.last_seen_at is not None:
        client.state, client.wipe_started_at = "wiping", at
    elif before != "revoked":
        client.state, client.revoked_at = "revoked", at
    if record_change(work, "synced_client", client.id, before={"state": before}, after={"state": client.state}):
        emit(work, ClientRevoked(client.id))
        tell(work, "client", [client.id])
    return client.state


def my_clients(work: Work) -> list[ClientRow]:
    """The actor's own clients, newest first."""
    work.actor.require(Permission.CONTACTS_READ)
    return _clients(work, user_id=work.actor.user_id)


def all_clients(work: Work) -> list[ClientRow]:
    """Everybody's clients, newest first; needs ``people.manage``."""
    work.actor.require(Permission.PEOPLE_MANAGE)
    return _clients(work, user_id=None)


def holders_of_contact(work: Work, contact_id: int) -> list[Holder]:
    """Every client that was handed this contact's card, also if the contact was withdrawn since (GD-12, GD-18)."""
    work.actor.require(Permission.CONTACTS_READ)
    return [Holder(**row) for row in work.session.execute(_HOLDERS, {"contact_id": contact_id}).mappings()]


def keep_profile_link(work: Work, client_id: int, token_sha256: bytes, *, expires_at: datetime) -> None:
    """Remember a link that hands the settings of one of the actor's own clients to a phone. Raises ``NotFound``."""
    client = work.session.get(SyncedClient, client_id)
    if client is None or client.user_id != work.actor.user_id:
        raise NotFound
    work.session.add(ProfileLink(client_id=client_id, token_sha256=token_sha256, expires_at=expires_at))


def profile_link_client(work: Work, token_sha256: bytes) -> ProfileClient:
    """Whose link this is; raises ``NotFound`` if it is unknown, used or expired, or its client is not active."""
    query = (
        select(SyncedClient.id, SyncedClient.name, SyncedClient.username)
        .join(ProfileLink, ProfileLink.client_id == SyncedClient.id)
        .where(
            ProfileLink.token_sha256 == token_sha256,
            ProfileLink.used_at.is_(None),
            ProfileLink.expires_at > clock.now(),
            SyncedClient.state == "active",
        )
    )
    row = work.session.execute(query).one_or_none()
    if row is None:
        raise NotFound
    return ProfileClient(*row)


def use_profile_link(work: Work, token_sha256: bytes) -> ProfileClient:
    """The same, and nobody can use it again: of two at the same moment one finds it used."""
    client = profile_link_client(work, token_sha256)
    unused = (ProfileLink.token_sha256 == token_sha256, ProfileLink.used_at.is_(None))
    used = update(ProfileLink).where(*unused).values(used_at=clock.now()).returning(ProfileLink.id)
    if work.session.scalar(used) is None:
        raise NotFound
    return client


def _clients(work: Work, *, user_id: int | None) -> list[ClientRow]:
    rows = work.session.execute(_CLIENTS, {"user_id": user_id}).mappings().all()
    books: dict[int, list[ClientBook]] = {}
    for client_id, name, served_at, behind in work.session.execute(_BOOKS, {"ids": [row["id"] for row in rows]}):
        books.setdefault(client_id, []).append(ClientBook(name or "", served_at, behind))
    return [ClientRow(**row, books=books.get(row["id"], [])) for row in rows]


_CLIENTS: Final = text(
    """select c.id, c.user_id, u.name as user_name, c.name, c.username, c.state, c.created_at, c.last_seen_at,
        c.last_user_agent, c.wipe_started_at, c.wipe_served_at, c.wipe_confirmed_at, c.revoked_at,
        (select count(*) from synced_client_card s where s.client_id = c.id and exists (
            select from address_book_entry e where e.address_book_id = s.address_book_id and e.href = s.href)
        ) as card_count
    from synced_client c join user_account u on u.id = c.user_id
    where cast(:user_id as bigint) is null or c.user_id = :user_id
    order by c.state = 'revoked', c.created_at desc, c.id desc"""
)

_BOOKS: Final = text(
    """select s.client_id, b.name, s.served_at, (select count(*) from (
            select from address_book_entry e where (e.address_book_id = s.address_book_id or s.address_book_id is null)
                and e.version > s.served_version
            union all
            select from card_tombstone t where (t.address_book_id = s.address_book_id or s.address_book_id is null)
                and t.version > s.served_version limit 1000) as waiting) as behind
    from synced_client_book s left join address_book b on b.id = s.address_book_id
    where s.client_id = any(:ids) and (s.address_book_id is null or b.id is not null)
    order by s.client_id, b.name"""
)

_HOLDERS: Final = text(
    """select c.id as client_id, c.name as client_name, u.name as user_name, b.name as book_name, s.served_at,
        c.last_seen_at, c.state,
        case when t.version is null then null
            when c.wipe_confirmed_at is not null or greatest(f.confirmed_version, m.confirmed_version) >= t.version
                then 'confirmed'
            when c.wipe_served_at is not null or greatest(f.served_version, m.served_version) >= t.version
                then 'served'
            else 'pending' end as withdrawn,
        t.deleted_at as withdrawn_at,
        case when f.served_version >= t.version then f.served_at
            when m.served_version >= t.version then m.served_at
            else c.wipe_served_at end as removal_served_at
    from synced_client_card s
    join synced_client c on c.id = s.client_id
    join user_account u on u.id = c.user_id
    join address_book b on b.id = s.address_book_id
    left join card_tombstone t on t.address_book_id = s.address_book_id and t.href = s.href
        and not exists (select from address_book_entry e
            where e.address_book_id = s.address_book_id and e.href = s.href)
    left join synced_client_book f on f.client_id = c.id and f.address_book_id = s.address_book_id
    left join synced_client_book m on m.client_id = c.id and m.address_book_id is null
    where s.contact_id = :contact_id
    order by c.state = 'revoked', c.last_seen_at desc nulls last, c.id, b.name"""
)

"""A synced client's request: one transaction, entered as the client's user.

The user name carries the tenant's realm, so that any host name of the installation leads to it.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from core.directory.books.tokens import scope_digest
from core.foundation import clock
from core.foundation.actor import Actor, Door, TenantId, UserId, system_actor
from core.foundation.permissions import Permission
from core.foundation.statements import Statement
from core.foundation.unit_of_work import Work, outside_tenants, unit_of_work
from core.identity.attempts import (
    ATTEMPTS_PER_ACCOUNT,
    ATTEMPTS_PER_ADDRESS,
    ATTEMPTS_WINDOW,
    attempt_subjects,
    note_failure,
)
from core.tenants.service import keep_profile, tenant_of_realm

USERNAME: Final = re.compile(r"([0-9a-f]{16})-[0-9a-z]{10}")
ALL: Final = "all"
"""The merged book's name in addresses, for programs that show a single book."""

SEES_ALL: Final = "all"

_ENTER: Final = Statement(
    """select d.*, row_to_json(t) as tenant from dav_enter(:tenant, :username, :secret, :agent, :now, :account,
        :address, :since, :account_limit, :address_limit) d join tenant t on t.id = :tenant"""
)


class Throttled(Exception):
    """Too many failures under this user name or from this address: nothing is looked at for a quarter of an hour."""


class Unknown(Exception):
    """User name and password do not belong together, or the client was revoked, or its user is blocked."""


@dataclass(frozen=True, slots=True)
class PhoneBook:
    """A book that stands in this client's home. ``version`` is its change tag; ``collection`` its name in addresses."""

    id: int | None
    name: str
    version: int
    database_id: int

    @property
    def collection(self) -> str:
        """The last part of the book's address."""
        return ALL if self.id is None else str(self.id)


@dataclass(frozen=True, slots=True)
class Visit:
    """An open transaction on behalf of a synced client."""

    work: Work
    client_id: int
    username: str
    is_wiping: bool
    books: Sequence[PhoneBook]
    databases: str

    @property
    def may_write(self) -> bool:
        """Whether this client may change cards."""
        return not self.is_wiping and self.work.actor.may(Permission.CONTACTS_WRITE)

    def sees_database(self, database_id: int) -> bool:
        """Whether the user sees that contact database."""
        return self.databases == SEES_ALL or str(database_id) in self.databases.split(",")

    def scope(self, book: PhoneBook) -> str:
        """A digest of what the user sees of ``book``; another one means that things went or came without a change."""
        books = ",".join(other.collection for other in self.books) if book.id is None else ""
        return scope_digest(f"{self.databases}|{books}")

    def book(self, collection: str) -> PhoneBook | None:
        """The book of that name, the merged one among them; None if there is none for this client."""
        if collection == ALL:
            first = self.books[0].database_id if self.books else 0
            return PhoneBook(None, "", max((book.version for book in self.books), default=0), first)
        return next((book for book in self.books if book.collection == collection), None)


def tenant_of_username(username: str) -> TenantId | None:
    """The tenant that a client's user name carries."""
    found = USERNAME.fullmatch(username)
    return tenant_of_realm(found[1]) if found else None


@contextmanager
def visit(username: str, password: str, *, address: str, agent: str = "") -> Iterator[Visit]:
    """Open a transaction as the client's user; leaving commits, an exception rolls back.

    ``address`` is the IP address that asks, ``agent`` the client's name for itself. Raises ``Unknown``, which the
    caller counts with ``count_failure``, and ``Throttled``.
    """
    tenant_id = tenant_of_username(username)
    if tenant_id is None:
        raise Unknown
    with outside_tenants() as session:
        found = _ENTER.one(session, _values(tenant_id, username, password, address, agent))
        if found is None:
            raise Unknown
        if found.state == "throttled":
            raise Throttled
        permissions = frozenset(Permission) if found.is_owner else _known(found.permissions)
        actor = Actor(
            tenant_id=tenant_id,
            user_id=UserId(found.user_id),
            door=Door.DAV,
            permissions=permissions,
            locale=found.locale,
        )
        work = Work(session, actor)
        keep_profile(work, found.tenant)
        books = [PhoneBook(*row) for row in found.books or ()]
        yield Visit(work, found.client_id, username, found.state == "wiping", books, found.scope)


def count_failure(username: str, *, address: str) -> None:
    """Count a failed sign-in of the client's tenant; a user name that names none costs a guesser nothing and gives
    nothing."""
    tenant_id = tenant_of_username(username)
    if tenant_id is not None:
        with unit_of_work(system_actor(tenant_id, door=Door.DAV)) as work:
            note_failure(work, username, address=address)


def secret_digest(password: str) -> bytes:
    """What is stored of a client's password."""
    return hashlib.sha256(password.encode()).digest()


def _values(tenant_id: TenantId, username: str, password: str, address: str, agent: str) -> dict[str, Any]:
    account, origin = attempt_subjects(username, address)
    return {
        "tenant": tenant_id,
        "username": username,
        "secret": secret_digest(password),
        "agent": agent[:200],
        "now": clock.now(),
        "account": account,
        "address": origin,
        "since": clock.now() - ATTEMPTS_WINDOW,
        "account_limit": ATTEMPTS_PER_ACCOUNT,
        "address_limit": ATTEMPTS_PER_ADDRESS,
    }


def _known(values: Sequence[str]) -> frozenset[Permission]:
    return frozenset(permission for permission in Permission if permission.value in values)

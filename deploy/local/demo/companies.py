"""The two tenants: their people, groups, databases, categories, queues and addresses."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Final

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from core.directory.models import ContactDatabase, ContactDatabaseGrant
from core.foundation.actor import Actor, Door, TenantId, UserId, system_actor
from core.foundation.permissions import ADMINISTRATION, Permission
from core.foundation.settings import settings
from core.foundation.unit_of_work import Work, unit_of_work
from core.identity.service import (
    UserDraft,
    create_owner_group,
    create_permission_group,
    create_user,
    position_group,
)
from core.identity.user_groups import create_user_group
from core.mail.models import MailAddress
from core.tenants.service import create_tenant
from core.tickets.models import TicketCategory, TicketCategoryGrant
from core.timeline.models import Queue
from deploy.local.commands import DEMO_PASSWORD

AGENT: Final = frozenset(Permission) - ADMINISTRATION
READER: Final = frozenset(permission for permission in AGENT if permission.value.endswith(".read"))
CATEGORIES: Final = ("General", "Orders", "Invoices", "Offers", "Complaints")
CLOSED_CATEGORY: Final = "Legal"
DATABASES: Final = ("Customers", "Suppliers")
CLOSED_DATABASE: Final = "Board"
QUEUES: Final = {"support": ("Support", "General"), "invoices": ("Invoices", "Invoices")}
"""The local part of each address, its queue, and the category in which its tickets begin."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A tenant to create. ``people`` maps first names to full names; the first one owns the company."""

    key: str
    name: str
    people: Mapping[str, str]
    accent: str | None
    firms: int
    contacts: int
    tickets: int


DEMO: Final = Plan(
    key="demo",
    name="Linden Office",
    people={"anna": "Anna Lipská", "boris": "Boris Havran", "vera": "Vera Zielińska"},
    accent=None,
    firms=60,
    contacts=300,
    tickets=80,
)
OTHER: Final = Plan(
    key="other",
    name="Harbour Tools",
    people={"oleg": "Oleg Marchenko", "boris": "Boris Kowalik", "vera": "Vera Langley"},
    accent="#0f766e",
    firms=8,
    contacts=30,
    tickets=12,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A tenant that stands. Ids by name; addresses by local part."""

    id: TenantId
    name: str
    host: str
    owner: str
    users: Mapping[str, UserId]
    databases: Mapping[str, int]
    categories: Mapping[str, int]

    @property
    def agents(self) -> tuple[str, str]:
        """Who answers customers."""
        return (self.owner, "boris")

    def actor(self, name: str) -> Actor:
        """A person of this tenant, in the web app."""
        permissions = frozenset(Permission) if name == self.owner else AGENT
        return Actor(tenant_id=self.id, user_id=self.users[name], door=Door.WEB, permissions=permissions)

    def product(self, door: Door) -> Actor:
        """The product itself inside this tenant."""
        return system_actor(self.id, door=door)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What every part of the loader works with. ``now`` is the moment from which the demo counts back."""

    tenant: Tenant
    plan: Plan
    chance: Random
    now: datetime


def create(plan: Plan) -> Tenant:
    """Create the tenant and everything that its customers will need."""
    host = f"{plan.key}.{settings().base_domain}"
    engine = create_engine(settings().owner_database_url)
    with Session(engine) as session, session.begin():
        tenant_id = create_tenant(session, plan.name, host=host, accent=plan.accent)
    with unit_of_work(system_actor(tenant_id, door=Door.SETUP)) as work:
        groups = _create_user_groups(work)
        users = _create_people(work, plan, host, groups)
        databases = _create_databases(work, groups)
        categories = _create_categories(work, groups)
        queues = {local: Queue(name=name, channel="email") for local, (name, _category) in QUEUES.items()}
        work.session.add_all(queues.values())
        work.session.flush()
        addresses = [
            MailAddress(
                tenant_id=tenant_id,
                address=f"{local}@{host}",
                queue_id=queue.id,
                category_id=categories[QUEUES[local][1]],
            )
            for local, queue in queues.items()
        ]
    with Session(engine) as session, session.begin():
        session.add_all(addresses)
    engine.dispose()
    return Tenant(
        id=tenant_id,
        name=plan.name,
        host=host,
        owner=next(iter(plan.people)),
        users=users,
        databases=databases,
        categories=categories,
    )


def _create_user_groups(work: Work) -> dict[str, int]:
    position = position_group(work)
    return {name: create_user_group(work, name, parent_id=position) for name in ("Management", "Service", "Sales")}


def _create_people(work: Work, plan: Plan, host: str, groups: Mapping[str, int]) -> dict[str, UserId]:
    owner = next(iter(plan.people))
    places = {owner: ("Management",), "boris": ("Service", "Sales"), "vera": ("Service",)}
    permission_groups = {
        owner: create_owner_group(work, "Owners"),
        "boris": create_permission_group(work, "Agents", permissions=AGENT),
        "vera": create_permission_group(work, "Read only", permissions=READER),
    }
    return {
        key: create_user(
            work,
            UserDraft(
                email=f"{key}@{host}",
                name=name,
                password=DEMO_PASSWORD,
                permission_group_id=permission_groups[key],
                groups=tuple(groups[group] for group in places[key]),
            ),
        )
        for key, name in plan.people.items()
    }


def _create_databases(work: Work, groups: Mapping[str, int]) -> dict[str, int]:
    rows = [ContactDatabase(name=name) for name in DATABASES]
    closed = ContactDatabase(name=CLOSED_DATABASE, everyone_sees=False)
    work.session.add_all([*rows, closed])
    work.session.flush()
    work.session.add(ContactDatabaseGrant(user_group_id=groups["Management"], database_id=closed.id))
    return {row.name: row.id for row in (*rows, closed)}


def _create_categories(work: Work, groups: Mapping[str, int]) -> dict[str, int]:
    rows = [TicketCategory(name=name) for name in CATEGORIES]
    closed = TicketCategory(name=CLOSED_CATEGORY, everyone_sees=False)
    work.session.add_all([*rows, closed])
    work.session.flush()
    work.session.add(TicketCategoryGrant(user_group_id=groups["Management"], category_id=closed.id))
    return {row.name: row.id for row in (*rows, closed)}

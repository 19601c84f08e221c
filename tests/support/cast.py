"""The cast: Anna (owner), Boris (agent), Vera (may only read); Oleg owns another company and tries everything.

Both companies have the same user names, queue and addresses' local parts, so that a leak shows.
"""

from dataclasses import dataclass

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from core.directory.models import ContactDatabase, ContactDatabaseGrant
from core.foundation.actor import Actor, Door, TenantId, UserId, system_actor
from core.foundation.permissions import ADMINISTRATION, Permission
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

PASSWORD = "Right-1-password!"
AGENT = frozenset(Permission) - ADMINISTRATION
READER = frozenset(permission for permission in AGENT if permission.value.endswith(".read"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """One tenant of the cast, with the ids that tests need. ``users`` maps first names to ids."""

    tenant_id: TenantId
    host: str
    users: dict[str, UserId]
    open_database: int
    closed_database: int
    open_category: int
    closed_category: int
    queue: int
    mail_address: int

    @property
    def base_url(self) -> str:
        """The address of the company's web app in tests."""
        return f"http://{self.host}"


@dataclass(frozen=True, slots=True)
class Cast:
    """Both companies."""

    demo: Company
    other: Company

    def company_of(self, name: str) -> Company:
        """The company of a person of the cast."""
        return self.other if name == "oleg" else self.demo

    def actor(self, name: str) -> Actor:
        """The person as they act through the web."""
        company = self.company_of(name)
        permissions = {"boris": AGENT, "vera": READER}.get(name, frozenset(Permission))
        return Actor(tenant_id=company.tenant_id, user_id=company.users[name], door=Door.WEB, permissions=permissions)


def create_cast(owner_url: str) -> Cast:
    """Create both companies with real commits."""
    return Cast(
        demo=_create_company(owner_url, "Demo", names=("anna", "boris", "vera")),
        other=_create_company(owner_url, "Other", names=("oleg", "boris", "vera")),
    )


def _create_company(owner_url: str, name: str, *, names: tuple[str, ...]) -> Company:
    host = f"{name.lower()}.localhost"
    engine = create_engine(owner_url)
    with Session(engine) as session, session.begin():
        tenant_id = create_tenant(session, name, host=host)
    with unit_of_work(system_actor(tenant_id, door=Door.SETUP)) as work:
        users = _create_people(work, host, names)
        databases = _create_databases(work)
        categories = _create_categories(work)
        queue = Queue(name="Support", channel="email")
        work.session.add(queue)
        work.session.flush()
    with Session(engine) as session, session.begin():
        address = MailAddress(
            tenant_id=tenant_id, address=f"support@{host}", queue_id=queue.id, category_id=categories[0]
        )
        session.add(address)
        session.flush()
        address_id = address.id
    engine.dispose()
    return Company(
        tenant_id=tenant_id,
        host=host,
        users=users,
        open_database=databases[0],
        closed_database=databases[1],
        open_category=categories[0],
        closed_category=categories[1],
        queue=queue.id,
        mail_address=address_id,
    )


def _create_people(work: Work, host: str, names: tuple[str, ...]) -> dict[str, UserId]:
    groups = {
        "boris": create_permission_group(work, "Agents", permissions=AGENT),
        "vera": create_permission_group(work, "Readers", permissions=READER),
    }
    owners = create_owner_group(work, "Owners")
    position = position_group(work)
    return {
        name: create_user(
            work,
            UserDraft(
                email=f"{name}@{host}",
                name=f"{name.capitalize()} Nováková",
                password=PASSWORD,
                permission_group_id=groups.get(name, owners),
                groups=(position,),
            ),
        )
        for name in names
    }


def _create_databases(work: Work) -> tuple[int, int]:
    opened, closed = ContactDatabase(name="Customers"), ContactDatabase(name="Board", everyone_sees=False)
    work.session.add_all([opened, closed])
    work.session.flush()
    board = create_user_group(work, "Board")
    work.session.add(ContactDatabaseGrant(user_group_id=board, database_id=closed.id))
    return opened.id, closed.id


def _create_categories(work: Work) -> tuple[int, int]:
    opened, closed = TicketCategory(name="General"), TicketCategory(name="Legal", everyone_sees=False)
    work.session.add_all([opened, closed])
    work.session.flush()
    lawyers = create_user_group(work, "Lawyers")
    work.session.add(TicketCategoryGrant(user_group_id=lawyers, category_id=closed.id))
    return opened.id, closed.id

"""Founding a company with what it cannot work without: its owner, a database, a queue, a category, an address."""

import re
from dataclasses import dataclass
from typing import Final

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from core.directory.models import ContactDatabase
from core.foundation.actor import UserId
from core.foundation.addresses import NotAnAddress, checked_address
from core.foundation.errors import Invalid
from core.foundation.i18n import LOCALES, Message, _, translate
from core.foundation.settings import settings
from core.foundation.unit_of_work import Work
from core.identity.links import LinkKind, make_link
from core.identity.naming import cleaned_name
from core.identity.service import UserDraft, create_owner_group, create_user
from core.mail.models import MailAddress
from core.tenants.company import COUNTRIES, LONGEST_NAME
from core.tenants.models import TenantHost
from core.tenants.service import primary_host
from core.tickets.models import TicketCategory
from core.timeline.models import Queue

LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
FIRST_ADDRESS: Final = "support"


@dataclass(frozen=True, slots=True, kw_only=True)
class Founding:
    """A company to found under ``<label>.<base domain>``. ``country`` is ISO 3166-1 alpha-2."""

    name: str
    label: str
    owner_email: str
    owner_name: str
    locale: str = "en"
    country: str = "CZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Furnished:
    """What a company begins with. ``token`` is of the link by which its owner goes in, once and within seven days;
    ``address`` is not stored yet: it lies outside every tenant, where the product may only read."""

    owner_id: UserId
    token: str
    address: MailAddress


def furnish_company(work: Work, founding: Founding) -> Furnished:
    """Give a new company its owner, who has no password yet, and the places of its contacts, mails and tickets."""
    owner = UserDraft(
        email=founding.owner_email,
        name=founding.owner_name,
        password=None,
        permission_group_id=create_owner_group(work, _said(work, _("Owners"))),
        locale=founding.locale,
    )
    owner_id = create_user(work, owner)
    return Furnished(
        owner_id=owner_id, token=make_link(work, LinkKind.INVITATION, owner_id), address=_create_places(work)
    )


def _create_places(work: Work) -> MailAddress:
    queue = Queue(name=_said(work, _("Support")), channel="email")
    category = TicketCategory(name=_said(work, _("General")))
    work.session.add_all([ContactDatabase(name=_said(work, _("Contacts"))), queue, category])
    work.session.flush()
    address = f"{FIRST_ADDRESS}@{primary_host(work)}"
    return MailAddress(tenant_id=work.actor.tenant_id, address=address, queue_id=queue.id, category_id=category.id)


def checked_founding(session: Session, founding: Founding) -> Founding:
    """The same with its texts cleaned; raises ``Invalid`` with every problem."""
    problems: dict[str, Message] = {}
    name, owner_name = cleaned_name(founding.name), cleaned_name(founding.owner_name)
    for field, value in (("name", name), ("owner_name", owner_name)):
        if not value or len(value) > LONGEST_NAME:
            problems[field] = _("Enter a name of at most %(count)d characters.", count=LONGEST_NAME)
    label = founding.label.strip().lower()
    if LABEL.fullmatch(label) is None:
        problems["label"] = _("Letters of a to z, digits and hyphens make an address.")
    elif session.scalar(select(exists().where(TenantHost.host == host_of(label)))):
        problems["label"] = _("Another company has this address.")
    try:
        email = checked_address(founding.owner_email).lower()
    except NotAnAddress:
        problems["owner_email"] = _("This is no e-mail address; write it as name@company.com.")
        email = ""
    if founding.locale not in LOCALES:
        problems["locale"] = _("There is no such language.")
    if founding.country not in COUNTRIES:
        problems["country"] = _("Choose a country.")
    if problems:
        raise Invalid(problems)
    return Founding(
        name=name,
        label=label,
        owner_email=email,
        owner_name=owner_name,
        locale=founding.locale,
        country=founding.country,
    )


def host_of(label: str) -> str:
    """The host name that a label means."""
    return f"{label}.{settings().base_domain}"


def _said(work: Work, message: Message) -> str:
    return translate(message, work.actor.locale)

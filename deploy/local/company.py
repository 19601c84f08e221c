"""``python -m deploy.local.company``: found a company and print where its owner goes in."""

import argparse
import sys
from dataclasses import dataclass

from sqlalchemy import Engine, create_engine, delete
from sqlalchemy.orm import Session

from core.foundation.actor import Door, TenantId, system_actor
from core.foundation.errors import Invalid
from core.foundation.i18n import LOCALES, translate
from core.foundation.settings import settings
from core.foundation.unit_of_work import unit_of_work
from core.founding.service import Founding, checked_founding, furnish_company, host_of
from core.people.invitations import PATH
from core.tenants.models import TenantHost
from core.tenants.service import create_tenant, primary_url


@dataclass(frozen=True, slots=True, kw_only=True)
class Founded:
    """The new company. Whoever opens ``welcome_url``, once and within seven days, becomes its owner."""

    tenant_id: TenantId
    url: str
    welcome_url: str
    mail_address: str


def main(arguments: list[str]) -> int:
    """Found it; 1 with the reasons if something typed cannot be used."""
    typed = _parser().parse_args(arguments)
    founding = Founding(
        name=typed.name,
        label=typed.address,
        owner_name=typed.owner,
        owner_email=typed.email,
        locale=typed.language,
        country=typed.country,
    )
    engine = create_engine(settings().owner_database_url)
    try:
        founded = found_company(engine, founding)
    except Invalid as error:
        sys.stderr.writelines(f"{field}: {translate(problem, 'en')}\n" for field, problem in error.problems.items())
        return 1
    finally:
        engine.dispose()
    sys.stdout.write(_told(founding, founded))
    return 0


def found_company(owner: Engine, founding: Founding) -> Founded:
    """Found a company, whole or not at all; raises ``Invalid``.

    ``owner`` connects as the schema's owner: nobody else may create companies, nor addresses that lead to one.
    """
    with Session(owner) as session, session.begin():
        draft = checked_founding(session, founding)
        host = host_of(draft.label)
        tenant_id = create_tenant(session, draft.name, host=host, locale=draft.locale, country=draft.country)
    try:
        with unit_of_work(system_actor(tenant_id, door=Door.SETUP, locale=draft.locale)) as work:
            furnished, url = furnish_company(work, draft), primary_url(work)
        mail_address = furnished.address.address
        with Session(owner) as session, session.begin():
            session.add(furnished.address)
    except BaseException:
        _let_go(owner, tenant_id)
        raise
    return Founded(tenant_id=tenant_id, url=url, welcome_url=f"{url}{PATH}{furnished.token}", mail_address=mail_address)


def _let_go(owner: Engine, tenant_id: TenantId) -> None:
    """A company that nobody owns must not keep its host name from the next attempt."""
    with Session(owner) as session, session.begin():
        session.execute(delete(TenantHost).where(TenantHost.tenant_id == tenant_id))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./centrala company", description="Found a company with its owner.")
    parser.add_argument("name", help='its name: "Willow Works"')
    parser.add_argument("address", help="the first part of its address: willow")
    parser.add_argument("owner", help='the owner\'s name: "Eva Malá"')
    parser.add_argument("email", help="with which the owner signs in")
    parser.add_argument("--language", default="en", choices=LOCALES)
    parser.add_argument("--country", default="CZ", help="two letters (ISO 3166-1), for phone numbers and holidays")
    return parser


def _told(founding: Founding, founded: Founded) -> str:
    return "\n".join(
        (
            f"{founding.name} stands at {founded.url}",
            f"  mail in     {founded.mail_address}",
            f"  its owner   {founded.welcome_url}",
            "",
            f"Give the link to {founding.owner_name}: it works once, within seven days, and lets choose a password.",
            "",
        )
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

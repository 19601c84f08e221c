"""Customers: companies and the people who work there, in three languages."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Final

from sqlalchemy import select

from core.directory.models import Company, ContactDatabase
from core.directory.service import CompanyDraft, ContactDraft, Reachable, create_company, create_contact
from core.foundation import clock
from core.foundation.models import Base
from core.foundation.unit_of_work import Work, unit_of_work
from core.identity.models import UserAccount
from core.tenants.models import Tenant
from deploy.local.demo.companies import Plan, Scene
from deploy.local.demo.words import LANGUAGES, Language

SHARES: Final = {"cs": 45, "pl": 30, "en": 25}
WITHOUT_FIRM: Final = 0.25
IN_BOARD: Final = 0.02
IN_SUPPLIERS: Final = 0.12
OLDEST_DAYS: Final = 400
NEWEST_DAYS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Firm:
    """A company that the tenant deals with."""

    id: int
    name: str
    domain: str
    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who writes mails. ``firm`` is the company's name, or nothing."""

    name: str
    email: str
    phone: str
    title: str
    firm: str
    language: str
    is_woman: bool


def create_firms(scene: Scene) -> list[Firm]:
    """Create the companies, the oldest first."""
    firms = []
    with unit_of_work(scene.tenant.actor(scene.tenant.owner)) as work:
        for place, (language, name) in enumerate(_firm_names(scene.plan.firms)):
            _go_back(scene, place / scene.plan.firms)
            domain = f"{_plain(name)}.example"
            whole = f"{name} {scene.chance.choice(LANGUAGES[language].forms)}"
            firm_id = create_company(work, _firm_draft(scene, LANGUAGES[language], whole, domain))
            firms.append(Firm(id=firm_id, name=whole, domain=domain, language=language))
    return firms


def create_people(scene: Scene, firms: Sequence[Firm], taken: set[str]) -> list[Person]:
    """Create the contacts; answers those whom the whole service team sees. ``taken`` collects their addresses."""
    people = []
    with unit_of_work(scene.tenant.actor(scene.tenant.owner)) as work:
        kept = _keep_in_memory(work)
        for place in range(scene.plan.contacts):
            _go_back(scene, place / scene.plan.contacts)
            firm = None if scene.chance.random() < WITHOUT_FIRM else scene.chance.choice(firms)
            person = make_person(firm, scene.chance, taken)
            database = _database_of(place, scene.plan)
            create_contact(work, _contact_draft(scene, person, firm, database))
            if database == "Customers":
                people.append(person)
        kept.clear()
    return people


def _keep_in_memory(work: Work) -> list[Base]:
    """What every contact refers to: the session forgets rows that nobody holds, and would ask for them each time."""
    kept: list[Base] = []
    for model in (Tenant, Company, ContactDatabase, UserAccount):
        kept += work.session.scalars(select(model)).all()
    return kept


def make_person(firm: Firm | None, chance: Random, taken: set[str]) -> Person:
    """Somebody whose address nobody has yet."""
    key = firm.language if firm else chance.choices(list(SHARES), list(SHARES.values()))[0]
    language = LANGUAGES[key]
    while True:
        is_woman = chance.random() < 0.5
        given = chance.choice(language.women if is_woman else language.men)
        his, _slash, hers = chance.choice(language.families).partition("/")
        family = hers or his if is_woman else his
        email = f"{_plain(given)}.{_plain(family)}@{firm.domain if firm else language.mail_host}"
        if email in taken:
            continue
        taken.add(email)
        return Person(
            name=f"{given} {family}",
            email=email,
            phone=_number(language.mobiles, chance),
            title=chance.choice(language.titles) if firm else "",
            firm=firm.name if firm else "",
            language=key,
            is_woman=is_woman,
        )


def _firm_names(count: int) -> list[tuple[str, str]]:
    """Languages by their shares, names in order: the lists are long enough for ``count`` companies."""
    left = {key: list(language.firms) for key, language in LANGUAGES.items()}
    pattern = [key for key, share in SHARES.items() for _ in range(share // 5)]
    found: list[tuple[str, str]] = []
    while len(found) < count:
        keys = [key for key in pattern if left[key]]
        found += [(key, left[key].pop(0)) for key in keys[:: len(keys) // min(len(keys), 9)] if left[key]]
    return found[:count]


def _firm_draft(scene: Scene, language: Language, name: str, domain: str) -> CompanyDraft:
    chance = scene.chance
    town, postal_code = chance.choice(language.towns)
    registration = str(chance.randrange(10_000_000, 99_999_999))
    return CompanyDraft(
        name=name,
        database_id=scene.tenant.databases["Suppliers" if chance.random() < IN_SUPPLIERS else "Customers"],
        registration_number=registration,
        vat_number=f"{language.country}{registration}",
        website=f"https://www.{domain}",
        street=f"{chance.choice(language.streets)} {chance.randrange(1, 90)}",
        city=town,
        postal_code=postal_code,
        country=language.country,
        owner_id=_owner(scene),
        phones=(Reachable(_number(language.landlines, chance), "work"),),
        emails=(Reachable(f"info@{domain}", "work"),),
    )


def _contact_draft(scene: Scene, person: Person, firm: Firm | None, database: str) -> ContactDraft:
    chance, language = scene.chance, LANGUAGES[person.language]
    town, postal_code = chance.choice(language.towns)
    more_phones = (Reachable(_number(language.landlines, chance), "work"),) if firm and chance.random() < 0.3 else ()
    private = Reachable(f"{_plain(person.name)}{chance.randrange(10, 99)}@{language.mail_host}", "home")
    return ContactDraft(
        name=person.name,
        database_id=scene.tenant.databases[database],
        company_id=firm.id if firm else None,
        job_title=person.title,
        street="" if firm else f"{chance.choice(language.streets)} {chance.randrange(1, 90)}",
        city="" if firm else town,
        postal_code="" if firm else postal_code,
        country=language.country,
        note=chance.choice(language.notes) if chance.random() < 0.2 else "",
        owner_id=_owner(scene),
        phones=(Reachable(person.phone, "mobile"), *more_phones),
        emails=(Reachable(person.email, "work" if firm else "home"), *((private,) if chance.random() < 0.1 else ())),
    )


def _database_of(place: int, plan: Plan) -> str:
    if place < plan.contacts * IN_BOARD:
        return "Board"
    return "Suppliers" if place < plan.contacts * IN_SUPPLIERS else "Customers"


def _owner(scene: Scene) -> int | None:
    names = (*scene.tenant.agents, None)
    name = scene.chance.choice(names)
    return scene.tenant.users[name] if name else None


def _number(patterns: Sequence[str], chance: Random) -> str:
    return "".join(str(chance.randrange(10)) if sign == "#" else sign for sign in chance.choice(patterns))


def _go_back(scene: Scene, share: float) -> None:
    """Hold the clock so that ``share`` 0 is the oldest day and 1 the newest."""
    days = OLDEST_DAYS - share * (OLDEST_DAYS - NEWEST_DAYS)
    clock.hold(scene.now - timedelta(days=days))


def _plain(name: str) -> str:
    """The name as it stands in an address."""
    folded = unicodedata.normalize("NFKD", name.lower().replace("ł", "l"))
    words = ("".join(sign for sign in word if sign.isascii() and sign.isalnum()) for word in folded.split())
    return ".".join(word for word in words if word)

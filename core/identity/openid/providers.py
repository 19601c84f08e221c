"""Which providers a company trusts: set up by owners, for whoever trusts a provider trusts it with every user."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import func, select

from core.foundation.errors import Invalid, NotFound
from core.foundation.history import record_change
from core.foundation.i18n import Message, _
from core.foundation.permissions import Permission
from core.foundation.sealing import seal, unseal
from core.foundation.unit_of_work import Work
from core.identity.models import UserAccount
from core.identity.openid.asking import is_askable
from core.identity.openid.models import LinkedAccount, OpenIdProvider
from core.identity.openid.protocol import Client
from core.identity.owners import require_owner
from core.tenants.service import primary_url

KINDS: Final = ("google", "microsoft", "generic")
CALLBACK: Final = "/sign-in/openid"
PURPOSE: Final = b"openid client secret"
GOOGLE: Final = "https://accounts.google.com"
MICROSOFT: Final = "https://login.microsoftonline.com/{tenant}/v2.0"
MICROSOFT_TENANT: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
PERSONAL_ACCOUNTS: Final = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""Microsoft's tenant of everybody who has no company."""
DOMAIN: Final = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9][a-z0-9-]*[a-z0-9]")
MOST_DOMAINS: Final = 50
NAME_CHARACTERS: Final = 60
LONGEST: Final = 500
FIELDS: Final = ("name", "issuer", "client_id", "domains", "is_enabled", "counts_as_factor")

Problems = dict[str, Message]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderDraft:
    """A provider to add or what it is to become. ``place``: Microsoft's tenant id, else an issuer; Google needs none.

    ``domains`` are divided by spaces, commas or lines. ``client_secret`` None keeps the one that is stored.
    """

    name: str
    place: str
    client_id: str
    client_secret: str | None
    domains: str
    is_enabled: bool = True
    counts_as_factor: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderRow:
    """A provider as its owner sees it; its secret is never shown. ``only_so``: who cannot sign in in any other way."""

    id: int
    kind: str
    name: str
    issuer: str
    client_id: str
    domains: Sequence[str]
    is_enabled: bool
    counts_as_factor: bool
    linked_count: int
    only_so: Sequence[str]

    @property
    def place(self) -> str:
        """What of the issuer was typed."""
        if self.kind == "microsoft":
            return self.issuer.removeprefix(MICROSOFT.partition("{")[0]).partition("/")[0]
        return self.issuer if self.kind == "generic" else ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A button of the sign-in page."""

    id: int
    kind: str
    name: str


def redirect_url(work: Work) -> str:
    """Where providers send browsers back to; what they must be told (ATTACK 30)."""
    return f"{primary_url(work)}{CALLBACK}"


def offers(work: Work) -> list[Offer]:
    """The providers that somebody may choose before signing in."""
    query = select(OpenIdProvider.id, OpenIdProvider.kind, OpenIdProvider.name).where(OpenIdProvider.is_enabled)
    return [Offer(*row) for row in work.session.execute(query.order_by(func.lower(OpenIdProvider.name)))]


def providers(work: Work) -> list[ProviderRow]:
    """Every provider, by its name. Two statements."""
    work.actor.require(Permission.SETTINGS_MANAGE)
    linked: dict[int, list[tuple[str, bool]]] = {}
    elsewhere = select(LinkedAccount.user_id).group_by(LinkedAccount.user_id).having(func.count() > 1)
    has_another = UserAccount.password_hash.is_not(None) | UserAccount.id.in_(elsewhere)
    query = (
        select(LinkedAccount.provider_id, UserAccount.name, has_another)
        .join(UserAccount, UserAccount.id == LinkedAccount.user_id)
        .order_by(UserAccount.sort_key)
    )
    for provider_id, name, is_able in work.session.execute(query):
        linked.setdefault(provider_id, []).append((name, is_able))
    return [
        ProviderRow(
            **{field: getattr(row, field) for field in ("id", "kind", *FIELDS)},
            linked_count=len(linked.get(row.id, ())),
            only_so=[name for name, is_able in linked.get(row.id, ()) if not is_able],
        )
        for row in work.session.scalars(select(OpenIdProvider).order_by(func.lower(OpenIdProvider.name)))
    ]


def provider(work: Work, provider_id: int) -> ProviderRow:
    """One of them; raises ``NotFound``."""
    found = next((row for row in providers(work) if row.id == provider_id), None)
    if found is None:
        raise NotFound
    return found


def client_of(work: Work, provider_id: int) -> Client:
    """What the company is at one of its providers; raises ``NotFound``, also if its secret cannot be read any more."""
    row = work.session.get(OpenIdProvider, provider_id)
    secret = unseal(row.sealed_secret, purpose=PURPOSE, tenant_id=work.actor.tenant_id) if row else None
    if row is None or secret is None:
        raise NotFound
    return Client(
        kind=row.kind,
        issuer=row.issuer,
        client_id=row.client_id,
        client_secret=secret.decode(),
        redirect_url=redirect_url(work),
    )


def add_provider(work: Work, kind: str, draft: ProviderDraft) -> int:
    """Trust a provider from now on. Raises ``Invalid``, ``Forbidden`` for whoever is no owner."""
    require_owner(work)
    if kind not in KINDS:
        raise NotFound
    return _save(work, OpenIdProvider(kind=kind), draft)


def change_provider(work: Work, provider_id: int, draft: ProviderDraft) -> None:
    """Change a provider; its linked accounts stay. Raises ``Invalid``, ``NotFound``, ``Conflict``, ``Forbidden``.

    The issuer stays what it is, since the accounts that are linked are known by that issuer's names.
    """
    _save(work, _locked(work, provider_id), draft)


def remove_provider(work: Work, provider_id: int) -> None:
    """Trust it no more, and forget which accounts were linked. Raises ``NotFound``, ``Forbidden``."""
    row = _locked(work, provider_id)
    record_change(work, "openid_provider", row.id, before={name: getattr(row, name) for name in FIELDS}, after={})
    work.session.delete(row)


def _save(work: Work, row: OpenIdProvider, draft: ProviderDraft) -> int:
    is_new = row.id is None
    cleaned, domains = _checked(work, row, draft)
    before: dict[str, object] = {} if is_new else {name: getattr(row, name) for name in FIELDS}
    row.name, row.client_id, row.domains = cleaned.name, cleaned.client_id, domains
    row.is_enabled, row.counts_as_factor = cleaned.is_enabled, cleaned.counts_as_factor
    if is_new:
        row.issuer = cleaned.place
    after: dict[str, object] = {name: getattr(row, name) for name in FIELDS}
    if cleaned.client_secret is not None:
        before["client_secret"], after["client_secret"] = None if is_new else "old", "new"
        sealed = seal(cleaned.client_secret.encode(), purpose=PURPOSE, tenant_id=work.actor.tenant_id)
        row.sealed_secret = sealed
    work.session.add(row)
    work.session.flush()
    record_change(work, "openid_provider", row.id, before=before, after=after)
    return row.id


def _checked(work: Work, row: OpenIdProvider, draft: ProviderDraft) -> tuple[ProviderDraft, list[str]]:
    """The draft with the issuer in ``place``, and its domains."""
    problems: Problems = {}
    name, client_id = " ".join(draft.name.split()), draft.client_id.strip()
    secret = draft.client_secret.strip() if draft.client_secret is not None else None
    if not name:
        problems["name"] = _("Say what the button is called, such as the company's name.")
    elif len(name) > NAME_CHARACTERS:
        problems["name"] = _("A name has at most %(limit)d characters.", limit=NAME_CHARACTERS)
    elif work.session.scalar(
        select(OpenIdProvider.id).where(OpenIdProvider.name == name, OpenIdProvider.id != (row.id or 0))
    ):
        problems["name"] = _("There is a provider of this name.")
    issuer = _issuer(problems, row.kind, draft.place.strip()) if row.id is None else row.issuer
    if not client_id or len(client_id) > LONGEST or not (client_id.isascii() and client_id.isprintable()):
        problems["client_id"] = _("Copy the client id from the provider's console.")
    if (secret == "" or (secret is None and row.id is None)) or (secret and not _is_secret(secret)):
        problems["client_secret"] = _("Copy the client secret from the provider's console.")
    domains = _domains(problems, draft.domains)
    if problems:
        raise Invalid(problems)
    return replace(draft, name=name, place=issuer, client_id=client_id, client_secret=secret), domains


def _issuer(problems: Problems, kind: str, typed: str) -> str:
    if kind == "google":
        return GOOGLE
    if kind == "microsoft":
        tenant = typed.lower()
        if not MICROSOFT_TENANT.fullmatch(tenant) or tenant == PERSONAL_ACCOUNTS:
            problems["place"] = _("Enter your organisation's directory id: 32 letters and digits in five groups.")
        return MICROSOFT.format(tenant=tenant)
    if len(typed) > LONGEST or not is_askable(typed) or "?" in typed or "#" in typed:
        problems["place"] = _("Enter the issuer's address, which begins with https:// and has no ? in it.")
    return typed


def _domains(problems: Problems, typed: str) -> list[str]:
    found = sorted({word.lower().removeprefix("@") for word in re.split(r"[\s,;]+", typed) if word})
    wrong = next((word for word in found if not DOMAIN.fullmatch(word)), None)
    if not found:
        problems["domains"] = _("Enter the part behind the @ of your people's addresses, such as company.com.")
    elif wrong is not None:
        problems["domains"] = _("“%(word)s” is no domain.", word=wrong[:100])
    elif len(found) > MOST_DOMAINS:
        problems["domains"] = _("At most %(limit)d domains can be named.", limit=MOST_DOMAINS)
    return found


def _is_secret(secret: str) -> bool:
    return len(secret) <= LONGEST and secret.isascii() and secret.isprintable()


def _locked(work: Work, provider_id: int) -> OpenIdProvider:
    work.actor.require(Permission.SETTINGS_MANAGE)
    row = work.session.get(OpenIdProvider, provider_id, with_for_update=True)
    if row is None:
        raise NotFound
    require_owner(work)
    return row

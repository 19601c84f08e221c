"""What somebody typed about a contact or a company, before it is checked."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reachable:
    """A phone number or an e-mail address as typed, and its kind: ``mobile``, ``work``, ``home``, ``other`` or none."""

    value: str
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyDraft:
    """A company to store. ``country`` is ISO 3166-1 alpha-2; empty phones and e-mails are left out."""

    name: str
    database_id: int
    registration_number: str = ""
    vat_number: str = ""
    website: str = ""
    street: str = ""
    city: str = ""
    postal_code: str = ""
    country: str = ""
    note: str = ""
    owner_id: int | None = None
    phones: tuple[Reachable, ...] = ()
    emails: tuple[Reachable, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactDraft:
    """A person to store. ``country`` is ISO 3166-1 alpha-2; empty phones and e-mails are left out."""

    name: str
    database_id: int
    company_id: int | None = None
    job_title: str = ""
    street: str = ""
    city: str = ""
    postal_code: str = ""
    country: str = ""
    note: str = ""
    owner_id: int | None = None
    phones: tuple[Reachable, ...] = ()
    emails: tuple[Reachable, ...] = ()

"""Creating and changing contacts and companies.

Each verb checks every field and raises ``Invalid`` with a problem for each wrong one: under the field's name, or under
``phones-1``, ``emails-0`` for the second number or the first address of the draft.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import delete, select

from core.directory import checks
from core.directory.books.entries import follow_contact, withdraw
from core.directory.drafts import CompanyDraft, ContactDraft, Reachable
from core.directory.events import CompanySaved, ContactDeleted
from core.directory.models import Company, CompanyEmail, CompanyPhone, Contact
from core.directory.storing import StoredContact, store_contact, stored_contact
from core.directory.words import words_of_company
from core.foundation import clock
from core.foundation.announcing import announce
from core.foundation.errors import Conflict, Invalid, NotFound
from core.foundation.i18n import _
from core.foundation.permissions import Permission
from core.foundation.sorting import sort_key
from core.foundation.unit_of_work import Work
from core.tenants.service import tenant_profile

__all__ = [
    "CompanyDraft",
    "ContactDraft",
    "Reachable",
    "change_company",
    "change_contact",
    "change_contact_by_card",
    "create_company",
    "create_contact",
    "delete_contact",
]

Row = TypeVar("Row", Contact, Company)
Values = dict[str, Any]

ADDRESS_FIELDS: Final = ("street", "city", "postal_code")
PLAIN_FIELDS: Final = ("name", "database_id", "job_title", *ADDRESS_FIELDS, "country", "note", "owner_id")


def create_contact(work: Work, draft: ContactDraft, *, known: Mapping[str, int | None] | None = None) -> int:
    """Store a new person and answer the id; raises ``Invalid``, emits ``ContactSaved``.

    ``known`` has references by field that the caller has found in this transaction, and that need no second look.
    """
    work.actor.require(Permission.CONTACTS_WRITE)
    return _save_contact(work, None, _checked_contact(work, draft, known=known), before={})


def change_contact(work: Work, contact_id: int, draft: ContactDraft, *, version: int) -> None:
    """Store the draft over the contact that nobody changed since ``version``.

    A company that the actor cannot see stays. Raises ``NotFound``, ``Conflict`` for a stale version, ``Invalid``;
    emits ``ContactSaved`` if anything differs.
    """
    work.actor.require(Permission.CONTACTS_WRITE)
    stored = stored_contact(work, contact_id)
    _refuse_stale(stored.version, version)
    _change_contact(work, contact_id, stored, _checked_contact(work, draft))


def change_contact_by_card(work: Work, contact_id: int, revise: Callable[[ContactDraft], ContactDraft]) -> None:
    """Bring into the contact what a client wrote into its card, which is stored already.

    ``revise`` gets what stands there now; a company that the actor cannot see is not in it, and stays. Raises
    ``NotFound``, ``Invalid``; emits ``ContactSaved`` if anything differs.
    """
    work.actor.require(Permission.CONTACTS_WRITE)
    stored = stored_contact(work, contact_id)
    before = stored.values
    present = ContactDraft(
        **{field: before[field] for field in PLAIN_FIELDS},
        company_id=before["company_id"] if stored.is_company_seen else None,
        phones=tuple(Reachable(*pair) for pair in before["phones"]),
        emails=tuple(Reachable(*pair) for pair in before["emails"]),
    )
    values = _checked_contact(work, revise(present), known=before)
    _change_contact(work, contact_id, stored, values, is_card_written=True)


def delete_contact(work: Work, contact_id: int, *, version: int) -> None:
    """Delete a person: tickets and activities stay without them, and phones drop them at their next sync (GD-12).

    Raises ``NotFound``, ``Conflict`` for a stale version; emits ``ContactDeleted``.
    """
    work.actor.require(Permission.CONTACTS_WRITE)
    contact = _locked(work, Contact, contact_id, version=version)
    withdraw(work, [contact_id], book_id=None)
    work.session.delete(contact)
    work.session.flush()
    before = {"database_id": contact.database_id}
    announce(work, "contact", contact_id, before=before, after={}, event=ContactDeleted(contact_id))


def _change_contact(
    work: Work, contact_id: int, stored: StoredContact, values: Values, *, is_card_written: bool = False
) -> None:
    """Store the values if any differs; a company that the actor cannot see stays."""
    if values["company_id"] is None and not stored.is_company_seen:
        values["company_id"] = stored.values["company_id"]
    if stored.values != values:
        _save_contact(work, contact_id, values, before=stored.values, is_card_written=is_card_written)


def create_company(work: Work, draft: CompanyDraft) -> int:
    """Store a new company and answer the id; raises ``Invalid``, emits ``CompanySaved``."""
    work.actor.require(Permission.COMPANIES_WRITE)
    return _save_company(work, Company(), _checked_company(work, draft), before={})


def change_company(work: Work, company_id: int, draft: CompanyDraft, *, version: int) -> None:
    """Store the draft over the company that nobody changed since ``version``.

    Raises ``NotFound``, ``Conflict`` for a stale version, ``Invalid``; emits ``CompanySaved`` if anything differs, and
    a job then brings the new name among the search words of its contacts.
    """
    work.actor.require(Permission.COMPANIES_WRITE)
    company = _locked(work, Company, company_id, version=version)
    values = _checked_company(work, draft)
    before = _stored(company, values) | _stored_ways(work, CompanyPhone.company_id, CompanyEmail.company_id, company.id)
    if before != values:
        _save_company(work, company, values, before=before)


def _save_contact(
    work: Work, contact_id: int | None, values: Values, *, before: Values, is_card_written: bool = False
) -> int:
    stored_id = store_contact(work, contact_id, values, before=before, told=_worth_telling(values, before))
    if before and not is_card_written:
        follow_contact(work, stored_id, before, values)
    return stored_id


def _save_company(work: Work, company: Company, values: Values, *, before: Values) -> int:
    phones, emails = _apply(work, company, values, is_new=not before)
    company.search_words = words_of_company(company, phones, emails)
    work.session.add(company)
    work.session.flush()
    _replace(work, CompanyPhone.company_id, company.id, before.get("phones"), [_phone(row) for row in phones])
    _replace(work, CompanyEmail.company_id, company.id, before.get("emails"), [_email(row) for row in emails])
    told = _worth_telling(values, before)
    announce(work, "company", company.id, before=before, after=told, event=CompanySaved(company.id))
    return company.id


def _checked_contact(work: Work, draft: ContactDraft, *, known: Mapping[str, Any] | None = None) -> Values:
    known = known or {}
    problems: checks.Problems = {}
    values: Values = {
        "name": checks.name(problems, draft.name, missing=_("A contact needs a name.")),
        "job_title": checks.line(problems, "job_title", draft.job_title),
        "company_id": checks.company(work, problems, draft.company_id, known=known.get("company_id")),
    }
    return _checked(work, draft, values, problems, known=known)


def _checked_company(work: Work, draft: CompanyDraft) -> Values:
    problems: checks.Problems = {}
    values: Values = {
        "name": checks.name(problems, draft.name, missing=_("A company needs a name.")),
        "registration_number": checks.line(problems, "registration_number", draft.registration_number),
        "vat_number": checks.line(problems, "vat_number", draft.vat_number),
        "website": checks.website(problems, draft.website),
    }
    return _checked(work, draft, values, problems, known={})


def _checked(
    work: Work,
    draft: ContactDraft | CompanyDraft,
    values: Values,
    problems: checks.Problems,
    *,
    known: Mapping[str, Any],
) -> Values:
    """What contacts and companies have in common; phones and e-mails become lists that the history can hold."""
    phones = checks.phones(problems, draft.phones, home=tenant_profile(work).country)
    emails = checks.emails(problems, draft.emails)
    values |= {field: checks.line(problems, field, getattr(draft, field)) for field in ADDRESS_FIELDS}
    values |= {
        "country": checks.country(problems, draft.country),
        "note": checks.note(problems, draft.note),
        "database_id": checks.database(work, problems, draft.database_id, known=known.get("database_id")),
        "owner_id": checks.owner(work, problems, draft.owner_id, known=known.get("owner_id")),
        "phones": [[phone.value, phone.label] for phone in phones],
        "emails": [[email.value, email.label] for email in emails],
    }
    if problems:
        raise Invalid(problems)
    return values


def _apply(work: Work, row: Company, values: Values, *, is_new: bool) -> tuple[list[Reachable], list[Reachable]]:
    """Write the plain values; answers the phones and e-mails."""
    for field, value in values.items():
        if field not in {"phones", "emails"}:
            setattr(row, field, value)
    row.sort_key = sort_key(row.name, tenant_profile(work).locale)
    row.updated_at = clock.now()
    if not is_new:
        row.version += 1
    return [Reachable(*pair) for pair in values["phones"]], [Reachable(*pair) for pair in values["emails"]]


def _locked(work: Work, model: type[Row], row_id: int, *, version: int) -> Row:
    row = work.session.get(model, row_id, with_for_update=True)
    if row is None:
        raise NotFound
    _refuse_stale(row.version, version)
    return row


def _refuse_stale(stored: int, meant: int) -> None:
    if stored != meant:
        raise Conflict(_("A colleague saved this in the meantime. What you typed is kept, but not saved yet."))


def _stored(row: Company, values: Values) -> Values:
    return {field: getattr(row, field) for field in values if field not in {"phones", "emails"}}


def _stored_ways(work: Work, phone_of: Any, email_of: Any, row_id: int) -> Values:
    """The phones and e-mails as they stand; ``phone_of`` and ``email_of`` are the columns that lead to the row."""
    phone, email = phone_of.class_, email_of.class_
    phones = select(phone.number, phone.label).where(phone_of == row_id).order_by(phone.position)
    emails = select(email.address, email.label).where(email_of == row_id).order_by(email.position)
    return {
        "phones": [list(pair) for pair in work.session.execute(phones)],
        "emails": [list(pair) for pair in work.session.execute(emails)],
    }


def _replace(work: Work, owner: Any, row_id: int, stored: list[list[str]] | None, wanted: Sequence[Values]) -> None:
    """Let exactly ``wanted`` stand in the table of column ``owner``; what is the same already stays untouched."""
    pairs = [[row.get("number") or row["address"], row["label"]] for row in wanted]
    if stored == pairs:
        return
    if stored:
        work.session.execute(delete(owner.class_).where(owner == row_id))
    rows = ({owner.key: row_id, "position": place, **row} for place, row in enumerate(wanted))
    work.session.add_all(owner.class_(**row) for row in rows)
    work.session.flush()


def _phone(row: Reachable) -> Values:
    return {"number": row.value, "label": row.label}


def _email(row: Reachable) -> Values:
    return {"address": row.value, "address_lower": row.value.lower(), "label": row.label}


def _worth_telling(values: Values, before: Values) -> Values:
    """A new thing's history begins with what it has, not with a list of empty fields."""
    return values if before else {field: value for field, value in values.items() if value not in ("", None, [])}

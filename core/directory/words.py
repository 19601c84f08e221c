"""The words that search finds contacts and companies by. The database folds them (lower case, no accents).

A company's name stands among its contact's words only where everybody who sees the contact sees the company too:
otherwise a search would tell of a name that the viewer may not know (ATTACK 57).
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from core.directory.drafts import Reachable
from core.directory.models import Company, Contact, ContactDatabase
from core.directory.phones import national_digits
from core.foundation.unit_of_work import Work


def words_of_contact(work: Work, contact: Contact, phones: Iterable[Reachable], emails: Iterable[Reachable]) -> str:
    """What ``contact`` is found by."""
    company = work.session.get(Company, contact.company_id) if contact.company_id else None
    known = company.name if company is not None and _is_seen_with(work, company, contact) else ""
    return _joined([contact.name, known, contact.city, *_ways(phones, emails)])


def words_of_company(company: Company, phones: Iterable[Reachable], emails: Iterable[Reachable]) -> str:
    """What ``company`` is found by."""
    host = (urlsplit(company.website).hostname or "").removeprefix("www.")
    numbers = [company.registration_number, company.vat_number]
    return _joined([company.name, company.city, host, *numbers, *_ways(phones, emails)])


def _ways(phones: Iterable[Reachable], emails: Iterable[Reachable]) -> Iterable[str]:
    for phone in phones:
        yield phone.value
        if not phone.value.endswith(national_digits(phone.value)):
            yield national_digits(phone.value)
    for email in emails:
        yield email.value


def _is_seen_with(work: Work, company: Company, contact: Contact) -> bool:
    if company.database_id == contact.database_id:
        return True
    database = work.session.get(ContactDatabase, company.database_id)
    return database is not None and database.everyone_sees


def _joined(words: Iterable[str]) -> str:
    """A space leads, so that a short needle can ask for the beginning of a word (``finding``)."""
    return " " + " ".join(word for word in words if word)

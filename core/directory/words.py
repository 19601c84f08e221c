"""The words that search finds contacts and companies by. The database folds them (lower case, no accents).

A company's name stands among its contact's words only where everybody who sees the contact sees the company too:
otherwise a search would tell of a name that the viewer may not know (ATTACK 57); ``contact_company_words`` decides.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, func

from core.directory.drafts import Reachable
from core.directory.models import Company, Contact
from core.directory.phones import national_digits


def words_of_contact(name: str, city: str, phones: Iterable[str], emails: Iterable[str]) -> str:
    """What a contact is found by, but for its company's name, which the database adds where it may."""
    return _joined([name, city, *_ways(phones, emails)])


def with_company(words: str, contact: Contact) -> ColumnElement[str]:
    """The same with the name of the contact's company, where it may stand there."""
    return func.concat_ws(" ", words, func.contact_company_words(contact.company_id, contact.database_id))


def words_of_company(company: Company, phones: Iterable[Reachable], emails: Iterable[Reachable]) -> str:
    """What ``company`` is found by."""
    host = (urlsplit(company.website).hostname or "").removeprefix("www.")
    numbers = [company.registration_number, company.vat_number]
    return _joined(
        [
            company.name,
            company.city,
            host,
            *numbers,
            *_ways((phone.value for phone in phones), (email.value for email in emails)),
        ]
    )


def _ways(phones: Iterable[str], emails: Iterable[str]) -> Iterable[str]:
    for phone in phones:
        yield phone
        if not phone.endswith(national_digits(phone)):
            yield national_digits(phone)
    yield from emails


def _values(ways: Iterable[Reachable]) -> Iterable[str]:
    return (way.value for way in ways)


def _joined(words: Iterable[str]) -> str:
    """A space leads, so that a short needle can ask for the beginning of a word (``finding``)."""
    return " " + " ".join(word for word in words if word)

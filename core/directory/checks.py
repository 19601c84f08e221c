"""Checking what was typed: clean it, and gather a problem for every field that cannot be used."""

import unicodedata
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

from icu import Locale
from sqlalchemy import select

from core.directory.drafts import Reachable
from core.directory.models import Company, ContactDatabase
from core.directory.phones import NotANumber, as_e164
from core.foundation.addresses import NotAnAddress, checked_address
from core.foundation.i18n import Message, _
from core.foundation.unit_of_work import Work
from core.identity.models import UserAccount

LABELS: Final = ("", "mobile", "work", "home", "other")
LINE_CHARACTERS: Final = 200
NOTE_CHARACTERS: Final = 10_000
MOST_ROWS: Final = 30
LARGEST_ID: Final = 2**63 - 1
COUNTRIES: Final = frozenset(Locale.getISOCountries())
TURNING_SIGNS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

Problems = dict[str, Message]


def line(problems: Problems, field: str, typed: str) -> str:
    """One line of text: composed, without control signs, spaces folded."""
    text = " ".join(_printable(typed).split())
    return _not_longer(problems, field, text, LINE_CHARACTERS)


def name(problems: Problems, typed: str, *, missing: Message) -> str:
    """A name, which must not be empty."""
    text = line(problems, "name", typed)
    if not text:
        problems["name"] = missing
    return text


def note(problems: Problems, typed: str) -> str:
    """Several lines of text."""
    lines = typed.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    text = "\n".join(_printable(row).rstrip() for row in lines).strip()
    return _not_longer(problems, "note", text, NOTE_CHARACTERS)


def country(problems: Problems, typed: str) -> str:
    """A country's code, or nothing."""
    code = typed.strip().upper()
    if code and code not in COUNTRIES:
        problems["country"] = _("There is no such country.")
        return ""
    return code


def website(problems: Problems, typed: str) -> str:
    """An address of the web; without a scheme it is https, and no other scheme than the web's is taken."""
    text = line(problems, "website", typed)
    if not text:
        return ""
    url = text if "://" in text else f"https://{text}"
    if not _is_web_address(url):
        problems["website"] = _("This is no web address; write it as www.company.com.")
    return url


def phones(problems: Problems, typed: Sequence[Reachable], *, home: str) -> list[Reachable]:
    """The numbers in E.164; problems stand under ``phones-<place>``."""

    def read(value: str) -> str:
        try:
            return as_e164(value, home)
        except NotANumber as error:
            raise _Unusable(error.problem) from error

    twice = _("This number stands here twice.")
    return _several(problems, "phones", typed, read, twice=twice, same=str)


def emails(problems: Problems, typed: Sequence[Reachable]) -> list[Reachable]:
    """The addresses as written; problems stand under ``emails-<place>``."""

    def read(value: str) -> str:
        try:
            checked = checked_address(value)
        except NotAnAddress as error:
            raise _Unusable(_("This is no e-mail address; write it as name@company.com.")) from error
        if "." not in checked.partition("@")[2]:
            raise _Unusable(_("The part after the @ is not complete; write it as name@company.com."))
        return checked

    twice = _("This address stands here twice.")
    return _several(problems, "emails", typed, read, twice=twice, same=str.lower)


def database(work: Work, problems: Problems, database_id: int, *, known: int | None = None) -> int:
    """A contact database that the actor sees; ``known`` is one that needs no look, here and below."""
    if database_id != known and not _is_there(work, ContactDatabase, database_id):
        problems["database_id"] = _("There is no such database.")
    return database_id


def company(work: Work, problems: Problems, company_id: int | None, *, known: int | None = None) -> int | None:
    """A company that the actor sees, or none."""
    if company_id not in {None, known} and not _is_there(work, Company, company_id):
        problems["company_id"] = _("There is no such company.")
    return company_id


def owner(work: Work, problems: Problems, owner_id: int | None, *, known: int | None = None) -> int | None:
    """A colleague, or nobody."""
    if owner_id not in {None, known} and not _is_there(work, UserAccount, owner_id):
        problems["owner_id"] = _("There is no such colleague.")
    return owner_id


class _Unusable(Exception):
    def __init__(self, problem: Message) -> None:
        super().__init__(str(problem))
        self.problem = problem


def _several(
    problems: Problems,
    field: str,
    typed: Sequence[Reachable],
    read: Callable[[str], str],
    *,
    twice: Message,
    same: Callable[[str], str],
) -> list[Reachable]:
    found: list[Reachable] = []
    seen: set[str] = set()
    for place, row in enumerate(typed):
        value = " ".join(_printable(row.value).split())
        if not value:
            continue
        try:
            stored = _read_row(value, row.label, read)
        except _Unusable as error:
            problems[f"{field}-{place}"] = error.problem
            continue
        if same(stored) in seen:
            problems[f"{field}-{place}"] = twice
        seen.add(same(stored))
        found.append(Reachable(stored, row.label))
    if len(found) > MOST_ROWS:
        problems[f"{field}-{MOST_ROWS}"] = _("More than %(limit)d do not fit here.", limit=MOST_ROWS)
    return found


def _read_row(value: str, label: str, read: Callable[[str], str]) -> str:
    if label not in LABELS:
        raise _Unusable(_("There is no such kind."))
    return read(value)


def _not_longer(problems: Problems, field: str, text: str, limit: int) -> str:
    if len(text) > limit:
        problems[field] = _("Shorten this to %(limit)d characters; it has %(count)d.", limit=limit, count=len(text))
    return text


def _printable(text: str) -> str:
    """Composed (NFC), without control signs and those that turn the direction of what follows."""
    if text.isprintable():  # as nearly everything is
        return unicodedata.normalize("NFC", text)
    kept = (" " if sign.isspace() else sign for sign in text if sign.isspace() or not _is_control(sign))
    return unicodedata.normalize("NFC", "".join(kept))


def _is_control(sign: str) -> bool:
    return sign in TURNING_SIGNS or unicodedata.category(sign) in {"Cc", "Cs"}


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    host = parts.hostname or ""
    return parts.scheme in {"http", "https"} and "." in host.strip(".") and not any(sign.isspace() for sign in url)


def _is_there(work: Work, model: type[ContactDatabase | Company | UserAccount], row_id: int) -> bool:
    return 0 < row_id <= LARGEST_ID and work.session.scalar(select(model.id).where(model.id == row_id)) is not None

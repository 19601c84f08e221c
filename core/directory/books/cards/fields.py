"""What a card says about a person, as far as a contact has fields for it.

A contact's fields and a card's are compared in one form, ``CardFields``: numbers in E.164, countries as ISO codes.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from babel import Locale

from core.directory.books.cards.lines import Line, components, unescape
from core.directory.phones import NotANumber, as_e164

LABEL_OF_TYPE: Final = {"CELL": "mobile", "WORK": "work", "HOME": "home"}
COUNTRY_LANGUAGES: Final = ("en", "cs", "pl", "de", "sk")
ADDRESS_PARTS: Final = 7
SEARCHED: Final = frozenset({"FN", "N", "NICKNAME", "ORG", "TITLE", "TEL", "EMAIL", "NOTE", "CATEGORIES", "UID"})

Way = tuple[str, str]
"""A number in E.164 or an address, and its kind (``mobile``, ``work``, ``home``, ``other`` or none)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFields:
    """A person as card and contact both know them."""

    name: str
    organization: str = ""
    job_title: str = ""
    street: str = ""
    city: str = ""
    postal_code: str = ""
    country: str = ""
    note: str = ""
    phones: tuple[Way, ...] = ()
    emails: tuple[Way, ...] = ()


@dataclass(frozen=True, slots=True)
class Extra:
    """A number or address that stands in the card alone, because the product cannot use it; ``kind`` TEL or EMAIL."""

    kind: str
    value: str


def read_fields(lines: Sequence[Line], home: str) -> CardFields:
    """What the card says; numbers without a prefix are of ``home`` (ISO code). What is no number is left out."""
    address = components(preferred(lines, "ADR"))
    address += [""] * (ADDRESS_PARTS - len(address))
    return CardFields(
        name=full_name(lines),
        organization=components(first(lines, "ORG"))[0].strip(),
        job_title=unescape(first(lines, "TITLE")).strip(),
        street=" ".join(address[2].split()),
        city=address[3].strip(),
        postal_code=address[5].strip(),
        country=country_code(address[6]),
        note=unescape(first(lines, "NOTE")).replace("\r\n", "\n").strip(),
        phones=_distinct((number, label_of(line)) for line in lines if (number := number_of(line, home))),
        emails=_distinct((written, label_of(line)) for line in lines if (written := address_of(line))),
    )


def extras(lines: Sequence[Line], known: CardFields, home: str) -> list[Extra]:
    """Numbers and addresses of the card that ``known`` does not have."""
    numbers, addresses = {value for value, _ in known.phones}, {value.lower() for value, _ in known.emails}
    found = []
    for line in lines:
        if line.name == "TEL" and number_of(line, home) not in numbers:
            found.append(Extra("TEL", tel_text(line)))
        elif line.name == "EMAIL" and address_of(line).lower() not in addresses:
            found.append(Extra("EMAIL", address_of(line)))
    return [extra for extra in found if extra.value]


def number_of(line: Line, home: str) -> str:
    """A TEL line's number in E.164; empty for another line, or if it is no number of any network."""
    if line.name != "TEL":
        return ""
    try:
        return as_e164(tel_text(line), home)
    except NotANumber:
        return ""


def tel_text(line: Line) -> str:
    """A TEL line's number as written; of an address of version 4.0 (RFC 3966) the number and its extension."""
    text = unescape(line.value).strip()
    if text[:4].lower() != "tel:":
        return text
    number, *more = text[4:].split(";")
    return " ".join([number, *(f"ext. {part[4:]}" for part in more if part[:4].lower() == "ext=")])


def address_of(line: Line) -> str:
    """An EMAIL line's address; empty for another line."""
    if line.name != "EMAIL":
        return ""
    text = unescape(line.value).strip()
    return text[7:] if text[:7].lower() == "mailto:" else text


def label_of(line: Line) -> str:
    """The kind of a number or address by its TYPE."""
    types = line.types()
    return next((label for kind, label in LABEL_OF_TYPE.items() if kind in types), "")


def country_code(text: str) -> str:
    """The ISO code of a country written as code or name; empty if it is not known."""
    word = text.strip().casefold()
    return _country_names().get(word, "") if word else ""


def country_name(code: str) -> str:
    """The country's English name, as address books of all languages read it."""
    return str(Locale("en").territories.get(code, code))


def card_words(lines: Sequence[Line]) -> str:
    """What a client may search a card for: its names, numbers, addresses, company, title and note."""
    values = (line.value for line in lines if line.name in SEARCHED)
    return " ".join(unescape(value.replace("\\;", " ").replace(";", " ")) for value in values if value)[:20_000]


def full_name(lines: Sequence[Line]) -> str:
    """``FN``; an empty one is made up for from the name's parts, the nickname, the company, an address, a number."""
    if full := " ".join(unescape(first(lines, "FN")).split()):
        return full
    parts = components(first(lines, "N")) + [""] * 5
    if spoken := " ".join(part for part in (parts[3], parts[1], parts[2], parts[0], parts[4]) if part):
        return " ".join(spoken.split())
    others = (unescape(first(lines, name)) for name in ("NICKNAME", "ORG", "EMAIL", "TEL"))
    return next((" ".join(text.replace(";", " ").split()) for text in others if text.strip(" ;")), "")


def first(lines: Sequence[Line], name: str) -> str:
    """The escaped value of the first line of this name, or nothing."""
    return next((line.value for line in lines if line.name == name), "")


def preferred(lines: Sequence[Line], name: str) -> str:
    """The value that the card prefers among several, else the first."""
    found = [line for line in lines if line.name == name]
    preferred = [line for line in found if "PREF" in line.types() or any(key == "PREF" for key, _ in line.params)]
    return next((line.value for line in (*preferred, *found)), "")


def _distinct(ways: Iterable[Way]) -> tuple[Way, ...]:
    found: dict[str, Way] = {}
    for value, label in ways:
        found.setdefault(value.lower(), (value, label))
    return tuple(found.values())


@cache
def _country_names() -> dict[str, str]:
    names: dict[str, str] = {}
    for language in reversed(COUNTRY_LANGUAGES):
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha():
                names[str(name).casefold()] = str(code)
                names[str(code).casefold()] = str(code)
    return names

"""What a change of groups or grants does to what people see, in sentences with numbers."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from flask_babel import gettext as _
from flask_babel import ngettext

from core.visibility.consequences import Difference
from core.visibility.kinds import Kind
from core.visibility.sights import Person

NAMED: Final = 5
"""So many people are named; the rest are counted."""


def digest_of(differences: Sequence[Difference]) -> str:
    """What was shown before a change, so that something else is not confirmed by it."""
    told = [
        (found.kind.value, found.id, [person.id for person in found.losing], [person.id for person in found.gaining])
        for found in differences
    ]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def sentences(differences: Sequence[Difference]) -> list[str]:
    """One sentence for each thing that somebody loses sight of, then for each that somebody gains."""
    losing = [f"{_heading(found)}: {_lost(found.losing)}" for found in differences if found.losing]
    gaining = [f"{_heading(found)}: {_gained(found.gaining)}" for found in differences if found.gaining]
    return losing + gaining


def thing_name(kind: Kind, name: str) -> str:
    """A thing with what it is."""
    names = {
        Kind.DATABASE: _("Database “%(name)s”", name=name),
        Kind.QUEUE: _("Queue “%(name)s”", name=name),
        Kind.CATEGORY: _("Category “%(name)s”", name=name),
        Kind.BOOK: _("Address book “%(name)s”", name=name),
    }
    return str(names[kind])


def contents_words(contents: Mapping[str, int]) -> str:
    """How much is in a thing, in words; empty for an empty one."""
    return ", ".join(_counted(name, count) for name, count in contents.items() if count)


def named(people: Sequence[Person]) -> str:
    """The first few by name, the others as a number."""
    names = ", ".join(person.name for person in people[:NAMED])
    more = len(people) - NAMED
    if more <= 0:
        return names
    return str(ngettext("%(names)s and %(num)d more", "%(names)s and %(num)d more", more, names=names))


def _heading(found: Difference) -> str:
    words = contents_words(found.contents)
    return f"{thing_name(found.kind, found.name)} ({words})" if words else thing_name(found.kind, found.name)


def _lost(people: Sequence[Person]) -> str:
    words = ngettext(
        "%(num)d person no longer sees it: %(names)s.",
        "%(num)d people no longer see it: %(names)s.",
        len(people),
        names=named(people),
    )
    return str(words)


def _gained(people: Sequence[Person]) -> str:
    words = ngettext(
        "%(num)d person sees it from now on: %(names)s.",
        "%(num)d people see it from now on: %(names)s.",
        len(people),
        names=named(people),
    )
    return str(words)


def _counted(name: str, count: int) -> str:
    words = {
        "contacts": lambda: ngettext("%(num)d contact", "%(num)d contacts", count),
        "companies": lambda: ngettext("%(num)d company", "%(num)d companies", count),
        "tickets": lambda: ngettext("%(num)d ticket", "%(num)d tickets", count),
        "activities": lambda: ngettext("%(num)d activity", "%(num)d activities", count),
        "addresses": lambda: ngettext("%(num)d e-mail address", "%(num)d e-mail addresses", count),
    }
    return str(words[name]())

"""Alphabetical order as a dictionary of the tenant's language has it.

PostgreSQL here knows no language's alphabet: byte order puts Č and Ł after Z. So services store a collation key
(Unicode Technical Standard 10, tailored by CLDR) in a ``bytea`` column, which compares byte by byte.
"""

from functools import cache

from icu import Collator, Locale


def sort_key(text: str, locale: str) -> bytes:
    """The collation key of ``text`` in the alphabet of ``locale`` (``cs`` puts Ch after H)."""
    return bytes(_collator(locale).getSortKey(text))


@cache
def _collator(locale: str) -> Collator:
    return Collator.createInstance(Locale(locale))

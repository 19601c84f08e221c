"""Which rows a needle means, and how to reach them fast.

A needle of three letters or more is found anywhere in a word, a shorter one at its beginning; both so that the trigram
index can be used. Spaces, dashes and brackets inside a phone number do not matter. Few hits are collected by the index
and then ordered; with many, the order's own index is walked, which soon meets a page full of them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, SQLColumnExpression, TableClause, and_, func, literal, select, true

from core.directory.models import Company, Contact
from core.foundation.search import MAX_WORDS
from core.foundation.unit_of_work import Work

COUNT_CAP: Final = 10_000
ANYWHERE_FROM: Final = 3
NUMBER_DIGITS: Final = 6
PHONE_RUN: Final = re.compile(r"(?<!\S)\+?[\d()][\d()./\s-]*\d(?!\S)")
NOT_DIALLED: Final = re.compile(r"[^\d+]")


@dataclass(frozen=True, slots=True)
class Found:
    """How many rows there are, up to one more than ``COUNT_CAP``, and the condition that they fulfil."""

    count: int
    condition: ColumnElement[bool]


def find(work: Work, model: type[Contact] | type[Company], view: TableClause, needle: str) -> Found:
    """The rows that contain every word of ``needle``, all of them if it is empty; one statement."""
    words = list(words_of(needle))
    if not words:
        everything = select(literal(1)).select_from(model).limit(COUNT_CAP + 1)
        return Found(_count(work, everything), true())
    hits = select(view.c.id).where(*_contains(view.c.search_text, words)).limit(COUNT_CAP + 1)
    count = _count(work, hits)
    if count > COUNT_CAP:
        return Found(count, and_(*_contains(model.search_text, words)))
    collected = hits.cte("collected").prefix_with("MATERIALIZED")
    return Found(count, model.id.in_(select(collected.c.id)))


def words_of(needle: str) -> Iterator[str]:
    """The needle's words; a phone number is one, however it is spaced."""
    joined = PHONE_RUN.sub(lambda run: _dialled(run.group()), needle.replace("\0", " "))
    yield from joined.split()[:MAX_WORDS]


def _dialled(run: str) -> str:
    """``+420 601 234 567`` and ``00420-601-234-567`` as the words have it; short figures are no phone number."""
    digits = NOT_DIALLED.sub("", run)
    if len(digits) < NUMBER_DIGITS:
        return run
    return f"+{digits[2:]}" if digits.startswith("00") else digits


def _contains(text: SQLColumnExpression[str], words: list[str]) -> Iterator[ColumnElement[bool]]:
    for word in words:
        before = "%" if len(word) >= ANYWHERE_FROM else "% "
        yield text.like(func.concat(before, _literally(word), "%"), escape="\\")


def _literally(word: str) -> ColumnElement[str]:
    """The folded word without wildcards. Folding comes first, since it makes some (``％`` becomes ``%``)."""
    folded: ColumnElement[str] = func.app_fold(word)
    for special in ("\\", "%", "_"):
        folded = func.replace(folded, special, f"\\{special}")
    return folded


def _count(work: Work, rows: Any) -> int:
    return work.session.scalar(select(func.count()).select_from(rows.subquery())) or 0

"""Which rows a needle means, and how to reach them fast.

A needle of three letters or more is found anywhere in a word, a shorter one at its beginning; both so that the trigram
index can be used. Spaces, dashes and brackets inside a phone number do not matter. Few hits are collected by the index
and then ordered; with many, the order's own index is walked, which soon meets a page full of them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, TableClause, func, literal, select

from core.directory.models import Company, Contact
from core.foundation.search import MAX_WORDS
from core.foundation.unit_of_work import Work

COUNT_CAP: Final = 10_000
ANYWHERE_FROM: Final = 3
NUMBER_DIGITS: Final = 6
PHONE_RUN: Final = re.compile(r"(?<!\S)\+?[\d()][\d()./\s-]*\d(?!\S)")
HAS_TRIGRAM: Final = re.compile(r"[^\W_]")
NOT_DIALLED: Final = re.compile(r"[^\d+]")

Model = type[Contact] | type[Company]
Rows = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Found:
    """How many rows a needle means, up to one more than ``COUNT_CAP``, and how a page of them is reached."""

    words: Sequence[str]
    view: TableClause
    count: int

    def narrowed(self, query: Rows, model: Model, place: ColumnElement[bool], *, limit: int) -> Rows:
        """``query`` on those rows of ``model`` at or behind ``place`` in the order, which it keeps to ``limit``."""
        query = query.order_by(model.sort_key, model.id).limit(limit)
        if not self.words:
            return query.where(place)
        if self.count > COUNT_CAP:
            return query.where(model.id.in_(self._walked(model, place, limit=limit)))
        hits = _hits(self.view, self.words).cte("hits").prefix_with("MATERIALIZED")
        return query.where(model.id.in_(select(hits.c.id)), place)

    def _walked(self, model: Model, place: ColumnElement[bool], *, limit: int) -> Select[int]:
        """Ids in the order's own sequence. The offset keeps the words' condition from being planned as rare, as
        PostgreSQL does where policies hide its statistics: it would sort every row first."""
        columns = select(model.id, model.sort_key, model.search_text).where(place)
        ordered = columns.order_by(model.sort_key, model.id).offset(0).subquery("ordered")
        ids = select(ordered.c.id).where(*_contains(ordered.c.search_text, self.words))
        return ids.order_by(ordered.c.sort_key, ordered.c.id).limit(limit)


def find(work: Work, model: Model, view: TableClause, needle: str) -> Found:
    """The rows that contain every word of ``needle``, all of them if it is empty; one statement counts them."""
    words = list(words_of(needle))
    rows = _hits(view, words) if words else select(literal(1)).select_from(model).limit(COUNT_CAP + 1)
    count = work.session.scalar(select(func.count()).select_from(rows.subquery())) or 0
    return Found(words, view, count)


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


def _hits(view: TableClause, words: Sequence[str]) -> Rows:
    return select(view.c.id).where(*_contains(view.c.search_text, words)).limit(COUNT_CAP + 1)


def _contains(text: SQLColumnExpression[str], words: Sequence[str]) -> Iterator[ColumnElement[bool]]:
    """A word of signs alone has no trigram: the index would be read whole, which costs more than reading the rows."""
    for word in words:
        before = "%" if len(word) >= ANYWHERE_FROM or not HAS_TRIGRAM.search(word) else "% "
        searched = text if HAS_TRIGRAM.search(word) else func.concat(text, "")
        yield searched.like(func.concat(before, _literally(word), "%"), escape="\\")


def _literally(word: str) -> ColumnElement[str]:
    """The folded word without wildcards. Folding comes first, since it makes some (``％`` becomes ``%``)."""
    folded: ColumnElement[str] = func.app_fold(word)
    for special in ("\\", "%", "_"):
        folded = func.replace(folded, special, f"\\{special}")
    return folded

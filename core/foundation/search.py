"""Finding rows by words: the views that use the trigram index although policies stand above the tables.

Words are folded (lower case, no accents) by the same SQL function as the column that they are compared with. A word of
three letters or more is found anywhere in another, a shorter one at its beginning; both so that the index can be used.
Spaces, dashes and brackets inside a phone number do not matter. Few hits are collected by the index and then ordered;
with many, the order's own index is walked, which soon meets a page full of them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    SQLColumnExpression,
    TableClause,
    column,
    func,
    literal,
    select,
    table,
    true,
    union,
)
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import BigInteger, Text

from core.foundation.unit_of_work import Work

COUNT_CAP: Final = 10_000
MAX_WORDS: Final = 6
LOOKED_AT: Final = 2_000
"""Rows that are read through before an index is asked for suggestions: some milliseconds."""

ANYWHERE_FROM: Final = 3
NUMBER_DIGITS: Final = 6
PHONE_RUN: Final = re.compile(r"(?<!\S)\+?[\d()][\d()./\s-]*\d(?!\S)")
HAS_TRIGRAM: Final = re.compile(r"[^\W_]")
NOT_DIALLED: Final = re.compile(r"[^\d+]")

Rows = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Order:
    """In which sequence a list reads its rows: ``columns`` of one index, of which the last is the id."""

    columns: tuple[InstrumentedAttribute[Any], ...]
    descending: bool = False

    @property
    def row_id(self) -> SQLColumnExpression[int]:
        """The id that decides among equals."""
        return self.columns[-1]

    def of(self, columns: Sequence[SQLColumnExpression[Any]]) -> list[ColumnElement[Any]]:
        """The same sequence by other columns."""
        return [shown.desc() if self.descending else shown.asc() for shown in columns]


@dataclass(frozen=True, slots=True)
class Found:
    """How many rows a needle means, up to one more than ``COUNT_CAP``, and how a page of them is reached."""

    words: Sequence[str]
    view: TableClause
    count: int

    @property
    def is_frequent(self) -> bool:
        """Whether so many rows fit that collecting them first would be slow."""
        return self.count > COUNT_CAP

    def narrowed(
        self, query: Rows, order: Order, text: InstrumentedAttribute[str], *conditions: ColumnElement[bool], limit: int
    ) -> Rows:
        """``query`` on those rows that fulfil ``conditions``, in ``order``, at most ``limit``; ``text`` is theirs."""
        query = query.order_by(*order.of(order.columns)).limit(limit)
        if not self.words:
            return query.where(*conditions)
        if self.is_frequent:
            return query.where(order.row_id.in_(self._walked(order, text, conditions, limit=limit)))
        return query.where(order.row_id.in_(self.hits()), *conditions)

    def hits(self) -> Select[int]:
        """The ids of the rows, collected by the index before anything else is asked."""
        return _collected(self.view, self.words)

    def _walked(
        self,
        order: Order,
        text: InstrumentedAttribute[str],
        conditions: Sequence[ColumnElement[bool]],
        *,
        limit: int,
    ) -> Select[int]:
        """Ids in the order's own sequence. The offset keeps the words' condition from being planned as rare, as
        PostgreSQL does where policies hide its statistics: it would sort every row first."""
        columns = select(*order.columns, text.label("searched")).where(*conditions)
        ordered = columns.order_by(*order.of(order.columns)).offset(0).subquery("ordered")
        same = [ordered.c[shown.key] for shown in order.columns]
        ids = select(same[-1]).where(*_contains_each(ordered.c.searched, self.words))
        return ids.order_by(*order.of(same)).limit(limit)


def search_view(name: str) -> TableClause:
    """The search view of table ``name``: ``id`` and ``search_text`` of the rows that the actor may see."""
    return table(f"{name}_search", column("id", BigInteger), column("search_text", Text))


def find(work: Work, view: TableClause, needle: str, *, everything: Rows) -> Found:
    """The rows of ``view`` that contain every word of ``needle``, or ``everything``; one statement counts them."""
    words = list(words_of(needle))
    rows = _hits(view, words) if words else everything.limit(COUNT_CAP + 1)
    count = work.session.scalar(select(func.count()).select_from(rows.subquery())) or 0
    return Found(words, view, count)


def everything_of(row_id: InstrumentedAttribute[int]) -> Rows:
    """One row per row of a table, for ``find`` without words."""
    return select(literal(1)).select_from(row_id.class_)


def is_in_matches(
    row_id: InstrumentedAttribute[int], view: TableClause, needle: str, *, cap: int = COUNT_CAP + 1
) -> ColumnElement[bool]:
    """Whether the row is among those that contain every word of ``needle``; a blank needle fits every row.

    The candidates are materialized and capped, so that a frequent word cannot make a page slow.
    """
    words = list(words_of(needle))
    return row_id.in_(_collected(view, words, cap=cap)) if words else true()


def is_in_first_matches(
    order: Order, text: InstrumentedAttribute[str], view: TableClause, needle: str, *, enough: int, cap: int
) -> ColumnElement[bool]:
    """Whether the row is among some that contain every word of ``needle``, for lists of suggestions.

    The first rows of ``order`` are looked through. Where ``enough`` of them fit, the needle is frequent and they do;
    the index would collect most of the table for it. Where not, the index finds up to ``cap`` rows.
    """
    words = list(words_of(needle))
    if not words:
        return true()
    first: Rows = select(*order.columns, text.label("searched")).order_by(*order.of(order.columns)).limit(LOOKED_AT)
    looked_at = first.cte("looked_at").prefix_with("MATERIALIZED")
    fits = _contains_each(looked_at.c.searched, words)
    fitting = select(looked_at.c[order.columns[-1].key].label("id")).where(*fits).cte().prefix_with("MATERIALIZED")
    is_rare = select(func.count()).select_from(fitting).scalar_subquery() < enough
    found = _hits(view, words, cap=cap).where(is_rare).cte().prefix_with("MATERIALIZED")
    return order.row_id.in_(union(select(fitting.c.id), select(found.c.id)))


def words_of(needle: str) -> Iterator[str]:
    """The needle's words; a phone number is one, however it is spaced."""
    joined = PHONE_RUN.sub(lambda run: _dialled(run.group()), needle.replace("\0", " "))
    yield from joined.split()[:MAX_WORDS]


def contains(text: SQLColumnExpression[str], words: Sequence[str]) -> Iterator[ColumnElement[bool]]:
    """A word of signs alone has no trigram: the index would be read whole, which costs more than reading the rows."""
    for word in words:
        searched = text if HAS_TRIGRAM.search(word) else func.concat(text, "")
        yield searched.like(_pattern(word), escape="\\")


def _contains_each(text: SQLColumnExpression[str], words: Sequence[str]) -> Iterator[ColumnElement[bool]]:
    """The same for rows that are read one by one: the words are folded once and not for every row."""
    return (text.like(select(_pattern(word)).scalar_subquery(), escape="\\") for word in words)


def _pattern(word: str) -> ColumnElement[str]:
    before = "%" if len(word) >= ANYWHERE_FROM or not HAS_TRIGRAM.search(word) else "% "
    return func.concat(before, _literally(word), "%")


def _dialled(run: str) -> str:
    """``+420 601 234 567`` and ``00420-601-234-567`` as the words have it; short figures are no phone number."""
    digits = NOT_DIALLED.sub("", run)
    if len(digits) < NUMBER_DIGITS:
        return run
    return f"+{digits[2:]}" if digits.startswith("00") else digits


def _collected(view: TableClause, words: Sequence[str], *, cap: int | None = None) -> Select[int]:
    hits = _hits(view, words, cap=cap).cte().prefix_with("MATERIALIZED")
    return select(hits.c.id)


def _hits(view: TableClause, words: Sequence[str], *, cap: int | None = None) -> Rows:
    return select(view.c.id).where(*contains(view.c.search_text, words)).limit(cap or COUNT_CAP + 1)


def _literally(word: str) -> ColumnElement[str]:
    """The folded word without wildcards. Folding comes first, since it makes some (``％`` becomes ``%``)."""
    folded: ColumnElement[str] = func.app_fold(word)
    for special in ("\\", "%", "_"):
        folded = func.replace(folded, special, f"\\{special}")
    return folded

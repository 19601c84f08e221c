"""Finding rows by words: the views that use the trigram index although policies stand above the tables.

Words are folded (lower case, no accents) by the same SQL function as the column that they are compared with.
"""

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, TableClause, column, func, select, table
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import BigInteger, Text

CANDIDATES: Final = 10_000
MAX_WORDS: Final = 6


def search_view(name: str) -> TableClause:
    """The search view of table ``name``: ``id`` and ``search_text`` of the rows that the actor may see."""
    return table(f"{name}_search", column("id", BigInteger), column("search_text", Text))


def is_in_matches(row_id: InstrumentedAttribute[int], view: TableClause, needle: str) -> ColumnElement[bool]:
    """Whether the row is among those that contain every word of ``needle``.

    The candidates are materialized and capped, so that a frequent word cannot make a page slow.
    """
    candidates = _matches(view, needle).limit(CANDIDATES).cte("candidates").prefix_with("MATERIALIZED")
    return row_id.in_(select(candidates.c.id))


def _matches(view: TableClause, needle: str) -> Select[*tuple[Any, ...]]:
    words = [_without_wildcards(word) for word in needle.split()[:MAX_WORDS]]
    return select(view.c.id).where(
        *(view.c.search_text.like(func.concat("%", func.app_fold(word), "%"), escape="\\") for word in words)
    )


def _without_wildcards(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")

"""Finding rows by words: the views that use the trigram index although policies stand above the tables.

Words are folded (lower case, no accents) by the same SQL function as the column that they are compared with.
"""

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, TableClause, column, func, literal, select, table, true
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import BigInteger, Text

CANDIDATES: Final = 10_000
MAX_WORDS: Final = 6


def search_view(name: str) -> TableClause:
    """The search view of table ``name``: ``id`` and ``search_text`` of the rows that the actor may see."""
    return table(f"{name}_search", column("id", BigInteger), column("search_text", Text))


def is_in_matches(row_id: InstrumentedAttribute[int], view: TableClause, needle: str) -> ColumnElement[bool]:
    """Whether the row is among those that contain every word of ``needle``.

    The candidates are materialized and capped, so that a frequent word cannot make a page slow. A blank needle fits
    every row.
    """
    if not needle.strip():
        return true()
    candidates = _matches(view, needle).limit(CANDIDATES).cte("candidates").prefix_with("MATERIALIZED")
    return row_id.in_(select(candidates.c.id))


def _matches(view: TableClause, needle: str) -> Select[*tuple[Any, ...]]:
    patterns = [_containing(word) for word in needle.split()[:MAX_WORDS]]
    return select(view.c.id).where(*(view.c.search_text.like(pattern, escape="\\") for pattern in patterns))


def _containing(word: str) -> ColumnElement[str]:
    """The LIKE pattern for a word. Folding comes first: it turns ``％`` into a wildcard, for example."""
    folded: ColumnElement[str] = func.app_fold(word)
    for special in ("\\", "%", "_"):
        folded = func.replace(folded, special, f"\\{special}")
    return literal("%") + folded + literal("%")

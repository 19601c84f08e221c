"""Counting what a page asks the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest.mock import patch

from sqlalchemy import event

from core.foundation import db
from core.foundation.statements import Statement

ENTERING: Final = 3
"""What every page of a signed-in viewer costs before its own work: the sign-in, and entering two transactions."""


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """The statements that run inside the block, without savepoints."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            seen.append(statement)

    rows = Statement.rows

    def noted(statement: Statement, *arguments: Any) -> list[Any]:
        seen.append(statement.sql)
        return rows(statement, *arguments)

    event.listen(db.engine(), "before_cursor_execute", note)
    try:
        with patch.object(Statement, "rows", noted):
            yield seen
    finally:
        event.remove(db.engine(), "before_cursor_execute", note)

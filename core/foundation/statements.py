"""Statements that people's programs wait for, handed to the driver as they are (ADR 0009).

SQLAlchemy spends three times as long on a statement as the driver itself. Where a phone asks for thousands of cards,
these are a third of what an answer takes; everywhere else the usual ways of asking read better.
"""

from collections.abc import Mapping
from typing import Any, Final

import psycopg
from psycopg.rows import namedtuple_row, tuple_row
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import psycopg as dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

_DIALECT: Final = dialect.dialect()  # type: ignore[no-untyped-call]  # the library leaves it so


class Statement:
    """SQL with parameters as ``:name``, prepared once; its rows are named tuples, or plain ones of a long listing.

    It runs in the session's transaction, sees what the session has flushed, and raises SQLAlchemy's errors. Values are
    what the driver takes.
    """

    def __init__(self, sql: str, *, is_long: bool = False) -> None:
        self._row_factory: Any = tuple_row if is_long else namedtuple_row
        self.sql = str(text(sql).compile(dialect=_DIALECT))

    def rows(self, session: Session, values: Mapping[str, Any]) -> list[Any]:
        """Run it and answer all its rows."""
        connection = session.connection()
        driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]  # psycopg's
        try:
            with driver.cursor(row_factory=self._row_factory) as cursor:
                cursor.execute(self.sql, values)
                return cursor.fetchall() if cursor.pgresult and cursor.pgresult.nfields else []
        except psycopg.Error as error:
            if driver.closed:
                connection.invalidate(error)
            raise DBAPIError.instance(self.sql, None, error, psycopg.Error, hide_parameters=True) from error

    def one(self, session: Session, values: Mapping[str, Any]) -> Any:
        """Its only row, or None if there is none."""
        rows = self.rows(session, values)
        return rows[0] if rows else None

"""Letting things have happened earlier: rows are created at the time of a held clock."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import DateTime, event
from sqlalchemy.orm import Mapper

from core.foundation import clock
from core.foundation.models import Base


@contextmanager
def backdating() -> Iterator[None]:
    """Inside the block every new row's times are the clock's, where otherwise the database would fill them."""
    event.listen(Base, "before_insert", _fill_times, propagate=True)
    try:
        yield
    finally:
        event.remove(Base, "before_insert", _fill_times)
        clock.release()


def _fill_times(mapper: Mapper[Base], _connection: object, row: Base) -> None:
    for column in mapper.columns:
        is_filled_by_database = isinstance(column.type, DateTime) and column.server_default is not None
        if is_filled_by_database and getattr(row, column.key) is None:
            setattr(row, column.key, clock.now())

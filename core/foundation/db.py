"""Connections to PostgreSQL: one engine per process and role.

A process keeps at most 20 connections; streams and other long waits hold none.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from time import monotonic
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.orm import Session

from core.foundation.settings import settings

SERVER_OPTIONS = "-c statement_timeout=30000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=60000"
TRUSTED_S: Final = 1.0
"""A connection that worked so recently is not asked whether it still does: that would be one question in four."""

_joined: list[Connection] = []


@cache
def engine() -> Engine:
    """The application role's engine."""
    return make_engine(settings().database_url)


@cache
def relay_engine() -> Engine:
    """The relay role's engine: sees due work of every tenant, and nothing else."""
    return make_engine(settings().relay_database_url)


def make_engine(url: str) -> Engine:
    """An engine with the product's limits on time and connections; dead ones are noticed before use."""
    made = create_engine(
        url,
        pool_size=10,
        max_overflow=10,
        pool_timeout=5,
        connect_args={
            "options": SERVER_OPTIONS,
            "connect_timeout": 5,
            "keepalives_idle": 15,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 30_000,
        },
    )

    @event.listens_for(made, "checkin")
    def note(_connection: Any, record: Any) -> None:
        record.info["worked_at"] = monotonic()

    @event.listens_for(made, "checkout")
    def check(connection: Any, record: Any, _proxy: Any) -> None:
        if monotonic() - record.info.get("worked_at", 0.0) > TRUSTED_S:
            try:
                made.dialect.do_ping(connection)
            except made.dialect.loaded_dbapi.Error as error:
                raise DisconnectionError from error

    return made


def forget_connections() -> None:
    """Let go of the pools without closing what they hold: in a forked child the connections are the parent's."""
    for make in (engine, relay_engine):
        if make.cache_info().currsize:
            make().dispose(close=False)
            make.cache_clear()


os.register_at_fork(after_in_child=forget_connections)


def new_session() -> Session:
    """A session of the application's role; ``unit_of_work`` is the one who calls this."""
    if _joined:
        return Session(bind=_joined[-1], join_transaction_mode="create_savepoint", expire_on_commit=False)
    return Session(bind=engine(), expire_on_commit=False)


@contextmanager
def joined_to(connection: Connection) -> Iterator[None]:
    """Let all sessions take part in ``connection``'s open transaction, as savepoints; for tests."""
    _joined.append(connection)
    try:
        yield
    finally:
        _joined.pop()

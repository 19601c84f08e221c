"""Connections to PostgreSQL: one engine per process and role.

A process keeps at most 20 connections; streams and other long waits hold none.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.orm import Session

from core.foundation.settings import settings

SERVER_OPTIONS = "-c statement_timeout=30000 -c lock_timeout=5000 -c idle_in_transaction_session_timeout=60000"

_joined: list[Connection] = []


@cache
def engine() -> Engine:
    """The application role's engine; dead connections are noticed before use."""
    return make_engine(settings().database_url)


@cache
def relay_engine() -> Engine:
    """The relay role's engine: sees due work of every tenant, and nothing else."""
    return make_engine(settings().relay_database_url)


def make_engine(url: str) -> Engine:
    """An engine with the product's limits on time and connections."""
    return create_engine(
        url,
        pool_size=10,
        max_overflow=10,
        pool_timeout=5,
        pool_pre_ping=True,
        connect_args={
            "options": SERVER_OPTIONS,
            "connect_timeout": 5,
            "keepalives_idle": 15,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 30_000,
        },
    )


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

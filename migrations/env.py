"""Alembic's entry: connects as the schema's owner and waits at most five seconds for a lock."""

from alembic import context
from sqlalchemy import create_engine, pool, text

from core.foundation.settings import settings
from migrations.metadata import metadata


def run() -> None:
    """Apply the migrations to the database of the settings, or of the URL that the caller put into the options."""
    url = context.config.get_main_option("sqlalchemy.url") or settings().owner_database_url
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text("set lock_timeout = '5s'"))
        context.configure(connection=connection, target_metadata=metadata, compare_server_default=False)
        with context.begin_transaction():
            context.run_migrations()
        connection.commit()


run()

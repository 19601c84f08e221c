"""The migrations and the models tell the same story, forwards and backwards."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, create_engine, text

from deploy.local.places import ROOT
from deploy.local.postgres import Postgres
from migrations.metadata import metadata
from tests.support.database import environment_for, using


@pytest.fixture
def owner_url(server: tuple[Postgres, Path]) -> Iterator[str]:
    """An empty database's address for the schema's owner."""
    postgres, folder = server
    postgres.create_database("schema")
    environment = environment_for(postgres, "schema", folder)
    with using(environment):
        yield environment["CENTRALA_OWNER_DATABASE_URL"]
    postgres.drop_database("schema")


def configuration(owner_url: str) -> Config:
    """Alembic's, for this database."""
    config = Config(str(ROOT / "migrations" / "alembic.ini"))
    config.set_main_option("sqlalchemy.url", owner_url.replace("%", "%%"))
    return config


def snapshot(owner_url: str) -> list[tuple[object, ...]]:
    """Everything that a migration could have left behind."""
    query = text(
        """select 'relation', relname, relkind::text, relrowsecurity::text, relacl::text from pg_class
               where relnamespace = 'public'::regnamespace and relname not like 'alembic%'
           union all select 'function', proname, prosrc, '', '' from pg_proc p
               where pronamespace = 'public'::regnamespace
               and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
           union all select 'policy', tablename || policyname, qual, with_check, roles::text from pg_policies
           union all select 'trigger', tgname, pg_get_triggerdef(oid), '', '' from pg_trigger where not tgisinternal
           union all select 'constraint', conname, pg_get_constraintdef(oid), '', '' from pg_constraint
               where connamespace = 'public'::regnamespace and conname not like 'alembic%'
           order by 1, 2, 3"""
    )
    engine = create_engine(owner_url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(query)]
    engine.dispose()
    return found


def test_migrations_go_up_and_down_and_up(owner_url: str) -> None:
    config = configuration(owner_url)
    command.upgrade(config, "head")
    first = snapshot(owner_url)
    assert len(first) > 100
    command.downgrade(config, "base")
    assert snapshot(owner_url) == []
    command.upgrade(config, "head")
    assert snapshot(owner_url) == first


def test_models_are_what_the_migrations_make(owner_url: str) -> None:
    command.upgrade(configuration(owner_url), "head")
    engine = create_engine(owner_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_checks_of_the_models_stand_in_the_database(owner_url: str) -> None:
    """Alembic's comparison leaves CHECK constraints out."""
    command.upgrade(configuration(owner_url), "head")
    wanted = {
        str(check.name)
        for table in metadata.sorted_tables
        for check in table.constraints
        if isinstance(check, CheckConstraint)
    }
    engine = create_engine(owner_url)
    with engine.connect() as connection:
        stored = set(connection.scalars(text("select conname from pg_constraint where contype = 'c'")))
    engine.dispose()
    assert wanted == {name for name in stored if name.startswith("ck_")}
    assert wanted


def test_history_is_one_line(owner_url: str) -> None:
    assert len(ScriptDirectory.from_config(configuration(owner_url)).get_heads()) == 1

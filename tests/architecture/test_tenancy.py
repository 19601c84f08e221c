"""What the catalogue of a migrated database must say, so that no company ever sees another's rows (ATTACK 3)."""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, LargeBinary, String, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from core.foundation.unit_of_work import outside_tenants
from migrations.metadata import metadata
from tests.support.cast import Cast

GLOBAL_TABLES = frozenset({"tenant", "tenant_host", "mail_address"})
"""Read before a tenant is known; the application can only read them."""

VISIBLE_WITH_SOMETHING = frozenset().union(
    *(
        import_module(f"migrations.versions.{name}").VISIBILITY
        for name in ("0003_policies", "0006_address_books", "0007_calls", "0018_notifications")
    )
)

TENANT_TABLES = sorted(metadata.tables.keys() - GLOBAL_TABLES)
RELAY_TABLES = frozenset({"job", "event"})
SEARCHED = frozenset({"contact", "company", "ticket", "contact_card"})
PRIVILEGES = ("select", "insert", "update", "delete", "truncate", "references", "trigger")
RIGHTS_OF_APP = frozenset({"select", "insert", "update", "delete"})
APPENDED_ONLY = frozenset({"call_event"})
READ_BY_EDGE = frozenset({"phone_line", "device", "trunk", "trunk_number"})


@pytest.fixture
def catalogue(superuser_engine: Engine) -> Iterator[Connection]:
    """The database's own view of itself."""
    with superuser_engine.connect() as connection:
        yield connection


def column(connection: Connection, query: str, **values: object) -> list[Any]:
    """The first column of the query's answer."""
    return list(connection.scalars(text(query), values))


@pytest.mark.attack(3)
def test_every_table_is_known_to_the_models(catalogue: Connection) -> None:
    stored = column(catalogue, "select tablename from pg_tables where schemaname = 'public'")
    assert set(stored) - {"alembic_version"} == set(metadata.tables)


@pytest.mark.attack(3)
@pytest.mark.parametrize("table", TENANT_TABLES)
def test_a_tenant_table_forces_row_level_security(catalogue: Connection, table: str) -> None:
    row = catalogue.execute(
        text("select relrowsecurity, relforcerowsecurity from pg_class where oid = cast(:t as regclass)"), {"t": table}
    ).one()
    assert tuple(row) == (True, True)


@pytest.mark.attack(3)
@pytest.mark.parametrize("table", TENANT_TABLES)
def test_a_tenant_table_has_the_tenants_policy_for_reading_and_writing(catalogue: Connection, table: str) -> None:
    row = catalogue.execute(
        text(
            "select permissive, roles::text[], cmd, qual, with_check from pg_policies"
            " where tablename = :t and policyname = 'tenant'"
        ),
        {"t": table},
    ).one()
    condition = "(tenant_id = ( SELECT app_tenant() AS app_tenant))"
    assert tuple(row) == ("PERMISSIVE", ["centrala_app"], "ALL", condition, condition)


@pytest.mark.attack(3)
@pytest.mark.parametrize("table", TENANT_TABLES)
def test_no_other_policy_opens_a_tenant_table(catalogue: Connection, table: str) -> None:
    opened = column(
        catalogue,
        "select policyname::text || ' ' || roles::text || ' ' || cmd from pg_policies"
        " where tablename = :t and permissive = 'PERMISSIVE' and policyname <> 'tenant'",
        t=table,
    )
    allowed = {"relay {centrala_relay} ALL"} if table in RELAY_TABLES else {"search {centrala_search} SELECT"}
    if table in READ_BY_EDGE:
        allowed = {"edge {centrala_edge} SELECT"}
    assert set(opened) <= allowed


@pytest.mark.attack(3)
@pytest.mark.parametrize("table", TENANT_TABLES)
def test_a_tenant_table_cannot_lack_its_tenant(table: str) -> None:
    assert not metadata.tables[table].c.tenant_id.nullable


@pytest.mark.attack(57)
@pytest.mark.parametrize("table", sorted(VISIBLE_WITH_SOMETHING))
def test_a_table_with_grants_has_the_restrictive_policy(catalogue: Connection, table: str) -> None:
    row = catalogue.execute(
        text(
            "select permissive, roles::text[], cmd, qual = with_check from pg_policies"
            " where tablename = :t and policyname = 'visibility'"
        ),
        {"t": table},
    ).one()
    assert tuple(row) == ("RESTRICTIVE", ["centrala_app"], "ALL", True)


LINKS_TO_GRANTED = {
    "contact_id", "company_id", "ticket_id", "activity_id", "database_id", "category_id", "queue_id", "address_book_id",
}  # fmt: skip
SEEN_BY_ALL = {
    "contact_database_grant", "queue_grant", "ticket_category_grant", "address_book_grant", "mail_address",
    "synced_client_book", "synced_client_card",
}  # fmt: skip
"""Grants say who may see what, not what there is; mail addresses are read before anybody is known; the ledger of a
phone names nobody, and must still tell the phone what to drop when its user no longer sees the book."""


def test_whatever_hangs_on_something_with_grants_is_hidden_with_it() -> None:
    hanging = {name for name, table in metadata.tables.items() if LINKS_TO_GRANTED & set(table.c.keys())}
    assert hanging - VISIBLE_WITH_SOMETHING - SEEN_BY_ALL == set()


FOREIGN_KEYS = [
    (table.name, key)
    for table in metadata.sorted_tables
    for key in sorted(table.foreign_key_constraints, key=lambda key: str(key.name))
    if key.referred_table.name not in GLOBAL_TABLES
]


@pytest.mark.attack(2)
@pytest.mark.parametrize(("table", "key"), FOREIGN_KEYS, ids=lambda part: getattr(part, "name", part))
def test_a_link_between_tenant_tables_carries_the_tenant(table: str, key: Any) -> None:
    pairs = {(element.parent.name, element.column.name) for element in key.elements}
    assert ("tenant_id", "tenant_id") in pairs
    assert len(pairs) > 1


@pytest.mark.attack(2)
def test_the_database_has_no_link_that_could_leave_the_tenant(catalogue: Connection) -> None:
    loose = column(
        catalogue,
        """select conrelid::regclass || '.' || conname from pg_constraint c where contype = 'f'
           and exists (select from pg_attribute a where a.attrelid = c.conrelid and a.attname = 'tenant_id')
           and exists (select from pg_attribute a where a.attrelid = c.confrelid and a.attname = 'tenant_id')
           and not exists (
               select from unnest(conkey, confkey) as pair(mine, theirs)
               join pg_attribute a on a.attrelid = conrelid and a.attnum = mine and a.attname = 'tenant_id'
               join pg_attribute b on b.attrelid = confrelid and b.attnum = theirs and b.attname = 'tenant_id')""",
    )
    assert set(loose) <= {"inbound_mail.fk_inbound_mail_mail_address_id"}  # points to what everybody may read


@pytest.mark.attack(3)
@pytest.mark.parametrize("role", ["centrala_app", "centrala_relay", "centrala_search", "centrala_owner"])
def test_no_role_stands_above_the_policies(catalogue: Connection, role: str) -> None:
    row = catalogue.execute(
        text(
            "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication from pg_roles where rolname = :r"
        ),
        {"r": role},
    ).one()
    assert not any(row)


@pytest.mark.attack(3)
@pytest.mark.parametrize("role", ["centrala_app", "centrala_relay"])
def test_those_who_serve_own_nothing_and_create_nothing(catalogue: Connection, role: str) -> None:
    owned = column(
        catalogue,
        "select relname from pg_class where pg_get_userbyid(relowner) = :r"
        " union select proname from pg_proc where pg_get_userbyid(proowner) = :r",
        r=role,
    )
    creates = column(
        catalogue,
        "select has_schema_privilege(:r, 'public', 'create')"
        " or has_database_privilege(:r, current_database(), 'create')",
        r=role,
    )
    member_of = column(catalogue, "select 1 from pg_auth_members where member = cast(:r as regrole)", r=role)
    assert (owned, creates, member_of) == ([], [False], [])


@cache
def _tables_and_views() -> tuple[str, ...]:
    return (*sorted(metadata.tables), *(f"{table}_search" for table in sorted(SEARCHED)), "alembic_version")


def privileges(connection: Connection, role: str, relation: str) -> set[str]:
    """What the role may do with a table or view."""
    return {
        privilege
        for privilege in PRIVILEGES
        if connection.scalar(
            text("select has_table_privilege(:r, cast(:t as regclass), :p)"),
            {"r": role, "t": relation, "p": privilege},
        )
    }


@pytest.mark.attack(3)
@pytest.mark.parametrize("relation", _tables_and_views())
def test_each_role_has_exactly_the_rights_it_needs(catalogue: Connection, relation: str) -> None:
    is_view, is_global = relation.endswith("_search"), relation in GLOBAL_TABLES
    app = {"select"} if is_view or is_global else set() if relation == "alembic_version" else RIGHTS_OF_APP
    if relation in APPENDED_ONLY:
        app = {"select", "insert"}
    relay = RIGHTS_OF_APP if relation in RELAY_TABLES else {"select"} if is_global else set()
    assert privileges(catalogue, "centrala_app", relation) == app
    assert privileges(catalogue, "centrala_relay", relation) == relay


def test_the_search_role_reads_what_is_searched_and_cannot_sign_in(catalogue: Connection) -> None:
    readable = {name for name in _tables_and_views() if privileges(catalogue, "centrala_search", name)}
    assert readable == SEARCHED | {f"{table}_search" for table in SEARCHED}
    assert column(catalogue, "select rolcanlogin from pg_roles where rolname = 'centrala_search'") == [False]
    for table in SEARCHED:
        assert privileges(catalogue, "centrala_search", table) == {"select"}


@pytest.mark.attack(3)
@pytest.mark.parametrize("table", sorted(GLOBAL_TABLES))
def test_the_application_cannot_write_what_belongs_to_no_tenant(cast: Cast, table: str) -> None:
    with outside_tenants() as session:
        assert session.scalar(text(f"select count(*) from {table}"))
        with pytest.raises(Exception, match="permission denied"), session.begin_nested():
            session.execute(text(f"delete from {table}"))


# Personal data


CLASSIFIED = (String, LargeBinary, JSONB, ARRAY)
ANSWERS = {"no", "erase", "anonymise"}
NUMBERS_ONLY = {"read_event.subject_ids"}
COLUMNS = [
    (f"{table.name}.{found.name}", found)
    for table in metadata.sorted_tables
    for found in table.columns
    if isinstance(found.type, CLASSIFIED)
]


@pytest.mark.parametrize(("name", "found"), COLUMNS, ids=[name for name, _ in COLUMNS])
def test_a_column_says_what_erasure_does_with_it(name: str, found: Any) -> None:
    answer = found.info.get("personal", "no" if name in NUMBERS_ONLY else "")
    ground = answer.removeprefix("keep:")
    assert answer in ANSWERS or (answer.startswith("keep:") and ground.strip())

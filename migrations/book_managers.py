"""Whoever manages address books sees them all: else nobody but the owner could make one, or mend one made for others.

Their contacts stay as visible as their databases are, and what a manager's own phone holds follows the grants alone
(``app_phone_books``).
"""

from importlib import import_module
from typing import Final

from alembic import op

POLICIES: Final = import_module("migrations.versions.0003_policies")

MANAGES: Final = """
create function app_manages_books() returns boolean language sql stable
return exists (
    select from user_account u join permission_grant p on p.permission_group_id = u.permission_group_id
    where u.id = nullif(current_setting('app.user_id', true), '')::bigint and p.permission = 'books.manage');
"""

SEEN: Final = POLICIES.VISIBILITY["address_book"]


def let_managers_see_books() -> None:
    """For what a transaction enters with, and for a book that is made in it."""
    op.execute(MANAGES)
    op.execute(_enter("t.everyone_sees or (select app_manages_books()) or"))
    _see_books(f"{SEEN} or (select app_manages_books())")


def let_managers_see_granted_books() -> None:
    """As it was before."""
    _see_books(SEEN)
    op.execute(_enter("t.everyone_sees or"))
    op.execute("drop function app_manages_books()")


def _enter(sees_book: str) -> str:
    settings = ""
    for kind, (table, grant, column) in POLICIES.KINDS.items():
        setting = POLICIES.SETTING % {"kind": kind, "table": table, "grant": grant, "column": column}
        settings += setting.replace("t.everyone_sees or", sees_book) if kind == "books" else setting
    function: str = POLICIES.ENTER.replace("%(settings)s", settings)
    return function.replace("create function", "create or replace function")


def _see_books(condition: str) -> None:
    op.execute(f"alter policy visibility on address_book using ({condition}) with check ({condition})")

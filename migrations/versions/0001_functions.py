"""What the tables need before they exist: extensions, the transaction's tenant, folding of search words."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

FUNCTIONS = """
create function app_tenant() returns bigint
    language sql stable parallel safe
    return nullif(current_setting('app.tenant_id', true), '')::bigint;

create function app_fold(words text) returns text
    language sql immutable strict parallel safe
    return lower(public.unaccent('public.unaccent'::regdictionary, words));
"""


def upgrade() -> None:
    for extension in ("pg_trgm", "unaccent", "btree_gin"):
        op.execute(f"create extension if not exists {extension}")
    op.execute(FUNCTIONS)


def downgrade() -> None:
    op.execute("drop function app_fold(text); drop function app_tenant()")

"""What a company sets for itself: its logo, opening hours, own holidays; and the one way to change its row."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

TABLES = ("company_logo", "opening_hours", "holiday_rule")

SET_COMPANY = """
create function app_set_company(new_name text, new_locale text, new_country text, new_time_zone text, new_accent text,
                                new_logo text) returns void
    language sql security definer set search_path = public, pg_temp
    begin atomic
        update tenant set name = new_name, locale = new_locale, country = new_country, time_zone = new_time_zone,
            accent = new_accent, logo = new_logo
            where id = app_tenant();
    end
"""
"""The application may only read ``tenant``, where no policy holds it back; this changes the transaction's own row."""


def upgrade() -> None:
    op.add_column("tenant", sa.Column("logo", sa.String()))
    _create("company_logo", sa.Column("blob_id", sa.BigInteger(), nullable=False))
    op.create_unique_constraint("uq_company_logo_tenant_id", "company_logo", ["tenant_id"])
    op.create_foreign_key(
        "fk_company_logo_tenant_id_blob_id", "company_logo", "blob", ["tenant_id", "blob_id"], ["tenant_id", "id"]
    )
    _create(
        "opening_hours",
        sa.Column("weekday", sa.SmallInteger(), nullable=False),
        sa.Column("opens_minute", sa.SmallInteger(), nullable=False),
        sa.Column("closes_minute", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("weekday between 0 and 6", name="weekday"),
        sa.CheckConstraint(
            "opens_minute >= 0 and opens_minute < closes_minute and closes_minute <= 1440",
            name="span",
        ),
        sa.UniqueConstraint(
            "tenant_id", "weekday", "opens_minute", name="uq_opening_hours_tenant_id_weekday_opens_minute"
        ),
    )
    _create(
        "holiday_rule",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("name", sa.String(), server_default="", nullable=False),
        sa.Column("is_open", sa.Boolean(), server_default="false", nullable=False),
        sa.UniqueConstraint("tenant_id", "day", name="uq_holiday_rule_tenant_id_day"),
    )
    op.execute(SET_COMPANY)
    op.execute("revoke all on function app_set_company from public")
    op.execute("grant execute on function app_set_company to centrala_app")


def _create(table: str, *parts: sa.Column[object] | sa.Constraint) -> None:
    op.create_table(
        table,
        *parts,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name=f"fk_{table}_tenant_id"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{table}"),
        sa.UniqueConstraint("tenant_id", "id", name=f"uq_{table}_tenant_id_id"),
    )
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(
        f"create policy tenant on {table} to centrala_app "
        "using (tenant_id = (select app_tenant())) with check (tenant_id = (select app_tenant()))"
    )
    op.execute(f"grant select, insert, update, delete on {table} to centrala_app")


def downgrade() -> None:
    op.execute("drop function app_set_company")
    for table in reversed(TABLES):
        op.drop_table(table)
    op.drop_column("tenant", "logo")

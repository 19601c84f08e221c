"""The second factor at sign-in, the step at which it is asked for, and whether the company asks everybody for it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

TABLES = ("second_factor", "second_step", "security_policy")


def upgrade() -> None:
    _create(
        "second_factor",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("secret_sealed", sa.LargeBinary()),
        sa.Column("app_since", sa.DateTime(timezone=True)),
        sa.Column("last_step", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("pending_sealed", sa.LargeBinary()),
        sa.Column("pending_until", sa.DateTime(timezone=True)),
        sa.Column("recovery_hashes", postgresql.ARRAY(sa.LargeBinary()), server_default="{}", nullable=False),
        sa.CheckConstraint("(secret_sealed is null) = (app_since is null)", name="app"),
        sa.CheckConstraint("(pending_sealed is null) = (pending_until is null)", name="pending"),
        sa.UniqueConstraint("tenant_id", "user_id", name="uq_second_factor_tenant_id_user_id"),
        _of_user("second_factor"),
    )
    _create(
        "second_step",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("tenant_id", "token_sha256", name="uq_second_step_tenant_id_token_sha256"),
        _of_user("second_step"),
    )
    op.create_index("ix_second_step_tenant_id_user_id", "second_step", ["tenant_id", "user_id"])
    _create(
        "security_policy",
        sa.Column("second_factor", sa.String(), server_default="optional", nullable=False),
        sa.CheckConstraint("second_factor in ('optional', 'required')", name="second_factor"),
        sa.UniqueConstraint("tenant_id", name="uq_security_policy_tenant_id"),
    )


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "user_id"],
        ["user_account.tenant_id", "user_account.id"],
        name=f"fk_{table}_tenant_id_user_id",
        ondelete="CASCADE",
    )


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
    for table in reversed(TABLES):
        op.drop_table(table)

"""Passkeys, the challenges that they answer, and companies that ask everybody for one."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

TABLES = ("passkey", "passkey_challenge")


def upgrade() -> None:
    _create(
        "passkey",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("tenant_id", "credential_id", name="uq_passkey_tenant_id_credential_id"),
        _of_user("passkey"),
    )
    op.create_index("ix_passkey_tenant_id_user_id", "passkey", ["tenant_id", "user_id"])
    _create(
        "passkey_challenge",
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger()),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("challenge", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("purpose in ('creation', 'sign_in', 'second_step')", name="purpose"),
        sa.CheckConstraint("(user_id is null) = (purpose = 'sign_in')", name="user"),
        sa.UniqueConstraint("tenant_id", "token_sha256", name="uq_passkey_challenge_tenant_id_token_sha256"),
        _of_user("passkey_challenge"),
    )
    op.create_index("ix_passkey_challenge_tenant_id_expires_at", "passkey_challenge", ["tenant_id", "expires_at"])
    _choices("'optional', 'required', 'passkey'")


def _choices(codes: str) -> None:
    op.drop_constraint("second_factor", "security_policy", type_="check")
    op.create_check_constraint("second_factor", "security_policy", f"second_factor in ({codes})")


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
    op.execute("update security_policy set second_factor = 'required' where second_factor = 'passkey'")
    _choices("'optional', 'required'")
    for table in reversed(TABLES):
        op.drop_table(table)

"""Providers of OpenID Connect, accounts there that belong to users, and browsers on their way there."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

TABLES = ("openid_provider", "linked_account", "openid_visit")


def upgrade() -> None:
    op.add_column("sign_in_session", sa.Column("is_vouched_for", sa.Boolean(), server_default="false", nullable=False))
    _create(
        "openid_provider",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("sealed_secret", sa.LargeBinary(), nullable=False),
        sa.Column("domains", sa.ARRAY(sa.String()), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("counts_as_factor", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind in ('google', 'microsoft', 'generic')", name="kind"),
        sa.CheckConstraint("cardinality(domains) > 0", name="domains"),
        sa.UniqueConstraint("tenant_id", "name", name="uq_openid_provider_tenant_id_name"),
    )
    _create(
        "linked_account",
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("linked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        _link("linked_account", "provider_id", "openid_provider"),
        _link("linked_account", "user_id", "user_account"),
        sa.UniqueConstraint(
            "tenant_id", "provider_id", "subject", name="uq_linked_account_tenant_id_provider_id_subject"
        ),
        sa.UniqueConstraint(
            "tenant_id", "provider_id", "user_id", name="uq_linked_account_tenant_id_provider_id_user_id"
        ),
    )
    op.create_index("ix_linked_account_tenant_id_user_id", "linked_account", ["tenant_id", "user_id"])
    _create(
        "openid_visit",
        sa.Column("provider_id", sa.BigInteger(), nullable=False),
        sa.Column("state_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("browser_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("code_verifier", sa.String(), nullable=False),
        sa.Column("wanted_path", sa.String(), nullable=False),
        sa.Column("attempt_ids", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        _link("openid_visit", "provider_id", "openid_provider"),
        sa.UniqueConstraint("tenant_id", "state_sha256", name="uq_openid_visit_tenant_id_state_sha256"),
    )


def _link(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{target}.tenant_id", f"{target}.id"],
        name=f"fk_{table}_tenant_id_{column}",
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
    op.drop_column("sign_in_session", "is_vouched_for")

"""Sessions that their user can tell apart: when, from which network, and whether the browser was new."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sign_in_session", sa.Column("network", sa.String(), server_default="", nullable=False))
    op.add_column("sign_in_session", sa.Column("is_new_browser", sa.Boolean(), server_default="false", nullable=False))
    op.add_column(
        "sign_in_session",
        sa.Column("last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )
    op.add_column("sign_in_session", sa.Column("told_at", sa.DateTime(timezone=True)))
    op.create_table(
        "known_browser",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["user_account.tenant_id", "user_account.id"],
            name="fk_known_browser_tenant_id_user_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_known_browser_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_known_browser"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_known_browser_tenant_id_id"),
        sa.UniqueConstraint(
            "tenant_id", "user_id", "token_sha256", name="uq_known_browser_tenant_id_user_id_token_sha256"
        ),
    )
    op.execute("alter table known_browser enable row level security")
    op.execute("alter table known_browser force row level security")
    op.execute(
        "create policy tenant on known_browser to centrala_app "
        "using (tenant_id = (select app_tenant())) with check (tenant_id = (select app_tenant()))"
    )
    op.execute("grant select, insert, update, delete on known_browser to centrala_app")


def downgrade() -> None:
    op.drop_table("known_browser")
    for column in ("told_at", "last_seen_at", "is_new_browser", "network"):
        op.drop_column("sign_in_session", column)

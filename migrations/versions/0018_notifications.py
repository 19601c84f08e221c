"""Notifications, what each user wants of them, and browsers that take pushes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLES = ("notification", "notification_choice", "push_subscription", "push_key")

VISIBILITY = {
    "notification": """((select nullif(current_setting('app.user_id', true), '')) is null
            or user_id = (select nullif(current_setting('app.user_id', true), '')::bigint))
        and (ticket_id is null or exists (select from ticket t where t.id = ticket_id))
        and (call_id is null or exists (select from call c where c.id = call_id))""",
}
"""One's own, of what one sees: an owner, who sees the whole company, does not see what others are told."""


def upgrade() -> None:
    _create(
        "notification",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("source_id", sa.BigInteger(), nullable=False),
        sa.Column("detail", sa.String(), server_default="", nullable=False),
        sa.Column("ticket_id", sa.BigInteger(), nullable=True),
        sa.Column("call_id", sa.BigInteger(), nullable=True),
        sa.Column("count", sa.Integer(), server_default="1", nullable=False),
        sa.Column("in_app", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mail_wanted", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pushed_at", sa.DateTime(timezone=True), nullable=True),
        _link("notification", "user_id", "user_account"),
        _link("notification", "ticket_id", "ticket"),
        _link("notification", "call_id", "call"),
    )
    op.create_index(
        "uq_notification_unread",
        "notification",
        ["tenant_id", "user_id", "kind", "key"],
        unique=True,
        postgresql_where=sa.text("read_at is null"),
    )
    for columns in (["user_id", "happened_at", "id"], ["ticket_id"], ["call_id"], ["happened_at"]):
        name = "_".join(["ix_notification_tenant_id", *columns])
        op.create_index(name, "notification", ["tenant_id", *columns])
    _create(
        "notification_choice",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("channels", postgresql.ARRAY(sa.Text()), nullable=False),
        _link("notification_choice", "user_id", "user_account"),
        sa.UniqueConstraint("tenant_id", "user_id", "kind", name="uq_notification_choice_tenant_id_user_id_kind"),
    )
    _create(
        "push_subscription",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("session_id", sa.BigInteger(), nullable=False),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("endpoint_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("p256dh", sa.String(), nullable=False),
        sa.Column("auth", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        _link("push_subscription", "user_id", "user_account"),
        _link("push_subscription", "session_id", "sign_in_session"),
        sa.CheckConstraint("endpoint like 'http%'", name="endpoint"),
        sa.UniqueConstraint("tenant_id", "endpoint_sha256", name="uq_push_subscription_tenant_id_endpoint_sha256"),
    )
    for column in ("user_id", "session_id"):
        op.create_index(f"ix_push_subscription_tenant_id_{column}", "push_subscription", ["tenant_id", column])
    _create(
        "push_key",
        sa.Column("public_key", sa.String(), nullable=False),
        sa.Column("sealed_private_key", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.UniqueConstraint("tenant_id", name="uq_push_key_tenant_id"),
    )
    for table, condition in VISIBILITY.items():
        op.execute(
            f"create policy visibility on {table} as restrictive to centrala_app using ({condition}) "
            f"with check ({condition})"
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


def _link(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{target}.tenant_id", f"{target}.id"],
        name=f"fk_{table}_tenant_id_{column}",
        ondelete="CASCADE",
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)

"""Telephony: lines, devices, trunks, numbers, calls, what happened in them, recordings; and the edge's views."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.edge import create_edge, drop_edge

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

TABLES = ("trunk", "phone_line", "device", "trunk_number", "call", "call_event", "recording")

OWN_LINE = """exists (select from phone_line l where l.id in (line_id, caller_line_id)
    and l.user_id = nullif(current_setting('app.user_id', true), '')::bigint)"""
"""Those whose line takes part see the call, also when its contact is hidden from them: their phone rang."""

VISIBILITY = {
    "call": f"(select app_sees_all()) or exists (select from activity a where a.id = activity_id) or {OWN_LINE}",
    "call_event": "exists (select from call c where c.id = call_id)",
    "recording": "exists (select from call c where c.id = call_id)",
}
APPENDED_ONLY = ("call_event",)


def upgrade() -> None:
    _create_tables()
    for table in TABLES:
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(
            f"create policy tenant on {table} to centrala_app "
            "using (tenant_id = (select app_tenant())) with check (tenant_id = (select app_tenant()))"
        )
        rights = "select, insert" if table in APPENDED_ONLY else "select, insert, update, delete"
        op.execute(f"grant {rights} on {table} to centrala_app")
    for table, condition in VISIBILITY.items():
        op.execute(
            f"create policy visibility on {table} as restrictive to centrala_app using ({condition}) "
            f"with check ({condition})"
        )
    create_edge(op)


def _create_tables() -> None:
    op.create_table(
        "trunk",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("host", sa.String(), nullable=False),
        sa.Column("port", sa.Integer(), server_default="5060", nullable=False),
        sa.Column("transport", sa.String(), server_default="udp", nullable=False),
        sa.Column("username", sa.String(), server_default="", nullable=False),
        sa.Column("sealed_password", sa.LargeBinary(), nullable=True),
        sa.Column("is_enabled", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.CheckConstraint("transport in ('udp', 'tcp', 'tls')", name="transport"),
        sa.CheckConstraint("port between 1 and 65535", name="port"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_trunk_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_trunk"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_trunk_tenant_id_id"),
        sa.UniqueConstraint("tenant_id", "name", name="uq_trunk_tenant_id_name"),
    )
    op.create_table(
        "phone_line",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("caller_id", sa.String(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.CheckConstraint("number ~ '^[0-9]{2,6}$'", name="number"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["user_account.tenant_id", "user_account.id"],
            name="fk_phone_line_tenant_id_user_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_phone_line_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_phone_line"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_phone_line_tenant_id_id"),
        sa.UniqueConstraint("tenant_id", "number", name="uq_phone_line_tenant_id_number"),
        sa.UniqueConstraint("tenant_id", "user_id", name="uq_phone_line_tenant_id_user_id"),
    )
    op.create_table(
        "device",
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sip_username", sa.String(), server_default="", nullable=False),
        sa.Column("ha1", sa.String(), server_default="", nullable=False),
        sa.Column("external_number", sa.String(), server_default="", nullable=False),
        sa.Column("ring_delay_s", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("ring_time_s", sa.SmallInteger(), server_default="30", nullable=False),
        sa.Column("is_enabled", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.CheckConstraint("(kind = 'external') = (external_number <> '')", name="external"),
        sa.CheckConstraint("(kind = 'external') = (sip_username = '')", name="sign_in"),
        sa.CheckConstraint("kind in ('sip', 'browser', 'external')", name="kind"),
        sa.CheckConstraint("sip_username ~ '^[A-Za-z0-9._-]{0,64}$'", name="sip_username"),
        sa.CheckConstraint("ring_delay_s between 0 and 60", name="ring_delay"),
        sa.CheckConstraint("ring_time_s between 5 and 120", name="ring_time"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "line_id"],
            ["phone_line.tenant_id", "phone_line.id"],
            name="fk_device_tenant_id_line_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_device_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_device"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_device_tenant_id_id"),
    )
    op.create_index("ix_device_tenant_id_line_id", "device", ["tenant_id", "line_id"], unique=False)
    op.create_index(
        "uq_device_sip_username",
        "device",
        ["tenant_id", "sip_username"],
        unique=True,
        postgresql_where="sip_username <> ''",
    )
    op.create_table(
        "trunk_number",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("trunk_id", sa.BigInteger(), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "line_id"],
            ["phone_line.tenant_id", "phone_line.id"],
            name="fk_trunk_number_tenant_id_line_id",
            ondelete="SET NULL (line_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "trunk_id"],
            ["trunk.tenant_id", "trunk.id"],
            name="fk_trunk_number_tenant_id_trunk_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_trunk_number_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_trunk_number"),
        sa.UniqueConstraint("number", name="uq_trunk_number_number"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_trunk_number_tenant_id_id"),
    )
    op.create_table(
        "call",
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("from_number", sa.String(), nullable=False),
        sa.Column("to_number", sa.String(), nullable=False),
        sa.Column("activity_id", sa.BigInteger(), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=True),
        sa.Column("caller_line_id", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.String(), server_default="ringing", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(), nullable=True),
        sa.Column("cause", sa.String(), nullable=True),
        sa.Column("sip_status", sa.Integer(), nullable=True),
        sa.Column("worker", sa.String(), nullable=False),
        sa.Column("sip_call_id", sa.String(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.CheckConstraint("(state = 'ended') = (ended_at is not null and cause is not null)", name="ended"),
        sa.CheckConstraint("direction in ('in', 'out', 'internal')", name="direction"),
        sa.CheckConstraint("ended_by in ('caller', 'callee', 'system')", name="ended_by"),
        sa.CheckConstraint("state in ('ringing', 'answered', 'ended')", name="state"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "activity_id"],
            ["activity.tenant_id", "activity.id"],
            name="fk_call_tenant_id_activity_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "caller_line_id"],
            ["phone_line.tenant_id", "phone_line.id"],
            name="fk_call_tenant_id_caller_line_id",
            ondelete="SET NULL (caller_line_id)",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "line_id"],
            ["phone_line.tenant_id", "phone_line.id"],
            name="fk_call_tenant_id_line_id",
            ondelete="SET NULL (line_id)",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_call_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_call"),
        sa.UniqueConstraint("tenant_id", "activity_id", name="uq_call_tenant_id_activity_id"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_call_tenant_id_id"),
    )
    op.create_index(
        "ix_call_live", "call", ["tenant_id", "worker"], unique=False, postgresql_where=sa.text("state <> 'ended'")
    )
    op.create_index("ix_call_tenant_id_started_at_id", "call", ["tenant_id", "started_at", "id"], unique=False)
    op.create_table(
        "call_event",
        sa.Column("call_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("device_id", sa.BigInteger(), nullable=True),
        sa.Column("detail", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.CheckConstraint("kind in ('began', 'ringing', 'leg_ended', 'answered', 'recorded', 'ended')", name="kind"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "call_id"],
            ["call.tenant_id", "call.id"],
            name="fk_call_event_tenant_id_call_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_call_event_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_call_event"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_call_event_tenant_id_id"),
    )
    op.create_index("ix_call_event_tenant_id_call_id_id", "call_event", ["tenant_id", "call_id", "id"], unique=False)
    op.create_table(
        "recording",
        sa.Column("call_id", sa.BigInteger(), nullable=False),
        sa.Column("blob_id", sa.BigInteger(), nullable=True),
        sa.Column("stem", sa.String(), nullable=False),
        sa.Column("state", sa.String(), server_default="recording", nullable=False),
        sa.Column("duration_ms", sa.Integer(), server_default="0", nullable=False),
        sa.Column("peaks", sa.LargeBinary(), server_default=sa.text("''"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.CheckConstraint("(state = 'ready') = (blob_id is not null)", name="stored"),
        sa.CheckConstraint("state in ('recording', 'encoding', 'ready', 'failed')", name="state"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "blob_id"], ["blob.tenant_id", "blob.id"], name="fk_recording_tenant_id_blob_id"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "call_id"],
            ["call.tenant_id", "call.id"],
            name="fk_recording_tenant_id_call_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_recording_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_recording"),
        sa.UniqueConstraint("tenant_id", "call_id", name="uq_recording_tenant_id_call_id"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_recording_tenant_id_id"),
    )


def downgrade() -> None:
    drop_edge(op)
    for table in reversed(TABLES):
        op.drop_table(table)

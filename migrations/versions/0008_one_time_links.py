"""Links that let a user in once, and their mails, which belong to no activity and which only owners see."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SEEN = "exists (select from activity a where a.id = activity_id)"
SEEN_BY_OWNERS_TOO = f"case when activity_id is null then (select app_sees_all()) else {SEEN} end"

ADD = """
create function notice_add(blob bigint, sender text, recipient text, title text) returns bigint language plpgsql as $$
declare
    seen text := current_setting('app.sees_all');
    added bigint;
begin
    perform set_config('app.sees_all', 'on', true);
    insert into outbound_mail (blob_id, envelope_from, envelope_to, subject)
        values (blob, sender, array[recipient], title) returning id into added;
    perform set_config('app.sees_all', seen, true);
    return added;
end $$;
"""
"""Whoever invites a colleague sends a mail that they must not read: so this looks at the whole tenant for a moment."""


def upgrade() -> None:
    op.create_table(
        "one_time_link",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("token_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("tenant_id", sa.BigInteger(), server_default=sa.text("app_tenant()"), nullable=False),
        sa.CheckConstraint("kind in ('invitation', 'reset')", name="kind"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.id"], name="fk_one_time_link_tenant_id"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["user_account.tenant_id", "user_account.id"],
            name="fk_one_time_link_tenant_id_user_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_one_time_link"),
        sa.UniqueConstraint("tenant_id", "id", name="uq_one_time_link_tenant_id_id"),
        sa.UniqueConstraint("tenant_id", "token_sha256", name="uq_one_time_link_tenant_id_token_sha256"),
    )
    op.create_index("ix_one_time_link_tenant_id_user_id_kind", "one_time_link", ["tenant_id", "user_id", "kind"])
    op.execute("alter table one_time_link enable row level security")
    op.execute("alter table one_time_link force row level security")
    op.execute(
        "create policy tenant on one_time_link to centrala_app "
        "using (tenant_id = (select app_tenant())) with check (tenant_id = (select app_tenant()))"
    )
    op.execute("grant select, insert, update, delete on one_time_link to centrala_app")
    op.alter_column("outbound_mail", "activity_id", nullable=True)
    op.add_column("outbound_mail", sa.Column("subject", sa.String(), nullable=True))
    op.create_check_constraint("notice", "outbound_mail", "(activity_id is null) = (subject is not null)")
    _see_mails(SEEN_BY_OWNERS_TOO)
    op.execute(ADD)


def _see_mails(condition: str) -> None:
    op.execute(f"alter policy visibility on outbound_mail using ({condition}) with check ({condition})")


def downgrade() -> None:
    op.execute("drop function notice_add(bigint, text, text, text)")
    _see_mails(SEEN)
    op.execute("delete from outbound_mail where activity_id is null")
    op.drop_constraint("notice", "outbound_mail", type_="check")
    op.drop_column("outbound_mail", "subject")
    op.alter_column("outbound_mail", "activity_id", nullable=False)
    op.drop_table("one_time_link")

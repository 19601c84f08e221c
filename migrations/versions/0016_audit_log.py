"""The audit log is read by time, of everybody or of one person."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_change_time", "change", ["tenant_id", "changed_at", "id"])
    op.create_index("ix_change_user", "change", ["tenant_id", "user_id", "changed_at", "id"])


def downgrade() -> None:
    op.drop_index("ix_change_user", "change")
    op.drop_index("ix_change_time", "change")

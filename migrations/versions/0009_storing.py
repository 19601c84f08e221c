"""Functions that store a contact, and tell of a change, in one statement each."""

from alembic import op

from migrations.storing import create_storing, drop_storing

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_storing()
    op.drop_constraint("fk_synced_client_card_tenant_id", "synced_client_card")


def downgrade() -> None:
    op.create_foreign_key("fk_synced_client_card_tenant_id", "synced_client_card", "tenant", ["tenant_id"], ["id"])
    drop_storing()

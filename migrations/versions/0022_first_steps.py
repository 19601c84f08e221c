"""Who has put a new company's first steps away."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("user_account", sa.Column("hides_first_steps", sa.Boolean(), server_default="false", nullable=False))


def downgrade() -> None:
    op.drop_column("user_account", "hides_first_steps")

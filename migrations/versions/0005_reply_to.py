"""Where the writer of a mail wants answers (Reply-To, RFC 5322, 3.6.2)."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("mail_message", sa.Column("reply_to", JSONB, server_default="[]", nullable=False))


def downgrade() -> None:
    op.drop_column("mail_message", "reply_to")

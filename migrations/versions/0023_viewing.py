"""With whose rights an owner's browser looks at the app, and until when."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

LINK = "fk_sign_in_session_tenant_id_viewed_group_id"


def upgrade() -> None:
    op.add_column("sign_in_session", sa.Column("viewed_group_id", sa.BigInteger()))
    op.add_column("sign_in_session", sa.Column("viewed_until", sa.DateTime(timezone=True)))
    op.create_foreign_key(
        LINK,
        "sign_in_session",
        "permission_group",
        ["tenant_id", "viewed_group_id"],
        ["tenant_id", "id"],
        ondelete="SET NULL (viewed_group_id)",
    )


def downgrade() -> None:
    op.drop_constraint(LINK, "sign_in_session", type_="foreignkey")
    for column in ("viewed_until", "viewed_group_id"):
        op.drop_column("sign_in_session", column)

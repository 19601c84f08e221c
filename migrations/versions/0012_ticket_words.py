"""A ticket's words begin with a space, as a contact's do: a short needle is looked for at the beginning of words."""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("alter table ticket alter column search_text set expression as (app_fold(' ' || search_words))")


def downgrade() -> None:
    op.execute("alter table ticket alter column search_text set expression as (app_fold(search_words))")

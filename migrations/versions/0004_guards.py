"""What the database guarantees by itself: "Position" is permanent, and a colour is a colour."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

POSITION = """
create function position_stays() returns trigger language plpgsql as $$
begin
    raise exception 'the group Position is permanent' using errcode = 'check_violation';
end $$;

create trigger position_stays_deleted before delete on user_group
    for each row when (old.is_position) execute function position_stays();
create trigger position_stays_changed before update on user_group
    for each row when (old.is_position and (not new.is_position or new.parent_id is not null))
    execute function position_stays();
"""


def upgrade() -> None:
    op.execute(POSITION)
    op.create_check_constraint("accent", "tenant", "accent ~ '^#[0-9a-f]{6}$'")


def downgrade() -> None:
    op.drop_constraint("accent", "tenant", type_="check")
    op.execute("drop trigger position_stays_changed on user_group; drop trigger position_stays_deleted on user_group")
    op.execute("drop function position_stays()")

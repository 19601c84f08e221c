"""Kinds of users, deleting them, the last owner who stays one, and phones that nobody has."""

from importlib import import_module

import sqlalchemy as sa
from alembic import op

from migrations.books import DAV_ENTER

POSITION = import_module("migrations.versions.0010_groups").POSITION

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

LAST_OWNER = """
create function an_owner_stays() returns trigger language plpgsql as $$
begin
    perform pg_advisory_xact_lock(hashtext('an_owner_stays'), old.tenant_id::int);
    if exists (select from permission_group g where g.id = old.permission_group_id and g.is_owner) and not exists (
        select from user_account u join permission_group g on g.id = u.permission_group_id
        where u.tenant_id = old.tenant_id and g.is_owner and not u.is_blocked and u.password_hash is not null) then
        raise exception 'the last owner stays one' using errcode = 'check_violation';
    end if;
    return null;
end $$;

create constraint trigger an_owner_stays_changed after update on user_account
    deferrable initially deferred for each row
    when (not old.is_blocked and old.password_hash is not null and (new.is_blocked or new.password_hash is null
        or old.permission_group_id is distinct from new.permission_group_id))
    execute function an_owner_stays();
create constraint trigger an_owner_stays_deleted after delete on user_account
    deferrable initially deferred for each row
    when (not old.is_blocked and old.password_hash is not null) execute function an_owner_stays();
"""
"""It looks at the end of the transaction, when the services have had their say. The lock lets one of two who demote
each other wait for the other, and then see what it did."""

POSITION_OF_THOSE_HERE = """
create or replace function position_is_mandatory() returns trigger language plpgsql as $$
declare
    person bigint;
begin
    for person in
        select u.id from user_account u where u.deleted_at is null and (tg_table_name = 'user_group'
            or (tg_table_name = 'user_account' and u.id = (to_jsonb(new) ->> 'id')::bigint)
            or (tg_table_name = 'user_group_member' and u.id = (to_jsonb(old) ->> 'user_id')::bigint))
    loop
        if not has_position(person) then
            raise exception 'every user belongs to the group Position' using errcode = 'check_violation';
        end if;
    end loop;
    return null;
end $$;
"""

HOLDS = """
create function person_holds(person bigint) returns table (tickets bigint, open_tickets bigint, contacts bigint,
    companies bigint) language plpgsql as $$
declare
    seen text := current_setting('app.sees_all');
begin
    perform set_config('app.sees_all', 'on', true);
    select count(*), count(*) filter (where t.status <> 'closed') into tickets, open_tickets
        from ticket t where t.owner_id = person;
    select count(*) into contacts from contact c where c.owner_id = person;
    select count(*) into companies from company c where c.owner_id = person;
    perform set_config('app.sees_all', seen, true);
    return next;
end $$;
"""

HANDS_ON = """
create function person_hands_on(person bigint, successor bigint, by_door text) returns void language plpgsql as $$
declare
    seen text := current_setting('app.sees_all');
    acting bigint := nullif(current_setting('app.user_id', true), '')::bigint;
begin
    perform set_config('app.sees_all', 'on', true);
    with handed as (
        update ticket set owner_id = successor, version = version + 1 where owner_id = person returning id
    )
    insert into change (subject_kind, subject_id, fields, user_id, door)
        select 'ticket', id, jsonb_build_object('owner_id', jsonb_build_array(person, successor)), acting, by_door
        from handed;
    with handed as (
        update contact set owner_id = successor, version = version + 1 where owner_id = person returning id
    )
    insert into change (subject_kind, subject_id, fields, user_id, door)
        select 'contact', id, jsonb_build_object('owner_id', jsonb_build_array(person, successor)), acting, by_door
        from handed;
    with handed as (
        update company set owner_id = successor, version = version + 1 where owner_id = person returning id
    )
    insert into change (subject_kind, subject_id, fields, user_id, door)
        select 'company', id, jsonb_build_object('owner_id', jsonb_build_array(person, successor)), acting, by_door
        from handed;
    perform set_config('app.sees_all', seen, true);
end $$;
"""
"""Whoever deletes a colleague need not see what the colleague looked after: so both look at the whole tenant."""

ENTERED_BY = """        join permission_group g on g.id = u.permission_group_id
        where c.username = wanted and c.secret_sha256 = secret and c.state <> 'revoked' and not u.is_blocked;"""
ENTERED_TO_BE_WIPED_TOO = """        left join permission_group g on g.id = u.permission_group_id
        where c.username = wanted and c.secret_sha256 = secret and c.state <> 'revoked'
        and (not u.is_blocked or (c.state = 'wiping' and u.deleted_at is not null));
    is_owner := coalesce(is_owner, false);"""
SEES_BOOKS = """            from app_phone_books(user_id) b;
    end if;"""
SEES_BOOKS_TO_EMPTY_TOO = """            from app_phone_books(user_id) b;
    elsif state = 'wiping' then
        perform set_config('app.sees_all', 'on', true);
        select coalesce(jsonb_agg(jsonb_build_array(b.id, b.name, b.version, b.database_id) order by b.id), '[]')
            into books from address_book b
            where b.id in (select s.address_book_id from synced_client_book s where s.client_id = dav_enter.client_id);
        perform set_config('app.sees_all', 'off', true);
    end if;"""
"""A deleted user's phone is let in until it was told to forget everything: it finds the books that it holds, and
they are empty."""


def upgrade() -> None:
    op.add_column("user_account", sa.Column("kind", sa.String(), server_default="call_centre", nullable=False))
    op.add_column("user_account", sa.Column("business_number", sa.String(), server_default="", nullable=False))
    op.add_column("user_account", sa.Column("sms_sender", sa.String(), server_default="", nullable=False))
    op.add_column("user_account", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.alter_column("user_account", "permission_group_id", nullable=True)
    op.create_check_constraint("kind", "user_account", "kind in ('call_centre', 'back_office')")
    op.create_check_constraint("deleted", "user_account", "(deleted_at is null) = (permission_group_id is not null)")
    op.create_check_constraint("deleted_blocked", "user_account", "deleted_at is null or is_blocked")
    op.alter_column("device", "line_id", nullable=True)
    for statement in (LAST_OWNER, POSITION_OF_THOSE_HERE, HOLDS, HANDS_ON):
        op.execute(statement)
    entering = DAV_ENTER.replace(ENTERED_BY, ENTERED_TO_BE_WIPED_TOO).replace(SEES_BOOKS, SEES_BOOKS_TO_EMPTY_TOO)
    op.execute(_replacing(entering))


def _replacing(statement: str) -> str:
    return statement.replace("create function", "create or replace function")


def downgrade() -> None:
    op.execute(_replacing(DAV_ENTER))
    op.execute(
        POSITION[POSITION.index("create function position_is_mandatory") : POSITION.index("create constraint")].replace(
            "create function", "create or replace function"
        )
    )
    op.execute("drop function person_hands_on(bigint, bigint, text); drop function person_holds(bigint)")
    op.execute(
        "drop trigger an_owner_stays_changed on user_account; drop trigger an_owner_stays_deleted on user_account"
    )
    op.execute("drop function an_owner_stays()")
    op.alter_column("device", "line_id", nullable=False)
    for name in ("deleted_blocked", "deleted", "kind"):
        op.drop_constraint(name, "user_account", type_="check")
    op.alter_column("user_account", "permission_group_id", nullable=False)
    for name in ("deleted_at", "sms_sender", "business_number", "kind"):
        op.drop_column("user_account", name)

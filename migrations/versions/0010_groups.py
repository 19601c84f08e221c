"""Groups in the settings: a tree in order and without cycles, "Position" for everybody, who sees what.

``app_sights`` and ``app_viewers`` enter the transaction as one user after the other and ask what the policies let
them see: so the answer to "who can see this?" cannot differ from what people see.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TREE = """
create function user_group_stays_a_tree() returns trigger language plpgsql as $$
declare
    above bigint := new.parent_id;
begin
    while above is not null loop
        if above = new.id then
            raise exception 'a user group cannot stand below itself' using errcode = 'check_violation';
        end if;
        select g.parent_id into above from user_group g where g.id = above;
    end loop;
    return new;
end $$;

create trigger user_group_stays_a_tree before insert or update of parent_id on user_group
    for each row when (new.parent_id is not null) execute function user_group_stays_a_tree();
"""

POSITION = """
create function has_position(person bigint) returns boolean language sql stable as $$
    with recursive above as (
        select m.user_group_id as id from user_group_member m where m.user_id = person
        union
        select g.parent_id from user_group g join above on above.id = g.id where g.parent_id is not null
    )
    select exists (select from user_group g join above on above.id = g.id where g.is_position)
$$;

create function position_is_mandatory() returns trigger language plpgsql as $$
declare
    person bigint;
begin
    for person in
        select u.id from user_account u where tg_table_name = 'user_group'
            or (tg_table_name = 'user_account' and u.id = (to_jsonb(new) ->> 'id')::bigint)
            or (tg_table_name = 'user_group_member' and u.id = (to_jsonb(old) ->> 'user_id')::bigint)
    loop
        if not has_position(person) then
            raise exception 'every user belongs to the group Position' using errcode = 'check_violation';
        end if;
    end loop;
    return null;
end $$;

create constraint trigger position_is_mandatory after insert on user_account
    deferrable initially deferred for each row execute function position_is_mandatory();
create constraint trigger position_is_mandatory after delete or update on user_group_member
    deferrable initially deferred for each row execute function position_is_mandatory();
create constraint trigger position_is_mandatory after update on user_group
    deferrable initially deferred for each row when (old.parent_id is distinct from new.parent_id)
    execute function position_is_mandatory();
"""

SIGHTS = """
create function app_scope() returns text[] language sql stable as $$
    select array[current_setting('app.user_id', true), current_setting('app.sees_all', true),
        current_setting('app.databases', true), current_setting('app.queues', true),
        current_setting('app.categories', true), current_setting('app.books', true)]
$$;

create function app_rescope(kept text[]) returns void language sql as $$
    select set_config('app.' || setting, coalesce(kept[place], ''), true) from unnest(
        array['user_id', 'sees_all', 'databases', 'queues', 'categories', 'books'])
        with ordinality as known (setting, place)
$$;

create function app_sights() returns table (person bigint, everything boolean,
    databases bigint[], queues bigint[], categories bigint[], books bigint[]) language plpgsql as $$
declare
    kept text[] := app_scope();
    tenant bigint := app_tenant();
begin
    for person in select u.id from user_account u where not u.is_blocked order by u.sort_key, u.id loop
        perform app_enter(tenant, person);
        everything := app_sees_all();
        databases := app_seen('databases');
        queues := app_seen('queues');
        categories := app_seen('categories');
        books := app_seen('books');
        return next;
    end loop;
    perform app_rescope(kept);
end $$;

create function app_viewers(relation text, wanted bigint) returns setof bigint language plpgsql as $$
declare
    kept text[] := app_scope();
    tenant bigint := app_tenant();
    person bigint;
    is_seen boolean;
begin
    if relation not in ('contact', 'company', 'ticket', 'activity', 'address_book') then
        raise exception 'nobody asks who sees a row of %', relation using errcode = 'invalid_parameter_value';
    end if;
    for person in select u.id from user_account u where not u.is_blocked order by u.sort_key, u.id loop
        perform app_enter(tenant, person);
        execute format('select exists (select from %I where id = $1)', relation) into is_seen using wanted;
        if is_seen then
            return next person;
        end if;
    end loop;
    perform app_rescope(kept);
end $$;
"""


def upgrade() -> None:
    op.add_column("user_group", sa.Column("position", sa.Integer(), server_default="0", nullable=False))
    op.execute(TREE)
    op.execute(POSITION)
    op.execute(SIGHTS)


def downgrade() -> None:
    op.execute("drop function app_viewers(text, bigint); drop function app_sights()")
    op.execute("drop function app_rescope(text[]); drop function app_scope()")
    for table in ("user_account", "user_group_member", "user_group"):
        op.execute(f"drop trigger position_is_mandatory on {table}")
    op.execute("drop function position_is_mandatory(); drop function has_position(bigint)")
    op.execute("drop trigger user_group_stays_a_tree on user_group; drop function user_group_stays_a_tree()")
    op.drop_column("user_group", "position")

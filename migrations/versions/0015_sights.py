"""Who sees what is one question for everybody: nobody is entered any more to find out what they see.

``app_sights`` computes for all at once what ``app_enter`` computes for one. ``app_viewers`` finds the thing that
decides about a row and then asks the row's own policy whether that thing decides: hidden without it, shown with it. If
the policy says otherwise, the question fails rather than being answered wrongly.
"""

from importlib import import_module
from typing import Final

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

BEFORE: Final[str] = import_module("migrations.versions.0010_groups").SIGHTS

SIGHTS = """
create function app_sights() returns table (person bigint, everything boolean,
    databases bigint[], queues bigint[], categories bigint[], books bigint[]) language plpgsql as $$
declare
    kept text[] := app_scope();
begin
    perform set_config('app.sees_all', 'on', true);
    return query
    with recursive belongs (member, id) as (
        select m.user_id, m.user_group_id from user_group_member m
        union
        select b.member, g.parent_id from belongs b join user_group g on g.id = b.id where g.parent_id is not null
    ), seen as (
        %(granted)s
    ), gathered as (
        select s.member, s.kind, array_agg(s.id) as ids from seen s group by s.member, s.kind
    ), open as (
        %(opened)s
    )
    select u.id, p.is_owner, %(columns)s
    from user_account u join permission_group p on p.id = u.permission_group_id
    where not u.is_blocked
    order by u.sort_key, u.id;
    perform app_rescope(kept);
end $$;
"""

GRANTED = """select b.member, '%(kind)s' as kind, g.%(column)s as id
        from belongs b join %(grant)s g on g.user_group_id = b.id"""

OPENED = """select '%(kind)s' as kind, coalesce(array_agg(t.id) filter (where t.everyone_sees), '{}') as ids,
            coalesce(array_agg(t.id), '{}') as all_ids from %(table)s t"""

SEEN = """(select o.ids from open o where o.kind = '%(kind)s')
        || coalesce((select s.ids from gathered s where s.member = u.id and s.kind = '%(kind)s'), '{}')"""

SEEN_BY_MANAGERS = """case when exists (
            select from permission_grant m where m.permission_group_id = p.id and m.permission = 'books.manage')
        then (select o.all_ids from open o where o.kind = '%(kind)s') else %(seen)s end"""

VIEWERS = """
create function app_viewers(relation text, wanted bigint) returns setof bigint language plpgsql as $$
declare
    kept text[] := app_scope();
    decides text;
    kind text;
    thing bigint;
    shows boolean[];
begin
    select known.decides, known.kind into decides, kind
        from (values ('contact', 'database_id', 'databases'), ('company', 'database_id', 'databases'),
            ('ticket', 'category_id', 'categories'), ('address_book', 'id', 'books')) as known (name, decides, kind)
        where known.name = relation;
    if kind is null then
        raise exception 'nobody asks who sees a row of %', relation using errcode = 'invalid_parameter_value';
    end if;
    perform set_config('app.sees_all', 'on', true);
    execute format('select %I from %I where id = $1', decides, relation) into thing using wanted;
    if thing is not null then
        perform app_rescope(array['', 'off', '{}', '{}', '{}', '{}']);
        execute format('select array[exists (select from %I where id = $1)]', relation) into shows using wanted;
        perform set_config('app.' || kind, array[thing]::text, true);
        execute format('select $2 || exists (select from %I where id = $1)', relation)
            into shows using wanted, shows;
    end if;
    perform app_rescope(kept);
    if thing is null then
        return;
    end if;
    if shows <> array[false, true] then
        raise exception 'the policy of % is not decided by %', relation, decides;
    end if;
    return query select s.person from app_sights() s where s.everything or thing = any(
        case kind when 'databases' then s.databases when 'categories' then s.categories else s.books end);
end $$;
"""


def upgrade() -> None:
    _drop()
    op.execute(_sights())
    op.execute(VIEWERS)


def downgrade() -> None:
    _drop()
    op.execute(BEFORE[BEFORE.index("create function app_sights") :])


def _drop() -> None:
    op.execute("drop function app_viewers(text, bigint); drop function app_sights()")


def _sights() -> str:
    """The question over all four kinds of things, which stand in the policies' migration."""
    kinds = [
        {"kind": kind, "table": table, "grant": grant, "column": column}
        for kind, (table, grant, column) in import_module("migrations.versions.0003_policies").KINDS.items()
    ]
    seen = {names["kind"]: SEEN % names for names in kinds}
    seen["books"] = SEEN_BY_MANAGERS % {"kind": "books", "seen": seen["books"]}
    return SIGHTS % {
        "granted": " union all ".join(GRANTED % names for names in kinds),
        "opened": " union all ".join(OPENED % names for names in kinds),
        "columns": ", ".join(seen[kind] for kind in ("databases", "queues", "categories", "books")),
    }

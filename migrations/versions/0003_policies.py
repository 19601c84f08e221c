"""Row-level security: the tenant's policy on every table, and what one user may see inside the tenant.

``app_enter`` is called when a transaction begins. It sets the tenant and, for a user, the ids of the contact databases,
queues, ticket categories and address books that everyone may see or that a group of theirs was granted. Without a
user, or for the owner's permission group, the whole tenant is visible.
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TENANT_TABLES = (
    "activity", "address_book", "address_book_grant", "attachment", "blob", "change", "company", "company_email",
    "company_phone", "contact", "contact_database", "contact_database_grant", "contact_email", "contact_phone",
    "event", "inbound_mail", "job", "mail_message", "mail_participant", "outbound_mail", "permission_grant",
    "permission_group", "queue", "queue_grant", "read_event", "sign_in_attempt", "sign_in_session", "ticket",
    "ticket_category", "ticket_category_grant", "ticket_counter", "user_account", "user_group", "user_group_member",
)  # fmt: skip
GLOBAL_TABLES = ("tenant", "tenant_host", "mail_address")
RELAY_TABLES = ("event", "job")
SEARCHED = ("contact", "company", "ticket")

KINDS = {
    "databases": ("contact_database", "contact_database_grant", "database_id"),
    "queues": ("queue", "queue_grant", "queue_id"),
    "categories": ("ticket_category", "ticket_category_grant", "category_id"),
    "books": ("address_book", "address_book_grant", "address_book_id"),
}

SCOPE = """
create function app_sees_all() returns boolean
    language sql stable parallel safe
    return coalesce(current_setting('app.sees_all', true), '') = 'on';

create function app_seen(kind text) returns bigint[]
    language sql stable parallel safe
    return coalesce(nullif(current_setting('app.' || kind, true), ''), '{}')::bigint[];
"""

ENTER = """
create function app_enter(tenant bigint, acting_user bigint) returns void language plpgsql as $$
declare
    groups bigint[];
    is_owner boolean;
begin
    perform set_config('app.tenant_id', tenant::text, true), set_config('app.sees_all', 'on', true),
        set_config('app.user_id', coalesce(acting_user::text, ''), true);
    if acting_user is null then
        return;
    end if;
    select g.is_owner into is_owner
        from user_account u join permission_group g on g.id = u.permission_group_id
        where u.id = acting_user;
    if is_owner then
        return;
    end if;
    with recursive above as (
        select m.user_group_id as id from user_group_member m where m.user_id = acting_user
        union
        select g.parent_id from user_group g join above on above.id = g.id where g.parent_id is not null
    )
    select coalesce(array_agg(id), '{}') into groups from above;
    %(settings)s
    perform set_config('app.sees_all', 'off', true);
end $$;
"""

SETTING = """
    perform set_config('app.%(kind)s', coalesce(array_agg(t.id), '{}')::text, true) from %(table)s t
        where t.everyone_sees or exists (
            select from %(grant)s g where g.%(column)s = t.id and g.user_group_id = any(groups));
"""

SEEN = "((select app_sees_all()) or {column} = any((select app_seen('{kind}'))::bigint[]))"

VISIBILITY = {
    "contact_database": SEEN.format(column="id", kind="databases"),
    "queue": SEEN.format(column="id", kind="queues"),
    "ticket_category": SEEN.format(column="id", kind="categories"),
    "address_book": SEEN.format(column="id", kind="books"),
    "contact": SEEN.format(column="database_id", kind="databases"),
    "company": SEEN.format(column="database_id", kind="databases"),
    "ticket": SEEN.format(column="category_id", kind="categories"),
    "contact_phone": "exists (select from contact c where c.id = contact_id)",
    "contact_email": "exists (select from contact c where c.id = contact_id)",
    "company_phone": "exists (select from company c where c.id = company_id)",
    "company_email": "exists (select from company c where c.id = company_id)",
    "mail_participant": "exists (select from ticket t where t.id = ticket_id)",
    "activity": f"""(select app_sees_all()) or case
        when ticket_id is not null then exists (select from ticket t where t.id = ticket_id)
        when contact_id is not null then exists (select from contact c where c.id = contact_id)
        when company_id is not null then exists (select from company c where c.id = company_id)
        when queue_id is not null then {SEEN.format(column="queue_id", kind="queues")}
        else user_id = nullif(current_setting('app.user_id', true), '')::bigint end""",
    "attachment": "exists (select from activity a where a.id = activity_id)",
    "mail_message": "exists (select from activity a where a.id = activity_id)",
    "inbound_mail": "(select app_sees_all()) or exists (select from activity a where a.id = activity_id)",
    "outbound_mail": "exists (select from activity a where a.id = activity_id)",
}


def upgrade() -> None:
    op.execute(SCOPE)
    settings = "".join(
        SETTING % {"kind": kind, "table": table, "grant": grant, "column": column}
        for kind, (table, grant, column) in KINDS.items()
    )
    op.execute(ENTER.replace("%(settings)s", settings))
    op.execute("grant usage on schema public to centrala_app, centrala_relay, centrala_search")
    for table in TENANT_TABLES:
        _hold_in_tenant(table)
    for table, condition in VISIBILITY.items():
        op.execute(
            f"create policy visibility on {table} as restrictive to centrala_app using ({condition}) "
            f"with check ({condition})"
        )
    for table in GLOBAL_TABLES:
        op.execute(f"grant select on {table} to centrala_app, centrala_relay")
    for table in RELAY_TABLES:
        op.execute(f"create policy relay on {table} to centrala_relay using (true) with check (true)")
        op.execute(f"grant select, insert, update, delete on {table} to centrala_relay")
    op.execute("grant create on schema public to centrala_search")
    for table in SEARCHED:
        _make_search_view(table)
    op.execute("revoke create on schema public from centrala_search")


def _hold_in_tenant(table: str) -> None:
    op.execute(f"alter table {table} enable row level security")
    op.execute(f"alter table {table} force row level security")
    op.execute(
        f"create policy tenant on {table} to centrala_app "
        "using (tenant_id = (select app_tenant())) with check (tenant_id = (select app_tenant()))"
    )
    op.execute(f"grant select, insert, update, delete on {table} to centrala_app")


def _make_search_view(table: str) -> None:
    """A view whose owner may read all rows and which filters by itself.

    Operators such as LIKE are not leakproof, so under a policy PostgreSQL would not use their index; inside this view
    it does. Its owner can neither sign in nor write.
    """
    op.execute(f"create policy search on {table} for select to centrala_search using (true)")
    op.execute(f"grant select on {table} to centrala_search")
    op.execute(
        f"create view {table}_search as select id, tenant_id, search_text from {table} "
        f"where tenant_id = (select app_tenant()) and {VISIBILITY[table]}"
    )
    op.execute(f"grant select on {table}_search to centrala_app")
    op.execute(f"alter view {table}_search owner to centrala_search")


def downgrade() -> None:
    for table in SEARCHED:
        op.execute(f"set role centrala_search; drop view {table}_search; reset role")
        op.execute(f"drop policy search on {table}")
        op.execute(f"revoke select on {table} from centrala_search")
    for table in RELAY_TABLES:
        op.execute(f"drop policy relay on {table}")
    for table in VISIBILITY:
        op.execute(f"drop policy visibility on {table}")
    for table in TENANT_TABLES:
        op.execute(f"drop policy tenant on {table}")
        op.execute(f"alter table {table} disable row level security")
        op.execute(f"alter table {table} no force row level security")
    for table in (*TENANT_TABLES, *GLOBAL_TABLES):
        op.execute(f"revoke all on {table} from centrala_app, centrala_relay")
    op.execute("revoke usage on schema public from centrala_app, centrala_relay, centrala_search")
    op.execute("drop function app_enter(bigint, bigint); drop function app_seen(text); drop function app_sees_all()")

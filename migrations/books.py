"""The database's own part of address books (migration 0006).

``dav_enter`` is a DAV request's way in: it finds the synced client by its user name and password and enters the
transaction as its user. ``app_phone_books`` says which books may stand in that user's phones.
"""

from alembic import op

DAV_ENTER = """
create function dav_enter(tenant bigint, wanted text, secret bytea, agent text, now_at timestamptz,
    account bytea, address bytea, since timestamptz, account_limit int, address_limit int)
returns table (client_id bigint, user_id bigint, state text, is_owner boolean, permissions text[], locale text,
    scope text, books jsonb) language plpgsql as $$
begin
    perform app_enter(tenant, null);
    if (select count(*) from sign_in_attempt a where a.subject = account and a.failed_at > since) >= account_limit
    or (select count(*) from sign_in_attempt a where a.subject = address and a.failed_at > since) >= address_limit then
        state := 'throttled';
        return next;
        return;
    end if;
    select c.id, c.user_id, c.state, g.is_owner, u.locale,
            coalesce((select array_agg(p.permission) from permission_grant p where p.permission_group_id = g.id), '{}')
        into client_id, user_id, state, is_owner, locale, permissions
        from synced_client c
        join user_account u on u.id = c.user_id
        join permission_group g on g.id = u.permission_group_id
        where c.username = wanted and c.secret_sha256 = secret and c.state <> 'revoked' and not u.is_blocked;
    if not found then
        return;
    end if;
    update synced_client c set last_seen_at = now_at, last_user_agent = agent
        where c.id = client_id
        and (c.last_seen_at is null or c.last_seen_at < now_at - interval '1 minute' or c.last_user_agent <> agent);
    perform app_enter(tenant, user_id);
    if 'contacts.read' = any(permissions) or is_owner then
        select coalesce(jsonb_agg(jsonb_build_array(b.book_id, b.name, b.version, b.database_id)), '[]') into books
            from app_phone_books(user_id) b;
    end if;
    scope := case when app_sees_all() then 'all' else array_to_string(app_seen('databases'), ',') end;
    return next;
end $$;
"""

PHONE_BOOKS = """
create function app_phone_books(acting_user bigint)
returns table (book_id bigint, name text, version bigint, database_id bigint) language sql stable as $$
    with recursive above as (
        select m.user_group_id as id from user_group_member m where m.user_id = acting_user
        union
        select g.parent_id from user_group g join above on above.id = g.id where g.parent_id is not null
    )
    select b.id, b.name, b.version, b.database_id from address_book b
    where (b.sync_policy = 'phone_book' and (b.everyone_sees or app_sees_all()))
        or exists (select from address_book_grant g where g.address_book_id = b.id
            and g.sync_policy = 'phone_book' and g.user_group_id in (select id from above))
    order by b.id
$$;
"""

CARDS = """
create function card_tick() returns bigint language sql as $$
    insert into card_clock (version) values (1)
    on conflict (tenant_id) do update set version = card_clock.version + 1 returning version
$$;

create function card_bump(contact bigint) returns bigint language plpgsql as $$
declare
    seen text := current_setting('app.sees_all');
    tick bigint := card_tick();
begin
    perform set_config('app.sees_all', 'on', true);
    with bumped as (
        update address_book_entry e set version = tick where e.contact_id = contact returning address_book_id
    )
    update address_book b set version = tick where b.id in (select address_book_id from bumped);
    perform set_config('app.sees_all', seen, true);
    return tick;
end $$;

create function card_add(contact bigint, database bigint, new_uid text, new_body text, words text, book bigint,
    new_href text, client bigint) returns bigint language plpgsql as $$
declare
    tick bigint := card_tick();
begin
    insert into contact_card (contact_id, database_id, uid, body, search_words)
        values (contact, database, new_uid, new_body, words);
    insert into address_book_entry (address_book_id, contact_id, database_id, href, version)
        values (book, contact, database, new_href, tick);
    update address_book b set version = tick where b.id = book;
    insert into synced_client_card as s (client_id, address_book_id, href, contact_id, card_version, served_at)
        values (client, book, new_href, contact, 1, now())
        on conflict (tenant_id, client_id, address_book_id, href) do update
            set contact_id = contact, card_version = 1, served_at = now();
    return tick;
end $$;

create function card_replace(contact bigint, new_body text, new_uid text, words text) returns bigint
language plpgsql as $$
begin
    insert into card_revision (contact_id, version, body)
        select k.contact_id, k.version, k.body from contact_card k where k.contact_id = contact
        and exists (select from synced_client_card s where s.contact_id = contact and s.card_version = k.version)
        on conflict do nothing;
    delete from card_revision r where r.contact_id = contact and not exists (
        select from synced_client_card s where s.contact_id = contact and s.card_version = r.version);
    update contact_card k set body = new_body, uid = new_uid, search_words = words, version = k.version + 1,
        updated_at = now() where k.contact_id = contact;
    return card_bump(contact);
end $$;

create function card_withdraw(contacts bigint[], book bigint, gone boolean) returns bigint[] language plpgsql as $$
declare
    seen text := current_setting('app.sees_all');
    tick bigint := card_tick();
    left_books bigint[];
begin
    perform set_config('app.sees_all', 'on', true);
    insert into card_tombstone (address_book_id, href, version)
        select e.address_book_id, e.href, tick from address_book_entry e
        where e.contact_id = any(contacts) and (book is null or e.address_book_id = book)
        on conflict (tenant_id, address_book_id, href) do update set version = tick, deleted_at = now();
    if gone then
        with deleted as (
            delete from address_book_entry e where e.contact_id = any(contacts)
            and (book is null or e.address_book_id = book) returning address_book_id
        )
        select coalesce(array_agg(address_book_id), '{}') into left_books from deleted;
    else
        with moved as (
            update address_book_entry e set href = gen_random_uuid() || '.vcf', version = tick
            where e.contact_id = any(contacts) returning address_book_id
        )
        select coalesce(array_agg(address_book_id), '{}') into left_books from moved;
    end if;
    update address_book_entry e set version = tick where e.contact_id = any(contacts) and e.version <> tick;
    update address_book b set version = tick where b.id = any(left_books)
        or b.id in (select e.address_book_id from address_book_entry e where e.contact_id = any(contacts));
    perform set_config('app.sees_all', seen, true);
    return left_books;
end $$;
"""
"""A change of a contact reaches every book that it stands in, also those that whoever changes it does not see: so these
functions look at the whole tenant for a moment, and answer nothing but a version and ids of books."""

FORGET_NAME = """
create function ticket_forgets_contact() returns trigger language plpgsql as $$
begin
    new.search_words := '';
    return new;
end $$;

create trigger ticket_forgets_contact before update of contact_id on ticket
    for each row when (old.contact_id is not null and new.contact_id is null and new.search_words = old.search_words)
    execute function ticket_forgets_contact();
"""
"""A deleted contact's name must not be found through its tickets; a job gives them the words that are left."""


def create_book_functions() -> None:
    """Create the functions and the trigger."""
    for statement in (DAV_ENTER, PHONE_BOOKS, CARDS, FORGET_NAME):
        op.execute(statement)


def drop_book_functions() -> None:
    """Drop what ``create_book_functions`` made."""
    op.execute("drop trigger ticket_forgets_contact on ticket; drop function ticket_forgets_contact()")
    op.execute("drop function card_withdraw(bigint[], bigint, boolean)")
    op.execute("drop function card_replace(bigint, text, text, text)")
    op.execute("drop function card_add(bigint, bigint, text, text, text, bigint, text, bigint)")
    op.execute("drop function card_bump(bigint); drop function card_tick()")
    op.execute("drop function app_phone_books(bigint)")
    op.execute("drop function dav_enter(bigint, text, bytea, text, timestamptz, bytea, bytea, timestamptz, int, int)")

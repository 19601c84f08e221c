"""What a change costs the database once (migration 0009).

A contact with its numbers and addresses, and what is told of a change, are several rows of several tables; from outside
each would be a question and an answer. Each statement in these functions passes the caller's policies like any other.
"""

from alembic import op

NOTE = """
create function app_announce(kind text, subject bigint, differences jsonb, acting_user bigint, entrance text,
    event_name text, event_payload jsonb, work_channel text, live_channel text, message text) returns void
language plpgsql as $$
begin
    if differences is not null then
        insert into change (subject_kind, subject_id, fields, user_id, door)
            values (kind, subject, differences, acting_user, entrance);
    end if;
    insert into event (name, payload) values (event_name, event_payload);
    perform pg_notify(work_channel, ''), pg_notify(live_channel, message);
end $$;
"""

COMPANY_WORDS = """
create function contact_company_words(company bigint, database bigint) returns text language sql stable as $$
    select c.name from company c where c.id = company and (c.database_id = database
        or exists (select from contact_database d where d.id = c.database_id and d.everyone_sees))
$$;
"""
"""A company's name stands among its contact's words only where everybody who sees the contact sees the company too:
otherwise a search would tell of a name that the viewer may not know (ATTACKS 57)."""

STORE = """
create function contact_store(target bigint, stored jsonb, words text, phones jsonb, emails jsonb) returns bigint
language plpgsql as $$
declare
    r contact%rowtype := jsonb_populate_record(null::contact, stored);
    is_new boolean := target is null;
begin
    r.search_words := concat_ws(' ', words, contact_company_words(r.company_id, r.database_id));
    if is_new then
        insert into contact (database_id, name, sort_key, company_id, job_title, street, city, postal_code, country,
                note, owner_id, search_words, updated_at)
            values (r.database_id, r.name, r.sort_key, r.company_id, r.job_title, r.street, r.city, r.postal_code,
                r.country, r.note, r.owner_id, r.search_words, r.updated_at)
            returning id into target;
    else
        update contact c set database_id = r.database_id, name = r.name, sort_key = r.sort_key,
                company_id = r.company_id, job_title = r.job_title, street = r.street, city = r.city,
                postal_code = r.postal_code, country = r.country, note = r.note, owner_id = r.owner_id,
                search_words = r.search_words, updated_at = r.updated_at, version = c.version + 1
            where c.id = target;
    end if;
    if phones is not null then
        if not is_new then
            delete from contact_phone p where p.contact_id = target;
        end if;
        insert into contact_phone (contact_id, number, label, position)
            select target, p.value ->> 0, p.value ->> 1, p.ordinality - 1
            from jsonb_array_elements(phones) with ordinality p;
    end if;
    if emails is not null then
        if not is_new then
            delete from contact_email e where e.contact_id = target;
        end if;
        insert into contact_email (contact_id, address, address_lower, label, position)
            select target, e.value ->> 0, e.value ->> 1, e.value ->> 2, e.ordinality - 1
            from jsonb_array_elements(emails) with ordinality e;
    end if;
    return target;
end $$;
"""

PUT = """
create function card_put(contact bigint, new_body text, new_uid text, words text, client bigint, book bigint,
    entry_href text) returns bigint language plpgsql as $$
declare
    tick bigint := card_replace(contact, new_body, new_uid, words);
begin
    insert into synced_client_card (client_id, address_book_id, href, contact_id, card_version, served_at)
        select client, book, entry_href, k.contact_id, k.version, now() from contact_card k
        where k.contact_id = contact
        on conflict (tenant_id, client_id, address_book_id, href) do update
            set contact_id = excluded.contact_id, card_version = excluded.card_version, served_at = excluded.served_at;
    return tick;
end $$;
"""
"""``card_replace`` by a client that holds what it has just written: the ledger says so."""


def create_storing() -> None:
    """Create the functions."""
    for statement in (NOTE, COMPANY_WORDS, STORE, PUT):
        op.execute(statement)


def drop_storing() -> None:
    """Drop what ``create_storing`` made."""
    op.execute("drop function card_put(bigint, text, text, text, bigint, bigint, text)")
    op.execute("drop function contact_store(bigint, jsonb, text, jsonb, jsonb)")
    op.execute("drop function contact_company_words(bigint, bigint)")
    op.execute("drop function app_announce(text, bigint, jsonb, bigint, text, text, jsonb, text, text, text)")

-- A disposition takes all that tells of a message: also its terms among those of others, the keys of its thread, and what
-- was kept of it while it was not archived. And the index of words is the owner's alone.

comment on column ops.view.name is 'Its name, with its schema; a function''s too.';

-- Who may search is decided by search.window.
drop policy if exists by_mailbox on search.fresh;
drop policy if exists everything on search.fresh;
alter table search.fresh disable row level security;

-- One row for each row of the record whose content a disposition erased.
create table archive.erasure (
    erasure_id bigint generated always as identity primary key,
    form integer not null,
    key bigint not null,
    disposition_id bigint not null references archive.disposition,
    sha256_before bytea not null,
    sha256_after bytea not null,
    unique (form, key)
);
comment on column archive.erasure.erasure_id is 'Number of the erasure.';
comment on column archive.erasure.form is 'The form in which the row was sealed: see archive.seal_forms().';
comment on column archive.erasure.key is 'Key of the row.';
comment on column archive.erasure.disposition_id is 'The disposition.';
comment on column archive.erasure.sha256_before is 'SHA-256 of the row as it was sealed.';
comment on column archive.erasure.sha256_after is 'SHA-256 of the row as it is since.';

create or replace function archive.seal_forms()
returns table (form integer, relation regclass, key text, condition text, columns text) language sql stable
begin atomic
    -- A column that comes later needs a form of its own: what is sealed is read by the form that sealed it.
    values
        (1, 'archive.mailbox'::regclass, 'mailbox_id', 'true', 'mailbox_id, name'),
        (2, 'archive.epoch', 'epoch_id', 'true', 'epoch_id, mailbox_id, host, username, reason, began_at'),
        (3, 'archive.delivery', 'delivery_id', 'true',
            'delivery_id, mailbox_id, epoch_id, uidl, twin, listed_octets, session_id, listed_at'),
        (4, 'archive.ledger', 'entry_id', 'true',
            'entry_id, delivery_id, step, session_id, message_id, octets, reason, at'),
        (5, 'archive.message', 'message_id', 'true', 'message_id, sha256, octets, head_sha256, session_id, archived_at'),
        (6, 'archive.excerpt', 'excerpt_id', 'true', 'excerpt_id, delivery_id, session_id, head, taken_at'),
        (7, 'archive.disposition', 'disposition_id', 'true',
            'disposition_id, message_id, basis, requested_by, requested_at'),
        (8, 'archive.disposition', 'disposition_id', 'approved_at is not null',
            'disposition_id, message_id, basis, requested_by, requested_at, approved_by, approved_at'),
        (9, 'ops.enrolment', 'enrolment_id', 'true', 'enrolment_id, place, enrolled_at, enrolled_by'),
        (10, 'ops.run', 'run_id', 'true', 'run_id, trigger, external_id, host, version, began_at'),
        (11, 'ops.run', 'run_id', 'ended_at is not null', 'run_id, trigger, external_id, host, version, began_at, ended_at'),
        (12, 'ops.session', 'session_id', 'true',
            'session_id, run_id, mailbox_id, host, port, username, tls_version, tls_cipher, certificate_sha256, '
            'greeting, capabilities_before, capabilities_after, mechanism, utf8, login_delay_seconds, began_at'),
        (13, 'ops.session', 'session_id', 'ended_at is not null',
            'session_id, run_id, mailbox_id, epoch_id, host, port, username, tls_version, tls_cipher, '
            'certificate_sha256, greeting, capabilities_before, capabilities_after, mechanism, utf8, '
            'login_delay_seconds, began_at, listed_at, listed, listed_octets, listing_sha256, listing_doubted, '
            'quit_accepted, quit_reply, ended_at, failure'),
        (14, 'ops.verification', 'verification_id', 'true', 'verification_id, asked, version, verified_by, began_at'),
        (15, 'ops.verification', 'verification_id', 'ended_at is not null',
            'verification_id, asked, version, verified_by, began_at, ended_at, messages, octets, faults'),
        (16, 'ops.fault', 'fault_id', 'true', 'fault_id, verification_id, place, fault'),
        (17, 'archive.erasure', 'erasure_id', 'true',
            'erasure_id, form, key, disposition_id, sha256_before, sha256_after');
end;

-- What was erased counts as it was before, if it is since what it became then.
drop function archive.seal_query(text, text, text);
create function archive.seal_query(key text, columns text, source text, erased_in integer default null)
returns text language sql immutable
return format(
    'select count(*) as rows, range_agg(int8range(%1$I, %1$I, ''[]'')) as keys,'
    ' sha256(string_agg(%2$s, '''' order by %1$I)) as digest from %3$s',
    key,
    format(
        case when erased_in is null then '%1$s'
        else 'coalesce((select sha256_before from archive.erasure as e where e.form = %3$s and e.key = %2$I'
             ' and sha256_after = %1$s), %1$s)' end,
        format('sha256(convert_to(row(%s)::text, ''UTF8''))', columns), key, erased_in),
    source);
comment on function archive.seal_query is
    'The query whose one row is the seal of a source''s rows; of a form in which rows were erased, as it was before.';

create or replace function archive.broken_seals() returns setof text language plpgsql stable
set search_path = pg_catalog set timezone = 'UTC' set datestyle = 'ISO, YMD' set bytea_output = 'hex'
set extra_float_digits = 1 as $$
declare
    sealed record;
    broken record;
begin
    return query select format('archive.seal %s: it is of no known form', seal_id) from archive.seal
        where form not in (select f.form from archive.seal_forms() f);
    return query select format('archive.seal %s: it is not of as many rows as it has keys', seal_id) from archive.seal
        where rows is distinct from (select sum(upper(span) - lower(span)) from unnest(keys) span);
    for sealed in
        select f.*, (select min(e.form) from archive.erasure e where e.form = f.form) as erased_in
        from archive.seal_forms() f
    loop
        for broken in execute format(
            'select s.seal_id, s.keys, s.rows > now.rows as lacking
            from archive.seal s, lateral (%s) now
            where s.form = %s and (now.rows <> s.rows or now.digest is distinct from s.digest)',
            archive.seal_query(sealed.key, sealed.columns, format(
                'unnest(s.keys) span, %s where %I >= lower(span) and %2$I < upper(span) and %s',
                sealed.relation, sealed.key, sealed.condition), sealed.erased_in),
            sealed.form)
        loop
            if broken.lacking then
                return query execute format(
                    'select ''%1$s '' || missing || '': it is missing''
                    from unnest($1) span, generate_series(lower(span), upper(span) - 1) missing
                    where not exists (select from %1$s where %2$I = missing and %3$s)',
                    sealed.relation, sealed.key, sealed.condition)
                    using broken.keys;
            else
                return next format('%s %s: not what archive.seal %s was made of',
                    sealed.relation, broken.keys, broken.seal_id);
            end if;
        end loop;
    end loop;
    for sealed in
        select f.relation, f.key, f.condition, array_agg(f.form) as forms
        from archive.seal_forms() f group by f.relation, f.key, f.condition
    loop
        return query execute format(
            'select ''%1$s '' || %2$I || '': it was never sealed'' from %1$s
            where %3$s and not coalesce(%2$I <@ (select range_agg(keys) from archive.seal where form = any ($1)), false)',
            sealed.relation, sealed.key, sealed.condition)
            using sealed.forms;
        return query
            select format('archive.seal %s: what it seals was sealed before', seal_id)
            from (
                select seal_id, lower(span) as first, max(upper(span)) over (
                    order by lower(span), seal_id rows between unbounded preceding and 1 preceding) as before
                from archive.seal, unnest(keys) span where form = any (sealed.forms)
            ) spans
            where first < before;
    end loop;
end $$;

create function archive.refuse_unless_erased() returns trigger language plpgsql as $$
begin
    if exists (
        select from archive.erasure
        where form = tg_argv[0]::integer and key = (to_jsonb(old) ->> tg_argv[1])::bigint) then
        return new;
    end if;
    raise exception '% is record: its rows are added and never changed or deleted, and UPDATE was refused',
        tg_relid::regclass using errcode = 'restrict_violation';
end $$;
comment on function archive.refuse_unless_erased is
    'Raises for a row that no disposition erases; the form of its seal and its key are the arguments.';

create function archive.erase(disposition_id bigint, erased regclass, which bigint, field text, blank text)
returns void language plpgsql
set search_path = pg_catalog set timezone = 'UTC' set datestyle = 'ISO, YMD' set bytea_output = 'hex'
set extra_float_digits = 1 as $$
declare
    sealed record;
begin
    select * into strict sealed from archive.seal_forms() f where f.relation = erased;
    execute format(
        'insert into archive.erasure (form, key, disposition_id, sha256_before, sha256_after)
        select %1$s, %2$I, $1, sha256(convert_to(row(%3$s)::text, ''UTF8'')), (
            select sha256(convert_to(row(%3$s)::text, ''UTF8'')) from jsonb_populate_record(t, jsonb_build_object($3, $4)))
        from %4$s as t where %2$I = $2',
        sealed.form, sealed.key, sealed.columns, erased) using disposition_id, which, field, blank;
    execute format(
        'update %1$s as t set %2$I = (jsonb_populate_record(t, jsonb_build_object($2, $3))).%2$I where %3$I = $1',
        erased, field, sealed.key) using which, field, blank;
end $$;
comment on function archive.erase is
    'Erase a field of a row of the record, for a disposition: its seal goes on proving what it was.';

create function archive.head_sha256(octets bytea) returns bytea language sql immutable strict parallel safe
return sha256(case
    when position('\x0d0a0d0a'::bytea in octets) > 0 then substr(octets, 1, position('\x0d0a0d0a'::bytea in octets) - 1)
    else rtrim(octets, '\x0d0a'::bytea) end);
comment on function archive.head_sha256 is 'The hash of a header block, whether the message or TOP''s answer is given.';

create function search.purge(segment integer) returns void language plpgsql as $$
declare
    gone constant boolean[] := array(
        select u.message_id is null
        from search.segment s, unnest(s.message_ids) with ordinality as u (message_id, place)
        where s.segment_id = segment order by u.place);
    p record;
begin
    for p in
        select g.bucket, g.terms, g.ends, g.places, array(
            select at from unnest(g.places) with ordinality as u (place, at) where gone[place] order by at) as removed
        from search.posting g where g.segment_id = segment
    loop
        continue when p.removed = '{}';
        p.places := array(
            select place from unnest(p.places) with ordinality as u (place, at) where not gone[place] order by at);
        select array_agg(term order by n), array_agg(upto order by n) into p.terms, p.ends
        from (
            select n, term, upto, coalesce(lag(upto) over (order by n), 0) as since
            from unnest(p.terms, p.ends) with ordinality as lists (term, old, n), lateral (
                select old - width_bucket(old::bigint, p.removed)::integer as upto) as shortened
        ) as lists
        where upto > since;
        delete from search.posting g where g.segment_id = segment and g.bucket = p.bucket;
        insert into search.posting (segment_id, bucket, terms, ends, places)
        select segment, p.bucket, p.terms, p.ends, p.places where p.terms is not null;
    end loop;
    -- Dates stay in order: what is gone gets that of the one before it.
    update search.segment s set (sent_ats, oldest, newest) = (
        select array_agg(coalesce(latest, '-infinity') order by place),
               min(sent_at) filter (where message_id is not null and sent_at > '-infinity'),
               max(sent_at) filter (where message_id is not null and sent_at > '-infinity')
        from (
            select message_id, sent_at, place,
                   max(sent_at) filter (where message_id is not null) over (order by place) as latest
            from unnest(s.message_ids, s.sent_ats) with ordinality as u (message_id, sent_at, place)
        ) as dated)
    where s.segment_id = segment;
end $$;
comment on function search.purge is 'Takes out of a segment what is left of messages that it does not name any longer.';

drop trigger words_go on archive.disposition;
drop function search.forget();
create function search.forget(gone bigint) returns void language plpgsql as $$
begin
    update search.segment s set message_ids = array_replace(s.message_ids, gone, null)
    where gone between s.first_message_id and s.last_message_id;
    -- Also where its terms were laid in anew: which of the places without a number was its own is not known.
    perform search.purge(s.segment_id) from search.segment s
    where gone between s.first_message_id and s.last_message_id and array_position(s.message_ids, null) is not null;
end $$;
comment on function search.forget is 'Takes a message out of the segments of terms, of which no foreign key tells.';

create function archive.erase_traces(disposition_id bigint, gone bigint) returns void language plpgsql as $$
begin
    perform search.forget(gone);
    -- What was kept of its header block before it was archived, or where it never was.
    perform archive.erase(disposition_id, 'archive.excerpt', e.excerpt_id, 'head', '')
    from archive.excerpt e
    where e.head <> '' and (
        e.delivery_id in (select l.delivery_id from archive.ledger l where l.message_id = gone)
        or archive.head_sha256(e.head) = (select m.head_sha256 from archive.message m where m.message_id = gone));
    delete from ops.download_piece p
    where p.delivery_id in (select l.delivery_id from archive.ledger l where l.message_id = gone);
    -- What verification found in it, which quotes it.
    perform archive.erase(disposition_id, 'ops.fault', f.fault_id, 'fault', 'disposed of')
    from ops.fault f where f.place ~ format('^message %s\M', gone) and f.fault <> 'disposed of';
end $$;
comment on function archive.erase_traces is 'Take what tells of a message elsewhere than in rows that hang on it.';

create or replace function archive.approve_disposition(disposition_id bigint) returns void language plpgsql as $$
declare
    gone bigint;
    thread bigint;
    blobs bigint[];
    held record;
begin
    if not pg_try_advisory_xact_lock(7497060) then
        raise exception 'a rebuild is under way, which reads what is to go: approve again when it has ended'
            using errcode = 'object_in_use';
    end if;
    -- Terms that are being folded, and threads that are being joined, would come back.
    perform pg_advisory_xact_lock(7368561), pg_advisory_xact_lock(7628914);
    update archive.disposition d set approved_by = session_user, approved_at = now()
    where d.disposition_id = approve_disposition.disposition_id returning d.message_id into strict gone;
    select array_agg(s.blob_id) into blobs from archive.segment s where s.message_id = gone and s.blob_id is not null;
    -- Keys are hashes of ids: those that others name come again with them, when their thread is joined anew.
    select m.thread_id into thread from threads.member m where m.message_id = gone;
    with others as (delete from threads.member m where m.thread_id = thread returning m.message_id)
    insert into threads.pending (message_ids)
    select array_agg(o.message_id) from others o where o.message_id <> gone having count(*) > 0;
    delete from threads.key k where k.thread_id = thread;
    perform archive.erase_traces(disposition_id, gone);
    -- Whatever hangs on a message, in tables of later migrations too.
    for held in
        select c.conrelid::regclass as relation, a.attname as key
        from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
        where c.contype = 'f' and c.confrelid = 'archive.message'::regclass
          and c.conrelid not in ('archive.ledger'::regclass, 'archive.disposition'::regclass)
    loop
        execute format('delete from %s where %I = $1', held.relation, held.key) using gone;
    end loop;
    -- Content that no other message has.
    delete from archive.blob_piece p
    where p.blob_id = any (blobs) and not exists (select from archive.segment s where s.blob_id = p.blob_id);
    delete from archive.blob b
    where b.blob_id = any (blobs) and not exists (select from archive.segment s where s.blob_id = b.blob_id);
end $$;

-- What was disposed of before.
drop trigger if exists record_stays on archive.excerpt;
drop trigger if exists record_stays on ops.fault;
do $$
declare
    sealed record;
begin
    set local timezone = 'UTC';
    set local datestyle = 'ISO, YMD';
    set local bytea_output = 'hex';
    set local extra_float_digits = 1;
    if exists (select from archive.disposition where approved_at is not null) then
        perform archive.erase_traces(d.disposition_id, d.message_id)
        from archive.disposition d where approved_at is not null order by d.disposition_id;
        select * into sealed from archive.seal_forms() f where f.form = 17;
        execute format(
            'insert into archive.seal (form, rows, keys, digest) select 17, made.* from (%s) made where made.rows > 0',
            archive.seal_query(sealed.key, sealed.columns, sealed.relation::text));
        delete from threads.member;
        delete from threads.key;
        delete from threads.pending;
        insert into threads.pending (message_ids)
        select array_agg(message_id) from archive.reading group by message_id / 128;
    end if;
end $$;

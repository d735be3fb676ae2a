-- Who may see which mailbox, what proves that records stayed as they were, and the one way in which bytes may go.
-- Which role may do what, and which tables are record, is in sql/rights.

-- One row for each mailbox that a role may see; a row without a mailbox stands for all, those to come too.
create table ops.mailbox_right (
    role regrole not null,
    mailbox_id bigint references archive.mailbox,
    granted_by text not null default session_user,
    granted_at timestamptz not null default now(),
    unique nulls not distinct (role, mailbox_id)
);
comment on column ops.mailbox_right.role is 'The role; its members may see the mailbox as well.';
comment on column ops.mailbox_right.mailbox_id is 'The mailbox; null for all of them.';
comment on column ops.mailbox_right.granted_by is 'The login that granted it.';
comment on column ops.mailbox_right.granted_at is 'When.';

-- By session_user, whom only a superuser can change. With its owner's rights: nobody else need read the table.
create function ops.mailboxes_seen() returns bigint[] language sql stable security definer parallel safe
begin atomic
    select coalesce(array_agg(mailbox_id), '{}') from ops.mailbox_right
    where mailbox_id is not null and pg_has_role(session_user, role, 'member');
end;
comment on function ops.mailboxes_seen is 'The mailboxes that were granted, one by one, to the role that logged in.';

-- One row for each message whose bytes were asked to be deleted; approved, it is the tombstone of what they were.
create table archive.disposition (
    disposition_id bigint generated always as identity primary key,
    message_id bigint not null unique references archive.message,
    basis text not null check (basis <> ''),
    requested_by text not null default session_user,
    requested_at timestamptz not null default now(),
    approved_by text,
    approved_at timestamptz,
    check (num_nonnulls(approved_by, approved_at) in (0, 2)),
    constraint disposition_needs_two check (approved_by <> requested_by)
);
comment on column archive.disposition.disposition_id is 'Number of the disposition.';
comment on column archive.disposition.message_id is 'The message; its row with the SHA-256 stays, and so does its ledger.';
comment on column archive.disposition.basis is 'Why it may go: the rule, the order, the case.';
comment on column archive.disposition.requested_by is 'The login that asked.';
comment on column archive.disposition.requested_at is 'When it asked.';
comment on column archive.disposition.approved_by is 'Another login, that approved; null until it did.';
comment on column archive.disposition.approved_at is 'When it approved, and all but hash, ledger and tombstone was deleted.';

create function archive.request_disposition(message_id bigint, basis text) returns bigint language sql
begin atomic
    insert into archive.disposition (message_id, basis) values (message_id, basis) returning disposition_id;
end;
comment on function archive.request_disposition is 'Ask that a message be deleted, and say why; the number of the disposition.';

create function archive.approve_disposition(disposition_id bigint) returns void language plpgsql as $$
declare
    gone bigint;
    blobs bigint[];
    held record;
begin
    update archive.disposition d set approved_by = session_user, approved_at = now()
    where d.disposition_id = approve_disposition.disposition_id returning d.message_id into strict gone;
    select array_agg(s.blob_id) into blobs from archive.segment s where s.message_id = gone and s.blob_id is not null;
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
comment on function archive.approve_disposition is
    'Approve what another login asked for: the message''s bytes and all that was read from them are deleted.';

-- What keeps a record as it is, in these triggers' words (sql/rights says on which tables they are).

create function archive.refuse() returns trigger language plpgsql as $$
begin
    raise exception '% is record: its rows are added and never changed or deleted, and % was refused',
        tg_relid::regclass, tg_op using errcode = 'restrict_violation';
end $$;
comment on function archive.refuse is 'Raises: for the owner too.';

create function archive.refuse_unless_open() returns trigger language plpgsql as $$
begin
    if to_jsonb(old) ->> tg_argv[0] is not null then
        raise exception '% % is closed and record now: UPDATE was refused',
            tg_relid::regclass, to_jsonb(old) ->> tg_argv[1] using errcode = 'restrict_violation';
    end if;
    return new;
end $$;
comment on function archive.refuse_unless_open is 'Raises once the column of its first argument is set; the second is the key.';

create function archive.refuse_unless_disposed() returns trigger language plpgsql as $$
begin
    if exists (
        select from archive.disposition where message_id = old.message_id and approved_at is not null) then
        return old;
    end if;
    raise exception '% holds bytes of message %, which no approved disposition names: DELETE was refused',
        tg_relid::regclass, old.message_id using errcode = 'restrict_violation';
end $$;
comment on function archive.refuse_unless_disposed is 'Raises for bytes of a message that was not disposed of.';

create function archive.refuse_while_used() returns trigger language plpgsql as $$
begin
    if not exists (select from archive.segment where blob_id = old.blob_id) then
        return old;
    end if;
    raise exception '% holds bytes of messages that were not disposed of: DELETE was refused',
        tg_relid::regclass using errcode = 'restrict_violation';
end $$;
comment on function archive.refuse_while_used is 'Raises for a blob that is part of a message.';

-- One row for each verification: who looked, when, at how much, and how many faults there were.
create table ops.verification (
    verification_id bigint generated always as identity primary key,
    asked text not null,
    version text not null,
    verified_by text not null default session_user,
    began_at timestamptz not null default now(),
    ended_at timestamptz,
    messages bigint,
    octets bigint,
    faults bigint
);
comment on column ops.verification.verification_id is 'Number of the verification.';
comment on column ops.verification.asked is 'Which messages were to be re-hashed; the checks of the books are always over all.';
comment on column ops.verification.version is 'Version of popvault.';
comment on column ops.verification.verified_by is 'The login that verified.';
comment on column ops.verification.began_at is 'When it began.';
comment on column ops.verification.ended_at is 'When it ended; null while it runs or if it was killed.';
comment on column ops.verification.messages is 'Messages re-hashed.';
comment on column ops.verification.octets is 'Bytes of these messages.';
comment on column ops.verification.faults is 'Faults found.';

-- One row for each fault that a verification found.
create table ops.fault (
    fault_id bigint generated always as identity primary key,
    verification_id bigint not null references ops.verification,
    place text not null,
    fault text not null
);
create index on ops.fault (verification_id);
comment on column ops.fault.fault_id is 'Number of the fault.';
comment on column ops.fault.verification_id is 'The verification that found it.';
comment on column ops.fault.place is 'What is not as recorded.';
comment on column ops.fault.fault is 'What is wrong with it, or the check that it fails.';

-- A seal is made of every batch of rows that is added to a record table whose rows no hash covers, and of rows that end.

-- One row for each batch of rows that was sealed: which they are, and a hash of what they said then.
create table archive.seal (
    seal_id bigint generated always as identity primary key,
    form integer not null,
    keys int8multirange not null,
    rows bigint not null,
    digest bytea not null
);
comment on column archive.seal.seal_id is 'Number of the seal.';
comment on column archive.seal.form is 'Which columns of which table were sealed: see archive.seal_forms().';
comment on column archive.seal.keys is 'Keys of the rows.';
comment on column archive.seal.rows is 'Number of the rows.';
comment on column archive.seal.digest is 'SHA-256 over the SHA-256s of the rows'' columns as text, in the order of their keys.';

create function archive.seal_forms()
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
        (16, 'ops.fault', 'fault_id', 'true', 'fault_id, verification_id, place, fault');
end;
comment on function archive.seal_forms is
    'What seals are made over: columns of rows as they are added, or, where there is a condition, once it holds.';

create function archive.seal_query(key text, columns text, source text) returns text language sql immutable
return format(
    'select count(*) as rows, range_agg(int8range(%1$I, %1$I, ''[]'')) as keys,'
    ' sha256(string_agg(sha256(convert_to(row(%2$s)::text, ''UTF8'')), '''' order by %1$I)) as digest from %3$s',
    key, columns, source);
comment on function archive.seal_query is 'The query whose one row is the seal of a source''s rows.';

-- The text of a row must not depend on who asks: hence the settings, as those of what makes the seals (sql/rights).
create function archive.broken_seals() returns setof text language plpgsql stable
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
    for sealed in select * from archive.seal_forms() loop
        for broken in execute format(
            'select s.seal_id, s.keys, s.rows > now.rows as lacking
            from archive.seal s, lateral (%s) now
            where s.form = %s and (now.rows <> s.rows or now.digest is distinct from s.digest)',
            archive.seal_query(sealed.key, sealed.columns, format(
                'unnest(s.keys) span, %s where %I >= lower(span) and %2$I < upper(span) and %s',
                sealed.relation, sealed.key, sealed.condition)),
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
comment on function archive.broken_seals is 'What is not as it was sealed: rows changed, missing, or added without a seal.';

-- What is there when seals come is sealed as it is, a thousand rows a seal.
do $$
declare
    sealed record;
begin
    set local timezone = 'UTC';
    set local datestyle = 'ISO, YMD';
    set local bytea_output = 'hex';
    set local extra_float_digits = 1;
    for sealed in select * from archive.seal_forms() loop
        execute format('insert into archive.seal (form, rows, keys, digest) select %s, made.* from (%s) made',
            sealed.form, archive.seal_query(sealed.key, sealed.columns, format(
                '%s where %s group by %I / 1000',
                sealed.relation, sealed.condition, sealed.key)));
    end loop;
end $$;

-- Dumped from database version 18.6
-- Dumped by pg_dump version 18.6

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

CREATE SCHEMA archive;


CREATE SCHEMA mart;


CREATE SCHEMA ops;


CREATE SCHEMA search;


CREATE SCHEMA threads;


CREATE EXTENSION IF NOT EXISTS intarray WITH SCHEMA search;


CREATE TYPE archive.relay AS (
	from_host text,
	by_host text,
	protocol text,
	at timestamp with time zone
);


CREATE TYPE archive.role AS ENUM (
    'from',
    'sender',
    'reply-to',
    'to',
    'cc',
    'bcc',
    'delivered-to'
);


CREATE TYPE archive.step AS ENUM (
    'archived',
    'duplicate',
    'quarantined',
    'excluded',
    'vanished',
    'relisted',
    'failed',
    'restarted',
    'delete sent',
    'delete refused',
    'gone'
);


CREATE TYPE search.alternative AS (
	clause integer,
	excluded boolean,
	kind text,
	field text,
	value text,
	terms integer[],
	pattern text
);


CREATE TYPE search.page AS (
	top bigint,
	bottom bigint,
	score integer,
	sent_at timestamp with time zone,
	id bigint
);


CREATE FUNCTION archive.approve_disposition(disposition_id bigint) RETURNS void
    LANGUAGE plpgsql
    AS $_$
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
end $_$;


CREATE FUNCTION archive.broken_seals() RETURNS SETOF text
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, YMD'
    SET bytea_output TO 'hex'
    SET extra_float_digits TO '1'
    AS $_$
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
end $_$;


CREATE FUNCTION archive.domain_of(address text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN (strpos(address, '@'::text) > 0) THEN split_part(address, '@'::text, '-1'::integer) ELSE NULL::text END;


CREATE FUNCTION archive.fields(head text, OUT "position" bigint, OUT name text, OUT value text) RETURNS SETOF record
    LANGUAGE sql IMMUTABLE STRICT ROWS 20 PARALLEL SAFE
    BEGIN ATOMIC
 SELECT lines.n,
     split_part(lines.line, ':'::text, 1) AS split_part,
     btrim(substr(lines.line, (strpos(lines.line, ':'::text) + 1)), ' 	'::text) AS btrim
    FROM string_to_table(regexp_replace(rtrim(fields.head, '
'::text), '
(?=[ 	])'::text, ''::text, 'g'::text), '
'::text) WITH ORDINALITY lines(line, n);
END;


CREATE FUNCTION archive.refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    raise exception '% is record: its rows are added and never changed or deleted, and % was refused',
        tg_relid::regclass, tg_op using errcode = 'restrict_violation';
end $$;


CREATE FUNCTION archive.refuse_unless_disposed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if exists (
        select from archive.disposition where message_id = old.message_id and approved_at is not null) then
        return old;
    end if;
    raise exception '% holds bytes of message %, which no approved disposition names: DELETE was refused',
        tg_relid::regclass, old.message_id using errcode = 'restrict_violation';
end $$;


CREATE FUNCTION archive.refuse_unless_open() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if to_jsonb(old) ->> tg_argv[0] is not null then
        raise exception '% % is closed and record now: UPDATE was refused',
            tg_relid::regclass, to_jsonb(old) ->> tg_argv[1] using errcode = 'restrict_violation';
    end if;
    return new;
end $$;


CREATE FUNCTION archive.refuse_while_used() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
    if not exists (select from archive.segment where blob_id = old.blob_id) then
        return old;
    end if;
    raise exception '% holds bytes of messages that were not disposed of: DELETE was refused',
        tg_relid::regclass using errcode = 'restrict_violation';
end $$;


SET default_tablespace = '';

SET default_table_access_method = heap;

CREATE TABLE archive.disposition (
    disposition_id bigint NOT NULL,
    message_id bigint NOT NULL,
    basis text NOT NULL,
    requested_by text DEFAULT SESSION_USER NOT NULL,
    requested_at timestamp with time zone DEFAULT now() NOT NULL,
    approved_by text,
    approved_at timestamp with time zone,
    CONSTRAINT disposition_basis_check CHECK ((basis <> ''::text)),
    CONSTRAINT disposition_check CHECK ((num_nonnulls(approved_by, approved_at) = ANY (ARRAY[0, 2]))),
    CONSTRAINT disposition_needs_two CHECK ((approved_by <> requested_by))
);


CREATE FUNCTION archive.request_disposition(message_id bigint, basis text) RETURNS bigint
    LANGUAGE sql
    BEGIN ATOMIC
 INSERT INTO archive.disposition (message_id, basis)
   VALUES (request_disposition.message_id, request_disposition.basis)
   RETURNING disposition.disposition_id;
END;


CREATE FUNCTION archive.seal_by_form_1() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, YMD'
    SET bytea_output TO 'hex'
    SET extra_float_digits TO '1'
    AS $$begin
                    insert into archive.seal (form, rows, keys, digest)
                    select 1, made.* from (select count(*) as rows, range_agg(int8range(mailbox_id, mailbox_id, '[]')) as keys, sha256(string_agg(sha256(convert_to(row(mailbox_id, name)::text, 'UTF8')), '' order by mailbox_id)) as digest from fresh where true) made where made.rows > 0;
                    return null;
                end$$;


CREATE FUNCTION archive.seal_by_form_10() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, YMD'
    SET bytea_output TO 'hex'
    SET extra_float_digits TO '1'
    AS $$begin
                    insert into archive.seal (form, rows, keys, digest)
                    select 10, made.* from (select count(*) as rows, range_agg(int8range(run_id, run_id, '[]')) as keys, sha256(string_agg(sha256(convert_to(row(run_id, trigger, external_id, host, version, began_at)::text, 'UTF8')), '' order by run_id)) as digest from fresh where true) made where made.rows > 0;
                    return null;
                end$$;


CREATE FUNCTION archive.seal_by_form_11() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, YMD'
    SET bytea_output TO 'hex'
    SET extra_float_digits TO '1'
    AS $$begin
                    insert into archive.seal (form, rows, keys, digest)
                    select 11, made.* from (select count(*) as rows, range_agg(int8range(run_id, run_id, '[]')) as keys, sha256(string_agg(sha256(convert_to(row(run_id, trigger, external_id, host, version, began_at, ended_at)::text, 'UTF8')), '' order by run_id)) as digest from fresh where ended_at is not null) made where made.rows > 0;
                    return null;
                end$$;


CREATE FUNCTION archive.seal_by_form_12() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, YMD'
    SET bytea_output TO 'hex'
    SET extra_float_digits TO '1'
    AS $$begin
                    insert into archive.seal (form, rows, keys, digest)
                    select 12, made.* from (select count(*) as rows, range_agg(int8range(session_id, session_id, '[]')) as keys, sha256(string_agg(sha256(convert_to(row(session_id, run_id, mailbox_id, host, port, username, tls_version, tls_cipher, certificate_sha256, greeting, capabilities_before, capabilities_after, mechanism, utf8, login_delay_seconds, began_at)::text, 'UTF8')), '' order by session_id)) as digest from fresh where true) made where made.rows > 0;
                    return null;
                end$$;


CREATE FUNCTION archive.seal_by_form_13() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, YMD'
    SET bytea_output TO 'hex'
    SET extra_float_digits TO '1'
    AS $$begin
                    insert into archive.seal (form, rows, keys, digest)
                    select 13, made.* from (select count(*) as rows, range_agg(int8range(session_id, session_id, '[]')) as keys, sha256(string_agg(sha256(convert_to(row(session_id, run_id, mailbox_id, epoch_id, host, port, username, tls_version, tls_cipher, certificate_sha256, greeting, capabilities_before, capabilities_after, mechanism, utf8, login_delay_seconds, began_at, listed_at, listed, listed_octets, listing_sha256, listing_doubted, quit_accepted, quit_reply, ended_at, failure)::text, 'UTF8')), '' order by session_id)) as digest from fresh where ended_at is not null) made where made.rows > 0;
                    return null;
                end$$;


CREATE FUNCTION archive.seal_by_form_14() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, YMD'
    SET bytea_output TO 'hex'
    SET extra_float_digits TO '1'
    AS $$begin
                    insert into archive.seal (form, rows, keys, digest)
                    select 14, made.* from (select count(*) as rows, range_agg(int8range(verification_id, verification_id, '[]')) as keys, sha256(string_agg(sha256(convert_to(row(verification_id, asked, version, verified_by, began_at)::text, 'UTF8')), '' order by verification_id)) as digest from fresh where true) made where made.rows > 0;
                    return null;
                end$$;


CREATE FUNCTION archive.seal_by_form_15() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, YMD'
    SET bytea_output TO 'hex'
    SET extra_float_digits TO '1'
    AS $$begin
                    insert into archive.seal (form, rows, keys, digest)
                    select 15, made.* from (select count(*) as rows, range_agg(int8range(verification_id, verification_id, '[]')) as keys, sha256(string_agg(sha256(convert_to(row(verification_id, asked, version, verified_by, began_at, ended_at, messages, octets, faults)::text, 'UTF8')), '' order by verification_id)) as digest from fresh where ended_at is not null) made where made.rows > 0;
                    return null;
                end$$;


CREATE FUNCTION archive.seal_by_form_16() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, YMD'
    SET bytea_output TO 'hex'
    SET extra_float_digits TO '1'
    AS $$begin
                    insert into archive.seal (form, rows, keys, digest)
                    select 16, made.* from (select count(*) as rows, range_agg(int8range(fault_id, fault_id, '[]')) as keys, sha256(string_agg(sha256(convert_to(row(fault_id, verification_id, place, fault)::text, 'UTF8')), '' order by fault_id)) as digest from fresh where true) made where made.rows > 0;
                    return null;
                end$$;


CREATE FUNCTION archive.seal_by_form_2() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, YMD'
    SET bytea_output TO 'hex'
    SET extra_float_digits TO '1'
    AS $$begin
                    insert into archive.seal (form, rows, keys, digest)
                    select 2, made.* from (select count(*) as rows, range_agg(int8range(epoch_id, epoch_id, '[]')) as keys, sha256(string_agg(sha256(convert_to(row(epoch_id, mailbox_id, host, username, reason, began_at)::text, 'UTF8')), '' order by epoch_id)) as digest from fresh where true) made where made.rows > 0;
                    return null;
                end$$;


CREATE FUNCTION archive.seal_by_form_3() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, YMD'
    SET bytea_output TO 'hex'
    SET extra_float_digits TO '1'
    AS $$begin
                    insert into archive.seal (form, rows, keys, digest)
                    select 3, made.* from (select count(*) as rows, range_agg(int8range(delivery_id, delivery_id, '[]')) as keys, sha256(string_agg(sha256(convert_to(row(delivery_id, mailbox_id, epoch_id, uidl, twin, listed_octets, session_id, listed_at)::text, 'UTF8')), '' order by delivery_id)) as digest from fresh where true) made where made.rows > 0;
                    return null;
                end$$;


CREATE FUNCTION archive.seal_by_form_4() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, YMD'
    SET bytea_output TO 'hex'
    SET extra_float_digits TO '1'
    AS $$begin
                    insert into archive.seal (form, rows, keys, digest)
                    select 4, made.* from (select count(*) as rows, range_agg(int8range(entry_id, entry_id, '[]')) as keys, sha256(string_agg(sha256(convert_to(row(entry_id, delivery_id, step, session_id, message_id, octets, reason, at)::text, 'UTF8')), '' order by entry_id)) as digest from fresh where true) made where made.rows > 0;
                    return null;
                end$$;


CREATE FUNCTION archive.seal_by_form_5() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, YMD'
    SET bytea_output TO 'hex'
    SET extra_float_digits TO '1'
    AS $$begin
                    insert into archive.seal (form, rows, keys, digest)
                    select 5, made.* from (select count(*) as rows, range_agg(int8range(message_id, message_id, '[]')) as keys, sha256(string_agg(sha256(convert_to(row(message_id, sha256, octets, head_sha256, session_id, archived_at)::text, 'UTF8')), '' order by message_id)) as digest from fresh where true) made where made.rows > 0;
                    return null;
                end$$;


CREATE FUNCTION archive.seal_by_form_6() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, YMD'
    SET bytea_output TO 'hex'
    SET extra_float_digits TO '1'
    AS $$begin
                    insert into archive.seal (form, rows, keys, digest)
                    select 6, made.* from (select count(*) as rows, range_agg(int8range(excerpt_id, excerpt_id, '[]')) as keys, sha256(string_agg(sha256(convert_to(row(excerpt_id, delivery_id, session_id, head, taken_at)::text, 'UTF8')), '' order by excerpt_id)) as digest from fresh where true) made where made.rows > 0;
                    return null;
                end$$;


CREATE FUNCTION archive.seal_by_form_7() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, YMD'
    SET bytea_output TO 'hex'
    SET extra_float_digits TO '1'
    AS $$begin
                    insert into archive.seal (form, rows, keys, digest)
                    select 7, made.* from (select count(*) as rows, range_agg(int8range(disposition_id, disposition_id, '[]')) as keys, sha256(string_agg(sha256(convert_to(row(disposition_id, message_id, basis, requested_by, requested_at)::text, 'UTF8')), '' order by disposition_id)) as digest from fresh where true) made where made.rows > 0;
                    return null;
                end$$;


CREATE FUNCTION archive.seal_by_form_8() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, YMD'
    SET bytea_output TO 'hex'
    SET extra_float_digits TO '1'
    AS $$begin
                    insert into archive.seal (form, rows, keys, digest)
                    select 8, made.* from (select count(*) as rows, range_agg(int8range(disposition_id, disposition_id, '[]')) as keys, sha256(string_agg(sha256(convert_to(row(disposition_id, message_id, basis, requested_by, requested_at, approved_by, approved_at)::text, 'UTF8')), '' order by disposition_id)) as digest from fresh where approved_at is not null) made where made.rows > 0;
                    return null;
                end$$;


CREATE FUNCTION archive.seal_by_form_9() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog'
    SET "TimeZone" TO 'UTC'
    SET "DateStyle" TO 'ISO, YMD'
    SET bytea_output TO 'hex'
    SET extra_float_digits TO '1'
    AS $$begin
                    insert into archive.seal (form, rows, keys, digest)
                    select 9, made.* from (select count(*) as rows, range_agg(int8range(enrolment_id, enrolment_id, '[]')) as keys, sha256(string_agg(sha256(convert_to(row(enrolment_id, place, enrolled_at, enrolled_by)::text, 'UTF8')), '' order by enrolment_id)) as digest from fresh where true) made where made.rows > 0;
                    return null;
                end$$;


CREATE TABLE archive.delivery (
    delivery_id bigint NOT NULL,
    mailbox_id bigint NOT NULL,
    epoch_id bigint NOT NULL,
    uidl text NOT NULL,
    twin integer NOT NULL,
    listed_octets bigint,
    session_id bigint NOT NULL,
    listed_at timestamp with time zone DEFAULT now() NOT NULL
);


CREATE TABLE archive.epoch (
    epoch_id bigint NOT NULL,
    mailbox_id bigint NOT NULL,
    host text NOT NULL,
    username text NOT NULL,
    reason text NOT NULL,
    began_at timestamp with time zone DEFAULT now() NOT NULL
);


CREATE TABLE archive.excerpt (
    excerpt_id bigint NOT NULL,
    delivery_id bigint NOT NULL,
    session_id bigint NOT NULL,
    head bytea NOT NULL,
    taken_at timestamp with time zone DEFAULT now() NOT NULL
);


CREATE TABLE archive.ledger (
    entry_id bigint NOT NULL,
    delivery_id bigint NOT NULL,
    step archive.step NOT NULL,
    session_id bigint NOT NULL,
    message_id bigint,
    octets bigint,
    reason text,
    at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT ledger_check CHECK (((step = ANY (ARRAY['archived'::archive.step, 'duplicate'::archive.step])) = (message_id IS NOT NULL)))
);


CREATE TABLE archive.mailbox (
    mailbox_id bigint NOT NULL,
    name text NOT NULL
);


CREATE TABLE archive.message (
    message_id bigint NOT NULL,
    sha256 bytea NOT NULL,
    octets bigint NOT NULL,
    head_sha256 bytea NOT NULL,
    session_id bigint NOT NULL,
    archived_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT message_head_sha256_check CHECK ((octet_length(head_sha256) = 32)),
    CONSTRAINT message_sha256_check CHECK ((octet_length(sha256) = 32))
);


CREATE TABLE ops.enrolment (
    enrolment_id bigint NOT NULL,
    place text NOT NULL,
    enrolled_at timestamp with time zone DEFAULT now() NOT NULL,
    enrolled_by text DEFAULT CURRENT_USER NOT NULL
);


CREATE TABLE ops.fault (
    fault_id bigint NOT NULL,
    verification_id bigint NOT NULL,
    place text NOT NULL,
    fault text NOT NULL
);


CREATE TABLE ops.run (
    run_id bigint NOT NULL,
    trigger text NOT NULL,
    external_id text,
    host text NOT NULL,
    version text NOT NULL,
    began_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone
);


CREATE TABLE ops.session (
    session_id bigint NOT NULL,
    run_id bigint NOT NULL,
    mailbox_id bigint NOT NULL,
    epoch_id bigint NOT NULL,
    host text NOT NULL,
    port integer NOT NULL,
    username text NOT NULL,
    tls_version text,
    tls_cipher text,
    certificate_sha256 bytea,
    greeting text NOT NULL,
    capabilities_before text[],
    capabilities_after text[],
    mechanism text NOT NULL,
    utf8 boolean NOT NULL,
    login_delay_seconds double precision,
    began_at timestamp with time zone DEFAULT now() NOT NULL,
    listed_at timestamp with time zone,
    listed bigint,
    listed_octets bigint,
    listing_sha256 bytea,
    listing_doubted boolean,
    quit_accepted boolean,
    quit_reply text,
    ended_at timestamp with time zone,
    failure text
);


CREATE TABLE ops.verification (
    verification_id bigint NOT NULL,
    asked text NOT NULL,
    version text NOT NULL,
    verified_by text DEFAULT SESSION_USER NOT NULL,
    began_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone,
    messages bigint,
    octets bigint,
    faults bigint
);


CREATE FUNCTION archive.seal_forms() RETURNS TABLE(form integer, relation regclass, key text, condition text, columns text)
    LANGUAGE sql STABLE
    BEGIN ATOMIC
 VALUES (1,'archive.mailbox'::regclass,'mailbox_id'::text,'true'::text,'mailbox_id, name'::text), (2,'archive.epoch'::regclass,'epoch_id'::text,'true'::text,'epoch_id, mailbox_id, host, username, reason, began_at'::text), (3,'archive.delivery'::regclass,'delivery_id'::text,'true'::text,'delivery_id, mailbox_id, epoch_id, uidl, twin, listed_octets, session_id, listed_at'::text), (4,'archive.ledger'::regclass,'entry_id'::text,'true'::text,'entry_id, delivery_id, step, session_id, message_id, octets, reason, at'::text), (5,'archive.message'::regclass,'message_id'::text,'true'::text,'message_id, sha256, octets, head_sha256, session_id, archived_at'::text), (6,'archive.excerpt'::regclass,'excerpt_id'::text,'true'::text,'excerpt_id, delivery_id, session_id, head, taken_at'::text), (7,'archive.disposition'::regclass,'disposition_id'::text,'true'::text,'disposition_id, message_id, basis, requested_by, requested_at'::text), (8,'archive.disposition'::regclass,'disposition_id'::text,'approved_at is not null'::text,'disposition_id, message_id, basis, requested_by, requested_at, approved_by, approved_at'::text), (9,'ops.enrolment'::regclass,'enrolment_id'::text,'true'::text,'enrolment_id, place, enrolled_at, enrolled_by'::text), (10,'ops.run'::regclass,'run_id'::text,'true'::text,'run_id, trigger, external_id, host, version, began_at'::text), (11,'ops.run'::regclass,'run_id'::text,'ended_at is not null'::text,'run_id, trigger, external_id, host, version, began_at, ended_at'::text), (12,'ops.session'::regclass,'session_id'::text,'true'::text,'session_id, run_id, mailbox_id, host, port, username, tls_version, tls_cipher, certificate_sha256, greeting, capabilities_before, capabilities_after, mechanism, utf8, login_delay_seconds, began_at'::text), (13,'ops.session'::regclass,'session_id'::text,'ended_at is not null'::text,'session_id, run_id, mailbox_id, epoch_id, host, port, username, tls_version, tls_cipher, certificate_sha256, greeting, capabilities_before, capabilities_after, mechanism, utf8, login_delay_seconds, began_at, listed_at, listed, listed_octets, listing_sha256, listing_doubted, quit_accepted, quit_reply, ended_at, failure'::text), (14,'ops.verification'::regclass,'verification_id'::text,'true'::text,'verification_id, asked, version, verified_by, began_at'::text), (15,'ops.verification'::regclass,'verification_id'::text,'ended_at is not null'::text,'verification_id, asked, version, verified_by, began_at, ended_at, messages, octets, faults'::text), (16,'ops.fault'::regclass,'fault_id'::text,'true'::text,'fault_id, verification_id, place, fault'::text);
END;


CREATE FUNCTION archive.seal_query(key text, columns text, source text) RETURNS text
    LANGUAGE sql IMMUTABLE
    RETURN format('select count(*) as rows, range_agg(int8range(%1$I, %1$I, ''[]'')) as keys, sha256(string_agg(sha256(convert_to(row(%2$s)::text, ''UTF8'')), '''' order by %1$I)) as digest from %3$s'::text, key, columns, source);


CREATE FUNCTION mart.search(query text, matches integer DEFAULT 20, after_key text DEFAULT NULL::text) RETURNS TABLE(message_id bigint, sent_at timestamp with time zone, from_name text, from_address text, subject text, snippet text, score integer, key text)
    LANGUAGE plpgsql STABLE ROWS 20
    AS $$
declare
    asked constant search.alternative[] := search.parsed(query);
    heads constant integer[] := search.heads(asked);
    unsure constant search.alternative[] := search.unsure(asked);
    hits constant text := search.hits(asked);
    page search.page := search.page_after(after_key);
    w record;
    c record;
begin
    while matches > 0 loop
        w := search.window(asked, heads, page.top, page.bottom);
        for c in
            select * from unnest(w.ids, w.sent_ats, w.scores) as u (id, sent, score)
            where id >= w.bottom and id < page.top
              and (page.id is null or (u.score, u.sent, u.id) < (page.score, page.sent_at, page.id))
            order by u.score desc, u.sent desc, u.id desc
        loop
            continue when unsure <> '{}' and not search.satisfies(c.id, unsure, c.score);
            select m.message_id, m.sent_at, m.from_name, m.from_address, m.subject
            into message_id, sent_at, from_name, from_address, subject
            from mart.message m where m.message_id = c.id;
            continue when not found;
            snippet := search.snippet(c.id, hits);
            score := c.score;
            key := concat_ws('_', page.top, w.bottom, c.score, c.id, replace(c.sent::text, ' ', 'T'));
            return next;
            matches := matches - 1;
            exit when matches = 0;
        end loop;
        exit when w.bottom = 0;
        page := (w.bottom, null, null, null, null)::search.page;
    end loop;
end
$$;


CREATE FUNCTION mart.traits(message bigint, OUT fields text[], OUT but_received text[], OUT files bytea[], OUT encodings text[], OUT words text) RETURNS record
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    select (select array_agg(lower(name) || ':' || value order by position) from mart.header where message_id = message),
           (select array_agg(lower(name) || ':' || value order by position) from mart.header
            where message_id = message and lower(name) <> 'received'),
           (select array_agg(sha256 order by sha256) from archive.part where message_id = message and attachment),
           (select array_agg(concat_ws(' ', charset, transfer_encoding) order by path) from archive.part
            where message_id = message),
           (select btrim(regexp_replace(body, '\s+', ' ', 'g')) from mart.body where message_id = message)
$$;


CREATE FUNCTION ops.grant_mailbox(role regrole, mailbox text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    insert into ops.mailbox_right (role, mailbox_id) values (grant_mailbox.role, ops.mailbox_named(mailbox))
    on conflict do nothing;
    perform ops.name_who_sees_all() where mailbox is null;
end $$;


CREATE FUNCTION ops.mailbox_named(wanted text) RETURNS bigint
    LANGUAGE plpgsql STABLE
    AS $$
begin
    if wanted is null or exists (select from archive.mailbox where name = wanted) then
        return (select mailbox_id from archive.mailbox where name = wanted);
    end if;
    raise exception 'there is no mailbox % in the archive', wanted using errcode = 'no_data_found';
end $$;


CREATE TABLE ops.mailbox_right (
    role regrole NOT NULL,
    mailbox_id bigint,
    granted_by text DEFAULT SESSION_USER NOT NULL,
    granted_at timestamp with time zone DEFAULT now() NOT NULL
);


CREATE FUNCTION ops.mailboxes_seen() RETURNS bigint[]
    LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE
    BEGIN ATOMIC
 SELECT COALESCE(array_agg(mailbox_right.mailbox_id), '{}'::bigint[]) AS "coalesce"
    FROM ops.mailbox_right
   WHERE ((mailbox_right.mailbox_id IS NOT NULL) AND pg_has_role(SESSION_USER, (mailbox_right.role)::oid, 'member'::text));
END;


CREATE FUNCTION ops.name_who_sees_all() RETURNS void
    LANGUAGE plpgsql
    SET lock_timeout TO '10s'
    AS $$
declare
    relation text;
    holders text;
begin
    select string_agg(quote_ident(r.rolname), ', ') into holders from pg_roles r
    where r.rolname = 'popvault_auditor' or r.oid in (select role from ops.mailbox_right where mailbox_id is null);
    for relation in
        select polrelid::regclass from pg_policy where polname = 'by_mailbox'
    loop
        execute format('drop policy if exists everything on %s', relation);
        execute format('create policy everything on %s for select to %s using (true)', relation, holders);
    end loop;
end $$;


CREATE FUNCTION ops.place() RETURNS text
    LANGUAGE sql STABLE
    RETURN (SELECT format('cluster %s, timeline %s, database %s'::text, s.system_identifier, c.timeline_id, d.oid) AS format FROM pg_control_system() s(pg_control_version, catalog_version_no, system_identifier, pg_control_last_modified), pg_control_checkpoint() c(checkpoint_lsn, redo_lsn, redo_wal_file, timeline_id, prev_timeline_id, full_page_writes, next_xid, next_oid, next_multixact_id, next_multi_offset, oldest_xid, oldest_xid_dbid, oldest_active_xid, oldest_multi_xid, oldest_multi_dbid, oldest_commit_ts_xid, newest_commit_ts_xid, checkpoint_time), pg_database d WHERE (d.datname = current_database()));


CREATE FUNCTION ops.revoke_mailbox(role regrole, mailbox text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    delete from ops.mailbox_right r
    where r.role = revoke_mailbox.role and r.mailbox_id is not distinct from ops.mailbox_named(mailbox);
    perform ops.name_who_sees_all() where mailbox is null;
end $$;


CREATE FUNCTION search.among(segment integer, kept integer[], terms integer[]) RETURNS integer[]
    LANGUAGE plpgsql STABLE
    AS $$
declare
    few constant integer := 100;
    term integer;
    list smallint[];
begin
    foreach term in array terms loop
        select p.places[coalesce(p.ends[at - 1], 0) + 1 : p.ends[at]] into list
        from search.posting p, array_position(p.terms, term) as at
        where p.segment_id = segment and p.bucket = term >> 21 and at is not null;
        if list is null then
            return '{}';
        elsif cardinality(kept) < few then
            -- Few are looked up in a long list; to make it one of integers would take longer.
            kept := array(
                select place from unnest(kept) as place where list[width_bucket(place::smallint, list)] = place);
        else
            kept := kept operator(search.&) list::integer[];
        end if;
        exit when kept = '{}';
    end loop;
    return kept;
end
$$;


CREATE FUNCTION search.chosen(asked search.alternative[]) RETURNS bigint[]
    LANGUAGE plpgsql STABLE
    AS $$
declare
    few constant integer := 20000;
    one_clause integer := (select min(clause) from unnest(asked) where kind in ('mailbox', 'label') and not excluded);
    values text[] := array(select value from unnest(asked) where clause = one_clause);
    ids bigint[];
begin
    if one_clause is null then
        return null;
    elsif (select kind from unnest(asked) where clause = one_clause limit 1) = 'label' then
        ids := array(select message_id from search.labelled join search.label using (label_id)
                     where name = any (values) limit few + 1);
    else
        ids := array(select l.message_id from archive.mailbox b join archive.delivery d using (mailbox_id)
                     join archive.ledger l using (delivery_id)
                     where b.name = any (values) and l.message_id is not null limit few + 1);
    end if;
    return case when cardinality(ids) <= few then array(select distinct unnest(ids) order by 1) end;
end
$$;


CREATE FUNCTION search.cut(content text, hits text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT
    AS $$
declare
    near constant integer := 60;
    whole constant integer := 160;
    plain text := search.folded(content);
    at integer;
    upto integer;
    shown text := '';
begin
    -- Marks that are letters of their own are lost in folding: then the folded text is shown.
    content := case when length(plain) = length(content) then content else plain end;
    at := regexp_instr(plain, hits);
    if at = 0 then
        return null;
    end if;
    at := greatest(1, at - near);
    content := substr(content, at, whole);
    plain := substr(plain, at, whole);
    loop
        at := regexp_instr(plain, hits);
        exit when at = 0;
        upto := regexp_instr(plain, hits, 1, 1, 1);
        shown := shown || left(content, at - 1) || '«' || substr(content, at, upto - at) || '»';
        content := substr(content, upto);
        plain := substr(plain, upto);
    end loop;
    return trim(regexp_replace(shown || content, '\s+', ' ', 'g'));
end
$$;


CREATE FUNCTION search.date(field text, written text) RETURNS timestamp with time zone
    LANGUAGE plpgsql STABLE
    AS $_$
declare
    piece text[] := regexp_match(written, '^(\d{4})(?:-(\d\d?)(?:-(\d\d?))?)?$');
    sentence text := format('%s: wants a date such as 2026-03-31, 2026-03 or 2026, not %s', field, written);
begin
    if piece is null then
        perform search.refuse(sentence);
    end if;
    return make_timestamptz(
        piece[1]::integer, coalesce(piece[2], '1')::integer, coalesce(piece[3], '1')::integer, 0, 0, 0, 'UTC');
exception when datetime_field_overflow then
    perform search.refuse(sentence);
end
$_$;


CREATE FUNCTION search.folded(content text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $_$
begin
    -- Each step is for what few texts hold: translate takes a millisecond, asking a hundredth of one.
    if octet_length(content) = length(content) then
        return lower(content);
    end if;
    if content ~ '[\u00c0-\u052f\u1e00-\u1fff\u0300-\u036f]' then
        content := normalize(regexp_replace(normalize(content, nfd), '[\u0300-\u036f]', '', 'g'), nfc);
    end if;
    content := lower(content);
    if content ~ '[øłđıħŧς]' then
        content := translate(content, 'øłđıħŧς', 'oldihtσ');
    end if;
    if content ~ '[\uff01-\uff5e]' then
        content := translate(content,
            '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～',
            '!"#$%&''()*+,-./0123456789:;<=>?@[\]^_`abcdefghijklmnopqrstuvwxyz{|}~');
    end if;
    return content;
end
$_$;


CREATE FUNCTION search.forget() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    update search.segment s set message_ids = pg_catalog.array_replace(s.message_ids, new.message_id, null)
    where new.message_id between s.first_message_id and s.last_message_id;
    return null;
end $$;


CREATE FUNCTION search.has_asked(terms bytea, asked search.alternative[]) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE
    AS $$
declare
    satisfied boolean := false;
    has boolean;
    term integer;
    a search.alternative;
    i integer := 0;
begin
    foreach a in array asked loop
        i := i + 1;
        continue when a.kind <> 'words' or a.excluded and a.pattern is not null;
        has := true;
        foreach term in array a.terms loop
            has := position(int4send(term) in terms) > 0;
            exit when not has;
        end loop;
        satisfied := satisfied or has <> a.excluded;
        continue when asked[i + 1].clause = a.clause;
        if not satisfied then
            return false;
        end if;
        satisfied := false;
    end loop;
    return true;
end
$$;


CREATE FUNCTION search.spelt(word text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN replace(replace(replace(replace(word, 'ß'::text, 'ss'::text), 'æ'::text, 'ae'::text), 'œ'::text, 'oe'::text), 'þ'::text, 'th'::text);


CREATE FUNCTION search.unspaced() RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff'::text;


CREATE FUNCTION search.pieces(words text[]) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ARRAY(SELECT DISTINCT pieces.piece FROM unnest(pieces.words) word(word), LATERAL (SELECT search.spelt(word.word) AS piece WHERE (word.word !~ format('^[%s]'::text, search.unspaced())) UNION ALL SELECT substr(word.word, n.n, 2) AS substr FROM generate_series(1, GREATEST((length(word.word) - 1), 1)) n(n) WHERE (word.word ~ format('^[%s]'::text, search.unspaced()))) pieces);


CREATE FUNCTION search.separators() RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '\u0001-\u002f\u003a-\u0060\u007b-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7\u02c2-\u02df\u2000-\u2bff\u2e00-\u2e7f\u3000-\u3004\u3008-\u3020\u3030-\u303f\u30fb\ue000-\uf8ff\ufe00-\ufe6f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\uffe0-\uffff\U0001f000-\U0001faff'::text;


CREATE FUNCTION search.term(name text) RETURNS integer
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
    AS $$
declare
    octets bytea := convert_to(name, 'UTF8');
    crc bigint := 4294967295;
begin
    -- CRC-32 as in zlib; Postgres has a function for it only since version 18.
    for i in 0 .. length(octets) - 1 loop
        crc := crc # get_byte(octets, i);
        for bit in 1 .. 8 loop
            crc := (crc >> 1) # (3988292384 * (crc & 1));
        end loop;
    end loop;
    crc := crc # 4294967295;
    return case when crc > 2147483647 then crc - 4294967296 else crc end;
end
$$;


CREATE FUNCTION search.words(content text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT COALESCE(array_agg(runs.run[1] ORDER BY runs.place), '{}'::text[]) AS "coalesce" FROM regexp_matches(search.folded(words.content), format('[^%1$s%2$s]+|[%2$s]+'::text, search.separators(), search.unspaced()), 'g'::text) WITH ORDINALITY runs(run, place));


CREATE FUNCTION search.heads(asked search.alternative[]) RETURNS integer[]
    LANGUAGE sql STABLE
    RETURN ARRAY(SELECT DISTINCT search.term(('^'::text || piece.piece)) AS term FROM unnest(heads.asked) a(clause, excluded, kind, field, value, terms, pattern), LATERAL unnest(search.pieces(search.words(a.value))) piece(piece) WHERE ((a.kind = 'words'::text) AND (a.field IS NULL) AND (NOT a.excluded)));


CREATE FUNCTION search.pattern(words text[]) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT concat(CASE WHEN ((pattern.words)[1] !~ unspaced.unspaced) THEN format('(?<![^%s%s])'::text, search.separators(), search.unspaced()) ELSE NULL::text END, string_agg(concat(CASE WHEN (w.place = 1) THEN ''::text WHEN ((w.word ~ unspaced.unspaced) OR ((pattern.words)[(w.place - 1)] ~ unspaced.unspaced)) THEN format('[%s]*'::text, search.separators()) ELSE format('[%s]+'::text, search.separators()) END, regexp_replace(regexp_replace(regexp_replace(regexp_replace(search.spelt(w.word), 'ss'::text, '(?:ss|ß)'::text, 'g'::text), 'ae'::text, '(?:ae|æ)'::text, 'g'::text), 'oe'::text, '(?:oe|œ)'::text, 'g'::text), 'th'::text, '(?:th|þ)'::text, 'g'::text)), ''::text ORDER BY w.place), CASE WHEN ((pattern.words)[cardinality(pattern.words)] !~ unspaced.unspaced) THEN format('(?![^%s%s])'::text, search.separators(), search.unspaced()) ELSE NULL::text END) AS concat FROM unnest(pattern.words) WITH ORDINALITY w(word, place), format('^[%s]'::text, search.unspaced()) unspaced(unspaced) GROUP BY unspaced.unspaced);


CREATE FUNCTION search.hits(asked search.alternative[]) RETURNS text
    LANGUAGE sql STABLE
    RETURN (SELECT string_agg(patterns.hit, '|'::text) AS string_agg FROM unnest(hits.asked) a(clause, excluded, kind, field, value, terms, pattern), LATERAL (SELECT a.pattern AS hit WHERE (a.pattern IS NOT NULL) UNION ALL SELECT search.pattern(ARRAY[word.word]) AS pattern FROM unnest(search.words(a.value)) word(word) WHERE (a.pattern IS NULL)) patterns WHERE ((a.kind = 'words'::text) AND (NOT a.excluded)));


CREATE FUNCTION search.items(query text) RETURNS search.alternative[]
    LANGUAGE sql STABLE
    RETURN ARRAY(SELECT ROW(NULL::integer, (named.sign = '-'::text), CASE WHEN ((NOT named.quoted) AND (NOT (named.sign = '-'::text)) AND (named.field IS NULL) AND (lower(named.value) = 'or'::text)) THEN 'or'::text WHEN (named.field = ANY (ARRAY['before'::text, 'after'::text, 'mailbox'::text, 'label'::text, 'saved'::text])) THEN named.field ELSE 'words'::text END, CASE WHEN (named.value !~~ '//%'::text) THEN named.field ELSE NULL::text END, CASE WHEN (named.value ~~ '//%'::text) THEN concat(named.field, named.value) WHEN named.quoted THEN TRIM(BOTH '"'::text FROM named.value) ELSE named.value END, NULL::integer[], NULL::text)::search.alternative AS "row" FROM regexp_matches(translate(items.query, '“”„'::text, '"""'::text), '(-?)(?:([[:alpha:]]+):)?("[^"]*(?:"|$)|\S+)'::text, 'g'::text) WITH ORDINALITY items(item, place), LATERAL (SELECT items.item[1] AS sign, lower(items.item[2]) AS field, items.item[3] AS value, (items.item[3] ~~ '"%'::text) AS quoted) named ORDER BY items.place);


CREATE FUNCTION search.named(item search.alternative) RETURNS search.alternative
    LANGUAGE plpgsql STABLE
    AS $$
begin
    if item.kind in ('before', 'after') then
        item.value := search.date(item.kind, item.value);
        if item.excluded then
            perform search.refuse(item.kind || ': cannot be excluded');
        end if;
    elsif item.kind = 'mailbox' and not exists (select from archive.mailbox where name = item.value)
          or item.kind = 'label' and not exists (select from search.label where name = item.value) then
        perform search.refuse(format('there is no %s %s', item.kind, item.value));
    end if;
    return item;
end
$$;


CREATE FUNCTION search.page_after(key text) RETURNS search.page
    LANGUAGE plpgsql STABLE
    AS $_$
declare
    piece text[] := regexp_match(key, '^(\d{1,18})_(\d{1,18})_(\d{1,9})_(\d{1,18})_([-+:.T\da-z]+)$');
begin
    if key is null then
        return (greatest(
            (select max(last_message_id) from search.segment), (select max(f.message_id) from search.fresh f), 0) + 1,
            null, null, null, null)::search.page;
    end if;
    if piece is null then
        raise invalid_parameter_value;
    end if;
    return (piece[1], piece[2], piece[3], piece[5], piece[4])::search.page;
exception when data_exception then
    raise exception 'the key % is none that a search has given', key using errcode = 'invalid_parameter_value';
end
$_$;


CREATE FUNCTION search.parsed(query text, saved boolean DEFAULT false) RETURNS search.alternative[]
    LANGUAGE plpgsql STABLE
    AS $$
declare
    asked search.alternative[] := '{}';
    item search.alternative;
    joined boolean := false;
    last search.alternative;
begin
    foreach item in array search.items(query) loop
        last := asked[cardinality(asked)];
        if item.kind = 'or' and last.clause is not null then
            joined := true;
            continue;
        elsif item.kind = 'saved' then
            if saved or item.excluded or joined then
                perform search.refuse('saved: stands by itself: not in a saved search, not behind - or or');
            end if;
            asked := asked || search.within(item.value, coalesce(last.clause, 0));
            continue;
        elsif item.kind in ('or', 'words') then
            item.kind := 'words';
            item := search.worded(item);
            -- Punctuation alone says nothing.
            continue when item.terms = '{}';
        else
            item := search.named(item);
        end if;
        if joined and (item.excluded or last.excluded or item.kind <> last.kind or item.kind in ('before', 'after'))
        then
            perform search.refuse(
                'or joins words with words, mailboxes with mailboxes, labels with labels, none of them excluded');
        end if;
        item.clause := coalesce(last.clause, 0) + case when joined then 0 else 1 end;
        asked := asked || item;
        joined := false;
    end loop;
    if asked = '{}' then
        perform search.refuse('a search wants a word or an operator');
    end if;
    return asked;
end
$$;


CREATE TABLE search.posting (
    segment_id integer NOT NULL,
    bucket smallint NOT NULL,
    terms integer[] NOT NULL,
    ends integer[] NOT NULL,
    places smallint[] NOT NULL
);


CREATE FUNCTION search.places(segment integer, term integer) RETURNS integer[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (SELECT (p.places[(COALESCE(p.ends[(at.at - 1)], 0) + 1):p.ends[at.at]])::integer[] AS places FROM search.posting p, LATERAL array_position(p.terms, places.term) at(at) WHERE ((p.segment_id = places.segment) AND (p.bucket = (places.term >> 21)) AND (at.at IS NOT NULL)));


CREATE FUNCTION search.places_asked(segment integer, places integer[], asked search.alternative[]) RETURNS integer[]
    LANGUAGE plpgsql STABLE
    AS $$
declare
    kept integer[] := places;
    satisfying integer[] := '{}';
    a search.alternative;
    i integer := 0;
begin
    foreach a in array asked loop
        i := i + 1;
        continue when a.kind <> 'words';
        if a.excluded then
            -- Where the order of words counts, only the text can tell.
            if a.pattern is null then
                kept := kept operator(search.-) search.among(segment, kept, a.terms);
            end if;
        else
            satisfying := satisfying operator(search.|) search.among(segment, kept, a.terms);
            continue when asked[i + 1].clause = a.clause;
            kept := satisfying;
            satisfying := '{}';
        end if;
        exit when kept = '{}';
    end loop;
    return kept;
end
$$;


CREATE TABLE search.segment (
    segment_id integer NOT NULL,
    first_message_id bigint NOT NULL,
    last_message_id bigint NOT NULL,
    oldest timestamp with time zone,
    newest timestamp with time zone,
    message_ids bigint[] NOT NULL,
    sent_ats timestamp with time zone[] NOT NULL
);
ALTER TABLE ONLY search.segment ALTER COLUMN message_ids SET STORAGE EXTERNAL;
ALTER TABLE ONLY search.segment ALTER COLUMN sent_ats SET STORAGE EXTERNAL;


CREATE FUNCTION search.rarest(asked search.alternative[]) RETURNS integer
    LANGUAGE sql STABLE
    RETURN (SELECT term.term FROM unnest(rarest.asked) a(clause, excluded, kind, field, value, terms, pattern), LATERAL unnest(a.terms) term(term) WHERE ((a.kind = 'words'::text) AND (NOT a.excluded) AND ((SELECT count(*) AS count FROM unnest(rarest.asked) unnest(clause, excluded, kind, field, value, terms, pattern) WHERE (unnest.clause = a.clause)) = 1)) ORDER BY COALESCE(cardinality(search.places((SELECT max(segment.segment_id) AS max FROM search.segment), term.term)), 0) LIMIT 1);


CREATE FUNCTION search.refuse(sentence text) RETURNS void
    LANGUAGE plpgsql
    AS $$
begin
    raise exception '%', sentence using errcode = 'invalid_parameter_value';
end
$$;


CREATE FUNCTION search.satisfies(id bigint, asked search.alternative[], score integer) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
declare
    satisfied boolean := false;
    has boolean;
    a search.alternative;
    i integer := 0;
begin
    foreach a in array asked loop
        i := i + 1;
        has := case coalesce(nullif(a.kind, 'words'), a.field)
            when 'mailbox' then exists (
                select from archive.ledger l join archive.delivery d using (delivery_id)
                join archive.mailbox b using (mailbox_id)
                where l.message_id = id and b.name = a.value)
            when 'label' then exists (
                select from search.labelled l join search.label b using (label_id)
                where l.message_id = id and b.name = a.value)
            when 'has' then exists (select from mart.attachment f where f.message_id = id)
            else search.stands(id, a.field, coalesce(a.pattern, search.pattern(search.words(a.value))),
                -- Of a message whose head has none of the words the head need not be read.
                score > 0 or a.excluded)
        end;
        satisfied := satisfied or has <> a.excluded;
        continue when asked[i + 1].clause = a.clause;
        if not satisfied then
            return false;
        end if;
        satisfied := false;
    end loop;
    return true;
end
$$;


CREATE FUNCTION search.score(terms bytea, heads integer[]) RETURNS integer
    LANGUAGE plpgsql IMMUTABLE
    AS $$
declare
    score integer := 0;
begin
    for i in 1 .. cardinality(heads) loop
        score := score + (position(int4send(heads[i]) in terms) > 0)::integer;
    end loop;
    return score;
end
$$;


CREATE FUNCTION search.scores(segment integer, kept integer[], heads integer[]) RETURNS integer[]
    LANGUAGE plpgsql STABLE
    AS $$
declare
    hits integer[] := '{}';
begin
    for i in 1 .. cardinality(heads) loop
        hits := hits || search.among(segment, kept, heads[i : i]);
    end loop;
    if hits = '{}' then
        return array_fill(0, array[cardinality(kept)]);
    end if;
    return array(select count(*) - 1 from unnest(kept || hits) as place group by place order by place);
end
$$;


CREATE FUNCTION search.snippet(id bigint, hits text) RETURNS text
    LANGUAGE plpgsql STABLE
    AS $$
declare
    -- Folding takes a millisecond for so many characters; the hit is seldom behind them.
    first constant integer := 20000;
    body constant text := search.text(id, 'body');
begin
    return coalesce(
        search.cut(left(body, first), hits),
        search.cut(search.text(id, 'subject'), hits),
        search.cut(search.text(id, 'filename'), hits),
        search.cut(search.text(id, null), hits),
        case when length(body) > first then search.cut(body, hits) end,
        trim(regexp_replace(left(body, 160), '\s+', ' ', 'g')));
end
$$;


CREATE FUNCTION search.stands(id bigint, field text, pattern text, in_head boolean) RETURNS boolean
    LANGUAGE plpgsql STABLE
    AS $$
begin
    if field is not null then
        return search.folded(search.text(id, field)) ~ pattern;
    end if;
    return search.folded(search.text(id, 'body')) ~ pattern
        or in_head and search.folded(search.text(id, null)) ~ pattern;
end
$$;


CREATE FUNCTION search.terms(field text, words text[]) RETURNS integer[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ARRAY(SELECT search.term((terms.field || piece.piece)) AS term FROM unnest(search.pieces(terms.words)) piece(piece));


CREATE FUNCTION search.text(id bigint, field text) RETURNS text
    LANGUAGE plpgsql STABLE
    AS $$
begin
    return case
        when field = 'subject' then (select r.subject from archive.reading r where r.message_id = id)
        when field = 'filename' then (
            select string_agg(a.filename, E'\n' order by a.path) from mart.attachment a where a.message_id = id)
        when field in ('from', 'to', 'cc', 'bcc') then (
            select string_agg(concat_ws(' ', p.name, p.written), E'\n' order by p.position) from mart.participant p
            where p.message_id = id and (p.role = field or (field = 'from' and p.role = 'sender')))
        when field = 'body' then (select b.body from mart.body b where b.message_id = id)
        else (select string_agg(search.text(id, each), E'\n')
              from unnest('{subject,from,to,cc,bcc,filename}'::text[]) as each)
    end;
end
$$;


CREATE FUNCTION search.unsure(asked search.alternative[]) RETURNS search.alternative[]
    LANGUAGE sql IMMUTABLE
    RETURN ARRAY(SELECT a.*::search.alternative AS a FROM unnest(unsure.asked) a(clause, excluded, kind, field, value, terms, pattern) WHERE (a.clause IN (SELECT b.clause FROM unnest(unsure.asked) b(clause, excluded, kind, field, value, terms, pattern) WHERE ((b.pattern IS NOT NULL) OR (b.kind = ANY (ARRAY['mailbox'::text, 'label'::text]))))) ORDER BY a.clause);


CREATE FUNCTION search."window"(asked search.alternative[], heads integer[], top bigint, INOUT bottom bigint, OUT ids bigint[], OUT sent_ats timestamp with time zone[], OUT scores integer[]) RETURNS record
    LANGUAGE plpgsql STABLE
    AS $$
declare
    -- So many matches are ranked among each other: enough that a page holds the best of a long time.
    ranked constant integer := 500;
    everything constant integer[] := array(select generate_series(1, 8192));
    since constant timestamptz := (select max(value::timestamptz) from unnest(asked) where kind = 'after');
    until constant timestamptz := (select min(value::timestamptz) from unnest(asked) where kind = 'before');
    a_moment constant interval := '1 microsecond';
    chosen constant bigint[] := search.chosen(asked);
    -- Terms that all matches have, or have not, and whether that is all there is to ask: nearly always.
    wanted constant bytea[] := array(
        select int4send(term) from unnest(asked) as a, unnest(a.terms) as term
        where not a.excluded and (select count(*) from unnest(asked) where clause = a.clause) = 1 limit 4);
    unwanted constant bytea[] := array(
        select int4send(terms[1]) from unnest(asked)
        where excluded and pattern is null and cardinality(terms) = 1 limit 2);
    rarest constant integer := search.rarest(asked);
    plain constant boolean := cardinality(wanted || unwanted)
        = (select coalesce(sum(cardinality(terms)), 0) from unnest(asked));
    read_again constant boolean := (select min(f.message_id) from search.fresh f)
        <= (select max(last_message_id) from search.segment);
    lowest bigint;
    s record;
    kept integer[];
    in_segment bigint[];
    sent timestamptz[];
begin
    select coalesce(array_agg(f.message_id), '{}'), coalesce(array_agg(coalesce(f.sent_at, '-infinity')), '{}'),
           coalesce(array_agg(search.score(f.terms, heads)), '{}')
    into ids, sent_ats, scores
    from (
        select * from search.fresh f
        where f.message_id < top and f.message_id >= coalesce(bottom, 0)
          and (since is null or f.sent_at >= since) and (until is null or f.sent_at < until)
          and (wanted[1] is null or position(wanted[1] in f.terms) > 0)
          and (wanted[2] is null or position(wanted[2] in f.terms) > 0)
          and (wanted[3] is null or position(wanted[3] in f.terms) > 0)
          and (wanted[4] is null or position(wanted[4] in f.terms) > 0)
          and (unwanted[1] is null or position(unwanted[1] in f.terms) = 0)
          and (unwanted[2] is null or position(unwanted[2] in f.terms) = 0)
          and (plain or search.has_asked(f.terms, asked))
          and (chosen is null or chosen[width_bucket(f.message_id, chosen)] = f.message_id)
        order by f.message_id desc limit case when bottom is null then ranked end
    ) as f;
    lowest := coalesce(bottom, case when cardinality(ids) = ranked then ids[ranked] else 0 end);
    for s in
        select g.segment_id, g.first_message_id, g.last_message_id from search.segment g
        where g.first_message_id < top and g.last_message_id >= coalesce(bottom, 0)
          and (since is null or g.newest >= since) and (until is null or g.oldest < until)
          and (chosen is null
               or width_bucket(g.first_message_id - 1, chosen) < width_bucket(g.last_message_id, chosen))
        order by g.last_message_id desc
    loop
        if bottom is null and cardinality(ids) >= ranked and s.last_message_id + 1 < top then
            lowest := greatest(lowest, s.last_message_id + 1);
            exit;
        end if;
        kept := case when rarest is null then everything else search.places(s.segment_id, rarest) end;
        continue when kept is null;
        if since is not null or until is not null then
            sent := (select g.sent_ats from search.segment g where g.segment_id = s.segment_id);
            kept := kept operator(search.&) everything[
                width_bucket(coalesce(since - a_moment, '-infinity'), sent) + 1
                : width_bucket(coalesce(until - a_moment, 'infinity'), sent)];
        end if;
        kept := search.places_asked(s.segment_id, kept, asked);
        continue when kept = '{}';
        select g.message_ids, g.sent_ats into in_segment, sent from search.segment g where g.segment_id = s.segment_id;
        if read_again and exists (
            select from search.fresh f where f.message_id between s.first_message_id and s.last_message_id
        ) then
            -- Read again since: what the segment says of it counts no longer.
            kept := array(select place from unnest(kept) as place
                          where not exists (select from search.fresh f where f.message_id = in_segment[place]));
            continue when kept = '{}';
        end if;
        if chosen is not null then
            kept := array(select place from unnest(kept) as place
                           where chosen[width_bucket(in_segment[place], chosen)] = in_segment[place]);
            continue when kept = '{}';
        end if;
        scores := scores || search.scores(s.segment_id, kept, heads);
        ids := ids || array(select in_segment[place] from unnest(kept) as place);
        sent_ats := sent_ats || array(select sent[place] from unnest(kept) as place);
    end loop;
    bottom := lowest;
end
$$;


CREATE FUNCTION search.within(saved_name text, clauses integer) RETURNS search.alternative[]
    LANGUAGE plpgsql STABLE
    AS $$
declare
    saved_query text := (select s.query from search.saved s where s.name = saved_name);
begin
    if saved_query is null then
        perform search.refuse('there is no saved search ' || saved_name);
    end if;
    return array(
        select row(a.clause + clauses, a.excluded, a.kind, a.field, a.value, a.terms, a.pattern)::search.alternative
        from unnest(search.parsed(saved_query, true)) as a
    );
end
$$;


CREATE FUNCTION search.worded(item search.alternative) RETURNS search.alternative
    LANGUAGE plpgsql STABLE
    AS $_$
declare
    words text[] := search.words(item.value);
begin
    if item.field is null
       and item.value ~* '^(from|to|cc|bcc|subject|filename|has|mailbox|label|before|after|saved):$' then
        perform search.refuse(item.value || ' wants its value right behind the colon');
    elsif item.value ~ '[^*]\*$' then
        perform search.refuse(format(
            'a word is found whole: write out what %s stands for, with or between', item.value));
    elsif item.field = 'has' then
        if lower(item.value) not in ('attachment', 'attachments') then
            perform search.refuse(format('has: knows only has:attachment, not %s', item.value));
        end if;
        item.terms := array[search.term('has:attachment')];
    elsif item.field is not null and item.field not in ('from', 'to', 'cc', 'bcc', 'subject', 'filename') then
        perform search.refuse(format(
            'there is no operator %1$s:; known are from, to, cc, bcc, subject, filename, has, mailbox, label, before, '
            'after and saved; "%1$s:%2$s" in quotes are words', item.field, item.value));
    elsif item.field in ('from', 'to', 'cc', 'bcc') and item.value ~ '^[^@\s]+@[^@\s]+$' then
        item.terms := array[search.term(item.field || ':' || lower(item.value))];
    else
        item.terms := search.terms(coalesce(item.field || ':', ''), words);
        if cardinality(words) > 1 or words[1] ~ format('^[%s]{3}', search.unspaced()) then
            item.pattern := search.pattern(words);
        end if;
    end if;
    return item;
end
$_$;


CREATE FUNCTION threads.await() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO ''
    AS $$
begin
    insert into threads.pending (message_ids) select pg_catalog.array_agg(message_id) from added having count(*) > 0;
    return null;
end $$;


CREATE FUNCTION threads.business_seconds(since timestamp without time zone, until timestamp without time zone, opens time without time zone, closes time without time zone) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (SELECT (max(t.total) - min(t.total)) FROM (SELECT ((EXTRACT(epoch FROM (business_seconds.closes - business_seconds.opens)))::double precision * ((((5)::double precision * floor(((d.days / 7))::double precision)) + LEAST(((d.days)::double precision - ((7)::double precision * floor(((d.days / 7))::double precision))), (5)::double precision)) + (CASE WHEN (((d.days)::double precision - ((7)::double precision * floor(((d.days / 7))::double precision))) < (5)::double precision) THEN LEAST(GREATEST((EXTRACT(epoch FROM ((ends.at)::time without time zone - business_seconds.opens)) / EXTRACT(epoch FROM (business_seconds.closes - business_seconds.opens))), (0)::numeric), (1)::numeric) ELSE (0)::numeric END)::double precision)) AS total FROM (VALUES (business_seconds.since), (business_seconds.until)) ends(at), LATERAL (SELECT ((ends.at)::date - '2001-01-01'::date) AS days) d) t);


CREATE FUNCTION threads.hashed(content bytea) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (((('x'::text || encode(substr(sha256(content), 1, 8), 'hex'::text)))::bit(64))::bigint & '9223372036854775807'::bigint);


CREATE FUNCTION threads.key_of(id text) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN threads.hashed(convert_to(COALESCE("substring"(id, '<[^<>\s]*@[^<>\s]*>'::text), (('<'::text || "substring"(id, '[^<>\s]+@[^<>\s]+'::text)) || '>'::text)), 'UTF8'::name));


CREATE FUNCTION threads.key_of_conversation(thread_index bytea) RETURNS bigint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN threads.hashed((convert_to('Thread-Index '::text, 'UTF8'::name) || substr(thread_index, 7, 16)));


CREATE TABLE archive.blob (
    blob_id bigint NOT NULL,
    sha256 bytea NOT NULL,
    octets bigint NOT NULL,
    CONSTRAINT blob_sha256_check CHECK ((octet_length(sha256) = 32))
);


ALTER TABLE archive.blob ALTER COLUMN blob_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME archive.blob_blob_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


CREATE TABLE archive.blob_piece (
    blob_id bigint NOT NULL,
    "position" integer NOT NULL,
    octets integer NOT NULL,
    zstd boolean NOT NULL,
    content bytea NOT NULL
);
ALTER TABLE ONLY archive.blob_piece ALTER COLUMN content SET STORAGE EXTERNAL;


CREATE TABLE archive.defect (
    message_id bigint NOT NULL,
    "position" integer NOT NULL,
    kind text NOT NULL,
    place text NOT NULL,
    detail text NOT NULL,
    offset_octets bigint
);


ALTER TABLE archive.delivery ALTER COLUMN delivery_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME archive.delivery_delivery_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


CREATE VIEW archive.delivery_state WITH (security_invoker='true') AS
 SELECT d.delivery_id,
    d.mailbox_id,
    d.epoch_id,
    d.uidl,
    d.twin,
    d.listed_octets,
    d.listed_at,
    COALESCE((NULLIF(o.step, 'relisted'::archive.step))::text, 'pending'::text) AS outcome,
    o.message_id,
    o.at AS outcome_at,
    o.reason,
    o.session_id,
    COALESCE((p.step <> ALL (ARRAY['gone'::archive.step, 'vanished'::archive.step])), true) AS present,
    o.octets AS outcome_octets
   FROM ((archive.delivery d
     LEFT JOIN LATERAL ( SELECT l.step,
            l.message_id,
            l.at,
            l.reason,
            l.session_id,
            l.octets
           FROM archive.ledger l
          WHERE ((l.delivery_id = d.delivery_id) AND (l.step = ANY (ARRAY['archived'::archive.step, 'duplicate'::archive.step, 'quarantined'::archive.step, 'excluded'::archive.step, 'vanished'::archive.step, 'relisted'::archive.step])) AND ((l.step <> 'relisted'::archive.step) OR (NOT (EXISTS ( SELECT
                   FROM archive.ledger a
                  WHERE ((a.delivery_id = d.delivery_id) AND (a.step = ANY (ARRAY['archived'::archive.step, 'duplicate'::archive.step]))))))))
          ORDER BY l.entry_id DESC
         LIMIT 1) o ON (true))
     LEFT JOIN LATERAL ( SELECT l.step
           FROM archive.ledger l
          WHERE ((l.delivery_id = d.delivery_id) AND (l.step = ANY (ARRAY['gone'::archive.step, 'vanished'::archive.step, 'relisted'::archive.step])))
          ORDER BY l.entry_id DESC
         LIMIT 1) p ON (true));


ALTER TABLE archive.disposition ALTER COLUMN disposition_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME archive.disposition_disposition_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


ALTER TABLE archive.epoch ALTER COLUMN epoch_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME archive.epoch_epoch_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


CREATE TABLE archive.event (
    message_id bigint NOT NULL,
    "position" integer NOT NULL,
    path text NOT NULL,
    method text,
    uid text,
    sequence integer,
    recurrence_id text,
    summary text,
    starts_at timestamp with time zone,
    ends_at timestamp with time zone,
    all_day boolean NOT NULL,
    zone text,
    recurrence text,
    organizer text,
    attendees text[] NOT NULL,
    answer text,
    location text
);


ALTER TABLE archive.excerpt ALTER COLUMN excerpt_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME archive.excerpt_excerpt_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


CREATE TABLE archive.head (
    message_id bigint NOT NULL,
    octets integer NOT NULL,
    content text NOT NULL
);


ALTER TABLE archive.ledger ALTER COLUMN entry_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME archive.ledger_entry_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


ALTER TABLE archive.mailbox ALTER COLUMN mailbox_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME archive.mailbox_mailbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


CREATE TABLE archive.manner (
    message_id bigint NOT NULL,
    automatic text,
    thread_index bytea
);


ALTER TABLE archive.message ALTER COLUMN message_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME archive.message_message_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


CREATE TABLE archive.nested_message (
    message_id bigint NOT NULL,
    path text NOT NULL,
    kind text NOT NULL,
    subject text,
    from_name text,
    from_address text,
    sent_at timestamp with time zone,
    message_id_header text,
    headers jsonb NOT NULL
);


CREATE TABLE archive.part (
    message_id bigint NOT NULL,
    path text NOT NULL,
    content_type text NOT NULL,
    charset text,
    transfer_encoding text,
    disposition text,
    filename text,
    content_id text,
    octets bigint,
    sha256 bytea,
    attachment boolean NOT NULL,
    safe_name text,
    sniffed_type text,
    protection text,
    protected_by text,
    packing text
);


CREATE TABLE archive.participant (
    message_id bigint NOT NULL,
    "position" integer NOT NULL,
    role archive.role NOT NULL,
    name text NOT NULL,
    written text,
    address text NOT NULL,
    group_name text
);


CREATE TABLE archive.reading (
    message_id bigint NOT NULL,
    parser text NOT NULL,
    subject text,
    message_id_header text,
    in_reply_to text,
    "references" text[] NOT NULL,
    headers jsonb,
    date_written text,
    date_at timestamp with time zone,
    date_offset_minutes integer,
    sent_at timestamp with time zone,
    sent_at_source text,
    body text,
    decoded jsonb,
    hops archive.relay[] NOT NULL,
    canonical_sha256 bytea,
    CONSTRAINT reading_canonical_sha256_check CHECK ((octet_length(canonical_sha256) = 32))
);


CREATE TABLE archive.segment (
    message_id bigint NOT NULL,
    "position" integer NOT NULL,
    octets bigint NOT NULL,
    zstd boolean,
    content bytea,
    blob_id bigint,
    line_octets integer,
    line_end bytea,
    final_line_end boolean,
    text text,
    CONSTRAINT segment_blob_has_its_shape CHECK ((num_nonnulls(blob_id, line_octets, line_end, final_line_end) = ANY (ARRAY[0, 4]))),
    CONSTRAINT segment_content_says_zstd CHECK (((content IS NULL) = (zstd IS NULL))),
    CONSTRAINT segment_gives_one_thing CHECK ((num_nonnulls(content, text, blob_id) = 1))
);
ALTER TABLE ONLY archive.segment ALTER COLUMN content SET STORAGE EXTERNAL;


CREATE VIEW archive.recipe WITH (security_invoker='true') AS
 SELECT head.message_id,
    '-1'::integer AS "position",
    head.octets,
    head.content AS text,
    NULL::boolean AS zstd,
    NULL::bytea AS content,
    NULL::bigint AS blob_id,
    NULL::integer AS line_octets,
    NULL::bytea AS line_end,
    NULL::boolean AS final_line_end
   FROM archive.head
UNION ALL
 SELECT segment.message_id,
    segment."position",
    segment.octets,
    segment.text,
    segment.zstd,
    segment.content,
    segment.blob_id,
    segment.line_octets,
    segment.line_end,
    segment.final_line_end
   FROM archive.segment;


CREATE TABLE archive.report (
    message_id bigint NOT NULL,
    "position" integer NOT NULL,
    path text NOT NULL,
    kind text NOT NULL,
    final_recipient text,
    original_recipient text,
    action text,
    status text,
    diagnostic text,
    reporter text,
    remote_host text,
    original_message_id text
);


CREATE TABLE archive.seal (
    seal_id bigint NOT NULL,
    form integer NOT NULL,
    keys int8multirange NOT NULL,
    rows bigint NOT NULL,
    digest bytea NOT NULL
);


ALTER TABLE archive.seal ALTER COLUMN seal_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME archive.seal_seal_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


CREATE VIEW mart.address WITH (security_invoker='true') AS
 SELECT NULLIF(p.address, ''::text) AS address,
    archive.domain_of(p.address) AS domain,
    max(p.name) AS name,
    count(DISTINCT p.message_id) FILTER (WHERE (p.role = 'from'::archive.role)) AS sent,
    count(DISTINCT p.message_id) FILTER (WHERE (p.role = ANY (ARRAY['to'::archive.role, 'cc'::archive.role, 'bcc'::archive.role]))) AS received,
    min(r.sent_at) AS first_at,
    max(r.sent_at) AS last_at
   FROM (archive.participant p
     JOIN archive.reading r USING (message_id))
  WHERE (NULLIF(p.address, ''::text) IS NOT NULL)
  GROUP BY NULLIF(p.address, ''::text), (archive.domain_of(p.address));


CREATE VIEW mart.attachment WITH (security_invoker='true') AS
 SELECT message_id,
    path,
    filename,
    content_type,
    octets,
    encode(sha256, 'hex'::text) AS sha256,
    disposition,
    COALESCE(safe_name, filename) AS safe_name,
    sniffed_type,
    protection,
    protected_by,
    packing
   FROM archive.part
  WHERE attachment;


CREATE VIEW mart.balance WITH (security_invoker='true') AS
 SELECT m.name AS mailbox,
    b.listed,
    b.archived,
    b.duplicate,
    b.quarantined,
    b.excluded,
    b.vanished,
    b.pending,
    ((b.listed = (((((b.archived + b.duplicate) + b.quarantined) + b.excluded) + b.vanished) + b.pending)) AND (b.present = COALESCE(s.listed, b.present))) AS balanced
   FROM ((archive.mailbox m
     LEFT JOIN LATERAL ( SELECT s_1.epoch_id,
                CASE
                    WHEN (NOT s_1.listing_doubted) THEN s_1.listed
                    ELSE NULL::bigint
                END AS listed
           FROM ops.session s_1
          WHERE ((s_1.mailbox_id = m.mailbox_id) AND (s_1.listed_at IS NOT NULL))
          ORDER BY s_1.session_id DESC
         LIMIT 1) s ON (true))
     CROSS JOIN LATERAL ( SELECT count(*) AS listed,
            count(*) FILTER (WHERE (d.outcome = 'archived'::text)) AS archived,
            count(*) FILTER (WHERE (d.outcome = 'duplicate'::text)) AS duplicate,
            count(*) FILTER (WHERE (d.outcome = 'quarantined'::text)) AS quarantined,
            count(*) FILTER (WHERE (d.outcome = 'excluded'::text)) AS excluded,
            count(*) FILTER (WHERE (d.outcome = 'vanished'::text)) AS vanished,
            count(*) FILTER (WHERE (d.outcome = 'pending'::text)) AS pending,
            count(*) FILTER (WHERE (d.present AND (d.epoch_id = s.epoch_id))) AS present
           FROM archive.delivery_state d
          WHERE (d.mailbox_id = m.mailbox_id)) b);


CREATE VIEW mart.body WITH (security_invoker='true') AS
 SELECT message_id,
    COALESCE(body, ( SELECT string_agg(s.text, ''::text ORDER BY s."position") AS string_agg
           FROM archive.segment s
          WHERE (s.message_id = r.message_id))) AS body
   FROM archive.reading r;


CREATE VIEW mart.header WITH (security_invoker='true') AS
 SELECT r.message_id,
    f."position",
    f.name,
    COALESCE((r.decoded ->> (f."position")::text), f.value) AS value
   FROM (archive.reading r
     JOIN archive.head h USING (message_id)),
    LATERAL archive.fields(h.content) f("position", name, value)
  WHERE (r.headers IS NULL)
UNION ALL
 SELECT r.message_id,
    h."position",
    (h.pair ->> 0) AS name,
    (h.pair ->> 1) AS value
   FROM archive.reading r,
    LATERAL jsonb_array_elements(r.headers) WITH ORDINALITY h(pair, "position");


CREATE VIEW mart.date_candidate WITH (security_invoker='true') AS
 SELECT r.message_id,
    c.source,
    c."position",
    c.written,
    c.at,
    c.offset_minutes,
    c.chosen,
        CASE
            WHEN (NOT c.chosen) THEN NULL::text
            WHEN ((c.source = 'date'::text) AND (first_hop."position" IS NULL)) THEN 'no hop says when'::text
            WHEN (c.source = 'date'::text) THEN 'a hop agrees'::text
            WHEN (r.date_written IS NULL) THEN 'there is no Date'::text
            WHEN (r.date_at IS NULL) THEN 'the Date is none'::text
            ELSE 'no hop agrees to the Date'::text
        END AS reason
   FROM (((archive.reading r
     JOIN archive.message m USING (message_id))
     CROSS JOIN LATERAL ( SELECT min(h."position") AS "position"
           FROM unnest(r.hops) WITH ORDINALITY h(from_host, by_host, protocol, at, "position")
          WHERE (h.at IS NOT NULL)) first_hop)
     CROSS JOIN LATERAL ( SELECT 'date'::text AS source,
            (0)::bigint AS "position",
            r.date_written AS written,
            r.date_at AS at,
            r.date_offset_minutes AS offset_minutes,
            COALESCE((r.sent_at_source = 'date'::text), false) AS chosen
          WHERE (r.date_written IS NOT NULL)
        UNION ALL
         SELECT 'received'::text,
            (h."position" - 1),
            t.written,
            h.at,
            ((("left"(t.zone, 1) || '1'::text))::integer * ((60 * (substr(t.zone, 2, 2))::integer) + (substr(t.zone, 4, 2))::integer)),
            COALESCE(((r.sent_at_source = 'received'::text) AND (h."position" = first_hop."position")), false) AS "coalesce"
           FROM (unnest(r.hops) WITH ORDINALITY h(from_host, by_host, protocol, at, "position")
             LEFT JOIN ( SELECT row_number() OVER (ORDER BY f."position" DESC) AS "position",
                    btrim("substring"(f.value, ';([^;]*)$'::text)) AS written,
                    NULLIF("substring"(f.value, ';[^;]* ([+-][0-9]{4})[^;0-9]*$'::text), '-0000'::text) AS zone
                   FROM mart.header f
                  WHERE ((f.message_id = r.message_id) AND (lower(f.name) = 'received'::text))) t ON ((t."position" = h."position")))
        UNION ALL
         SELECT 'archived'::text,
            0,
            NULL::text,
            m.archived_at,
            NULL::integer,
            false) c);


CREATE VIEW mart.defect WITH (security_invoker='true') AS
 SELECT message_id,
    kind,
    place,
    detail,
    offset_octets
   FROM archive.defect;


CREATE VIEW mart.delivery WITH (security_invoker='true') AS
 SELECT s.delivery_id,
    b.name AS mailbox,
    a.message_id,
    s.epoch_id,
    s.uidl,
    s.outcome,
    s.outcome_at,
    s.reason,
    s.listed_at,
    s.listed_octets,
    s.present,
    s.outcome_octets AS octets
   FROM ((archive.delivery_state s
     JOIN archive.mailbox b USING (mailbox_id))
     LEFT JOIN archive.ledger a ON (((a.delivery_id = s.delivery_id) AND (a.step = ANY (ARRAY['archived'::archive.step, 'duplicate'::archive.step])))));


CREATE VIEW mart.domain WITH (security_invoker='true') AS
 SELECT archive.domain_of(p.address) AS domain,
    count(DISTINCT p.address) AS addresses,
    count(DISTINCT p.message_id) FILTER (WHERE (p.role = 'from'::archive.role)) AS sent,
    count(DISTINCT p.message_id) FILTER (WHERE (p.role = ANY (ARRAY['to'::archive.role, 'cc'::archive.role, 'bcc'::archive.role]))) AS received,
    min(r.sent_at) AS first_at,
    max(r.sent_at) AS last_at
   FROM (archive.participant p
     JOIN archive.reading r USING (message_id))
  WHERE (p.address ~~ '%@%'::text)
  GROUP BY (archive.domain_of(p.address));


CREATE VIEW mart.edge WITH (security_invoker='true') AS
 SELECT s.message_id,
    ( SELECT min(o.message_id) AS min
           FROM archive.reading o
          WHERE (o.canonical_sha256 = r.canonical_sha256)) AS mail_id,
    r.sent_at,
    NULLIF(s.address, ''::text) AS sender,
    archive.domain_of(s.address) AS sender_domain,
    NULLIF(t.address, ''::text) AS recipient,
    archive.domain_of(t.address) AS recipient_domain,
    (t.role)::text AS role
   FROM ((archive.participant s
     JOIN archive.participant t USING (message_id))
     JOIN archive.reading r USING (message_id))
  WHERE ((s.role = 'from'::archive.role) AND (t.role = ANY (ARRAY['to'::archive.role, 'cc'::archive.role, 'bcc'::archive.role])) AND (NULLIF(s.address, ''::text) IS NOT NULL) AND (NULLIF(t.address, ''::text) IS NOT NULL));


CREATE VIEW mart.event WITH (security_invoker='true') AS
 SELECT message_id,
    path,
    method,
    uid,
    sequence,
    recurrence_id,
    summary,
    starts_at,
    ends_at,
    all_day,
    zone,
    recurrence,
    organizer,
    attendees,
    answer,
    location
   FROM archive.event;


CREATE VIEW mart.hop WITH (security_invoker='true') AS
 SELECT r.message_id,
    (h."position" - 1) AS "position",
    h.from_host,
    h.by_host,
    h.protocol,
    h.at
   FROM archive.reading r,
    LATERAL unnest(r.hops) WITH ORDINALITY h(from_host, by_host, protocol, at, "position");


CREATE TABLE search.label (
    label_id bigint NOT NULL,
    name text NOT NULL,
    made_by text DEFAULT SESSION_USER NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT label_name_check CHECK ((name <> ''::text))
);


CREATE TABLE search.labelled (
    label_id bigint NOT NULL,
    message_id bigint NOT NULL,
    labelled_by text DEFAULT SESSION_USER NOT NULL,
    labelled_at timestamp with time zone DEFAULT now() NOT NULL
);


CREATE VIEW mart.label WITH (security_invoker='true') AS
 SELECT b.name AS label,
    l.message_id,
    l.labelled_by,
    l.labelled_at
   FROM (search.labelled l
     JOIN search.label b USING (label_id));


CREATE VIEW mart.mailbox WITH (security_invoker='true') AS
 SELECT b.name AS mailbox,
    e.host,
    e.username,
    o.address,
    archive.domain_of(o.address) AS domain
   FROM ((archive.mailbox b
     LEFT JOIN LATERAL ( SELECT e_1.epoch_id,
            e_1.host,
            e_1.username
           FROM archive.epoch e_1
          WHERE (e_1.mailbox_id = b.mailbox_id)
          ORDER BY e_1.epoch_id DESC
         LIMIT 1) e ON (true))
     LEFT JOIN LATERAL ( SELECT lower(e.username) AS address
          WHERE (e.username ~~ '%_@_%'::text)
        UNION ALL
        ( SELECT p.address
           FROM ((( SELECT delivery.delivery_id
                   FROM archive.delivery
                  WHERE (delivery.epoch_id = e.epoch_id)
                  ORDER BY delivery.uidl, delivery.twin
                 LIMIT 100) d
             JOIN archive.ledger l USING (delivery_id))
             JOIN archive.participant p ON ((p.message_id = l.message_id)))
          WHERE ((e.username !~~ '%_@_%'::text) AND starts_with(p.address, (lower(e.username) || '@'::text)))
          GROUP BY p.address
          ORDER BY (count(*)) DESC, p.address
         LIMIT 1)) o ON (true));


CREATE TABLE threads.member (
    message_id bigint NOT NULL,
    thread_id bigint NOT NULL
);


CREATE VIEW mart.message WITH (security_invoker='true') AS
 SELECT m.message_id,
    ( SELECT min(o.message_id) AS min
           FROM archive.reading o
          WHERE (o.canonical_sha256 = r.canonical_sha256)) AS mail_id,
    encode(m.sha256, 'hex'::text) AS sha256,
    m.octets,
    m.archived_at,
    r.sent_at,
    r.sent_at_source,
    r.date_offset_minutes,
    f.name AS from_name,
    NULLIF(f.address, ''::text) AS from_address,
    archive.domain_of(f.address) AS from_domain,
    r.subject,
    r.message_id_header,
    r.in_reply_to,
    r."references",
    t.thread_id,
    (EXISTS ( SELECT
           FROM archive.manner n
          WHERE ((n.message_id = m.message_id) AND (n.automatic IS NOT NULL)))) AS automatic,
    (EXISTS ( SELECT
           FROM mart.header h
          WHERE ((h.message_id = m.message_id) AND ((lower(h.name) = ANY (ARRAY['list-id'::text, 'list-post'::text, 'list-unsubscribe'::text, 'mailing-list'::text, 'x-mailing-list'::text])) OR ((lower(h.name) = 'precedence'::text) AND (lower(h.value) = ANY (ARRAY['bulk'::text, 'list'::text, 'junk'::text]))))))) AS bulk,
    ( SELECT count(*) AS count
           FROM archive.part p
          WHERE ((p.message_id = m.message_id) AND p.attachment)) AS attachments,
    ( SELECT count(*) AS count
           FROM archive.defect d
          WHERE (d.message_id = m.message_id)) AS defects,
    ( SELECT min(p.protection) AS min
           FROM archive.part p
          WHERE ((p.message_id = m.message_id) AND (p.protected_by <> 'password'::text) AND ((p.protected_by = 'smime'::text) OR (NOT p.attachment)))) AS protection,
    ( SELECT string_agg(DISTINCT p.protected_by, ', '::text ORDER BY p.protected_by) AS string_agg
           FROM archive.part p
          WHERE ((p.message_id = m.message_id) AND (p.protected_by <> 'password'::text) AND ((p.protected_by = 'smime'::text) OR (NOT p.attachment)))) AS protected_by
   FROM (((archive.message m
     JOIN archive.reading r USING (message_id))
     LEFT JOIN threads.member t USING (message_id))
     LEFT JOIN LATERAL ( SELECT p.name,
            p.address
           FROM archive.participant p
          WHERE ((p.message_id = m.message_id) AND (p.role = 'from'::archive.role))
          ORDER BY p."position"
         LIMIT 1) f ON (true));


CREATE VIEW mart.nested_header WITH (security_invoker='true') AS
 SELECT n.message_id,
    n.path,
    h."position",
    (h.pair ->> 0) AS name,
    (h.pair ->> 1) AS value
   FROM archive.nested_message n,
    LATERAL jsonb_array_elements(n.headers) WITH ORDINALITY h(pair, "position");


CREATE VIEW mart.nested_message WITH (security_invoker='true') AS
 SELECT message_id,
    path,
    kind,
    subject,
    from_name,
    from_address,
    split_part(from_address, '@'::text, '-1'::integer) AS from_domain,
    sent_at,
    message_id_header
   FROM archive.nested_message;


CREATE VIEW mart.part WITH (security_invoker='true') AS
 SELECT message_id,
    path,
    content_type,
    sniffed_type,
    charset,
    transfer_encoding,
    disposition,
    filename,
    content_id,
    octets,
    encode(sha256, 'hex'::text) AS sha256,
    attachment,
    protection,
    protected_by,
    packing
   FROM archive.part;


CREATE VIEW mart.participant WITH (security_invoker='true') AS
 SELECT message_id,
    "position",
    (role)::text AS role,
    name,
    NULLIF(address, ''::text) AS address,
    archive.domain_of(address) AS domain,
    NULLIF(COALESCE(written, address), ''::text) AS written,
    group_name
   FROM archive.participant;


CREATE VIEW mart.reply WITH (security_invoker='true') AS
 SELECT r.message_id,
    p.message_id AS parent_message_id,
    t.thread_id,
    NULLIF(f.address, ''::text) AS from_address,
    archive.domain_of(f.address) AS from_domain,
    NULLIF(g.address, ''::text) AS parent_from_address,
    archive.domain_of(g.address) AS parent_from_domain,
    r.sent_at,
    p.sent_at AS parent_sent_at,
    EXTRACT(epoch FROM (r.sent_at - p.sent_at)) AS seconds,
    ((sign(EXTRACT(epoch FROM (r.sent_at - p.sent_at))))::double precision * threads.business_seconds(((p.sent_at AT TIME ZONE 'UTC'::text) + o.east), ((r.sent_at AT TIME ZONE 'UTC'::text) + o.east), '09:00:00'::time without time zone, '17:00:00'::time without time zone)) AS business_seconds,
    (EXISTS ( SELECT
           FROM archive.manner n
          WHERE ((n.message_id = r.message_id) AND (n.automatic IS NOT NULL)))) AS automatic
   FROM (((((archive.reading r
     LEFT JOIN threads.member t USING (message_id))
     CROSS JOIN LATERAL ( SELECT c.message_id,
            c.sent_at
           FROM (( SELECT p_1.message_id,
                    p_1.sent_at
                   FROM archive.reading p_1
                  WHERE (p_1.message_id_header = COALESCE(r.in_reply_to, r."references"[cardinality(r."references")]))
                UNION ALL
                 SELECT p_1.message_id,
                    p_1.sent_at
                   FROM ((archive.manner n
                     JOIN archive.manner a ON ((a.thread_index = substr(n.thread_index, 1, (octet_length(n.thread_index) - 5)))))
                     JOIN archive.reading p_1 ON ((p_1.message_id = a.message_id)))
                  WHERE ((n.message_id = r.message_id) AND (octet_length(n.thread_index) > 22) AND (r.in_reply_to IS NULL) AND (r."references" = '{}'::text[]))) c
             JOIN archive.message m USING (message_id))
          WHERE (c.message_id <> r.message_id)
          ORDER BY c.sent_at, m.sha256
         LIMIT 1) p)
     CROSS JOIN LATERAL ( SELECT make_interval(mins => COALESCE(r.date_offset_minutes, 0)) AS east) o)
     LEFT JOIN LATERAL ( SELECT a.address
           FROM archive.participant a
          WHERE ((a.message_id = r.message_id) AND (a.role = 'from'::archive.role))
          ORDER BY a."position"
         LIMIT 1) f ON (true))
     LEFT JOIN LATERAL ( SELECT a.address
           FROM archive.participant a
          WHERE ((a.message_id = p.message_id) AND (a.role = 'from'::archive.role))
          ORDER BY a."position"
         LIMIT 1) g ON (true));


CREATE VIEW mart.report WITH (security_invoker='true') AS
 SELECT message_id,
    path,
    kind,
    final_recipient,
    original_recipient,
    action,
    status,
    diagnostic,
    reporter,
    remote_host,
    original_message_id
   FROM archive.report;


CREATE VIEW mart.same_as WITH (security_invoker='true') AS
 WITH pairs AS (
         SELECT r.message_id,
            o_1.original_id,
            'canonical'::text AS identity
           FROM (archive.reading r
             JOIN ( SELECT reading.canonical_sha256,
                    min(reading.message_id) AS original_id
                   FROM archive.reading
                  GROUP BY reading.canonical_sha256
                 HAVING (count(*) > 1)) o_1 ON (((o_1.canonical_sha256 = r.canonical_sha256) AND (o_1.original_id < r.message_id))))
        UNION ALL
         SELECT r.message_id,
            o_1.message_id,
            'message-id'::text
           FROM ((archive.reading r
             JOIN ( SELECT reading.message_id_header,
                    min(reading.message_id) AS original_id
                   FROM archive.reading
                  WHERE (reading.message_id_header <> ''::text)
                  GROUP BY reading.message_id_header
                 HAVING (count(*) > 1)) i ON (((i.message_id_header = r.message_id_header) AND (i.original_id < r.message_id))))
             JOIN archive.reading o_1 ON (((o_1.message_id = i.original_id) AND (o_1.canonical_sha256 IS DISTINCT FROM r.canonical_sha256))))
        )
 SELECT p.message_id,
    p.original_id,
    p.identity,
        CASE
            WHEN ((p.identity = 'canonical'::text) AND (m.fields = o.fields)) THEN 'line ends'::text
            WHEN ((p.identity = 'canonical'::text) AND (m.but_received = o.but_received)) THEN 'new Received'::text
            WHEN (p.identity = 'canonical'::text) THEN 'delivery headers'::text
            WHEN (m.files IS DISTINCT FROM o.files) THEN 'other content'::text
            WHEN ((m.words = o.words) AND (m.encodings IS DISTINCT FROM o.encodings)) THEN 're-encoded'::text
            WHEN (m.words = o.words) THEN 'other headers'::text
            WHEN ((o.words <> ''::text) AND starts_with(m.words, o.words)) THEN 'footer added'::text
            WHEN ((m.words <> ''::text) AND starts_with(o.words, m.words)) THEN 'footer removed'::text
            ELSE 'other content'::text
        END AS reason
   FROM pairs p,
    LATERAL mart.traits(p.message_id) m(fields, but_received, files, encodings, words),
    LATERAL mart.traits(p.original_id) o(fields, but_received, files, encodings, words);


CREATE TABLE search.saved (
    name text NOT NULL,
    query text NOT NULL,
    saved_by text DEFAULT SESSION_USER NOT NULL,
    saved_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT saved_name_check CHECK ((name <> ''::text))
);


CREATE VIEW mart.saved_search WITH (security_invoker='true') AS
 SELECT name,
    query,
    saved_by,
    saved_at
   FROM search.saved;


CREATE VIEW mart.session WITH (security_invoker='true') AS
 SELECT s.session_id,
    s.run_id,
    b.name AS mailbox,
    s.host,
    s.port,
    s.username,
    s.tls_version,
    s.mechanism,
    s.began_at,
    s.listed_at,
    s.ended_at,
    s.listed,
    s.listing_doubted,
    s.quit_accepted,
    s.failure
   FROM (ops.session s
     JOIN archive.mailbox b USING (mailbox_id));


CREATE VIEW mart.step WITH (security_invoker='true') AS
 SELECT l.entry_id AS step_id,
    l.delivery_id,
    b.name AS mailbox,
    l.message_id,
    (l.step)::text AS step,
    l.at,
    l.reason,
    l.session_id
   FROM ((archive.ledger l
     JOIN archive.delivery d USING (delivery_id))
     JOIN archive.mailbox b USING (mailbox_id));


CREATE VIEW mart.thread WITH (security_invoker='true') AS
 SELECT t.thread_id,
    (array_agg(t.message_id ORDER BY r.sent_at, t.message_id))[1] AS first_message_id,
    (array_agg(r.subject ORDER BY r.sent_at, t.message_id))[1] AS subject,
    count(*) AS messages,
    count(DISTINCT NULLIF(f.address, ''::text)) AS senders,
    min(r.sent_at) AS first_at,
    max(r.sent_at) AS last_at
   FROM ((threads.member t
     JOIN archive.reading r USING (message_id))
     LEFT JOIN LATERAL ( SELECT a.address
           FROM archive.participant a
          WHERE ((a.message_id = t.message_id) AND (a.role = 'from'::archive.role))
          ORDER BY a."position"
         LIMIT 1) f ON (true))
  GROUP BY t.thread_id;


CREATE VIEW mart.verification WITH (security_invoker='true') AS
 SELECT verification_id,
    asked,
    verified_by,
    began_at,
    ended_at,
    messages,
    octets,
    faults,
    (faults = 0) AS verified
   FROM ops.verification;


CREATE VIEW mart.volume WITH (security_invoker='true') AS
 SELECT b.name AS mailbox,
    ((r.sent_at AT TIME ZONE 'UTC'::text))::date AS day,
    count(*) AS messages,
    sum(m.octets) AS octets
   FROM ((((archive.ledger l
     JOIN archive.delivery d USING (delivery_id))
     JOIN archive.mailbox b USING (mailbox_id))
     JOIN archive.message m ON ((m.message_id = l.message_id)))
     JOIN archive.reading r ON ((r.message_id = l.message_id)))
  WHERE (l.step = ANY (ARRAY['archived'::archive.step, 'duplicate'::archive.step]))
  GROUP BY b.name, (((r.sent_at AT TIME ZONE 'UTC'::text))::date);


CREATE TABLE ops.download_piece (
    delivery_id bigint NOT NULL,
    "position" integer NOT NULL,
    blob integer,
    octets integer NOT NULL,
    sha256 bytea NOT NULL,
    zstd boolean NOT NULL,
    content bytea NOT NULL
);
ALTER TABLE ONLY ops.download_piece ALTER COLUMN content SET STORAGE EXTERNAL;


ALTER TABLE ops.enrolment ALTER COLUMN enrolment_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.enrolment_enrolment_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


ALTER TABLE ops.fault ALTER COLUMN fault_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.fault_fault_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


CREATE TABLE ops.migration (
    version_num character varying(32) NOT NULL
);


CREATE TABLE ops.pause (
    mailbox_id bigint NOT NULL,
    until timestamp with time zone NOT NULL,
    reason text NOT NULL
);


CREATE TABLE ops.rebuild (
    rebuild_id bigint NOT NULL,
    parser text NOT NULL,
    every boolean NOT NULL,
    begun_by text DEFAULT SESSION_USER NOT NULL,
    began_at timestamp with time zone DEFAULT now() NOT NULL,
    up_to bigint DEFAULT 0 NOT NULL,
    messages bigint DEFAULT 0 NOT NULL,
    changed bigint DEFAULT 0 NOT NULL,
    ended_at timestamp with time zone
);


ALTER TABLE ops.rebuild ALTER COLUMN rebuild_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.rebuild_rebuild_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


ALTER TABLE ops.run ALTER COLUMN run_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.run_run_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


ALTER TABLE ops.session ALTER COLUMN session_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.session_session_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


ALTER TABLE ops.verification ALTER COLUMN verification_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.verification_verification_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


CREATE TABLE ops.view (
    name text NOT NULL
);


CREATE TABLE search.fresh (
    message_id bigint NOT NULL,
    sent_at timestamp with time zone,
    terms bytea NOT NULL
);


ALTER TABLE search.label ALTER COLUMN label_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME search.label_label_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


ALTER TABLE search.segment ALTER COLUMN segment_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME search.segment_segment_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


CREATE TABLE threads.key (
    key bigint NOT NULL,
    thread_id bigint NOT NULL
);


CREATE TABLE threads.pending (
    message_ids bigint[] NOT NULL
);


INSERT INTO archive.defect VALUES
	(5, 0, 'eight_bit_header', 'subject', '8-bit octets without a charset, read as cp1252', 28),
	(5, 1, 'date', 'date', 'invalid-date-syntax', 44),
	(5, 2, 'address', 'from', 'unclosed-delimiter: Ann <ann@example.org', 0);


INSERT INTO archive.delivery OVERRIDING SYSTEM VALUE VALUES
	(1, 1, 1, '89b68b3c4acae9823c179441.1', 0, 989, 1, '2026-11-24 19:31:34.736751+00'),
	(2, 1, 1, '99db2c9057ebc7dfca2bb9c5.1', 0, 1071, 1, '2026-11-24 19:31:34.736751+00'),
	(3, 1, 1, 'eb10fe169efbf3e549035792.1', 0, 83, 1, '2026-11-24 19:31:34.736751+00'),
	(4, 1, 1, '1336b6e13e116dc72f930303.1', 0, 5043, 1, '2026-11-24 19:31:34.736751+00'),
	(5, 2, 2, '89b68b3c4acae9823c179441.1', 0, 989, 2, '2026-11-24 19:31:34.753439+00'),
	(6, 2, 2, '99db2c9057ebc7dfca2bb9c5.1', 0, 1071, 2, '2026-11-24 19:31:34.753439+00');


INSERT INTO archive.epoch OVERRIDING SYSTEM VALUE VALUES
	(1, 1, '127.0.0.1', 'ann', 'first session', '2026-11-24 19:31:34.686373+00'),
	(2, 2, '127.0.0.1', 'bob', 'first session', '2026-11-24 19:31:34.701295+00');


INSERT INTO archive.excerpt OVERRIDING SYSTEM VALUE VALUES
	(1, 4, 1, '\x46726f6d3a206572696b406578616d706c652e636f6d0d0a5375626a6563743a20687567650d0a0d0a', '2026-11-24 19:31:34.768447+00');


INSERT INTO archive.head VALUES
	(2, 256, 'From: ann@example.org
To: carl@example.net
Date: Mon, 02 Mar 2026 11:00:00 +0000
Message-ID: <price-list@mail>
Subject: price-list
Bcc: bob@example.org
In-Reply-To: <price@mail>
References: <price@mail>
Content-Type: multipart/mixed; boundary=b

'),
	(1, 178, 'From: Carl <carl@example.net>
To: ann@example.org
Date: Mon, 02 Mar 2026 09:00:00 +0000
Message-ID: <price@mail>
Subject: price
Content-Type: multipart/mixed; boundary=b

');


INSERT INTO archive.ledger OVERRIDING SYSTEM VALUE VALUES
	(1, 4, 'excluded', 1, NULL, 5043, '5043 bytes are over message_bytes_max = 4000', '2026-11-24 19:31:34.768447+00'),
	(2, 5, 'archived', 2, 1, 989, NULL, '2026-11-24 19:31:34.899672+00'),
	(3, 6, 'archived', 2, 2, 1071, NULL, '2026-11-24 19:31:34.899672+00'),
	(4, 5, 'delete sent', 2, NULL, NULL, NULL, '2026-11-24 19:31:34.923813+00'),
	(5, 6, 'delete sent', 2, NULL, NULL, NULL, '2026-11-24 19:31:34.923813+00'),
	(6, 1, 'duplicate', 1, 1, 989, NULL, '2026-11-24 19:31:35.167258+00'),
	(7, 2, 'duplicate', 1, 2, 1071, NULL, '2026-11-24 19:31:35.167258+00'),
	(8, 3, 'archived', 1, 5, 83, NULL, '2026-11-24 19:31:35.167258+00'),
	(9, 5, 'gone', 4, NULL, NULL, NULL, '2026-11-24 19:31:36.449289+00'),
	(10, 6, 'gone', 4, NULL, NULL, NULL, '2026-11-24 19:31:36.449289+00');


INSERT INTO archive.mailbox OVERRIDING SYSTEM VALUE VALUES
	(1, 'ann'),
	(2, 'bob');


INSERT INTO archive.message VALUES
	(1, '\x89b68b3c4acae9823c17944134c47f109d5bb46a15648894db0aad4b26f0523d', 989, '\x6cd11bedd934885cd5b1f831f5b73c2ba4280db7da42c5d3ffd1525955256f04', 2, '2026-11-24 19:31:34.899672+00'),
	(2, '\x99db2c9057ebc7dfca2bb9c5ef991da34c9b75c13aa5f2bfd3ac584c820c24ff', 1071, '\xbb0425dfcbf25bcbaa4c86c46b82405411494e78b9b295e61a1520f9c2473687', 2, '2026-11-24 19:31:34.899672+00'),
	(5, '\xeb10fe169efbf3e54903579235f8643260b8691327aeac750d6429e1e9aa138c', 83, '\xb7ccd469fe6d87567f405b94e7fb28a6cf0ce89cb5fe2f1eb44dbb2e22020086', 1, '2026-11-24 19:31:35.167258+00');


INSERT INTO archive.part VALUES
	(2, '1', 'multipart/mixed', NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL),
	(2, '1.1', 'text/plain', NULL, NULL, NULL, NULL, NULL, 21, '\x7689cc4e91095f2fe5776434f30b518ee29e6000ea51747a1d39f83558150994', false, NULL, NULL, NULL, NULL, NULL),
	(2, '1.2', 'image/gif', NULL, 'base64', 'attachment', 'again.gif', NULL, 480, '\x9fb36165c1783d2ffcdd344c684bbeb00a79447b3077138fa1edd319bb913b09', true, NULL, 'image/gif', NULL, NULL, NULL),
	(1, '1', 'multipart/mixed', NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, NULL, NULL, NULL, NULL, NULL),
	(1, '1.1', 'text/plain', NULL, NULL, NULL, NULL, NULL, 16, '\x325d253dece4347e4c4da754595a5c0f704ec49a7df13a1ea6c27cc15f5b59fc', false, NULL, NULL, NULL, NULL, NULL),
	(1, '1.2', 'image/gif', NULL, 'base64', 'attachment', 'prices.gif', NULL, 480, '\x9fb36165c1783d2ffcdd344c684bbeb00a79447b3077138fa1edd319bb913b09', true, NULL, 'image/gif', NULL, NULL, NULL),
	(5, '1', 'text/plain', NULL, NULL, NULL, NULL, NULL, 20, '\x8e2ed7af5fc2e066017cf38423eb8ca94989ef294850280ebe8e26b1ffc38c4f', false, NULL, NULL, NULL, NULL, NULL);


INSERT INTO archive.participant VALUES
	(2, 0, 'from', '', NULL, 'ann@example.org', NULL),
	(2, 1, 'to', '', NULL, 'carl@example.net', NULL),
	(2, 2, 'bcc', '', NULL, 'bob@example.org', NULL),
	(1, 0, 'from', 'Carl', NULL, 'carl@example.net', NULL),
	(1, 1, 'to', '', NULL, 'ann@example.org', NULL),
	(5, 0, 'from', 'Ann', NULL, 'ann@example.org', NULL);


INSERT INTO archive.reading VALUES
	(2, 'mail-parser 4.8.0, popvault 7', 'price-list', '<price-list@mail>', '<price@mail>', '{<price@mail>}', NULL, 'Mon, 02 Mar 2026 11:00:00 +0000', '2026-03-02 11:00:00+00', 0, '2026-03-02 11:00:00+00', 'date', 'This is price-list.
', NULL, '{}', '\x91b99c19f1736ac31dcdfc1456dd770869dda27e0922337691d651feee55d1a0'),
	(1, 'mail-parser 4.8.0, popvault 7', 'price', '<price@mail>', NULL, '{}', NULL, 'Mon, 02 Mar 2026 09:00:00 +0000', '2026-03-02 09:00:00+00', 0, '2026-03-02 09:00:00+00', 'date', 'This is price.
', NULL, '{}', '\xc253c3221d7bb6ae03dc9f9f50baa510c5ab20f546fc03d37167f37ad302a736'),
	(5, 'mail-parser 4.8.0, popvault 7', 'grüße', NULL, NULL, '{}', '[["From", "Ann <ann@example.org"], ["Subject", "grüße"], ["Date", "yesterday"]]', 'yesterday', NULL, NULL, NULL, NULL, '', NULL, '{}', '\x16bda8e909ba498db0a224f813c0984e552f757ee47f41dd3fddb138075a5727');


INSERT INTO archive.seal OVERRIDING SYSTEM VALUE VALUES
	(1, 9, '{[1,2)}', 1, '\xe647b0e007cb5d1a0ff1b1aee59926b1442d6bd83fafda5f0e5ae8da9460e1df'),
	(2, 10, '{[1,2)}', 1, '\x5142fd9b2306bc97403856b55e37e697ac059f17ec25ed7ec7baa6a19ca12d78'),
	(3, 1, '{[1,2)}', 1, '\x419aea86e148c68fd5d53507964d2a15e7dd7745e670f984a05f02393dc8d393'),
	(4, 1, '{[2,3)}', 1, '\x3655e029b1c6d21946497add74f9e655e75f92360798e407e4c4c58f3f7fcb86'),
	(5, 2, '{[1,2)}', 1, '\xa45d0e52f00027b9667efb6b7c8827fea48a5011f89d862e334f795ac35aca47'),
	(6, 12, '{[1,2)}', 1, '\xf9268b14cc6a7729426f3577d9c110c67c77a7db0eeedb2edd2cef8ccfddb1d8'),
	(7, 2, '{[2,3)}', 1, '\xa48173710c43c5861bc5da51d78b4e71ab63ebc26d88d32b516d66f030e5ea8a'),
	(8, 12, '{[2,3)}', 1, '\xe5149476c41ee418abd8f1661431c42ac42da296aeb3ae6bb0bd241c9fda24f4'),
	(9, 3, '{[1,5)}', 4, '\x63d7202d498585baa4eb32ac50a8323e7e8b6edf928c20a39e66d38d74006058'),
	(10, 3, '{[5,7)}', 2, '\x25b31acbd7b00e178fe5b7e4028ee1818f9ec45e2c0df4a57b2f69c68bbe8e43'),
	(11, 4, '{[1,2)}', 1, '\x652758515e92d0040b4689ae4340273a31f7392a2ab7a5cebb6f3951c19a3f4a'),
	(12, 6, '{[1,2)}', 1, '\x77a6adf34a23fbc20009a6b7fb6d25df94aa760c7f69ae03f8317d52369be2a7'),
	(13, 5, '{[1,3)}', 2, '\xbb86f345d1cee1c9b86c6574232b614719d07f0134a3c215ff6e3cc16deb959a'),
	(14, 4, '{[2,4)}', 2, '\x0554be88659f2b4e1f6133d8cc03f4c820be1ceeac489482fd1b34c471fdbeb0'),
	(15, 4, '{[4,6)}', 2, '\x89f87d6448fdf7a0cbbd7c0028b29057c9982953863e8730921b133ef8d0bf12'),
	(16, 13, '{[2,3)}', 1, '\x02b623c0a49c54b1b1039f5aba5e20e8e505baa10684e76ffa674e7af15c4e01'),
	(17, 5, '{[5,6)}', 1, '\x39ef924d81fdaf2a2a3a51adcf924c071ac2a9defff0b39be67e68c51174459a'),
	(18, 4, '{[6,9)}', 3, '\xf84338e1893e0f75af17d60fd927152ab69199a36eaf6b1388e40ae18d9c336e'),
	(19, 13, '{[1,2)}', 1, '\xc8cecb81a7dd3d9d940ac7012d159a60e50bf7f7b00fd45a5e19deb845b56ca7'),
	(20, 11, '{[1,2)}', 1, '\x5a8554556c0dafc4984e852b19a361086c97585182d264254d561661e4c7527b'),
	(21, 10, '{[2,3)}', 1, '\xc5345f47f0c6a8811d390406b8975792c1add7d5bd66b6cf8b9bcafc66c083fa'),
	(22, 12, '{[3,4)}', 1, '\xfe921a30dbf73123732177735239ae281385a2f822aefd4521083a4c77f9892f'),
	(23, 12, '{[4,5)}', 1, '\x28c4d57e4986a8cd4d79d104617607c721cb999a82fd2fbbc8c8ce9f7a64a3de'),
	(24, 4, '{[9,11)}', 2, '\xa26f338b66e33a0ee245765de264ed8545d50c72fcf3c445e1cc4a4c6ed48f02'),
	(25, 13, '{[3,4)}', 1, '\xefb8e654d89f5a164f400c935c5f33891d960ea156ba05fd98075b4192bec748'),
	(26, 13, '{[4,5)}', 1, '\x3640e3d40dbffb9ebc184bd89ac02023fdadd3e3511b1265fe8eeaa2268ad944'),
	(27, 11, '{[2,3)}', 1, '\xba6077fdc8fbf3f2a17606d7d3ca8f02ce544a5b3953cca3e3e5f98ba880fc88');


INSERT INTO archive.segment VALUES
	(2, 0, 815, true, '\x28b52ffd602f0265060002891e1e70b53a5c53decb8cc42592a5930cda1602d456c48c1213bcc9a733000702879987878787c92248566205ac075200161041a06058574621ac79a035adc8691d6f9d96ef8d9e46ff5521ddf8d99be4ac180eb3a359991a888db4d5c1613658a6112b64a58225bff7bb25c73b43b90d4f927256cecf7278c864061e000d450673c4818269002d28821cf898803208d0f34ad8d90286e0a008046c5b033b4b00404056962058a1d2064500430ee644e0428b206143199e8916f480ef2f0f6b240a8a38053528596a30f1', NULL, NULL, NULL, NULL, NULL),
	(1, 0, 811, true, '\x28b52ffd602b0245060072081d1d6045dc50abf6143569d4e8efa3218a82d1177526d547b4ac1902ae292798bb98989898c90248d6612dd603298a0424600c08fc8c51d5bc1bae71c44eecbcb36979ced1d3b0f7982a77fdfa9df4ad1c4e37e40f0347ccb5e0740b706351ab622960d9e7fcdc2508373d49faaddfcf8289c9ec061f000e450673c4818269002d28821cf898803208d0f34ad8d90286e0a008046c5b033b4b00404056962058a1d2064500430ee644e0428b206143199e8916f480ef4f0f6b240a8aa7203c2a499eb79635ef', NULL, NULL, NULL, NULL, NULL),
	(5, 0, 83, false, '\x46726f6d3a20416e6e203c616e6e406578616d706c652e6f72670d0a5375626a6563743a206772fcdf650d0a446174653a207965737465726461790d0a0d0a5a77f66c66200020426f786be46d706665720d0a', NULL, NULL, NULL, NULL, NULL);


INSERT INTO ops.enrolment OVERRIDING SYSTEM VALUE VALUES
	(1, 'cluster 7711822912135759621, timeline 1, database 16384', '2026-11-24 19:31:34.317266+00', 'popvault');


INSERT INTO ops.migration VALUES
	('0010');


INSERT INTO ops.run OVERRIDING SYSTEM VALUE VALUES
	(1, 'command', NULL, 'vm', '0.1.0', '2026-11-24 19:31:34.640218+00', '2026-11-24 19:31:35.208614+00'),
	(2, 'command', NULL, 'vm', '0.1.0', '2026-11-24 19:31:36.350736+00', '2026-11-24 19:31:36.498424+00');


INSERT INTO ops.session OVERRIDING SYSTEM VALUE VALUES
	(2, 1, 2, 2, '127.0.0.1', 43485, 'bob', NULL, NULL, NULL, 'the popvault test server is ready <140598359959232.24151299916589@localhost>', '{USER,TOP,UIDL,PIPELINING,RESP-CODES,AUTH-RESP-CODE,"IMPLEMENTATION popvault-test"}', '{USER,TOP,UIDL,PIPELINING,RESP-CODES,AUTH-RESP-CODE,"IMPLEMENTATION popvault-test"}', 'APOP', false, NULL, '2026-11-24 19:31:34.701295+00', '2026-11-24 19:31:34.753439+00', 2, 2060, '\x34a938bfecbc4a933197a72513adaf28fb9c058e0f97771f05778f64eadde72d', false, true, 'bye', '2026-11-24 19:31:34.934599+00', NULL),
	(1, 1, 1, 1, '127.0.0.1', 43485, 'ann', NULL, NULL, NULL, 'the popvault test server is ready <140598368351936.24151297893541@localhost>', '{USER,TOP,UIDL,PIPELINING,RESP-CODES,AUTH-RESP-CODE,"IMPLEMENTATION popvault-test"}', '{USER,TOP,UIDL,PIPELINING,RESP-CODES,AUTH-RESP-CODE,"IMPLEMENTATION popvault-test"}', 'APOP', false, NULL, '2026-11-24 19:31:34.686373+00', '2026-11-24 19:31:34.736751+00', 4, 7186, '\xe502cfbeb56fb068470d6057b03663a9a0c2ce3919a7cc3adb65b961dacd9353', false, true, 'bye', '2026-11-24 19:31:35.178781+00', NULL),
	(3, 2, 1, 1, '127.0.0.1', 43485, 'ann', NULL, NULL, NULL, 'the popvault test server is ready <140598368351936.24153004405454@localhost>', '{USER,TOP,UIDL,PIPELINING,RESP-CODES,AUTH-RESP-CODE,"IMPLEMENTATION popvault-test"}', '{USER,TOP,UIDL,PIPELINING,RESP-CODES,AUTH-RESP-CODE,"IMPLEMENTATION popvault-test"}', 'APOP', false, NULL, '2026-11-24 19:31:36.39247+00', '2026-11-24 19:31:36.433464+00', 4, 7186, '\xe502cfbeb56fb068470d6057b03663a9a0c2ce3919a7cc3adb65b961dacd9353', false, true, 'bye', '2026-11-24 19:31:36.463609+00', NULL),
	(4, 2, 2, 2, '127.0.0.1', 43485, 'bob', NULL, NULL, NULL, 'the popvault test server is ready <140598359959232.24153005965564@localhost>', '{USER,TOP,UIDL,PIPELINING,RESP-CODES,AUTH-RESP-CODE,"IMPLEMENTATION popvault-test"}', '{USER,TOP,UIDL,PIPELINING,RESP-CODES,AUTH-RESP-CODE,"IMPLEMENTATION popvault-test"}', 'APOP', false, NULL, '2026-11-24 19:31:36.402352+00', '2026-11-24 19:31:36.449289+00', 0, 0, '\xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', false, true, 'bye', '2026-11-24 19:31:36.472303+00', NULL);


INSERT INTO ops.view VALUES
	('archive.recipe'),
	('archive.delivery_state'),
	('mart.balance'),
	('mart.body'),
	('mart.header'),
	('mart.attachment'),
	('mart.hop'),
	('mart.defect'),
	('mart.date_candidate'),
	('mart.message'),
	('mart.participant'),
	('mart.edge'),
	('mart.address'),
	('mart.domain'),
	('mart.same_as'),
	('mart.mailbox'),
	('mart.delivery'),
	('mart.step'),
	('mart.volume'),
	('mart.session'),
	('mart.verification'),
	('mart.part'),
	('mart.nested_message'),
	('mart.nested_header'),
	('mart.report'),
	('mart.event'),
	('mart.label'),
	('mart.saved_search'),
	('mart.reply'),
	('mart.thread');


INSERT INTO search.fresh VALUES
	(2, '2026-03-02 11:00:00+00', '\x17a60a807215ba80c375898caef3f9133ceae29744c8f81887c2c41f6eec9b9ffeee822757e06eab85f447ad484a27ae248da1b3a2371034787f08b5c62d893ba82edac0f5cbb140d2c564c5788a494a44ab824c93a15bfc5e8255d2db8c9753be9e1a52cac822d9001ccfdf8bac1de0073d6b6018cf10e16ee790e683627de812f70cec70b9d6efe72072738293c273d60e7a7c87d084fef2ea15ff'),
	(1, '2026-03-02 09:00:00+00', '\x7215ba80026c6d0c3ceae297a63cb198e19eb6986eec9b9f87c2c41ffeee822757e06eab85f447ada2371034787f08b53c8b353f28d175bfe9f7d2c8788a494abde4bd4cbe9e1a52cac822d9e4cb6d598bac1de0073d6b6018cf10e183627de812f70cecbb8f816e70b9d6efe7207273d60e7a7cf2ea15ff'),
	(5, NULL, '\x17a60a80d60e7a7c7215ba806ee790e614bd14ab12f70cec452abece70b9d6efe72072738293c2734bf9f89c87c2c41f6eec9b9f');


INSERT INTO threads.key VALUES
	(1873438056955148411, 1873438056955148411),
	(5941796492931049108, 1873438056955148411);


INSERT INTO threads.member VALUES
	(2, 1873438056955148411),
	(1, 1873438056955148411),
	(5, 3942617963000799903);


SELECT pg_catalog.setval('archive.blob_blob_id_seq', 1, false);


SELECT pg_catalog.setval('archive.delivery_delivery_id_seq', 10, true);


SELECT pg_catalog.setval('archive.disposition_disposition_id_seq', 1, false);


SELECT pg_catalog.setval('archive.epoch_epoch_id_seq', 2, true);


SELECT pg_catalog.setval('archive.excerpt_excerpt_id_seq', 1, true);


SELECT pg_catalog.setval('archive.ledger_entry_id_seq', 10, true);


SELECT pg_catalog.setval('archive.mailbox_mailbox_id_seq', 4, true);


SELECT pg_catalog.setval('archive.message_message_id_seq', 5, true);


SELECT pg_catalog.setval('archive.seal_seal_id_seq', 27, true);


SELECT pg_catalog.setval('ops.enrolment_enrolment_id_seq', 1, true);


SELECT pg_catalog.setval('ops.fault_fault_id_seq', 1, false);


SELECT pg_catalog.setval('ops.rebuild_rebuild_id_seq', 1, false);


SELECT pg_catalog.setval('ops.run_run_id_seq', 2, true);


SELECT pg_catalog.setval('ops.session_session_id_seq', 4, true);


SELECT pg_catalog.setval('ops.verification_verification_id_seq', 1, false);


SELECT pg_catalog.setval('search.label_label_id_seq', 1, false);


SELECT pg_catalog.setval('search.segment_segment_id_seq', 1, false);


ALTER TABLE ONLY archive.blob_piece
    ADD CONSTRAINT blob_piece_pkey PRIMARY KEY (blob_id, "position");


ALTER TABLE ONLY archive.blob
    ADD CONSTRAINT blob_pkey PRIMARY KEY (blob_id);


ALTER TABLE ONLY archive.blob
    ADD CONSTRAINT blob_sha256_key UNIQUE (sha256);


ALTER TABLE ONLY archive.defect
    ADD CONSTRAINT defect_pkey PRIMARY KEY (message_id, "position");


ALTER TABLE ONLY archive.delivery
    ADD CONSTRAINT delivery_epoch_id_uidl_twin_key UNIQUE (epoch_id, uidl, twin);


ALTER TABLE ONLY archive.delivery
    ADD CONSTRAINT delivery_pkey PRIMARY KEY (delivery_id);


ALTER TABLE ONLY archive.disposition
    ADD CONSTRAINT disposition_message_id_key UNIQUE (message_id);


ALTER TABLE ONLY archive.disposition
    ADD CONSTRAINT disposition_pkey PRIMARY KEY (disposition_id);


ALTER TABLE ONLY archive.epoch
    ADD CONSTRAINT epoch_pkey PRIMARY KEY (epoch_id);


ALTER TABLE ONLY archive.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (message_id, "position");


ALTER TABLE ONLY archive.excerpt
    ADD CONSTRAINT excerpt_pkey PRIMARY KEY (excerpt_id);


ALTER TABLE ONLY archive.head
    ADD CONSTRAINT head_pkey PRIMARY KEY (message_id);


ALTER TABLE ONLY archive.ledger
    ADD CONSTRAINT ledger_pkey PRIMARY KEY (entry_id);


ALTER TABLE ONLY archive.mailbox
    ADD CONSTRAINT mailbox_name_key UNIQUE (name);


ALTER TABLE ONLY archive.mailbox
    ADD CONSTRAINT mailbox_pkey PRIMARY KEY (mailbox_id);


ALTER TABLE ONLY archive.manner
    ADD CONSTRAINT manner_pkey PRIMARY KEY (message_id);


ALTER TABLE ONLY archive.message
    ADD CONSTRAINT message_pkey PRIMARY KEY (message_id);


ALTER TABLE ONLY archive.message
    ADD CONSTRAINT message_sha256_key UNIQUE (sha256);


ALTER TABLE ONLY archive.nested_message
    ADD CONSTRAINT nested_message_pkey PRIMARY KEY (message_id, path);


ALTER TABLE ONLY archive.part
    ADD CONSTRAINT part_pkey PRIMARY KEY (message_id, path);


ALTER TABLE ONLY archive.participant
    ADD CONSTRAINT participant_pkey PRIMARY KEY (message_id, "position");


ALTER TABLE ONLY archive.reading
    ADD CONSTRAINT reading_pkey PRIMARY KEY (message_id);


ALTER TABLE ONLY archive.report
    ADD CONSTRAINT report_pkey PRIMARY KEY (message_id, "position");


ALTER TABLE ONLY archive.seal
    ADD CONSTRAINT seal_pkey PRIMARY KEY (seal_id);


ALTER TABLE ONLY archive.segment
    ADD CONSTRAINT segment_pkey PRIMARY KEY (message_id, "position");


ALTER TABLE ONLY ops.download_piece
    ADD CONSTRAINT download_piece_pkey PRIMARY KEY (delivery_id, "position");


ALTER TABLE ONLY ops.enrolment
    ADD CONSTRAINT enrolment_pkey PRIMARY KEY (enrolment_id);


ALTER TABLE ONLY ops.fault
    ADD CONSTRAINT fault_pkey PRIMARY KEY (fault_id);


ALTER TABLE ONLY ops.mailbox_right
    ADD CONSTRAINT mailbox_right_role_mailbox_id_key UNIQUE NULLS NOT DISTINCT (role, mailbox_id);


ALTER TABLE ONLY ops.migration
    ADD CONSTRAINT migration_pkc PRIMARY KEY (version_num);


ALTER TABLE ONLY ops.pause
    ADD CONSTRAINT pause_pkey PRIMARY KEY (mailbox_id);


ALTER TABLE ONLY ops.rebuild
    ADD CONSTRAINT rebuild_pkey PRIMARY KEY (rebuild_id);


ALTER TABLE ONLY ops.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (run_id);


ALTER TABLE ONLY ops.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (session_id);


ALTER TABLE ONLY ops.verification
    ADD CONSTRAINT verification_pkey PRIMARY KEY (verification_id);


ALTER TABLE ONLY ops.view
    ADD CONSTRAINT view_pkey PRIMARY KEY (name);


ALTER TABLE ONLY search.fresh
    ADD CONSTRAINT fresh_pkey PRIMARY KEY (message_id);


ALTER TABLE ONLY search.label
    ADD CONSTRAINT label_name_key UNIQUE (name);


ALTER TABLE ONLY search.label
    ADD CONSTRAINT label_pkey PRIMARY KEY (label_id);


ALTER TABLE ONLY search.labelled
    ADD CONSTRAINT labelled_pkey PRIMARY KEY (label_id, message_id);


ALTER TABLE ONLY search.posting
    ADD CONSTRAINT posting_pkey PRIMARY KEY (segment_id, bucket);


ALTER TABLE ONLY search.saved
    ADD CONSTRAINT saved_pkey PRIMARY KEY (name);


ALTER TABLE ONLY search.segment
    ADD CONSTRAINT segment_pkey PRIMARY KEY (segment_id);


ALTER TABLE ONLY threads.key
    ADD CONSTRAINT key_pkey PRIMARY KEY (key);


ALTER TABLE ONLY threads.member
    ADD CONSTRAINT member_pkey PRIMARY KEY (message_id);


CREATE INDEX delivery_mailbox_id_idx ON archive.delivery USING btree (mailbox_id);


CREATE INDEX epoch_mailbox_id_epoch_id_idx ON archive.epoch USING btree (mailbox_id, epoch_id);


CREATE INDEX event_starts_at_idx ON archive.event USING btree (starts_at);


CREATE INDEX event_uid_idx ON archive.event USING hash (uid);


CREATE INDEX excerpt_delivery_id_idx ON archive.excerpt USING btree (delivery_id);


CREATE UNIQUE INDEX ledger_archived_once ON archive.ledger USING btree (delivery_id) WHERE (step = ANY (ARRAY['archived'::archive.step, 'duplicate'::archive.step]));


CREATE INDEX ledger_delivery_id_entry_id_idx ON archive.ledger USING btree (delivery_id, entry_id);


CREATE INDEX ledger_message_id_idx ON archive.ledger USING btree (message_id) WHERE (message_id IS NOT NULL);


CREATE INDEX manner_thread_index_idx ON archive.manner USING hash (thread_index) WHERE (thread_index IS NOT NULL);


CREATE INDEX nested_message_from_address_idx ON archive.nested_message USING hash (from_address);


CREATE INDEX nested_message_message_id_header_idx ON archive.nested_message USING hash (message_id_header);


CREATE INDEX part_encode_idx ON archive.part USING btree (encode(sha256, 'hex'::text)) WHERE attachment;


CREATE INDEX participant_nullif_idx ON archive.participant USING hash (NULLIF(address, ''::text));


CREATE INDEX reading_canonical_sha256_idx ON archive.reading USING hash (canonical_sha256);


CREATE INDEX reading_message_id_header_idx ON archive.reading USING hash (message_id_header);


CREATE INDEX reading_sent_at_idx ON archive.reading USING btree (sent_at);


CREATE INDEX report_final_recipient_idx ON archive.report USING hash (final_recipient);


CREATE INDEX report_original_message_id_idx ON archive.report USING hash (original_message_id);


CREATE INDEX segment_blob_id_idx ON archive.segment USING btree (blob_id) WHERE (blob_id IS NOT NULL);


CREATE INDEX fault_verification_id_idx ON ops.fault USING btree (verification_id);


CREATE INDEX session_mailbox_id_session_id_idx ON ops.session USING btree (mailbox_id, session_id);


CREATE INDEX session_run_id_idx ON ops.session USING btree (run_id);


CREATE INDEX labelled_message_id_idx ON search.labelled USING btree (message_id);


CREATE INDEX segment_last_message_id_idx ON search.segment USING btree (last_message_id);


CREATE INDEX key_thread_id_idx ON threads.key USING btree (thread_id);


CREATE INDEX member_thread_id_idx ON threads.member USING btree (thread_id);


CREATE TRIGGER await_threads AFTER INSERT ON archive.reading REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION threads.await();


CREATE TRIGGER record_is_kept BEFORE DELETE ON archive.blob FOR EACH ROW EXECUTE FUNCTION archive.refuse_while_used();

ALTER TABLE archive.blob ENABLE ALWAYS TRIGGER record_is_kept;


CREATE TRIGGER record_is_kept BEFORE DELETE ON archive.blob_piece FOR EACH ROW EXECUTE FUNCTION archive.refuse_while_used();

ALTER TABLE archive.blob_piece ENABLE ALWAYS TRIGGER record_is_kept;


CREATE TRIGGER record_is_kept BEFORE DELETE ON archive.delivery FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.delivery ENABLE ALWAYS TRIGGER record_is_kept;


CREATE TRIGGER record_is_kept BEFORE DELETE ON archive.disposition FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.disposition ENABLE ALWAYS TRIGGER record_is_kept;


CREATE TRIGGER record_is_kept BEFORE DELETE ON archive.epoch FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.epoch ENABLE ALWAYS TRIGGER record_is_kept;


CREATE TRIGGER record_is_kept BEFORE DELETE ON archive.excerpt FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.excerpt ENABLE ALWAYS TRIGGER record_is_kept;


CREATE TRIGGER record_is_kept BEFORE DELETE ON archive.head FOR EACH ROW EXECUTE FUNCTION archive.refuse_unless_disposed();

ALTER TABLE archive.head ENABLE ALWAYS TRIGGER record_is_kept;


CREATE TRIGGER record_is_kept BEFORE DELETE ON archive.ledger FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.ledger ENABLE ALWAYS TRIGGER record_is_kept;


CREATE TRIGGER record_is_kept BEFORE DELETE ON archive.mailbox FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.mailbox ENABLE ALWAYS TRIGGER record_is_kept;


CREATE TRIGGER record_is_kept BEFORE DELETE ON archive.message FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.message ENABLE ALWAYS TRIGGER record_is_kept;


CREATE TRIGGER record_is_kept BEFORE DELETE ON archive.seal FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.seal ENABLE ALWAYS TRIGGER record_is_kept;


CREATE TRIGGER record_is_kept BEFORE DELETE ON archive.segment FOR EACH ROW EXECUTE FUNCTION archive.refuse_unless_disposed();

ALTER TABLE archive.segment ENABLE ALWAYS TRIGGER record_is_kept;


CREATE TRIGGER record_is_not_emptied BEFORE TRUNCATE ON archive.blob FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.blob ENABLE ALWAYS TRIGGER record_is_not_emptied;


CREATE TRIGGER record_is_not_emptied BEFORE TRUNCATE ON archive.blob_piece FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.blob_piece ENABLE ALWAYS TRIGGER record_is_not_emptied;


CREATE TRIGGER record_is_not_emptied BEFORE TRUNCATE ON archive.delivery FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.delivery ENABLE ALWAYS TRIGGER record_is_not_emptied;


CREATE TRIGGER record_is_not_emptied BEFORE TRUNCATE ON archive.disposition FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.disposition ENABLE ALWAYS TRIGGER record_is_not_emptied;


CREATE TRIGGER record_is_not_emptied BEFORE TRUNCATE ON archive.epoch FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.epoch ENABLE ALWAYS TRIGGER record_is_not_emptied;


CREATE TRIGGER record_is_not_emptied BEFORE TRUNCATE ON archive.excerpt FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.excerpt ENABLE ALWAYS TRIGGER record_is_not_emptied;


CREATE TRIGGER record_is_not_emptied BEFORE TRUNCATE ON archive.head FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.head ENABLE ALWAYS TRIGGER record_is_not_emptied;


CREATE TRIGGER record_is_not_emptied BEFORE TRUNCATE ON archive.ledger FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.ledger ENABLE ALWAYS TRIGGER record_is_not_emptied;


CREATE TRIGGER record_is_not_emptied BEFORE TRUNCATE ON archive.mailbox FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.mailbox ENABLE ALWAYS TRIGGER record_is_not_emptied;


CREATE TRIGGER record_is_not_emptied BEFORE TRUNCATE ON archive.message FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.message ENABLE ALWAYS TRIGGER record_is_not_emptied;


CREATE TRIGGER record_is_not_emptied BEFORE TRUNCATE ON archive.seal FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.seal ENABLE ALWAYS TRIGGER record_is_not_emptied;


CREATE TRIGGER record_is_not_emptied BEFORE TRUNCATE ON archive.segment FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.segment ENABLE ALWAYS TRIGGER record_is_not_emptied;


CREATE TRIGGER record_stays BEFORE UPDATE ON archive.blob FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.blob ENABLE ALWAYS TRIGGER record_stays;


CREATE TRIGGER record_stays BEFORE UPDATE ON archive.blob_piece FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.blob_piece ENABLE ALWAYS TRIGGER record_stays;


CREATE TRIGGER record_stays BEFORE UPDATE ON archive.delivery FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.delivery ENABLE ALWAYS TRIGGER record_stays;


CREATE TRIGGER record_stays BEFORE UPDATE ON archive.disposition FOR EACH ROW EXECUTE FUNCTION archive.refuse_unless_open('approved_at', 'disposition_id');

ALTER TABLE archive.disposition ENABLE ALWAYS TRIGGER record_stays;


CREATE TRIGGER record_stays BEFORE UPDATE ON archive.epoch FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.epoch ENABLE ALWAYS TRIGGER record_stays;


CREATE TRIGGER record_stays BEFORE UPDATE ON archive.excerpt FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.excerpt ENABLE ALWAYS TRIGGER record_stays;


CREATE TRIGGER record_stays BEFORE UPDATE ON archive.head FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.head ENABLE ALWAYS TRIGGER record_stays;


CREATE TRIGGER record_stays BEFORE UPDATE ON archive.ledger FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.ledger ENABLE ALWAYS TRIGGER record_stays;


CREATE TRIGGER record_stays BEFORE UPDATE ON archive.mailbox FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.mailbox ENABLE ALWAYS TRIGGER record_stays;


CREATE TRIGGER record_stays BEFORE UPDATE ON archive.message FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.message ENABLE ALWAYS TRIGGER record_stays;


CREATE TRIGGER record_stays BEFORE UPDATE ON archive.seal FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.seal ENABLE ALWAYS TRIGGER record_stays;


CREATE TRIGGER record_stays BEFORE UPDATE ON archive.segment FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE archive.segment ENABLE ALWAYS TRIGGER record_stays;


CREATE TRIGGER seal AFTER INSERT ON archive.delivery REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION archive.seal_by_form_3();


CREATE TRIGGER seal AFTER INSERT ON archive.disposition REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION archive.seal_by_form_7();


CREATE TRIGGER seal AFTER INSERT ON archive.epoch REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION archive.seal_by_form_2();


CREATE TRIGGER seal AFTER INSERT ON archive.excerpt REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION archive.seal_by_form_6();


CREATE TRIGGER seal AFTER INSERT ON archive.ledger REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION archive.seal_by_form_4();


CREATE TRIGGER seal AFTER INSERT ON archive.mailbox REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION archive.seal_by_form_1();


CREATE TRIGGER seal AFTER INSERT ON archive.message REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION archive.seal_by_form_5();


CREATE TRIGGER seal_at_end AFTER UPDATE ON archive.disposition REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION archive.seal_by_form_8();


CREATE TRIGGER words_go AFTER UPDATE OF approved_at ON archive.disposition FOR EACH ROW WHEN ((new.approved_at IS NOT NULL)) EXECUTE FUNCTION search.forget();


CREATE TRIGGER record_is_kept BEFORE DELETE ON ops.enrolment FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE ops.enrolment ENABLE ALWAYS TRIGGER record_is_kept;


CREATE TRIGGER record_is_kept BEFORE DELETE ON ops.fault FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE ops.fault ENABLE ALWAYS TRIGGER record_is_kept;


CREATE TRIGGER record_is_kept BEFORE DELETE ON ops.run FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE ops.run ENABLE ALWAYS TRIGGER record_is_kept;


CREATE TRIGGER record_is_kept BEFORE DELETE ON ops.session FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE ops.session ENABLE ALWAYS TRIGGER record_is_kept;


CREATE TRIGGER record_is_kept BEFORE DELETE ON ops.verification FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE ops.verification ENABLE ALWAYS TRIGGER record_is_kept;


CREATE TRIGGER record_is_not_emptied BEFORE TRUNCATE ON ops.enrolment FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE ops.enrolment ENABLE ALWAYS TRIGGER record_is_not_emptied;


CREATE TRIGGER record_is_not_emptied BEFORE TRUNCATE ON ops.fault FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE ops.fault ENABLE ALWAYS TRIGGER record_is_not_emptied;


CREATE TRIGGER record_is_not_emptied BEFORE TRUNCATE ON ops.run FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE ops.run ENABLE ALWAYS TRIGGER record_is_not_emptied;


CREATE TRIGGER record_is_not_emptied BEFORE TRUNCATE ON ops.session FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE ops.session ENABLE ALWAYS TRIGGER record_is_not_emptied;


CREATE TRIGGER record_is_not_emptied BEFORE TRUNCATE ON ops.verification FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE ops.verification ENABLE ALWAYS TRIGGER record_is_not_emptied;


CREATE TRIGGER record_stays BEFORE UPDATE ON ops.enrolment FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE ops.enrolment ENABLE ALWAYS TRIGGER record_stays;


CREATE TRIGGER record_stays BEFORE UPDATE ON ops.fault FOR EACH STATEMENT EXECUTE FUNCTION archive.refuse();

ALTER TABLE ops.fault ENABLE ALWAYS TRIGGER record_stays;


CREATE TRIGGER record_stays BEFORE UPDATE ON ops.run FOR EACH ROW EXECUTE FUNCTION archive.refuse_unless_open('ended_at', 'run_id');

ALTER TABLE ops.run ENABLE ALWAYS TRIGGER record_stays;


CREATE TRIGGER record_stays BEFORE UPDATE ON ops.session FOR EACH ROW EXECUTE FUNCTION archive.refuse_unless_open('ended_at', 'session_id');

ALTER TABLE ops.session ENABLE ALWAYS TRIGGER record_stays;


CREATE TRIGGER record_stays BEFORE UPDATE ON ops.verification FOR EACH ROW EXECUTE FUNCTION archive.refuse_unless_open('ended_at', 'verification_id');

ALTER TABLE ops.verification ENABLE ALWAYS TRIGGER record_stays;


CREATE TRIGGER seal AFTER INSERT ON ops.enrolment REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION archive.seal_by_form_9();


CREATE TRIGGER seal AFTER INSERT ON ops.fault REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION archive.seal_by_form_16();


CREATE TRIGGER seal AFTER INSERT ON ops.run REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION archive.seal_by_form_10();


CREATE TRIGGER seal AFTER INSERT ON ops.session REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION archive.seal_by_form_12();


CREATE TRIGGER seal AFTER INSERT ON ops.verification REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION archive.seal_by_form_14();


CREATE TRIGGER seal_at_end AFTER UPDATE ON ops.run REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION archive.seal_by_form_11();


CREATE TRIGGER seal_at_end AFTER UPDATE ON ops.session REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION archive.seal_by_form_13();


CREATE TRIGGER seal_at_end AFTER UPDATE ON ops.verification REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION archive.seal_by_form_15();


ALTER TABLE ONLY archive.blob_piece
    ADD CONSTRAINT blob_piece_blob_id_fkey FOREIGN KEY (blob_id) REFERENCES archive.blob(blob_id);


ALTER TABLE ONLY archive.defect
    ADD CONSTRAINT defect_message_id_fkey FOREIGN KEY (message_id) REFERENCES archive.message(message_id);


ALTER TABLE ONLY archive.delivery
    ADD CONSTRAINT delivery_epoch_id_fkey FOREIGN KEY (epoch_id) REFERENCES archive.epoch(epoch_id);


ALTER TABLE ONLY archive.delivery
    ADD CONSTRAINT delivery_mailbox_id_fkey FOREIGN KEY (mailbox_id) REFERENCES archive.mailbox(mailbox_id);


ALTER TABLE ONLY archive.delivery
    ADD CONSTRAINT delivery_session_id_fkey FOREIGN KEY (session_id) REFERENCES ops.session(session_id);


ALTER TABLE ONLY archive.disposition
    ADD CONSTRAINT disposition_message_id_fkey FOREIGN KEY (message_id) REFERENCES archive.message(message_id);


ALTER TABLE ONLY archive.epoch
    ADD CONSTRAINT epoch_mailbox_id_fkey FOREIGN KEY (mailbox_id) REFERENCES archive.mailbox(mailbox_id);


ALTER TABLE ONLY archive.event
    ADD CONSTRAINT event_message_id_fkey FOREIGN KEY (message_id) REFERENCES archive.message(message_id);


ALTER TABLE ONLY archive.excerpt
    ADD CONSTRAINT excerpt_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES archive.delivery(delivery_id);


ALTER TABLE ONLY archive.excerpt
    ADD CONSTRAINT excerpt_session_id_fkey FOREIGN KEY (session_id) REFERENCES ops.session(session_id);


ALTER TABLE ONLY archive.head
    ADD CONSTRAINT head_message_id_fkey FOREIGN KEY (message_id) REFERENCES archive.message(message_id);


ALTER TABLE ONLY archive.ledger
    ADD CONSTRAINT ledger_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES archive.delivery(delivery_id);


ALTER TABLE ONLY archive.ledger
    ADD CONSTRAINT ledger_message_id_fkey FOREIGN KEY (message_id) REFERENCES archive.message(message_id);


ALTER TABLE ONLY archive.ledger
    ADD CONSTRAINT ledger_session_id_fkey FOREIGN KEY (session_id) REFERENCES ops.session(session_id);


ALTER TABLE ONLY archive.manner
    ADD CONSTRAINT manner_message_id_fkey FOREIGN KEY (message_id) REFERENCES archive.message(message_id);


ALTER TABLE ONLY archive.message
    ADD CONSTRAINT message_session_id_fkey FOREIGN KEY (session_id) REFERENCES ops.session(session_id);


ALTER TABLE ONLY archive.nested_message
    ADD CONSTRAINT nested_message_message_id_fkey FOREIGN KEY (message_id) REFERENCES archive.message(message_id);


ALTER TABLE ONLY archive.part
    ADD CONSTRAINT part_message_id_fkey FOREIGN KEY (message_id) REFERENCES archive.message(message_id);


ALTER TABLE ONLY archive.participant
    ADD CONSTRAINT participant_message_id_fkey FOREIGN KEY (message_id) REFERENCES archive.message(message_id);


ALTER TABLE ONLY archive.reading
    ADD CONSTRAINT reading_message_id_fkey FOREIGN KEY (message_id) REFERENCES archive.message(message_id);


ALTER TABLE ONLY archive.report
    ADD CONSTRAINT report_message_id_fkey FOREIGN KEY (message_id) REFERENCES archive.message(message_id);


ALTER TABLE ONLY archive.segment
    ADD CONSTRAINT segment_blob_id_fkey FOREIGN KEY (blob_id) REFERENCES archive.blob(blob_id);


ALTER TABLE ONLY archive.segment
    ADD CONSTRAINT segment_message_id_fkey FOREIGN KEY (message_id) REFERENCES archive.message(message_id);


ALTER TABLE ONLY ops.download_piece
    ADD CONSTRAINT download_piece_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES archive.delivery(delivery_id);


ALTER TABLE ONLY ops.fault
    ADD CONSTRAINT fault_verification_id_fkey FOREIGN KEY (verification_id) REFERENCES ops.verification(verification_id);


ALTER TABLE ONLY ops.mailbox_right
    ADD CONSTRAINT mailbox_right_mailbox_id_fkey FOREIGN KEY (mailbox_id) REFERENCES archive.mailbox(mailbox_id);


ALTER TABLE ONLY ops.pause
    ADD CONSTRAINT pause_mailbox_id_fkey FOREIGN KEY (mailbox_id) REFERENCES archive.mailbox(mailbox_id);


ALTER TABLE ONLY ops.session
    ADD CONSTRAINT session_epoch_id_fkey FOREIGN KEY (epoch_id) REFERENCES archive.epoch(epoch_id);


ALTER TABLE ONLY ops.session
    ADD CONSTRAINT session_mailbox_id_fkey FOREIGN KEY (mailbox_id) REFERENCES archive.mailbox(mailbox_id);


ALTER TABLE ONLY ops.session
    ADD CONSTRAINT session_run_id_fkey FOREIGN KEY (run_id) REFERENCES ops.run(run_id);


ALTER TABLE ONLY search.fresh
    ADD CONSTRAINT fresh_message_id_fkey FOREIGN KEY (message_id) REFERENCES archive.message(message_id);


ALTER TABLE ONLY search.labelled
    ADD CONSTRAINT labelled_label_id_fkey FOREIGN KEY (label_id) REFERENCES search.label(label_id) ON DELETE CASCADE;


ALTER TABLE ONLY search.labelled
    ADD CONSTRAINT labelled_message_id_fkey FOREIGN KEY (message_id) REFERENCES archive.message(message_id);


ALTER TABLE ONLY search.posting
    ADD CONSTRAINT posting_segment_id_fkey FOREIGN KEY (segment_id) REFERENCES search.segment(segment_id);


ALTER TABLE ONLY threads.member
    ADD CONSTRAINT member_message_id_fkey FOREIGN KEY (message_id) REFERENCES archive.message(message_id);


ALTER TABLE archive.blob ENABLE ROW LEVEL SECURITY;

ALTER TABLE archive.blob_piece ENABLE ROW LEVEL SECURITY;

CREATE POLICY by_mailbox ON archive.blob FOR SELECT TO popvault_analyst, popvault_reader USING ((EXISTS ( SELECT
   FROM archive.segment s
  WHERE (s.blob_id = blob.blob_id))));


CREATE POLICY by_mailbox ON archive.blob_piece FOR SELECT TO popvault_analyst, popvault_reader USING ((EXISTS ( SELECT
   FROM archive.segment s
  WHERE (s.blob_id = blob_piece.blob_id))));


CREATE POLICY by_mailbox ON archive.defect FOR SELECT TO popvault_analyst, popvault_reader USING ((EXISTS ( SELECT
   FROM archive.ledger l
  WHERE (l.message_id = defect.message_id))));


CREATE POLICY by_mailbox ON archive.delivery FOR SELECT TO popvault_analyst, popvault_reader USING ((mailbox_id = ANY (( SELECT ops.mailboxes_seen() AS mailboxes_seen)::bigint[])));


CREATE POLICY by_mailbox ON archive.disposition FOR SELECT TO popvault_analyst, popvault_reader USING ((EXISTS ( SELECT
   FROM archive.ledger l
  WHERE (l.message_id = disposition.message_id))));


CREATE POLICY by_mailbox ON archive.epoch FOR SELECT TO popvault_analyst, popvault_reader USING ((mailbox_id = ANY (( SELECT ops.mailboxes_seen() AS mailboxes_seen)::bigint[])));


CREATE POLICY by_mailbox ON archive.event FOR SELECT TO popvault_analyst, popvault_reader USING ((EXISTS ( SELECT
   FROM archive.ledger l
  WHERE (l.message_id = event.message_id))));


CREATE POLICY by_mailbox ON archive.excerpt FOR SELECT TO popvault_analyst, popvault_reader USING ((EXISTS ( SELECT
   FROM archive.delivery d
  WHERE (d.delivery_id = excerpt.delivery_id))));


CREATE POLICY by_mailbox ON archive.head FOR SELECT TO popvault_analyst, popvault_reader USING ((EXISTS ( SELECT
   FROM archive.ledger l
  WHERE (l.message_id = head.message_id))));


CREATE POLICY by_mailbox ON archive.ledger FOR SELECT TO popvault_analyst, popvault_reader USING ((EXISTS ( SELECT
   FROM archive.delivery d
  WHERE (d.delivery_id = ledger.delivery_id))));


CREATE POLICY by_mailbox ON archive.mailbox FOR SELECT TO popvault_analyst, popvault_reader USING ((mailbox_id = ANY (( SELECT ops.mailboxes_seen() AS mailboxes_seen)::bigint[])));


CREATE POLICY by_mailbox ON archive.manner FOR SELECT TO popvault_analyst, popvault_reader USING ((EXISTS ( SELECT
   FROM archive.ledger l
  WHERE (l.message_id = manner.message_id))));


CREATE POLICY by_mailbox ON archive.message FOR SELECT TO popvault_analyst, popvault_reader USING ((EXISTS ( SELECT
   FROM archive.ledger l
  WHERE (l.message_id = message.message_id))));


CREATE POLICY by_mailbox ON archive.nested_message FOR SELECT TO popvault_analyst, popvault_reader USING ((EXISTS ( SELECT
   FROM archive.ledger l
  WHERE (l.message_id = nested_message.message_id))));


CREATE POLICY by_mailbox ON archive.part FOR SELECT TO popvault_analyst, popvault_reader USING ((EXISTS ( SELECT
   FROM archive.ledger l
  WHERE (l.message_id = part.message_id))));


CREATE POLICY by_mailbox ON archive.participant FOR SELECT TO popvault_analyst, popvault_reader USING ((EXISTS ( SELECT
   FROM archive.ledger l
  WHERE (l.message_id = participant.message_id))));


CREATE POLICY by_mailbox ON archive.reading FOR SELECT TO popvault_analyst, popvault_reader USING ((EXISTS ( SELECT
   FROM archive.ledger l
  WHERE (l.message_id = reading.message_id))));


CREATE POLICY by_mailbox ON archive.report FOR SELECT TO popvault_analyst, popvault_reader USING ((EXISTS ( SELECT
   FROM archive.ledger l
  WHERE (l.message_id = report.message_id))));


CREATE POLICY by_mailbox ON archive.segment FOR SELECT TO popvault_analyst, popvault_reader USING ((EXISTS ( SELECT
   FROM archive.ledger l
  WHERE (l.message_id = segment.message_id))));


ALTER TABLE archive.defect ENABLE ROW LEVEL SECURITY;

ALTER TABLE archive.delivery ENABLE ROW LEVEL SECURITY;

ALTER TABLE archive.disposition ENABLE ROW LEVEL SECURITY;

ALTER TABLE archive.epoch ENABLE ROW LEVEL SECURITY;

ALTER TABLE archive.event ENABLE ROW LEVEL SECURITY;

CREATE POLICY everything ON archive.blob FOR SELECT TO popvault_auditor USING (true);


CREATE POLICY everything ON archive.blob_piece FOR SELECT TO popvault_auditor USING (true);


CREATE POLICY everything ON archive.defect FOR SELECT TO popvault_auditor USING (true);


CREATE POLICY everything ON archive.delivery FOR SELECT TO popvault_auditor USING (true);


CREATE POLICY everything ON archive.disposition FOR SELECT TO popvault_auditor USING (true);


CREATE POLICY everything ON archive.epoch FOR SELECT TO popvault_auditor USING (true);


CREATE POLICY everything ON archive.event FOR SELECT TO popvault_auditor USING (true);


CREATE POLICY everything ON archive.excerpt FOR SELECT TO popvault_auditor USING (true);


CREATE POLICY everything ON archive.head FOR SELECT TO popvault_auditor USING (true);


CREATE POLICY everything ON archive.ledger FOR SELECT TO popvault_auditor USING (true);


CREATE POLICY everything ON archive.mailbox FOR SELECT TO popvault_auditor USING (true);


CREATE POLICY everything ON archive.manner FOR SELECT TO popvault_auditor USING (true);


CREATE POLICY everything ON archive.message FOR SELECT TO popvault_auditor USING (true);


CREATE POLICY everything ON archive.nested_message FOR SELECT TO popvault_auditor USING (true);


CREATE POLICY everything ON archive.part FOR SELECT TO popvault_auditor USING (true);


CREATE POLICY everything ON archive.participant FOR SELECT TO popvault_auditor USING (true);


CREATE POLICY everything ON archive.reading FOR SELECT TO popvault_auditor USING (true);


CREATE POLICY everything ON archive.report FOR SELECT TO popvault_auditor USING (true);


CREATE POLICY everything ON archive.segment FOR SELECT TO popvault_auditor USING (true);


ALTER TABLE archive.excerpt ENABLE ROW LEVEL SECURITY;

ALTER TABLE archive.head ENABLE ROW LEVEL SECURITY;

ALTER TABLE archive.ledger ENABLE ROW LEVEL SECURITY;

ALTER TABLE archive.mailbox ENABLE ROW LEVEL SECURITY;

ALTER TABLE archive.manner ENABLE ROW LEVEL SECURITY;

ALTER TABLE archive.message ENABLE ROW LEVEL SECURITY;

ALTER TABLE archive.nested_message ENABLE ROW LEVEL SECURITY;

ALTER TABLE archive.part ENABLE ROW LEVEL SECURITY;

ALTER TABLE archive.participant ENABLE ROW LEVEL SECURITY;

ALTER TABLE archive.reading ENABLE ROW LEVEL SECURITY;

ALTER TABLE archive.report ENABLE ROW LEVEL SECURITY;

ALTER TABLE archive.segment ENABLE ROW LEVEL SECURITY;

CREATE POLICY by_mailbox ON ops.session FOR SELECT TO popvault_analyst, popvault_reader USING ((mailbox_id = ANY (( SELECT ops.mailboxes_seen() AS mailboxes_seen)::bigint[])));


CREATE POLICY everything ON ops.session FOR SELECT TO popvault_auditor USING (true);


ALTER TABLE ops.session ENABLE ROW LEVEL SECURITY;

CREATE POLICY by_mailbox ON search.fresh FOR SELECT TO popvault_analyst, popvault_reader USING ((EXISTS ( SELECT
   FROM archive.ledger l
  WHERE (l.message_id = fresh.message_id))));


CREATE POLICY by_mailbox ON search.labelled FOR SELECT TO popvault_analyst, popvault_reader USING ((EXISTS ( SELECT
   FROM archive.ledger l
  WHERE (l.message_id = labelled.message_id))));


CREATE POLICY everything ON search.fresh FOR SELECT TO popvault_auditor USING (true);


CREATE POLICY everything ON search.labelled FOR SELECT TO popvault_auditor USING (true);


ALTER TABLE search.fresh ENABLE ROW LEVEL SECURITY;

ALTER TABLE search.label ENABLE ROW LEVEL SECURITY;

ALTER TABLE search.labelled ENABLE ROW LEVEL SECURITY;

CREATE POLICY labelling ON search.labelled TO popvault_analyst, popvault_reader USING ((EXISTS ( SELECT
   FROM archive.ledger l
  WHERE (l.message_id = labelled.message_id))));


CREATE POLICY own ON search.label USING ((made_by = SESSION_USER)) WITH CHECK ((made_by = SESSION_USER));


CREATE POLICY own ON search.saved USING ((saved_by = SESSION_USER)) WITH CHECK ((saved_by = SESSION_USER));


ALTER TABLE search.saved ENABLE ROW LEVEL SECURITY;

CREATE POLICY shown ON search.label FOR SELECT USING (true);


CREATE POLICY shown ON search.saved FOR SELECT USING (true);


CREATE POLICY by_mailbox ON threads.member FOR SELECT TO popvault_analyst, popvault_reader USING ((EXISTS ( SELECT
   FROM archive.ledger l
  WHERE (l.message_id = member.message_id))));


CREATE POLICY everything ON threads.member FOR SELECT TO popvault_auditor USING (true);


ALTER TABLE threads.member ENABLE ROW LEVEL SECURITY;

GRANT USAGE ON SCHEMA archive TO popvault_loader;
GRANT USAGE ON SCHEMA archive TO popvault_analyst;
GRANT USAGE ON SCHEMA archive TO popvault_reader;
GRANT USAGE ON SCHEMA archive TO popvault_auditor;


GRANT USAGE ON SCHEMA mart TO popvault_loader;
GRANT USAGE ON SCHEMA mart TO popvault_analyst;
GRANT USAGE ON SCHEMA mart TO popvault_reader;
GRANT USAGE ON SCHEMA mart TO popvault_auditor;


GRANT USAGE ON SCHEMA ops TO popvault_loader;
GRANT USAGE ON SCHEMA ops TO popvault_analyst;
GRANT USAGE ON SCHEMA ops TO popvault_reader;
GRANT USAGE ON SCHEMA ops TO popvault_auditor;


GRANT USAGE ON SCHEMA search TO popvault_loader;
GRANT USAGE ON SCHEMA search TO popvault_analyst;
GRANT USAGE ON SCHEMA search TO popvault_reader;
GRANT USAGE ON SCHEMA search TO popvault_auditor;


GRANT USAGE ON SCHEMA threads TO popvault_loader;
GRANT USAGE ON SCHEMA threads TO popvault_analyst;
GRANT USAGE ON SCHEMA threads TO popvault_reader;
GRANT USAGE ON SCHEMA threads TO popvault_auditor;


GRANT SELECT ON TABLE archive.disposition TO popvault_loader;
GRANT SELECT ON TABLE archive.disposition TO popvault_analyst;
GRANT SELECT ON TABLE archive.disposition TO popvault_reader;
GRANT SELECT ON TABLE archive.disposition TO popvault_auditor;


GRANT SELECT,INSERT ON TABLE archive.delivery TO popvault_loader;
GRANT SELECT ON TABLE archive.delivery TO popvault_analyst;
GRANT SELECT ON TABLE archive.delivery TO popvault_reader;
GRANT SELECT ON TABLE archive.delivery TO popvault_auditor;


GRANT SELECT,INSERT ON TABLE archive.epoch TO popvault_loader;
GRANT SELECT ON TABLE archive.epoch TO popvault_analyst;
GRANT SELECT ON TABLE archive.epoch TO popvault_reader;
GRANT SELECT ON TABLE archive.epoch TO popvault_auditor;


GRANT SELECT,INSERT ON TABLE archive.excerpt TO popvault_loader;
GRANT SELECT ON TABLE archive.excerpt TO popvault_reader;
GRANT SELECT ON TABLE archive.excerpt TO popvault_auditor;


GRANT SELECT,INSERT ON TABLE archive.ledger TO popvault_loader;
GRANT SELECT ON TABLE archive.ledger TO popvault_analyst;
GRANT SELECT ON TABLE archive.ledger TO popvault_reader;
GRANT SELECT ON TABLE archive.ledger TO popvault_auditor;


GRANT SELECT,INSERT ON TABLE archive.mailbox TO popvault_loader;
GRANT SELECT ON TABLE archive.mailbox TO popvault_analyst;
GRANT SELECT ON TABLE archive.mailbox TO popvault_reader;
GRANT SELECT ON TABLE archive.mailbox TO popvault_auditor;


GRANT SELECT,INSERT ON TABLE archive.message TO popvault_loader;
GRANT SELECT ON TABLE archive.message TO popvault_analyst;
GRANT SELECT ON TABLE archive.message TO popvault_reader;
GRANT SELECT ON TABLE archive.message TO popvault_auditor;


GRANT SELECT ON TABLE ops.enrolment TO popvault_loader;
GRANT SELECT ON TABLE ops.enrolment TO popvault_auditor;


GRANT SELECT,INSERT ON TABLE ops.fault TO popvault_auditor;


GRANT SELECT,INSERT ON TABLE ops.run TO popvault_loader;
GRANT SELECT ON TABLE ops.run TO popvault_auditor;


GRANT UPDATE(ended_at) ON TABLE ops.run TO popvault_loader;


GRANT SELECT,INSERT ON TABLE ops.session TO popvault_loader;
GRANT SELECT ON TABLE ops.session TO popvault_analyst;
GRANT SELECT ON TABLE ops.session TO popvault_reader;
GRANT SELECT ON TABLE ops.session TO popvault_auditor;


GRANT UPDATE(epoch_id) ON TABLE ops.session TO popvault_loader;


GRANT UPDATE(listed_at) ON TABLE ops.session TO popvault_loader;


GRANT UPDATE(listed) ON TABLE ops.session TO popvault_loader;


GRANT UPDATE(listed_octets) ON TABLE ops.session TO popvault_loader;


GRANT UPDATE(listing_sha256) ON TABLE ops.session TO popvault_loader;


GRANT UPDATE(listing_doubted) ON TABLE ops.session TO popvault_loader;


GRANT UPDATE(quit_accepted) ON TABLE ops.session TO popvault_loader;


GRANT UPDATE(quit_reply) ON TABLE ops.session TO popvault_loader;


GRANT UPDATE(ended_at) ON TABLE ops.session TO popvault_loader;


GRANT UPDATE(failure) ON TABLE ops.session TO popvault_loader;


GRANT SELECT ON TABLE ops.verification TO popvault_analyst;
GRANT SELECT ON TABLE ops.verification TO popvault_reader;
GRANT SELECT,INSERT ON TABLE ops.verification TO popvault_auditor;


GRANT UPDATE(ended_at) ON TABLE ops.verification TO popvault_auditor;


GRANT UPDATE(messages) ON TABLE ops.verification TO popvault_auditor;


GRANT UPDATE(octets) ON TABLE ops.verification TO popvault_auditor;


GRANT UPDATE(faults) ON TABLE ops.verification TO popvault_auditor;


GRANT SELECT ON TABLE ops.mailbox_right TO popvault_auditor;


GRANT SELECT,INSERT,DELETE ON TABLE search.posting TO popvault_loader;
GRANT SELECT ON TABLE search.posting TO popvault_reader;
GRANT SELECT ON TABLE search.posting TO popvault_auditor;


GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE search.segment TO popvault_loader;
GRANT SELECT ON TABLE search.segment TO popvault_reader;
GRANT SELECT ON TABLE search.segment TO popvault_auditor;


GRANT SELECT,INSERT ON TABLE archive.blob TO popvault_loader;
GRANT SELECT ON TABLE archive.blob TO popvault_reader;
GRANT SELECT ON TABLE archive.blob TO popvault_auditor;


GRANT SELECT,INSERT ON TABLE archive.blob_piece TO popvault_loader;
GRANT SELECT ON TABLE archive.blob_piece TO popvault_reader;
GRANT SELECT ON TABLE archive.blob_piece TO popvault_auditor;


GRANT SELECT,INSERT ON TABLE archive.defect TO popvault_loader;
GRANT SELECT ON TABLE archive.defect TO popvault_analyst;
GRANT SELECT ON TABLE archive.defect TO popvault_reader;
GRANT SELECT ON TABLE archive.defect TO popvault_auditor;


GRANT SELECT ON TABLE archive.delivery_state TO popvault_loader;
GRANT SELECT ON TABLE archive.delivery_state TO popvault_analyst;
GRANT SELECT ON TABLE archive.delivery_state TO popvault_reader;
GRANT SELECT ON TABLE archive.delivery_state TO popvault_auditor;


GRANT SELECT,INSERT ON TABLE archive.event TO popvault_loader;
GRANT SELECT ON TABLE archive.event TO popvault_analyst;
GRANT SELECT ON TABLE archive.event TO popvault_reader;
GRANT SELECT ON TABLE archive.event TO popvault_auditor;


GRANT SELECT,INSERT ON TABLE archive.head TO popvault_loader;
GRANT SELECT ON TABLE archive.head TO popvault_analyst;
GRANT SELECT ON TABLE archive.head TO popvault_reader;
GRANT SELECT ON TABLE archive.head TO popvault_auditor;


GRANT SELECT,INSERT ON TABLE archive.manner TO popvault_loader;
GRANT SELECT ON TABLE archive.manner TO popvault_analyst;
GRANT SELECT ON TABLE archive.manner TO popvault_reader;
GRANT SELECT ON TABLE archive.manner TO popvault_auditor;


GRANT USAGE ON SEQUENCE archive.message_message_id_seq TO popvault_loader;


GRANT SELECT,INSERT ON TABLE archive.nested_message TO popvault_loader;
GRANT SELECT ON TABLE archive.nested_message TO popvault_analyst;
GRANT SELECT ON TABLE archive.nested_message TO popvault_reader;
GRANT SELECT ON TABLE archive.nested_message TO popvault_auditor;


GRANT SELECT,INSERT ON TABLE archive.part TO popvault_loader;
GRANT SELECT ON TABLE archive.part TO popvault_analyst;
GRANT SELECT ON TABLE archive.part TO popvault_reader;
GRANT SELECT ON TABLE archive.part TO popvault_auditor;


GRANT SELECT,INSERT ON TABLE archive.participant TO popvault_loader;
GRANT SELECT ON TABLE archive.participant TO popvault_analyst;
GRANT SELECT ON TABLE archive.participant TO popvault_reader;
GRANT SELECT ON TABLE archive.participant TO popvault_auditor;


GRANT SELECT,INSERT ON TABLE archive.reading TO popvault_loader;
GRANT SELECT ON TABLE archive.reading TO popvault_reader;
GRANT SELECT ON TABLE archive.reading TO popvault_auditor;


GRANT SELECT(message_id) ON TABLE archive.reading TO popvault_analyst;


GRANT SELECT(parser) ON TABLE archive.reading TO popvault_analyst;


GRANT SELECT(subject) ON TABLE archive.reading TO popvault_analyst;


GRANT SELECT(message_id_header) ON TABLE archive.reading TO popvault_analyst;


GRANT SELECT(in_reply_to) ON TABLE archive.reading TO popvault_analyst;


GRANT SELECT("references") ON TABLE archive.reading TO popvault_analyst;


GRANT SELECT(headers) ON TABLE archive.reading TO popvault_analyst;


GRANT SELECT(date_written) ON TABLE archive.reading TO popvault_analyst;


GRANT SELECT(date_at) ON TABLE archive.reading TO popvault_analyst;


GRANT SELECT(date_offset_minutes) ON TABLE archive.reading TO popvault_analyst;


GRANT SELECT(sent_at) ON TABLE archive.reading TO popvault_analyst;


GRANT SELECT(sent_at_source) ON TABLE archive.reading TO popvault_analyst;


GRANT SELECT(decoded) ON TABLE archive.reading TO popvault_analyst;


GRANT SELECT(hops) ON TABLE archive.reading TO popvault_analyst;


GRANT SELECT(canonical_sha256) ON TABLE archive.reading TO popvault_analyst;


GRANT SELECT,INSERT ON TABLE archive.segment TO popvault_loader;
GRANT SELECT ON TABLE archive.segment TO popvault_reader;
GRANT SELECT ON TABLE archive.segment TO popvault_auditor;


GRANT SELECT ON TABLE archive.recipe TO popvault_loader;
GRANT SELECT ON TABLE archive.recipe TO popvault_reader;
GRANT SELECT ON TABLE archive.recipe TO popvault_auditor;


GRANT SELECT,INSERT ON TABLE archive.report TO popvault_loader;
GRANT SELECT ON TABLE archive.report TO popvault_analyst;
GRANT SELECT ON TABLE archive.report TO popvault_reader;
GRANT SELECT ON TABLE archive.report TO popvault_auditor;


GRANT SELECT ON TABLE archive.seal TO popvault_auditor;


GRANT SELECT ON TABLE mart.address TO popvault_analyst;
GRANT SELECT ON TABLE mart.address TO popvault_reader;
GRANT SELECT ON TABLE mart.address TO popvault_auditor;


GRANT SELECT ON TABLE mart.attachment TO popvault_analyst;
GRANT SELECT ON TABLE mart.attachment TO popvault_reader;
GRANT SELECT ON TABLE mart.attachment TO popvault_auditor;


GRANT SELECT ON TABLE mart.balance TO popvault_loader;
GRANT SELECT ON TABLE mart.balance TO popvault_analyst;
GRANT SELECT ON TABLE mart.balance TO popvault_reader;
GRANT SELECT ON TABLE mart.balance TO popvault_auditor;


GRANT SELECT ON TABLE mart.body TO popvault_loader;
GRANT SELECT ON TABLE mart.body TO popvault_reader;
GRANT SELECT ON TABLE mart.body TO popvault_auditor;


GRANT SELECT ON TABLE mart.header TO popvault_analyst;
GRANT SELECT ON TABLE mart.header TO popvault_reader;
GRANT SELECT ON TABLE mart.header TO popvault_auditor;


GRANT SELECT ON TABLE mart.date_candidate TO popvault_analyst;
GRANT SELECT ON TABLE mart.date_candidate TO popvault_reader;
GRANT SELECT ON TABLE mart.date_candidate TO popvault_auditor;


GRANT SELECT ON TABLE mart.defect TO popvault_analyst;
GRANT SELECT ON TABLE mart.defect TO popvault_reader;
GRANT SELECT ON TABLE mart.defect TO popvault_auditor;


GRANT SELECT ON TABLE mart.delivery TO popvault_analyst;
GRANT SELECT ON TABLE mart.delivery TO popvault_reader;
GRANT SELECT ON TABLE mart.delivery TO popvault_auditor;


GRANT SELECT ON TABLE mart.domain TO popvault_analyst;
GRANT SELECT ON TABLE mart.domain TO popvault_reader;
GRANT SELECT ON TABLE mart.domain TO popvault_auditor;


GRANT SELECT ON TABLE mart.edge TO popvault_analyst;
GRANT SELECT ON TABLE mart.edge TO popvault_reader;
GRANT SELECT ON TABLE mart.edge TO popvault_auditor;


GRANT SELECT ON TABLE mart.event TO popvault_analyst;
GRANT SELECT ON TABLE mart.event TO popvault_reader;
GRANT SELECT ON TABLE mart.event TO popvault_auditor;


GRANT SELECT ON TABLE mart.hop TO popvault_analyst;
GRANT SELECT ON TABLE mart.hop TO popvault_reader;
GRANT SELECT ON TABLE mart.hop TO popvault_auditor;


GRANT SELECT,INSERT,DELETE ON TABLE search.label TO popvault_analyst;
GRANT SELECT,INSERT,DELETE ON TABLE search.label TO popvault_reader;
GRANT SELECT ON TABLE search.label TO popvault_auditor;


GRANT SELECT,INSERT,DELETE ON TABLE search.labelled TO popvault_analyst;
GRANT SELECT,INSERT,DELETE ON TABLE search.labelled TO popvault_reader;
GRANT SELECT ON TABLE search.labelled TO popvault_auditor;


GRANT SELECT ON TABLE mart.label TO popvault_analyst;
GRANT SELECT ON TABLE mart.label TO popvault_reader;
GRANT SELECT ON TABLE mart.label TO popvault_auditor;


GRANT SELECT ON TABLE mart.mailbox TO popvault_analyst;
GRANT SELECT ON TABLE mart.mailbox TO popvault_reader;
GRANT SELECT ON TABLE mart.mailbox TO popvault_auditor;


GRANT SELECT,INSERT,UPDATE ON TABLE threads.member TO popvault_loader;
GRANT SELECT ON TABLE threads.member TO popvault_analyst;
GRANT SELECT ON TABLE threads.member TO popvault_reader;
GRANT SELECT ON TABLE threads.member TO popvault_auditor;


GRANT SELECT ON TABLE mart.message TO popvault_analyst;
GRANT SELECT ON TABLE mart.message TO popvault_reader;
GRANT SELECT ON TABLE mart.message TO popvault_auditor;


GRANT SELECT ON TABLE mart.nested_header TO popvault_analyst;
GRANT SELECT ON TABLE mart.nested_header TO popvault_reader;
GRANT SELECT ON TABLE mart.nested_header TO popvault_auditor;


GRANT SELECT ON TABLE mart.nested_message TO popvault_analyst;
GRANT SELECT ON TABLE mart.nested_message TO popvault_reader;
GRANT SELECT ON TABLE mart.nested_message TO popvault_auditor;


GRANT SELECT ON TABLE mart.part TO popvault_analyst;
GRANT SELECT ON TABLE mart.part TO popvault_reader;
GRANT SELECT ON TABLE mart.part TO popvault_auditor;


GRANT SELECT ON TABLE mart.participant TO popvault_analyst;
GRANT SELECT ON TABLE mart.participant TO popvault_reader;
GRANT SELECT ON TABLE mart.participant TO popvault_auditor;


GRANT SELECT ON TABLE mart.reply TO popvault_analyst;
GRANT SELECT ON TABLE mart.reply TO popvault_reader;
GRANT SELECT ON TABLE mart.reply TO popvault_auditor;


GRANT SELECT ON TABLE mart.report TO popvault_analyst;
GRANT SELECT ON TABLE mart.report TO popvault_reader;
GRANT SELECT ON TABLE mart.report TO popvault_auditor;


GRANT SELECT ON TABLE mart.same_as TO popvault_reader;
GRANT SELECT ON TABLE mart.same_as TO popvault_auditor;


GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE search.saved TO popvault_analyst;
GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE search.saved TO popvault_reader;
GRANT SELECT ON TABLE search.saved TO popvault_auditor;


GRANT SELECT ON TABLE mart.saved_search TO popvault_analyst;
GRANT SELECT ON TABLE mart.saved_search TO popvault_reader;
GRANT SELECT ON TABLE mart.saved_search TO popvault_auditor;


GRANT SELECT ON TABLE mart.session TO popvault_analyst;
GRANT SELECT ON TABLE mart.session TO popvault_reader;
GRANT SELECT ON TABLE mart.session TO popvault_auditor;


GRANT SELECT ON TABLE mart.step TO popvault_analyst;
GRANT SELECT ON TABLE mart.step TO popvault_reader;
GRANT SELECT ON TABLE mart.step TO popvault_auditor;


GRANT SELECT ON TABLE mart.thread TO popvault_analyst;
GRANT SELECT ON TABLE mart.thread TO popvault_reader;
GRANT SELECT ON TABLE mart.thread TO popvault_auditor;


GRANT SELECT ON TABLE mart.verification TO popvault_analyst;
GRANT SELECT ON TABLE mart.verification TO popvault_reader;
GRANT SELECT ON TABLE mart.verification TO popvault_auditor;


GRANT SELECT ON TABLE mart.volume TO popvault_analyst;
GRANT SELECT ON TABLE mart.volume TO popvault_reader;
GRANT SELECT ON TABLE mart.volume TO popvault_auditor;


GRANT SELECT,INSERT,DELETE ON TABLE ops.download_piece TO popvault_loader;
GRANT SELECT ON TABLE ops.download_piece TO popvault_auditor;


GRANT SELECT ON TABLE ops.migration TO popvault_loader;
GRANT SELECT ON TABLE ops.migration TO popvault_analyst;
GRANT SELECT ON TABLE ops.migration TO popvault_reader;
GRANT SELECT ON TABLE ops.migration TO popvault_auditor;


GRANT SELECT,INSERT,UPDATE ON TABLE ops.pause TO popvault_loader;
GRANT SELECT ON TABLE ops.pause TO popvault_auditor;


GRANT SELECT ON TABLE ops.rebuild TO popvault_auditor;


GRANT SELECT ON TABLE ops.view TO popvault_auditor;


GRANT SELECT,INSERT,DELETE ON TABLE search.fresh TO popvault_loader;
GRANT SELECT ON TABLE search.fresh TO popvault_reader;
GRANT SELECT ON TABLE search.fresh TO popvault_auditor;


GRANT SELECT,INSERT,UPDATE ON TABLE threads.key TO popvault_loader;
GRANT SELECT ON TABLE threads.key TO popvault_auditor;


GRANT SELECT,DELETE ON TABLE threads.pending TO popvault_loader;
GRANT SELECT ON TABLE threads.pending TO popvault_auditor;



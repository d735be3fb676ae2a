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


CREATE FUNCTION ops.place() RETURNS text
    LANGUAGE sql STABLE
    RETURN (SELECT format('cluster %s, timeline %s, database %s'::text, s.system_identifier, c.timeline_id, d.oid) AS format FROM pg_control_system() s(pg_control_version, catalog_version_no, system_identifier, pg_control_last_modified), pg_control_checkpoint() c(checkpoint_lsn, redo_lsn, redo_wal_file, timeline_id, prev_timeline_id, full_page_writes, next_xid, next_oid, next_multixact_id, next_multi_offset, oldest_xid, oldest_xid_dbid, oldest_active_xid, oldest_multi_xid, oldest_multi_dbid, oldest_commit_ts_xid, newest_commit_ts_xid, checkpoint_time), pg_database d WHERE (d.datname = current_database()));


CREATE FUNCTION search.bigrams(content text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT COALESCE(string_agg(substr(runs.run[1], n.n, 2), ' '::text ORDER BY runs.place, n.n), ''::text) AS "coalesce" FROM regexp_matches(bigrams.content, '([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+)'::text, 'g'::text) WITH ORDINALITY runs(run, place), LATERAL generate_series(1, GREATEST((length(runs.run[1]) - 1), 1)) n(n));


CREATE FUNCTION search.query(words text) RETURNS tsquery
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT websearch_to_tsquery('simple'::regconfig, COALESCE(string_agg(CASE WHEN (tokens.token[1] IS NULL) THEN tokens.token[2] ELSE (('"'::text || search.bigrams(tokens.token[1])) || '"'::text) END, ''::text ORDER BY tokens.place), ''::text)) AS websearch_to_tsquery FROM regexp_matches(query.words, '([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+)|([^\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+)'::text, 'g'::text) WITH ORDINALITY tokens(token, place));


SET default_tablespace = '';

SET default_table_access_method = heap;

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
    detail text NOT NULL
);


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


ALTER TABLE archive.delivery ALTER COLUMN delivery_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME archive.delivery_delivery_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
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


CREATE TABLE archive.epoch (
    epoch_id bigint NOT NULL,
    mailbox_id bigint NOT NULL,
    host text NOT NULL,
    username text NOT NULL,
    reason text NOT NULL,
    began_at timestamp with time zone DEFAULT now() NOT NULL
);


ALTER TABLE archive.epoch ALTER COLUMN epoch_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME archive.epoch_epoch_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


CREATE TABLE archive.excerpt (
    excerpt_id bigint NOT NULL,
    delivery_id bigint NOT NULL,
    session_id bigint NOT NULL,
    head bytea NOT NULL,
    taken_at timestamp with time zone DEFAULT now() NOT NULL
);


ALTER TABLE archive.excerpt ALTER COLUMN excerpt_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME archive.excerpt_excerpt_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


CREATE TABLE archive.hop (
    message_id bigint NOT NULL,
    "position" integer NOT NULL,
    from_host text,
    by_host text,
    protocol text,
    trace_id text,
    recipient text,
    written text,
    at timestamp with time zone
);


ALTER TABLE archive.ledger ALTER COLUMN entry_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME archive.ledger_entry_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


CREATE TABLE archive.mailbox (
    mailbox_id bigint NOT NULL,
    name text NOT NULL
);


ALTER TABLE archive.mailbox ALTER COLUMN mailbox_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME archive.mailbox_mailbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
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


ALTER TABLE archive.message ALTER COLUMN message_id ADD GENERATED BY DEFAULT AS IDENTITY (
    SEQUENCE NAME archive.message_message_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
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
    attachment boolean NOT NULL
);


CREATE TABLE archive.participant (
    message_id bigint NOT NULL,
    "position" integer NOT NULL,
    role text NOT NULL,
    name text NOT NULL,
    written text NOT NULL,
    address text NOT NULL,
    domain text NOT NULL
);


CREATE TABLE archive.reading (
    message_id bigint NOT NULL,
    parser text NOT NULL,
    subject text,
    message_id_header text,
    in_reply_to text,
    "references" text[] NOT NULL,
    headers jsonb NOT NULL,
    date_written text,
    date_at timestamp with time zone,
    date_offset_minutes integer,
    sent_at timestamp with time zone,
    sent_at_source text,
    body text NOT NULL
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
    CONSTRAINT segment_check CHECK (((num_nonnulls(content, zstd) = ANY (ARRAY[0, 2])) AND (num_nonnulls(content, blob_id) = 1))),
    CONSTRAINT segment_check1 CHECK ((num_nonnulls(blob_id, line_octets, line_end, final_line_end) = ANY (ARRAY[0, 4])))
);
ALTER TABLE ONLY archive.segment ALTER COLUMN content SET STORAGE EXTERNAL;


CREATE VIEW mart.attachment WITH (security_invoker='true') AS
 SELECT message_id,
    path,
    filename,
    content_type,
    octets,
    encode(sha256, 'hex'::text) AS sha256,
    disposition
   FROM archive.part
  WHERE attachment;


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


CREATE VIEW mart.defect WITH (security_invoker='true') AS
 SELECT message_id,
    kind,
    place,
    detail
   FROM archive.defect;


CREATE VIEW mart.delivery WITH (security_invoker='true') AS
 SELECT s.delivery_id,
    b.name AS mailbox,
    s.message_id,
    s.uidl,
    s.outcome,
    s.outcome_at,
    s.reason,
    s.listed_at,
    s.listed_octets,
    s.present,
    s.outcome_octets AS octets
   FROM (archive.delivery_state s
     JOIN archive.mailbox b USING (mailbox_id));


CREATE VIEW mart.header WITH (security_invoker='true') AS
 SELECT r.message_id,
    h."position",
    (h.pair ->> 0) AS name,
    (h.pair ->> 1) AS value
   FROM archive.reading r,
    LATERAL jsonb_array_elements(r.headers) WITH ORDINALITY h(pair, "position");


CREATE VIEW mart.hop WITH (security_invoker='true') AS
 SELECT message_id,
    "position",
    from_host,
    by_host,
    protocol,
    at
   FROM archive.hop;


CREATE VIEW mart.message WITH (security_invoker='true') AS
 SELECT m.message_id,
    encode(m.sha256, 'hex'::text) AS sha256,
    m.octets,
    m.archived_at,
    r.sent_at,
    r.sent_at_source,
    r.date_offset_minutes,
    f.name AS from_name,
    f.address AS from_address,
    f.domain AS from_domain,
    r.subject,
    r.body,
    r.message_id_header,
    r.in_reply_to,
    r."references",
    ( SELECT count(*) AS count
           FROM archive.part p
          WHERE ((p.message_id = m.message_id) AND p.attachment)) AS attachments,
    ( SELECT count(*) AS count
           FROM archive.defect d
          WHERE (d.message_id = m.message_id)) AS defects
   FROM ((archive.message m
     JOIN archive.reading r USING (message_id))
     LEFT JOIN LATERAL ( SELECT p.name,
            p.address,
            p.domain
           FROM archive.participant p
          WHERE ((p.message_id = m.message_id) AND (p.role = 'from'::text))
          ORDER BY p."position"
         LIMIT 1) f ON (true));


CREATE VIEW mart.participant WITH (security_invoker='true') AS
 SELECT message_id,
    role,
    name,
    address,
    domain,
    written
   FROM archive.participant;


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
    s.ended_at,
    s.listed,
    s.listing_doubted,
    s.quit_accepted,
    s.failure
   FROM (ops.session s
     JOIN archive.mailbox b USING (mailbox_id));


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


CREATE TABLE ops.enrolment (
    enrolment_id bigint NOT NULL,
    place text NOT NULL,
    enrolled_at timestamp with time zone DEFAULT now() NOT NULL,
    enrolled_by text DEFAULT CURRENT_USER NOT NULL
);


ALTER TABLE ops.enrolment ALTER COLUMN enrolment_id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME ops.enrolment_enrolment_id_seq
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


CREATE TABLE ops.run (
    run_id bigint NOT NULL,
    trigger text NOT NULL,
    external_id text,
    host text NOT NULL,
    version text NOT NULL,
    began_at timestamp with time zone DEFAULT now() NOT NULL,
    ended_at timestamp with time zone
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


CREATE TABLE search.document (
    message_id bigint NOT NULL,
    piece integer NOT NULL,
    words tsvector NOT NULL
);


CREATE TABLE search.pending (
    message_id bigint NOT NULL
);


INSERT INTO archive.defect VALUES
	(1, 0, 'unreadable', '1', 'the parser gave up: IncompleteReadError'),
	(2, 0, 'unreadable', '1', 'the parser gave up: IncompleteReadError'),
	(5, 0, 'unreadable', '1', 'the parser gave up: IncompleteReadError');


INSERT INTO archive.delivery OVERRIDING SYSTEM VALUE VALUES
	(1, 2, 1, '89b68b3c4acae9823c179441.1', 0, 989, 1, '2026-11-24 19:31:39.783867+00'),
	(2, 2, 1, '99db2c9057ebc7dfca2bb9c5.1', 0, 1071, 1, '2026-11-24 19:31:39.783867+00'),
	(3, 1, 2, '89b68b3c4acae9823c179441.1', 0, 989, 2, '2026-11-24 19:31:39.790387+00'),
	(4, 1, 2, '99db2c9057ebc7dfca2bb9c5.1', 0, 1071, 2, '2026-11-24 19:31:39.790387+00'),
	(5, 1, 2, 'eb10fe169efbf3e549035792.1', 0, 83, 2, '2026-11-24 19:31:39.790387+00'),
	(6, 1, 2, '1336b6e13e116dc72f930303.1', 0, 5043, 2, '2026-11-24 19:31:39.790387+00');


INSERT INTO archive.epoch OVERRIDING SYSTEM VALUE VALUES
	(1, 2, '127.0.0.1', 'bob', 'first session', '2026-11-24 19:31:39.748389+00'),
	(2, 1, '127.0.0.1', 'ann', 'first session', '2026-11-24 19:31:39.759655+00');


INSERT INTO archive.excerpt OVERRIDING SYSTEM VALUE VALUES
	(1, 6, 2, '\x46726f6d3a206572696b406578616d706c652e636f6d0d0a5375626a6563743a20687567650d0a0d0a', '2026-11-24 19:31:39.806402+00');


INSERT INTO archive.ledger OVERRIDING SYSTEM VALUE VALUES
	(1, 6, 'excluded', 2, NULL, 5043, '5043 bytes are over message_bytes_max = 4000', '2026-11-24 19:31:39.806402+00'),
	(2, 1, 'archived', 1, 2, 989, NULL, '2026-11-24 19:31:40.786297+00'),
	(3, 2, 'archived', 1, 1, 1071, NULL, '2026-11-24 19:31:40.786297+00'),
	(4, 1, 'delete sent', 1, NULL, NULL, NULL, '2026-11-24 19:31:40.815309+00'),
	(5, 2, 'delete sent', 1, NULL, NULL, NULL, '2026-11-24 19:31:40.815309+00'),
	(6, 3, 'duplicate', 2, 2, 989, NULL, '2026-11-24 19:31:41.69006+00'),
	(7, 4, 'duplicate', 2, 1, 1071, NULL, '2026-11-24 19:31:41.69006+00'),
	(8, 5, 'archived', 2, 5, 83, NULL, '2026-11-24 19:31:41.69006+00'),
	(9, 1, 'gone', 4, NULL, NULL, NULL, '2026-11-24 19:31:42.6253+00'),
	(10, 2, 'gone', 4, NULL, NULL, NULL, '2026-11-24 19:31:42.6253+00');


INSERT INTO archive.mailbox OVERRIDING SYSTEM VALUE VALUES
	(1, 'ann'),
	(2, 'bob');


INSERT INTO archive.message VALUES
	(2, '\x89b68b3c4acae9823c17944134c47f109d5bb46a15648894db0aad4b26f0523d', 989, '\x6cd11bedd934885cd5b1f831f5b73c2ba4280db7da42c5d3ffd1525955256f04', 1, '2026-11-24 19:31:40.786297+00'),
	(1, '\x99db2c9057ebc7dfca2bb9c5ef991da34c9b75c13aa5f2bfd3ac584c820c24ff', 1071, '\xbb0425dfcbf25bcbaa4c86c46b82405411494e78b9b295e61a1520f9c2473687', 1, '2026-11-24 19:31:40.786297+00'),
	(5, '\xeb10fe169efbf3e54903579235f8643260b8691327aeac750d6429e1e9aa138c', 83, '\xb7ccd469fe6d87567f405b94e7fb28a6cf0ce89cb5fe2f1eb44dbb2e22020086', 2, '2026-11-24 19:31:41.69006+00');


INSERT INTO archive.reading VALUES
	(1, 'mail-parser 4.8.0, popvault 2', NULL, NULL, NULL, '{}', '[]', NULL, NULL, NULL, NULL, NULL, ''),
	(2, 'mail-parser 4.8.0, popvault 2', NULL, NULL, NULL, '{}', '[]', NULL, NULL, NULL, NULL, NULL, ''),
	(5, 'mail-parser 4.8.0, popvault 2', NULL, NULL, NULL, '{}', '[]', NULL, NULL, NULL, NULL, NULL, '');


INSERT INTO archive.segment VALUES
	(1, 0, 1071, true, '\x28b52ffd602f03050b0026933d2330cbe401b79244931870724b620b0cd2d998bca38d08797ad38489d3553d94947628183300330033003d498a31c60096b1c658532896b1608b9d3cd905db8097936d5dd949aaf6c3c96f9b7c9282a644348c2237f4e39fb745390d029967d5effa3242fb7dcfb634656560d494f51227ddb6f720496dabaf171c46212902e81c1f953a5cfd7c4603db1cc96a88290d32a2ee1c2c0e21de19e283a323ff362c0e251ae2e808ea4bfdf2ac955452ce91995c798c74dba87483c7449d1c798598b8ada349ade5d64a2aa9a4928a340c9106d2243417e8201c404611603465b70d7aafc8f7056bb6853ecfa77ec7cbe35a79db4baf4e03282060021122bc0e9732803939505083b7a0081df848402902f44c093b1430cc4101046cb3811d0b50046405415aa1d2401130e4c013e1428b4bd820c313dadb03ef2fcf351243b103c6c9e50a6a6189662e5da5813a9184f38049e2145f40bf20e5dfe62c701e', NULL, NULL, NULL, NULL),
	(2, 0, 989, true, '\x28b52ffd60dd020d0a0026d1382420abd6018ff5ea57309eb3c93c1f807633afea95bf932844cecd058600b30238e58fa0012d002e002f006d802d63c1161b59b20bb6010f25db7ab2a34a8af09fb7c1471564f627da4d8f2f1d719123c7bac8cdb607a3413e9de56debe9e159f37b3e6c546d9b51374016065510e7fc221d799c1cdb1c84d5124bd912558c3106b08c35c602d0a74b3849771014971212f1e8c7bf0d8a4b8a96f87942fa4aaf3c6ba952053d1e224fde02a16d4cfae24f31234f01aad652a54a95aa86716818024681a93827e1c0b10501464b86b649ef13187dc18a4d91cff199dfaf12f19cbced032320700211a2330f2733833971a07083b7a00839f059400902f45c093b1430948342046c9b811d0b0002b232c1ac5069a1181872d08971a14549d898e101dad203ee4fcf359241f10a610502382e8dd5cca8b3431d3c6ec7a96132', NULL, NULL, NULL, NULL),
	(5, 0, 83, false, '\x46726f6d3a20416e6e203c616e6e406578616d706c652e6f72670d0a5375626a6563743a206772fcdf650d0a446174653a207965737465726461790d0a0d0a5a77f66c66200020426f786be46d706665720d0a', NULL, NULL, NULL, NULL);


INSERT INTO ops.enrolment OVERRIDING SYSTEM VALUE VALUES
	(1, 'cluster 7711822935484467018, timeline 1, database 16384', '2026-11-24 19:31:39.540299+00', 'popvault');


INSERT INTO ops.migration VALUES
	('0001');


INSERT INTO ops.run OVERRIDING SYSTEM VALUE VALUES
	(1, 'command', NULL, 'vm', '0.1.0', '2026-11-24 19:31:39.678264+00', '2026-11-24 19:31:41.719706+00'),
	(2, 'command', NULL, 'vm', '0.1.0', '2026-11-24 19:31:42.520821+00', '2026-11-24 19:31:42.670398+00');


INSERT INTO ops.session OVERRIDING SYSTEM VALUE VALUES
	(1, 1, 2, 1, '127.0.0.1', 40345, 'bob', NULL, NULL, NULL, 'the popvault test server is ready <140414175643328.24156362672749@localhost>', '{USER,TOP,UIDL,PIPELINING,RESP-CODES,AUTH-RESP-CODE,"IMPLEMENTATION popvault-test"}', '{USER,TOP,UIDL,PIPELINING,RESP-CODES,AUTH-RESP-CODE,"IMPLEMENTATION popvault-test"}', 'APOP', false, NULL, '2026-11-24 19:31:39.748389+00', '2026-11-24 19:31:39.783867+00', 2, 2060, '\x34a938bfecbc4a933197a72513adaf28fb9c058e0f97771f05778f64eadde72d', false, true, 'bye', '2026-11-24 19:31:40.826418+00', NULL),
	(2, 1, 1, 2, '127.0.0.1', 40345, 'ann', NULL, NULL, NULL, 'the popvault test server is ready <140414184036032.24156358987858@localhost>', '{USER,TOP,UIDL,PIPELINING,RESP-CODES,AUTH-RESP-CODE,"IMPLEMENTATION popvault-test"}', '{USER,TOP,UIDL,PIPELINING,RESP-CODES,AUTH-RESP-CODE,"IMPLEMENTATION popvault-test"}', 'APOP', false, NULL, '2026-11-24 19:31:39.759655+00', '2026-11-24 19:31:39.790387+00', 4, 7186, '\xe502cfbeb56fb068470d6057b03663a9a0c2ce3919a7cc3adb65b961dacd9353', false, true, 'bye', '2026-11-24 19:31:41.700221+00', NULL),
	(3, 2, 1, 2, '127.0.0.1', 40345, 'ann', NULL, NULL, NULL, 'the popvault test server is ready <140414184036032.24159192231352@localhost>', '{USER,TOP,UIDL,PIPELINING,RESP-CODES,AUTH-RESP-CODE,"IMPLEMENTATION popvault-test"}', '{USER,TOP,UIDL,PIPELINING,RESP-CODES,AUTH-RESP-CODE,"IMPLEMENTATION popvault-test"}', 'APOP', false, NULL, '2026-11-24 19:31:42.579+00', '2026-11-24 19:31:42.609177+00', 4, 7186, '\xe502cfbeb56fb068470d6057b03663a9a0c2ce3919a7cc3adb65b961dacd9353', false, true, 'bye', '2026-11-24 19:31:42.642471+00', NULL),
	(4, 2, 2, 1, '127.0.0.1', 40345, 'bob', NULL, NULL, NULL, 'the popvault test server is ready <140414175643328.24159192953158@localhost>', '{USER,TOP,UIDL,PIPELINING,RESP-CODES,AUTH-RESP-CODE,"IMPLEMENTATION popvault-test"}', '{USER,TOP,UIDL,PIPELINING,RESP-CODES,AUTH-RESP-CODE,"IMPLEMENTATION popvault-test"}', 'APOP', false, NULL, '2026-11-24 19:31:42.583089+00', '2026-11-24 19:31:42.6253+00', 0, 0, '\xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', false, true, 'bye', '2026-11-24 19:31:42.647581+00', NULL);


INSERT INTO search.document VALUES
	(2, 0, ''),
	(1, 0, ''),
	(5, 0, '');


SELECT pg_catalog.setval('archive.blob_blob_id_seq', 1, false);


SELECT pg_catalog.setval('archive.delivery_delivery_id_seq', 10, true);


SELECT pg_catalog.setval('archive.epoch_epoch_id_seq', 2, true);


SELECT pg_catalog.setval('archive.excerpt_excerpt_id_seq', 1, true);


SELECT pg_catalog.setval('archive.ledger_entry_id_seq', 10, true);


SELECT pg_catalog.setval('archive.mailbox_mailbox_id_seq', 4, true);


SELECT pg_catalog.setval('archive.message_message_id_seq', 5, true);


SELECT pg_catalog.setval('ops.enrolment_enrolment_id_seq', 1, true);


SELECT pg_catalog.setval('ops.run_run_id_seq', 2, true);


SELECT pg_catalog.setval('ops.session_session_id_seq', 4, true);


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


ALTER TABLE ONLY archive.epoch
    ADD CONSTRAINT epoch_pkey PRIMARY KEY (epoch_id);


ALTER TABLE ONLY archive.excerpt
    ADD CONSTRAINT excerpt_pkey PRIMARY KEY (excerpt_id);


ALTER TABLE ONLY archive.hop
    ADD CONSTRAINT hop_pkey PRIMARY KEY (message_id, "position");


ALTER TABLE ONLY archive.ledger
    ADD CONSTRAINT ledger_pkey PRIMARY KEY (entry_id);


ALTER TABLE ONLY archive.mailbox
    ADD CONSTRAINT mailbox_name_key UNIQUE (name);


ALTER TABLE ONLY archive.mailbox
    ADD CONSTRAINT mailbox_pkey PRIMARY KEY (mailbox_id);


ALTER TABLE ONLY archive.message
    ADD CONSTRAINT message_pkey PRIMARY KEY (message_id);


ALTER TABLE ONLY archive.message
    ADD CONSTRAINT message_sha256_key UNIQUE (sha256);


ALTER TABLE ONLY archive.part
    ADD CONSTRAINT part_pkey PRIMARY KEY (message_id, path);


ALTER TABLE ONLY archive.participant
    ADD CONSTRAINT participant_pkey PRIMARY KEY (message_id, "position");


ALTER TABLE ONLY archive.reading
    ADD CONSTRAINT reading_pkey PRIMARY KEY (message_id);


ALTER TABLE ONLY archive.segment
    ADD CONSTRAINT segment_pkey PRIMARY KEY (message_id, "position");


ALTER TABLE ONLY ops.download_piece
    ADD CONSTRAINT download_piece_pkey PRIMARY KEY (delivery_id, "position");


ALTER TABLE ONLY ops.enrolment
    ADD CONSTRAINT enrolment_pkey PRIMARY KEY (enrolment_id);


ALTER TABLE ONLY ops.migration
    ADD CONSTRAINT migration_pkc PRIMARY KEY (version_num);


ALTER TABLE ONLY ops.pause
    ADD CONSTRAINT pause_pkey PRIMARY KEY (mailbox_id);


ALTER TABLE ONLY ops.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (run_id);


ALTER TABLE ONLY ops.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (session_id);


ALTER TABLE ONLY search.document
    ADD CONSTRAINT document_pkey PRIMARY KEY (message_id, piece);


ALTER TABLE ONLY search.pending
    ADD CONSTRAINT pending_pkey PRIMARY KEY (message_id);


CREATE INDEX delivery_mailbox_id_idx ON archive.delivery USING btree (mailbox_id);


CREATE INDEX epoch_mailbox_id_epoch_id_idx ON archive.epoch USING btree (mailbox_id, epoch_id);


CREATE INDEX excerpt_delivery_id_idx ON archive.excerpt USING btree (delivery_id);


CREATE UNIQUE INDEX ledger_archived_once ON archive.ledger USING btree (delivery_id) WHERE (step = ANY (ARRAY['archived'::archive.step, 'duplicate'::archive.step]));


CREATE INDEX ledger_delivery_id_entry_id_idx ON archive.ledger USING btree (delivery_id, entry_id);


CREATE INDEX ledger_message_id_idx ON archive.ledger USING btree (message_id) WHERE (message_id IS NOT NULL);


CREATE INDEX part_sha256_idx ON archive.part USING btree (sha256) WHERE attachment;


CREATE INDEX participant_address_idx ON archive.participant USING hash (address);


CREATE INDEX reading_message_id_header_idx ON archive.reading USING hash (message_id_header);


CREATE INDEX reading_sent_at_idx ON archive.reading USING btree (sent_at);


CREATE INDEX segment_blob_id_idx ON archive.segment USING btree (blob_id) WHERE (blob_id IS NOT NULL);


CREATE INDEX session_mailbox_id_session_id_idx ON ops.session USING btree (mailbox_id, session_id);


CREATE INDEX session_run_id_idx ON ops.session USING btree (run_id);


CREATE INDEX document_words_idx ON search.document USING gin (words);


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


ALTER TABLE ONLY archive.epoch
    ADD CONSTRAINT epoch_mailbox_id_fkey FOREIGN KEY (mailbox_id) REFERENCES archive.mailbox(mailbox_id);


ALTER TABLE ONLY archive.excerpt
    ADD CONSTRAINT excerpt_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES archive.delivery(delivery_id);


ALTER TABLE ONLY archive.excerpt
    ADD CONSTRAINT excerpt_session_id_fkey FOREIGN KEY (session_id) REFERENCES ops.session(session_id);


ALTER TABLE ONLY archive.hop
    ADD CONSTRAINT hop_message_id_fkey FOREIGN KEY (message_id) REFERENCES archive.message(message_id);


ALTER TABLE ONLY archive.ledger
    ADD CONSTRAINT ledger_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES archive.delivery(delivery_id);


ALTER TABLE ONLY archive.ledger
    ADD CONSTRAINT ledger_message_id_fkey FOREIGN KEY (message_id) REFERENCES archive.message(message_id);


ALTER TABLE ONLY archive.ledger
    ADD CONSTRAINT ledger_session_id_fkey FOREIGN KEY (session_id) REFERENCES ops.session(session_id);


ALTER TABLE ONLY archive.message
    ADD CONSTRAINT message_session_id_fkey FOREIGN KEY (session_id) REFERENCES ops.session(session_id);


ALTER TABLE ONLY archive.part
    ADD CONSTRAINT part_message_id_fkey FOREIGN KEY (message_id) REFERENCES archive.message(message_id);


ALTER TABLE ONLY archive.participant
    ADD CONSTRAINT participant_message_id_fkey FOREIGN KEY (message_id) REFERENCES archive.message(message_id);


ALTER TABLE ONLY archive.reading
    ADD CONSTRAINT reading_message_id_fkey FOREIGN KEY (message_id) REFERENCES archive.message(message_id);


ALTER TABLE ONLY archive.segment
    ADD CONSTRAINT segment_blob_id_fkey FOREIGN KEY (blob_id) REFERENCES archive.blob(blob_id);


ALTER TABLE ONLY archive.segment
    ADD CONSTRAINT segment_message_id_fkey FOREIGN KEY (message_id) REFERENCES archive.message(message_id);


ALTER TABLE ONLY ops.download_piece
    ADD CONSTRAINT download_piece_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES archive.delivery(delivery_id);


ALTER TABLE ONLY ops.pause
    ADD CONSTRAINT pause_mailbox_id_fkey FOREIGN KEY (mailbox_id) REFERENCES archive.mailbox(mailbox_id);


ALTER TABLE ONLY ops.session
    ADD CONSTRAINT session_epoch_id_fkey FOREIGN KEY (epoch_id) REFERENCES archive.epoch(epoch_id);


ALTER TABLE ONLY ops.session
    ADD CONSTRAINT session_mailbox_id_fkey FOREIGN KEY (mailbox_id) REFERENCES archive.mailbox(mailbox_id);


ALTER TABLE ONLY ops.session
    ADD CONSTRAINT session_run_id_fkey FOREIGN KEY (run_id) REFERENCES ops.run(run_id);


ALTER TABLE ONLY search.document
    ADD CONSTRAINT document_message_id_fkey FOREIGN KEY (message_id) REFERENCES archive.message(message_id);


ALTER TABLE ONLY search.pending
    ADD CONSTRAINT pending_message_id_fkey FOREIGN KEY (message_id) REFERENCES archive.message(message_id);



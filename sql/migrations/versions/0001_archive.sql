-- The record (archive), its making (ops) and its search. Views for analysts are in sql/views.
-- Rows of archive are only ever inserted; what changes is in ops.

create schema archive;
comment on schema archive is 'The record: what was listed, what became of it, the bytes, and what was read from them.';
create schema search;
comment on schema search is 'Words of messages, made beside the load and made again at will.';
comment on schema ops is 'How the record came to be: runs, sessions, downloads under way.';

-- One row for each mailbox: one account on one server, under the name its operator gave it.
create table archive.mailbox (
    mailbox_id bigint generated always as identity primary key,
    name text not null unique
);
comment on column archive.mailbox.mailbox_id is 'Number of the mailbox in this archive.';
comment on column archive.mailbox.name is 'Name given in the mailboxes file.';

-- One row for each epoch: a span in which a mailbox's UIDLs kept their meaning.
create table archive.epoch (
    epoch_id bigint generated always as identity primary key,
    mailbox_id bigint not null references archive.mailbox,
    host text not null,
    username text not null,
    reason text not null,
    began_at timestamptz not null default now()
);
create index on archive.epoch (mailbox_id, epoch_id);
comment on column archive.epoch.epoch_id is 'Number of the epoch; the highest of a mailbox is the present one.';
comment on column archive.epoch.mailbox_id is 'The mailbox.';
comment on column archive.epoch.host is 'Server that gave the UIDLs.';
comment on column archive.epoch.username is 'Account that gave the UIDLs.';
comment on column archive.epoch.reason is 'Why a new epoch began.';
comment on column archive.epoch.began_at is 'When it began.';

-- One row for each run: one command or DAG run over some mailboxes.
create table ops.run (
    run_id bigint generated always as identity primary key,
    trigger text not null,
    external_id text,
    host text not null,
    version text not null,
    began_at timestamptz not null default now(),
    ended_at timestamptz
);
comment on column ops.run.run_id is 'Number of the run.';
comment on column ops.run.trigger is 'What started it: command or airflow.';
comment on column ops.run.external_id is 'Airflow''s id of the DAG run; null for a command.';
comment on column ops.run.host is 'Machine on which it was started.';
comment on column ops.run.version is 'Version of popvault.';
comment on column ops.run.began_at is 'When it began.';
comment on column ops.run.ended_at is 'When it ended; null while it runs or if it was killed.';

-- One row for each session: one login to one mailbox, to its QUIT or its end. The record of the acquisition.
create table ops.session (
    session_id bigint generated always as identity primary key,
    run_id bigint not null references ops.run,
    mailbox_id bigint not null references archive.mailbox,
    epoch_id bigint not null references archive.epoch,
    host text not null,
    port integer not null,
    username text not null,
    tls_version text,
    tls_cipher text,
    certificate_sha256 bytea,
    greeting text not null,
    capabilities_before text[],
    capabilities_after text[],
    mechanism text not null,
    utf8 boolean not null,
    login_delay_seconds double precision,
    began_at timestamptz not null default now(),
    listed_at timestamptz,
    listed bigint,
    listed_octets bigint,
    listing_sha256 bytea,
    listing_doubted boolean,
    quit_accepted boolean,
    quit_reply text,
    ended_at timestamptz,
    failure text
);
create index on ops.session (mailbox_id, session_id);
create index on ops.session (run_id);
comment on column ops.session.session_id is 'Number of the session.';
comment on column ops.session.run_id is 'The run it belongs to.';
comment on column ops.session.mailbox_id is 'The mailbox.';
comment on column ops.session.epoch_id is 'The epoch of the UIDLs it listed.';
comment on column ops.session.host is 'Server connected to.';
comment on column ops.session.port is 'Port connected to.';
comment on column ops.session.username is 'Account logged in as.';
comment on column ops.session.tls_version is 'TLS version; null for clear text.';
comment on column ops.session.tls_cipher is 'TLS cipher; null for clear text.';
comment on column ops.session.certificate_sha256 is 'SHA-256 of the server''s certificate (DER); null for clear text.';
comment on column ops.session.greeting is 'What the server said first.';
comment on column ops.session.capabilities_before is 'CAPA before the login; null where not known to the server.';
comment on column ops.session.capabilities_after is 'CAPA after the login; null where not known to the server.';
comment on column ops.session.mechanism is 'How it logged in: USER, APOP, or the name of a SASL mechanism.';
comment on column ops.session.utf8 is 'Whether UTF-8 mode was on (RFC 6856): the server may send other bytes then.';
comment on column ops.session.login_delay_seconds is 'Pause between two logins that CAPA asks for (LOGIN-DELAY, RFC 2449); null for none.';
comment on column ops.session.began_at is 'When the login had gone through.';
comment on column ops.session.listed_at is 'When the listing was recorded.';
comment on column ops.session.listed is 'Messages that the listing named.';
comment on column ops.session.listed_octets is 'Sum of the sizes that LIST claimed.';
comment on column ops.session.listing_sha256 is 'SHA-256 of the listing: a line "number octets uidl" for each message, each ended by LF.';
comment on column ops.session.listing_doubted is 'True where the listing was empty and the one before held more than we deleted: nothing was concluded from it.';
comment on column ops.session.quit_accepted is 'Whether QUIT was accepted; null where it was never sent.';
comment on column ops.session.quit_reply is 'What QUIT answered.';
comment on column ops.session.ended_at is 'When it ended; null if it was killed.';
comment on column ops.session.failure is 'What cut it short; null if nothing did.';

-- One row for each mailbox whose server asked to be left alone for a while; all workers keep to it.
create table ops.pause (
    mailbox_id bigint primary key references archive.mailbox,
    until timestamptz not null,
    reason text not null
);
comment on column ops.pause.mailbox_id is 'The mailbox.';
comment on column ops.pause.until is 'Before this nobody logs in.';
comment on column ops.pause.reason is 'What the server said.';

-- One row for each message a mailbox was ever seen to hold.
create table archive.delivery (
    delivery_id bigint generated always as identity primary key,
    mailbox_id bigint not null references archive.mailbox,
    epoch_id bigint not null references archive.epoch,
    uidl text not null,
    twin integer not null,
    listed_octets bigint,
    session_id bigint not null references ops.session,
    listed_at timestamptz not null default now(),
    unique (epoch_id, uidl, twin)
);
create index on archive.delivery (mailbox_id);
comment on column archive.delivery.delivery_id is 'Number of the delivery.';
comment on column archive.delivery.mailbox_id is 'The mailbox that held it.';
comment on column archive.delivery.epoch_id is 'The epoch in which its UIDL means it.';
comment on column archive.delivery.uidl is 'The server''s unique id, each byte as one character.';
comment on column archive.delivery.twin is '0, or how many earlier messages of one listing had the same UIDL.';
comment on column archive.delivery.listed_octets is 'Size that LIST claimed; null where it claimed none.';
comment on column archive.delivery.session_id is 'The session that listed it first.';
comment on column archive.delivery.listed_at is 'When it was first listed.';

-- One row for each distinct message: its identity is the SHA-256 of the bytes off the wire.
create table archive.message (
    message_id bigint generated by default as identity primary key,
    sha256 bytea not null unique check (octet_length(sha256) = 32),
    octets bigint not null,
    head_sha256 bytea not null check (octet_length(head_sha256) = 32),
    session_id bigint not null references ops.session,
    archived_at timestamptz not null default now()
);
comment on column archive.message.message_id is 'Number of the message.';
comment on column archive.message.sha256 is 'SHA-256 of the bytes as they came, dots unstuffed.';
comment on column archive.message.octets is 'Number of those bytes.';
comment on column archive.message.head_sha256 is 'SHA-256 of its header block without the line ends behind it: what TOP shows of it.';
comment on column archive.message.session_id is 'The session that brought it first.';
comment on column archive.message.archived_at is 'When it was committed.';

-- One row for each distinct content of a large attachment, decoded.
create table archive.blob (
    blob_id bigint generated always as identity primary key,
    sha256 bytea not null unique check (octet_length(sha256) = 32),
    octets bigint not null
);
comment on column archive.blob.blob_id is 'Number of the blob.';
comment on column archive.blob.sha256 is 'SHA-256 of the content.';
comment on column archive.blob.octets is 'Number of its bytes.';

-- One row for each piece of a blob; all pieces in order are the blob.
create table archive.blob_piece (
    blob_id bigint not null references archive.blob,
    position integer not null,
    octets integer not null,
    zstd boolean not null,
    content bytea not null,
    primary key (blob_id, position)
);
alter table archive.blob_piece alter column content set storage external;
comment on column archive.blob_piece.blob_id is 'The blob.';
comment on column archive.blob_piece.position is 'Place of the piece; they ascend, and need not begin at 0.';
comment on column archive.blob_piece.octets is 'Bytes of the piece, at most 1 MiB.';
comment on column archive.blob_piece.zstd is 'Whether content is compressed (zstd, RFC 8878).';
comment on column archive.blob_piece.content is 'The bytes.';

-- One row for each step of the recipe that gives a message's bytes: literal bytes, or a blob encoded in base64 again.
create table archive.segment (
    message_id bigint not null references archive.message,
    position integer not null,
    octets bigint not null,
    zstd boolean,
    content bytea,
    blob_id bigint references archive.blob,
    line_octets integer,
    line_end bytea,
    final_line_end boolean,
    primary key (message_id, position),
    check (num_nonnulls(content, zstd) in (0, 2) and num_nonnulls(content, blob_id) = 1),
    check (num_nonnulls(blob_id, line_octets, line_end, final_line_end) in (0, 4))
);
alter table archive.segment alter column content set storage external;
create index on archive.segment (blob_id) where blob_id is not null;
comment on column archive.segment.message_id is 'The message.';
comment on column archive.segment.position is 'Place of the step; they ascend, and need not be without gaps.';
comment on column archive.segment.octets is 'Bytes of the message that it gives.';
comment on column archive.segment.zstd is 'Whether content is compressed (zstd, RFC 8878); null for a blob.';
comment on column archive.segment.content is 'Literal bytes, at most 1 MiB; null for a blob.';
comment on column archive.segment.blob_id is 'The blob to encode; null for literal bytes.';
comment on column archive.segment.line_octets is 'Characters of base64 in a line.';
comment on column archive.segment.line_end is 'What ends a line.';
comment on column archive.segment.final_line_end is 'Whether the last line has its end.';

create type archive.step as enum (
    'archived', 'duplicate', 'quarantined', 'excluded', 'vanished',
    'relisted', 'failed', 'restarted', 'delete sent', 'delete refused', 'gone'
);
comment on type archive.step is
    'What may befall a delivery. The first five are its outcome; the last of them and of relisted holds.';

-- One row for each step of a delivery after its listing. Rows are added, never changed.
create table archive.ledger (
    entry_id bigint generated always as identity primary key,
    delivery_id bigint not null references archive.delivery,
    step archive.step not null,
    session_id bigint not null references ops.session,
    message_id bigint references archive.message,
    octets bigint,
    reason text,
    at timestamptz not null default now(),
    check ((step in ('archived', 'duplicate')) = (message_id is not null))
);
create index on archive.ledger (delivery_id, entry_id);
create index on archive.ledger (message_id) where message_id is not null;
-- A delivery is archived once.
create unique index ledger_archived_once on archive.ledger (delivery_id) where step in ('archived', 'duplicate');
comment on column archive.ledger.entry_id is 'Number of the entry; entries of a delivery follow each other.';
comment on column archive.ledger.delivery_id is 'The delivery.';
comment on column archive.ledger.step is 'What befell it.';
comment on column archive.ledger.session_id is 'The session in which it did.';
comment on column archive.ledger.message_id is 'The message it turned out to be: for archived and duplicate.';
comment on column archive.ledger.octets is 'Bytes retrieved, for archived and duplicate; for excluded, how large it is at least.';
comment on column archive.ledger.reason is 'Why, in words; null where the step says it all.';
comment on column archive.ledger.at is 'When.';

-- One row for each header block that was taken (TOP) of a message that was not retrieved whole.
create table archive.excerpt (
    excerpt_id bigint generated always as identity primary key,
    delivery_id bigint not null references archive.delivery,
    session_id bigint not null references ops.session,
    head bytea not null,
    taken_at timestamptz not null default now()
);
create index on archive.excerpt (delivery_id);
comment on column archive.excerpt.excerpt_id is 'Number of the excerpt; the highest of a delivery is the newest.';
comment on column archive.excerpt.delivery_id is 'The delivery that was excluded.';
comment on column archive.excerpt.session_id is 'The session that took it.';
comment on column archive.excerpt.head is 'The header block as it came.';
comment on column archive.excerpt.taken_at is 'When it was taken.';

-- A copy of the database (a restored dump, a promoted replica) is another place and may not delete, until somebody says so.
-- One row for each database in which this archive was allowed to delete mail on servers; the last one counts.
create table ops.enrolment (
    enrolment_id bigint generated always as identity primary key,
    place text not null,
    enrolled_at timestamptz not null default now(),
    enrolled_by text not null default current_user
);
comment on column ops.enrolment.enrolment_id is 'Number of the enrolment.';
comment on column ops.enrolment.place is 'Which database that was: see ops.place().';
comment on column ops.enrolment.enrolled_at is 'When.';
comment on column ops.enrolment.enrolled_by is 'The database role that did it.';

create function ops.place() returns text language sql stable
return (
    select format('cluster %s, timeline %s, database %s', s.system_identifier, c.timeline_id, d.oid)
    from pg_control_system() s, pg_control_checkpoint() c, pg_database d where d.datname = current_database()
);
comment on function ops.place is 'Which database this is: no dump carries it along, and a promotion changes it.';

insert into ops.enrolment (place) values (ops.place());

-- One row for each piece of a large message under download: the checkpoints of a retry, until the message is whole.
create table ops.download_piece (
    delivery_id bigint not null references archive.delivery,
    position integer not null,
    blob integer,
    octets integer not null,
    sha256 bytea not null,
    zstd boolean not null,
    content bytea not null,
    primary key (delivery_id, position)
);
alter table ops.download_piece alter column content set storage external;
comment on column ops.download_piece.delivery_id is 'The delivery under retrieval.';
comment on column ops.download_piece.position is 'Place of the piece, from 0.';
comment on column ops.download_piece.blob is 'Which base64 part of the message it is a piece of, decoded, from 0; null for bytes as they came.';
comment on column ops.download_piece.octets is 'Bytes of the piece.';
comment on column ops.download_piece.sha256 is 'SHA-256 of those bytes: a retry compares by it.';
comment on column ops.download_piece.zstd is 'Whether content is compressed.';
comment on column ops.download_piece.content is 'The bytes, as a segment will have them.';

-- One row for each message as the parser read it. All of it can be read again from the bytes.
create table archive.reading (
    message_id bigint primary key references archive.message,
    parser text not null,
    subject text,
    message_id_header text,
    in_reply_to text,
    "references" text[] not null,
    headers jsonb not null,
    date_written text,
    date_at timestamptz,
    date_offset_minutes integer,
    sent_at timestamptz,
    sent_at_source text,
    body text not null
);
create index on archive.reading (sent_at);
create index on archive.reading using hash (message_id_header);
comment on column archive.reading.message_id is 'The message.';
comment on column archive.reading.parser is 'What read it, with versions.';
comment on column archive.reading.subject is 'Subject, decoded.';
comment on column archive.reading.message_id_header is 'Message-ID as written: data, never an identity.';
comment on column archive.reading.in_reply_to is 'First id of In-Reply-To.';
comment on column archive.reading."references" is 'Ids of References, in order.';
comment on column archive.reading.headers is 'Every header as [name, decoded value], in order and repeated as it came.';
comment on column archive.reading.date_written is 'The Date header as written.';
comment on column archive.reading.date_at is 'The Date header as a time.';
comment on column archive.reading.date_offset_minutes is 'The sender''s offset from UTC, in minutes.';
comment on column archive.reading.sent_at is 'The date chosen among those known; null where none is.';
comment on column archive.reading.sent_at_source is 'Where sent_at comes from: date or received.';
comment on column archive.reading.body is 'The text as a reader sees it, HTML made text.';

-- One row for each address in each address header of a message.
create table archive.participant (
    message_id bigint not null references archive.message,
    position integer not null,
    role text not null,
    name text not null,
    written text not null,
    address text not null,
    domain text not null,
    primary key (message_id, position)
);
create index on archive.participant using hash (address);
comment on column archive.participant.message_id is 'The message.';
comment on column archive.participant.position is 'Place among all addresses of the message, from 0.';
comment on column archive.participant.role is 'from, sender, reply-to, to, cc, bcc or delivered-to.';
comment on column archive.participant.name is 'Display name, decoded; empty where there is none.';
comment on column archive.participant.written is 'Address as written.';
comment on column archive.participant.address is 'Address in lower case.';
comment on column archive.participant.domain is 'What stands behind its last @.';

-- One row for each node of a message's MIME tree.
create table archive.part (
    message_id bigint not null references archive.message,
    path text not null,
    content_type text not null,
    charset text,
    transfer_encoding text,
    disposition text,
    filename text,
    content_id text,
    octets bigint,
    sha256 bytea,
    attachment boolean not null,
    primary key (message_id, path)
);
create index on archive.part (sha256) where attachment;
comment on column archive.part.message_id is 'The message.';
comment on column archive.part.path is 'Place in the tree: 1 is the message, 1.2 its second child.';
comment on column archive.part.content_type is 'Declared content type.';
comment on column archive.part.charset is 'Declared charset.';
comment on column archive.part.transfer_encoding is 'Declared transfer encoding.';
comment on column archive.part.disposition is 'inline, attachment or other; null where not declared.';
comment on column archive.part.filename is 'File name, decoded; not safe as a path.';
comment on column archive.part.content_id is 'Content-ID.';
comment on column archive.part.octets is 'Bytes of the decoded content; null for a container.';
comment on column archive.part.sha256 is 'SHA-256 of the decoded content; null for a container.';
comment on column archive.part.attachment is 'Whether a reader would list it as a file.';

-- One row for each Received header of a message.
create table archive.hop (
    message_id bigint not null references archive.message,
    position integer not null,
    from_host text,
    by_host text,
    protocol text,
    trace_id text,
    recipient text,
    written text,
    at timestamptz,
    primary key (message_id, position)
);
comment on column archive.hop.message_id is 'The message.';
comment on column archive.hop.position is '0 is the hop nearest the sender.';
comment on column archive.hop.from_host is 'Clause from.';
comment on column archive.hop.by_host is 'Clause by.';
comment on column archive.hop.protocol is 'Clause with.';
comment on column archive.hop.trace_id is 'Clause id.';
comment on column archive.hop.recipient is 'Clause for.';
comment on column archive.hop.written is 'Its date as written, or the whole header where it cannot be read.';
comment on column archive.hop.at is 'Its date as a time.';

-- One row for each thing that is wrong with a message.
create table archive.defect (
    message_id bigint not null references archive.message,
    position integer not null,
    kind text not null,
    place text not null,
    detail text not null,
    primary key (message_id, position)
);
comment on column archive.defect.message_id is 'The message.';
comment on column archive.defect.position is 'Order of finding, from 0.';
comment on column archive.defect.kind is 'What kind of defect.';
comment on column archive.defect.place is 'Path of the part, or name of the header.';
comment on column archive.defect.detail is 'What was found.';

-- One row for each message whose words are not yet indexed.
create table search.pending (message_id bigint primary key references archive.message);
comment on column search.pending.message_id is 'The message.';

-- One row for each piece of a message's words, within Postgres's limit of 1 MB.
create table search.document (
    message_id bigint not null references archive.message,
    piece integer not null,
    words tsvector not null,
    primary key (message_id, piece)
);
create index on search.document using gin (words);
comment on column search.document.message_id is 'The message.';
comment on column search.document.piece is 'Place of the piece, from 0.';
comment on column search.document.words is 'Its words.';

create function search.bigrams(content text) returns text language sql immutable parallel safe
return (
    select coalesce(string_agg(substr(run[1], n, 2), ' ' order by place, n), '')
    from regexp_matches(content, '([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+)', 'g')
             with ordinality as runs (run, place),
         generate_series(1, greatest(length(run[1]) - 1, 1)) as n
);
comment on function search.bigrams is 'Pairs of neighbouring Chinese, Japanese and Korean characters: scripts that put no blanks between words.';

create function search.query(words text) returns tsquery language sql immutable parallel safe
return (
    -- A run of such characters becomes the phrase of its pairs, where it stands, so that - and or mean it too.
    select websearch_to_tsquery('simple', coalesce(string_agg(
        case when token[1] is null then token[2] else '"' || search.bigrams(token[1]) || '"' end, '' order by place), ''))
    from regexp_matches(words,
        '([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+)|([^\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]+)', 'g')
        with ordinality as tokens (token, place)
);
comment on function search.query is 'What a person typed as a query: words, "a phrase", -without, or; CJK by bigrams.';

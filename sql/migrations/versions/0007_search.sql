-- Terms instead of text vectors: a message's words as numbers, made by the parser processes, and for each term of some
-- thousand messages the list of those that hold it. Functions that search them are in sql/views.

drop table search.pending, search.document;
drop function search.query, search.bigrams;
comment on schema search is 'Terms of messages, labels and saved searches. Terms are made again at will.';

-- Set operations on arrays of integers; in a schema of its own, for its operators shadow Postgres's.
create extension if not exists intarray schema search;

-- One row for each message that is in no segment yet.
create table search.fresh (
    message_id bigint primary key references archive.message,
    sent_at timestamptz,
    terms bytea not null
);
comment on column search.fresh.message_id is 'The message.';
comment on column search.fresh.sent_at is 'The date chosen among those known; null where none is.';
comment on column search.fresh.terms is
    'Its terms: the CRC-32 of each, 4 octets, most significant first (etl/mime/terms.py).';

-- One row for each segment: some thousand messages in the order of their dates. Those without a date come first.
create table search.segment (
    segment_id integer generated always as identity primary key,
    first_message_id bigint not null,
    last_message_id bigint not null,
    oldest timestamptz,
    newest timestamptz,
    message_ids bigint[] not null,
    sent_ats timestamptz[] not null
);
-- Compressing saves little of them, and searching takes them apart often.
alter table search.segment alter message_ids set storage external, alter sent_ats set storage external;
create index on search.segment (last_message_id);
comment on column search.segment.segment_id is 'Number of the segment.';
comment on column search.segment.first_message_id is 'Least number of a message in it.';
comment on column search.segment.last_message_id is 'Greatest number of a message in it; segments may overlap.';
comment on column search.segment.oldest is 'Least date of a message in it; null where none has one.';
comment on column search.segment.newest is 'Greatest date of a message in it.';
comment on column search.segment.message_ids is
    'The messages, by their place; null for one whose terms are in another segment since.';
comment on column search.segment.sent_ats is 'Their dates, ascending; -infinity for none.';

-- One row for each 2,048th of all terms in a segment: the lists of messages that hold them.
create table search.posting (
    segment_id integer not null references search.segment,
    bucket smallint not null,
    terms integer[] not null,
    ends integer[] not null,
    places smallint[] not null,
    primary key (segment_id, bucket)
);
comment on column search.posting.segment_id is 'The segment.';
comment on column search.posting.bucket is 'The first 11 bits of the terms.';
comment on column search.posting.terms is 'The terms, as signed numbers.';
comment on column search.posting.ends is 'For each term, where its list ends in places.';
comment on column search.posting.places is
    'The lists, one behind the other: ascending places of messages in the segment.';

-- One row for each label: a folder of messages, which may lie in many.
create table search.label (
    label_id bigint generated always as identity primary key,
    name text not null unique check (name <> ''),
    made_by text not null default session_user,
    made_at timestamptz not null default now()
);
comment on column search.label.label_id is 'Number of the label.';
comment on column search.label.name is 'What it is called.';
comment on column search.label.made_by is 'Database role that made it.';
comment on column search.label.made_at is 'When.';

-- One row for each message with a label.
create table search.labelled (
    label_id bigint not null references search.label on delete cascade,
    message_id bigint not null references archive.message,
    labelled_by text not null default session_user,
    labelled_at timestamptz not null default now(),
    primary key (label_id, message_id)
);
create index on search.labelled (message_id);
comment on column search.labelled.label_id is 'The label.';
comment on column search.labelled.message_id is 'The message.';
comment on column search.labelled.labelled_by is 'Database role that put it there.';
comment on column search.labelled.labelled_at is 'When.';

-- One row for each saved search.
create table search.saved (
    name text primary key check (name <> ''),
    query text not null,
    saved_by text not null default session_user,
    saved_at timestamptz not null default now()
);
comment on column search.saved.name is 'What it is called: saved:NAME asks it.';
comment on column search.saved.query is 'What it asks.';
comment on column search.saved.saved_by is 'Database role that saved it last.';
comment on column search.saved.saved_at is 'When.';

-- One part of a query: what one of its clauses may be satisfied by.
create type search.alternative as (
    clause integer,
    excluded boolean,
    kind text,
    field text,
    value text,
    terms integer[],
    pattern text
);
comment on type search.alternative is
    'What satisfies a clause of a query: words (terms; a pattern where their order counts), mailbox, label or date.';

-- Where a page of a search begins: the window of messages that are ranked together, and the last row seen in it.
create type search.page as (top bigint, bottom bigint, score integer, sent_at timestamptz, id bigint);
comment on type search.page is
    'The page behind a row: in the window of messages from bottom to below top, behind this score, date and message.';

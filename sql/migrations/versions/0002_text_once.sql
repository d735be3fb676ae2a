-- Text is stored once, where SQL reads it: a message's header block, and its body where that is bytes of the message.
-- What was stored before stays as it is: a literal is a literal.

-- They are made anew behind the migration.
drop view if exists mart.message, mart.delivery, mart.participant, mart.attachment, mart.header, mart.hop, mart.defect,
    mart.session, mart.balance, archive.delivery_state;

-- One row for each message whose header block is text: the first step of the recipe that gives its bytes.
create table archive.head (
    message_id bigint primary key references archive.message,
    octets integer not null,
    content text not null
);
comment on column archive.head.message_id is 'The message.';
comment on column archive.head.octets is 'Bytes of the message that it gives.';
comment on column archive.head.content is
    'Its header block with the blank line behind it: UTF-8, its line ends CRLF, each written as LF here.';

-- Text is compressed by Postgres, so that SQL reads it; what is no text, by zstd.
alter table archive.segment
    add text text,
    drop constraint segment_check,
    drop constraint segment_check1,
    add constraint segment_gives_one_thing check (num_nonnulls(content, text, blob_id) = 1),
    add constraint segment_content_says_zstd check ((content is null) = (zstd is null)),
    add constraint segment_blob_has_its_shape check (num_nonnulls(blob_id, line_octets, line_end, final_line_end) in (0, 4));
comment on column archive.segment.text is
    'Bytes that are text: UTF-8, their line ends CRLF, each written as LF here; null for others.';
comment on column archive.segment.content is 'Other literal bytes, at most 1 MiB; null for text and for a blob.';
comment on column archive.segment.zstd is 'Whether content is compressed (zstd, RFC 8878); null where there is none.';

create function archive.fields(head text, out "position" bigint, out name text, out value text)
returns setof record language sql immutable strict parallel safe rows 20
begin atomic
    select n, split_part(line, ':', 1), btrim(substr(line, strpos(line, ':') + 1), E' \t')
    from string_to_table(regexp_replace(rtrim(head, E'\n'), E'\n(?=[ \t])', '', 'g'), E'\n') with ordinality as lines (line, n);
end;
comment on function archive.fields is
    'The fields of a header block as written, unfolded, in order. The parser asks for them alike: etl/archive/fields.py.';

alter table archive.reading
    alter headers drop not null,
    alter body drop not null,
    add decoded jsonb;
comment on column archive.reading.headers is
    'Every header as [name, decoded value], in order and repeated as it came; null where archive.fields() of its head tells.';
comment on column archive.reading.decoded is
    'With archive.fields(): {position: value} of the fields that a reader sees otherwise than written; null for none.';
comment on column archive.reading.body is
    'The text as a reader sees it, HTML made text; null where it is the text among the message''s segments.';

-- A hop is read with its message and never looked for alone: an array costs half of what rows and their key do.
create type archive.relay as (from_host text, by_host text, protocol text, at timestamptz);
comment on type archive.relay is 'A server that passed a message on, as its Received header tells: clauses from, by, with, and date.';
alter table archive.reading add hops archive.relay[] not null default '{}';
update archive.reading r set hops = h.hops
from (
    select message_id, array_agg(row(from_host, by_host, protocol, at)::archive.relay order by position) as hops
    from archive.hop group by message_id
) h
where h.message_id = r.message_id;
alter table archive.reading alter hops drop default;
comment on column archive.reading.hops is 'The Received headers, the hop nearest the sender first.';
drop table archive.hop;

create type archive.role as enum ('from', 'sender', 'reply-to', 'to', 'cc', 'bcc', 'delivered-to');
comment on type archive.role is 'Which address header an address stands in.';
alter table archive.participant
    alter role type archive.role using role::archive.role,
    alter written drop not null,
    drop domain;
update archive.participant set written = null where written = address;
comment on column archive.participant.role is 'Which address header it stands in.';
comment on column archive.participant.written is 'Address as written; null where that is in lower case already.';

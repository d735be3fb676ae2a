-- What messages have to do with each other, and how each was sent.

create schema threads;
comment on schema threads is 'Which messages belong together: joined beside the load, and made again at will.';

-- One row for each view that popvault made: the next version drops these, and none of anybody else's.
create table ops.view (name text primary key);
comment on column ops.view.name is 'Its name, with its schema.';

-- One row for each message that a machine sent, as far as its headers tell, or that carries Outlook's Thread-Index.
create table archive.manner (
    message_id bigint primary key references archive.message,
    automatic text,
    thread_index bytea
);
create index on archive.manner using hash (thread_index) where thread_index is not null;
comment on column archive.manner.message_id is 'The message.';
comment on column archive.manner.automatic is
    'The first header that tells that a machine sent it: auto-submitted, x-autoreply and the like, precedence, return-path (<>), content-type (multipart/report); else null.';
comment on column archive.manner.thread_index is
    'Outlook''s Thread-Index: 22 bytes for the conversation, 5 more for each answer; null where there is none, or none that can be one.';

-- Not strict: it is planned as part of the query that calls it.
create function archive.domain_of(address text) returns text language sql immutable parallel safe
return case when strpos(address, '@') > 0 then split_part(address, '@', -1) end;
comment on function archive.domain_of is 'What stands behind the last @ of an address; null for a name alone.';

-- As the views show it: null for a name alone.
drop index archive.participant_address_idx;
create index on archive.participant using hash (nullif(address, ''));

-- Analysts know a file by its SHA-256 in hexadecimal.
drop index archive.part_sha256_idx;
create index on archive.part (encode(sha256, 'hex')) where attachment;

-- A thread's number is the smallest key in it, whatever the order of arrival. Keys are hashes, so the smallest
-- is anybody's: of n keys that come one by one, each changes the number of its thread with a chance of 1/n only.
create function threads.hashed(content bytea) returns bigint language sql immutable strict parallel safe
return cast(cast('x' || encode(substr(sha256(content), 1, 8), 'hex') as bit(64)) as bigint) & 9223372036854775807;
comment on function threads.hashed is 'The first 63 bits of the SHA-256: ids of 16 kB are no keys of an index.';

create function threads.key_of(id text) returns bigint language sql immutable strict parallel safe
return threads.hashed(convert_to(
    coalesce(substring(id from '<[^<>\s]*@[^<>\s]*>'), '<' || substring(id from '[^<>\s]+@[^<>\s]+') || '>'), 'UTF8'));
comment on function threads.key_of is
    'The key of a Message-ID, also where it stands without brackets; null for what has no @, as <yes>: only with one is an id the same thing for all who name it.';

create function threads.key_of_conversation(thread_index bytea) returns bigint language sql immutable strict parallel safe
return threads.hashed(convert_to('Thread-Index ', 'UTF8') || substr(thread_index, 7, 16));
comment on function threads.key_of_conversation is 'The key of an Outlook conversation: its GUID ([MS-OXOMSG] 2.2.1.3).';

-- A key: an id in References or In-Reply-To, archived or not, the id of who has these headers, an Outlook conversation.
-- One row for each key that joins messages.
create table threads.key (
    key bigint primary key,
    thread_id bigint not null
);
create index on threads.key (thread_id);
comment on column threads.key.key is 'The key.';
comment on column threads.key.thread_id is 'The thread: its smallest key.';

-- One row for each message that has been given its thread.
create table threads.member (
    message_id bigint primary key references archive.message,
    thread_id bigint not null
);
create index on threads.member (thread_id);
comment on column threads.member.message_id is 'The message.';
comment on column threads.member.thread_id is
    'The thread: the smallest key of its messages and of the ids that they name. A late message that joins two threads changes it.';

-- One row for each load of messages that wait to be given their threads.
create table threads.pending (message_ids bigint[] not null);
comment on column threads.pending.message_ids is 'The messages.';

create function threads.await() returns trigger language plpgsql security definer set search_path = '' as $$
begin
    insert into threads.pending (message_ids) select pg_catalog.array_agg(message_id) from added having count(*) > 0;
    return null;
end $$;
comment on function threads.await is 'Puts messages that were read in line for their threads.';

create trigger await_threads after insert on archive.reading
referencing new table as added for each statement execute function threads.await();

-- What was archived before there were threads.
insert into threads.pending (message_ids)
select array_agg(message_id) from archive.reading group by message_id / 128;

create function threads.business_seconds(since timestamp, until timestamp, opens time, closes time)
returns double precision language sql immutable strict parallel safe
return (
    -- Open seconds from Monday, 2001-01-01 to each of the two: full weeks, full days, and what of the day is over.
    select max(total) - min(total) from (
        select extract(epoch from closes - opens) * (
                   5 * floor(days / 7) + least(days - 7 * floor(days / 7), 5)
                   + case when days - 7 * floor(days / 7) < 5
                     then least(greatest(extract(epoch from cast(at as time) - opens) / extract(epoch from closes - opens), 0), 1)
                     else 0 end
               ) as total
        from (values (since), (until)) as ends (at), lateral (select cast(at as date) - date '2001-01-01' as days) as d
    ) as t
);
comment on function threads.business_seconds is
    'Seconds between two local times that lie between opens and closes, Monday to Friday; holidays count as days of work.';

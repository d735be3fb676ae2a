-- Which messages are the same mail, though their bytes differ. A relation to read, never a merge: both stay what they are.

create or replace function mart.traits(
    message bigint, out fields text[], out but_received text[], out files bytea[], out encodings text[], out words text
) language sql stable parallel safe as $$
    select (select array_agg(lower(name) || ':' || value order by position) from mart.header where message_id = message),
           (select array_agg(lower(name) || ':' || value order by position) from mart.header
            where message_id = message and lower(name) <> 'received'),
           (select array_agg(sha256 order by sha256) from archive.part where message_id = message and attachment),
           (select array_agg(concat_ws(' ', charset, transfer_encoding) order by path) from archive.part
            where message_id = message),
           (select btrim(regexp_replace(body, '\s+', ' ', 'g')) from mart.body where message_id = message)
$$;
comment on function mart.traits is 'What mart.same_as compares of a message: headers, files, encodings, and its text without regard to blanks.';

create view mart.same_as with (security_invoker) as
with pairs as (
    select r.message_id, o.original_id, 'canonical' as identity
    from archive.reading r
    join (
        select canonical_sha256, min(message_id) as original_id from archive.reading
        group by canonical_sha256 having count(*) > 1
    ) o on o.canonical_sha256 = r.canonical_sha256 and o.original_id < r.message_id
    union all
    select r.message_id, o.message_id, 'message-id'
    from archive.reading r
    join (
        select message_id_header, min(message_id) as original_id from archive.reading
        where message_id_header <> '' group by message_id_header having count(*) > 1
    ) i on i.message_id_header = r.message_id_header and i.original_id < r.message_id
    join archive.reading o on o.message_id = i.original_id and o.canonical_sha256 is distinct from r.canonical_sha256
)
select p.message_id, p.original_id, p.identity,
       case
           when p.identity = 'canonical' and m.fields = o.fields then 'line ends'
           when p.identity = 'canonical' and m.but_received = o.but_received then 'new Received'
           when p.identity = 'canonical' then 'delivery headers'
           when m.files is distinct from o.files then 'other content'
           when m.words = o.words and m.encodings is distinct from o.encodings then 're-encoded'
           when m.words = o.words then 'other headers'
           when o.words <> '' and starts_with(m.words, o.words) then 'footer added'
           when m.words <> '' and starts_with(o.words, m.words) then 'footer removed'
           else 'other content'
       end as reason
from pairs p, mart.traits(p.message_id) m, mart.traits(p.original_id) o;
comment on view mart.same_as is 'One row for each message that is the same mail as an earlier one, by each identity that says so.';
comment on column mart.same_as.message_id is 'The message.';
comment on column mart.same_as.original_id is 'The first message in the archive that it is the same as.';
comment on column mart.same_as.identity is
    'canonical: the same but for line ends, folds, and what servers add on the way; message-id: the same Message-ID, other content or headers.';
comment on column mart.same_as.reason is
    'What differs. canonical: line ends, new Received, delivery headers. message-id: re-encoded, footer added, footer removed, other headers, other content.';

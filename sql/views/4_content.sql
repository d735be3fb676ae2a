-- What is in messages: texts, headers, attachments, and what is wrong with them. Rights are the caller's (security_invoker).

create view mart.body with (security_invoker) as
select r.message_id, coalesce(r.body, (
    select string_agg(s.text, '' order by s.position) from archive.segment s where s.message_id = r.message_id)) as body
from archive.reading r;
comment on view mart.body is 'One row for each distinct message: its text. Apart from mart.message, for reading mail is another right than counting it.';
comment on column mart.body.message_id is 'The message.';
comment on column mart.body.body is 'Text as a reader sees it; HTML made text.';

create view mart.header with (security_invoker) as
select r.message_id, f.position, f.name, coalesce(r.decoded ->> cast(f.position as text), f.value) as value
from archive.reading r join archive.head h using (message_id), archive.fields(h.content) as f
where r.headers is null
union all
select r.message_id, h.position, h.pair ->> 0, h.pair ->> 1
from archive.reading r, jsonb_array_elements(r.headers) with ordinality as h (pair, position);
comment on view mart.header is 'One row for each header of a message, in order and repeated as it came.';
comment on column mart.header.message_id is 'The message.';
comment on column mart.header.position is 'Place of the header, from 1.';
comment on column mart.header.name is 'Name as written; compare with lower(name).';
comment on column mart.header.value is 'Value, unfolded and decoded.';

create view mart.attachment with (security_invoker) as
select message_id, path, filename, content_type, octets, encode(sha256, 'hex') as sha256, disposition,
       coalesce(safe_name, filename) as safe_name, sniffed_type, protection, protected_by, packing
from archive.part where attachment;
comment on view mart.attachment is
    'One row for each attachment of a message; for those packed in one (winmail.dat) or in the text (uuencode), too.';
comment on column mart.attachment.message_id is 'The message.';
comment on column mart.attachment.path is 'Its place in the message: 1.2 is the second part, 1.2/1 the first file packed in that.';
comment on column mart.attachment.filename is 'File name, decoded; null where it has none; not safe as a path.';
comment on column mart.attachment.content_type is 'Declared type.';
comment on column mart.attachment.octets is 'Size in bytes, decoded.';
comment on column mart.attachment.sha256 is 'SHA-256 of the decoded content, in hexadecimal: the same file has the same hash everywhere.';
comment on column mart.attachment.disposition is 'inline, attachment or other; null where not declared.';
comment on column mart.attachment.safe_name is
    'Name for a disk: no separators, controls or names of devices, never empty; not unique within the message.';
comment on column mart.attachment.sniffed_type is 'Type that its first bytes show; null where they show none: of plain text, and of a PDF, ZIP or picture that does not begin as one. A type has several names: that it differs from content_type proves nothing alone.';
comment on column mart.attachment.protection is 'signed or encrypted; null for neither.';
comment on column mart.attachment.protected_by is 'By what: pgp, smime, password (a locked ZIP, PDF or Office file), or another protocol; null for nothing.';
comment on column mart.attachment.packing is 'How a part held the file: tnef (winmail.dat) or uuencode; null for a part of its own.';

create view mart.hop with (security_invoker) as
select r.message_id, h.position - 1 as position, h.from_host, h.by_host, h.protocol, h.at
from archive.reading r, unnest(r.hops) with ordinality as h (from_host, by_host, protocol, at, position);
comment on view mart.hop is 'One row for each server that passed a message on (Received).';
comment on column mart.hop.message_id is 'The message.';
comment on column mart.hop.position is '0 is the hop nearest the sender.';
comment on column mart.hop.from_host is 'Who handed it over; null where the server did not say.';
comment on column mart.hop.by_host is 'Who took it; null likewise.';
comment on column mart.hop.protocol is 'How; null likewise.';
comment on column mart.hop.at is 'When; null where the server did not say, or nobody can read it.';

create view mart.defect with (security_invoker) as
select message_id, kind, place, detail, offset_octets from archive.defect;
comment on view mart.defect is 'One row for each thing that is wrong with a message; of more than 100 of a kind, for the first 100, and one that says how many.';
comment on column mart.defect.message_id is 'The message.';
comment on column mart.defect.kind is
    'What kind: date, received, address, charset and the like; names in -Defect are of the structure (Python''s email.errors).';
comment on column mart.defect.place is 'Path of the part, or name of the header in lower case.';
comment on column mart.defect.detail is 'What was found.';
comment on column mart.defect.offset_octets is
    'Where in the message that part or header begins, in octets from 0; null where it is not known.';

create view mart.date_candidate with (security_invoker) as
select r.message_id, c.source, c.position, c.written, c.at, c.offset_minutes, c.chosen,
       case when not c.chosen then null
            when c.source = 'date' and first_hop.position is null then 'no hop says when'
            when c.source = 'date' then 'a hop agrees'
            when r.date_written is null then 'there is no Date'
            when r.date_at is null then 'the Date is none'
            else 'no hop agrees to the Date' end as reason
from archive.reading r
join archive.message m using (message_id)
cross join lateral (
    select min(h.position) as position from unnest(r.hops) with ordinality as h (from_host, by_host, protocol, at, position)
    where h.at is not null
) as first_hop
cross join lateral (
    select 'date' as source, cast(0 as bigint) as position, r.date_written as written, r.date_at as at,
           r.date_offset_minutes as offset_minutes, coalesce(r.sent_at_source = 'date', false) as chosen
    where r.date_written is not null
    union all
    select 'received', h.position - 1, t.written, h.at,
           cast(left(t.zone, 1) || '1' as integer)
               * (60 * cast(substr(t.zone, 2, 2) as integer) + cast(substr(t.zone, 4, 2) as integer)),
           coalesce(r.sent_at_source = 'received' and h.position = first_hop.position, false)
    from unnest(r.hops) with ordinality as h (from_host, by_host, protocol, at, position)
    left join (
        -- A hop's date stands behind its last semicolon (RFC 5321 section 4.4); -0000 tells no offset.
        select row_number() over (order by f.position desc) as position, btrim(substring(f.value from ';([^;]*)$')) as written,
               nullif(substring(f.value from ';[^;]* ([+-][0-9]{4})[^;0-9]*$'), '-0000') as zone
        from mart.header f where f.message_id = r.message_id and lower(f.name) = 'received'
    ) as t on t.position = h.position
    union all
    select 'archived', 0, null, m.archived_at, null, false
) as c;
comment on view mart.date_candidate is
    'One row for each date that a message could have: its Date header, each hop, and when it was archived, which is never chosen.';
comment on column mart.date_candidate.message_id is 'The message.';
comment on column mart.date_candidate.source is 'date (its Date header), received (a hop) or archived.';
comment on column mart.date_candidate.position is 'Place among those of its source; of hops, 0 is the one nearest the sender.';
comment on column mart.date_candidate.written is 'As written; null for archived.';
comment on column mart.date_candidate.at is 'As a time; null where it cannot be read.';
comment on column mart.date_candidate.offset_minutes is 'Its offset in minutes east of UTC; null where it is not told.';
comment on column mart.date_candidate.chosen is 'Whether it is mart.message.sent_at.';
comment on column mart.date_candidate.reason is
    'Why it was chosen: a hop agrees (lies at most 2 days before it and 30 days behind it), no hop says when, there is no Date, the Date is none, no hop agrees to the Date. Null where it was not: mart.defect says why, of kind date.';

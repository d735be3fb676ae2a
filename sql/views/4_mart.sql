-- What analysts use: plain rows, no MIME knowledge needed. Rights are the caller's (security_invoker).

create or replace view mart.message with (security_invoker) as
select m.message_id, encode(m.sha256, 'hex') as sha256, m.octets, m.archived_at,
       r.sent_at, r.sent_at_source, r.date_offset_minutes, f.name as from_name,
       nullif(f.address, '') as from_address,
       case when strpos(f.address, '@') > 0 then split_part(f.address, '@', -1) end as from_domain, r.subject, r.message_id_header, r.in_reply_to, r."references",
       (select count(*) from archive.part p where p.message_id = m.message_id and p.attachment) as attachments,
       (select count(*) from archive.defect d where d.message_id = m.message_id) as defects,
       (select min(p.protection) from archive.part p
        where p.message_id = m.message_id and p.protected_by <> 'password'
          and (p.protected_by = 'smime' or not p.attachment)) as protection,
       (select string_agg(distinct p.protected_by, ', ' order by p.protected_by) from archive.part p
        where p.message_id = m.message_id and p.protected_by <> 'password'
          and (p.protected_by = 'smime' or not p.attachment)) as protected_by
from archive.message m
join archive.reading r using (message_id)
left join lateral (
    select p.name, p.address from archive.participant p
    where p.message_id = m.message_id and p.role = 'from' order by p.position limit 1
) f on true;
comment on view mart.message is 'One row for each distinct message, however many mailboxes held it.';
comment on column mart.message.message_id is 'Number of the message in this archive; joins all views of mart.';
comment on column mart.message.sha256 is 'SHA-256 of its bytes, in hexadecimal: the name of its exported file.';
comment on column mart.message.octets is 'Size in bytes.';
comment on column mart.message.archived_at is 'When the archive committed it.';
comment on column mart.message.sent_at is 'When it was sent, as far as known; null where nothing tells.';
comment on column mart.message.sent_at_source is 'Where sent_at comes from: date (its Date header) or received (its first hop).';
comment on column mart.message.date_offset_minutes is 'The sender''s clock, in minutes east of UTC; null where not known.';
comment on column mart.message.from_name is 'Display name of its first From address.';
comment on column mart.message.from_address is 'Its first From address, in lower case; null where there is a name alone.';
comment on column mart.message.from_domain is 'Domain of that address, as DNS has it.';
comment on column mart.message.subject is 'Subject, decoded.';
comment on column mart.message.message_id_header is 'Message-ID header as written; not unique.';
comment on column mart.message.in_reply_to is 'Message-ID that it answers, if any.';
comment on column mart.message."references" is 'Message-IDs of its thread, oldest first.';
comment on column mart.message.attachments is 'Number of attachments.';
comment on column mart.message.defects is 'Number of things that are wrong with it; see mart.defect.';
comment on column mart.message.protection is
    'encrypted where it or a part of it is, a forwarded message too, else signed where one is; null for neither. Attachments apart.';
comment on column mart.message.protected_by is 'By what: pgp, smime, or another protocol; several are listed.';

create or replace view mart.body with (security_invoker) as
select r.message_id, coalesce(r.body, (
    select string_agg(s.text, '' order by s.position) from archive.segment s where s.message_id = r.message_id)) as body
from archive.reading r;
comment on view mart.body is 'One row for each distinct message: its text.';
comment on column mart.body.message_id is 'The message.';
comment on column mart.body.body is 'Text as a reader sees it; HTML made text.';

create or replace view mart.delivery with (security_invoker) as
select s.delivery_id, b.name as mailbox, s.message_id, s.uidl, s.outcome, s.outcome_at, s.reason, s.listed_at,
       s.listed_octets, s.present, s.outcome_octets as octets
from archive.delivery_state s join archive.mailbox b using (mailbox_id);
comment on view mart.delivery is 'One row for each message in each mailbox: what the server listed, and what became of it.';
comment on column mart.delivery.delivery_id is 'Number of the delivery.';
comment on column mart.delivery.mailbox is 'Name of the mailbox.';
comment on column mart.delivery.message_id is 'The message; null unless the outcome is archived or duplicate.';
comment on column mart.delivery.uidl is 'The server''s unique id for it.';
comment on column mart.delivery.outcome is 'archived, duplicate, quarantined, excluded, vanished or pending.';
comment on column mart.delivery.outcome_at is 'When it got this outcome.';
comment on column mart.delivery.reason is 'Why, in words; null where the outcome says it all.';
comment on column mart.delivery.listed_at is 'When the server listed it first.';
comment on column mart.delivery.listed_octets is 'Size that the server claimed.';
comment on column mart.delivery.octets is 'Bytes retrieved; for excluded, how large it is at least.';
comment on column mart.delivery.present is 'Whether the server still had it at the last listing.';

create or replace view mart.participant with (security_invoker) as
select message_id, position, cast(role as text) as role, name, nullif(address, '') as address,
       case when strpos(address, '@') > 0 then split_part(address, '@', -1) end as domain,
       nullif(coalesce(written, address), '') as written, group_name
from archive.participant;
comment on view mart.participant is 'One row for each address in each address header of a message.';
comment on column mart.participant.message_id is 'The message.';
comment on column mart.participant.position is 'Place among all addresses of the message, from 0.';
comment on column mart.participant.role is 'from, sender, reply-to, to, cc, bcc or delivered-to.';
comment on column mart.participant.name is 'Display name, decoded.';
comment on column mart.participant.address is
    'Address in lower case, its domain as DNS has it; null for a name, or a group of nobody, alone.';
comment on column mart.participant.domain is 'Its domain, as DNS has it: xn--bcher-kva.example for bücher.example.';
comment on column mart.participant.written is 'Address as written.';
comment on column mart.participant.group_name is
    'Name of the group that it stands in, as undisclosed-recipients; null where it stands in none.';

create or replace view mart.attachment with (security_invoker) as
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
comment on column mart.attachment.sniffed_type is 'Type that its first bytes show; null where they show none, as of plain text.';
comment on column mart.attachment.protection is 'signed or encrypted; null for neither.';
comment on column mart.attachment.protected_by is 'By what: pgp, smime, password (a locked ZIP, PDF or Office file), or another protocol.';
comment on column mart.attachment.packing is 'How a part held the file: tnef (winmail.dat) or uuencode; null for a part of its own.';

create or replace view mart.header with (security_invoker) as
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

create or replace view mart.hop with (security_invoker) as
select r.message_id, h.position - 1 as position, h.from_host, h.by_host, h.protocol, h.at
from archive.reading r, unnest(r.hops) with ordinality as h (from_host, by_host, protocol, at, position);
comment on view mart.hop is 'One row for each server that passed a message on (Received).';
comment on column mart.hop.message_id is 'The message.';
comment on column mart.hop.position is '0 is the hop nearest the sender.';
comment on column mart.hop.from_host is 'Who handed it over.';
comment on column mart.hop.by_host is 'Who took it.';
comment on column mart.hop.protocol is 'How.';
comment on column mart.hop.at is 'When.';

create or replace view mart.defect with (security_invoker) as
select message_id, kind, place, detail, offset_octets from archive.defect;
comment on view mart.defect is 'One row for each thing that is wrong with a message.';
comment on column mart.defect.message_id is 'The message.';
comment on column mart.defect.kind is 'What kind of defect.';
comment on column mart.defect.place is 'Path of the part, or name of the header in lower case.';
comment on column mart.defect.detail is 'What was found.';
comment on column mart.defect.offset_octets is
    'Where in the message that part or header begins, in octets from 0; null where it is not known.';

create or replace view mart.date_candidate with (security_invoker) as
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
    'Why it was chosen; null where not. A Date counts unless all hops lie over 30 days behind it or 2 before it.';

create or replace view mart.session with (security_invoker) as
select s.session_id, s.run_id, b.name as mailbox, s.host, s.port, s.username, s.tls_version, s.mechanism, s.began_at,
       s.ended_at, s.listed, s.listing_doubted, s.quit_accepted, s.failure
from ops.session s join archive.mailbox b using (mailbox_id);
comment on view mart.session is 'One row for each login to a mailbox: when, where, and how it ended.';
comment on column mart.session.session_id is 'Number of the session.';
comment on column mart.session.run_id is 'The run it belongs to.';
comment on column mart.session.mailbox is 'Name of the mailbox.';
comment on column mart.session.host is 'Server connected to.';
comment on column mart.session.port is 'Port connected to.';
comment on column mart.session.username is 'Account logged in as.';
comment on column mart.session.tls_version is 'TLS version; null for clear text.';
comment on column mart.session.mechanism is 'How it logged in.';
comment on column mart.session.began_at is 'When the login had gone through.';
comment on column mart.session.ended_at is 'When it ended; null while it runs or if it was killed.';
comment on column mart.session.listed is 'Messages that the server listed.';
comment on column mart.session.listing_doubted is 'True where an empty listing after a full one was not believed.';
comment on column mart.session.quit_accepted is 'Whether QUIT was accepted; null where it was never sent.';
comment on column mart.session.failure is 'What cut it short; null if nothing did.';

-- Messages, and who wrote them to whom.

create view mart.message with (security_invoker) as
select m.message_id,
       -- Null in what an older parser read: then it is its own.
       coalesce((select min(o.message_id) from archive.reading o where o.canonical_sha256 = r.canonical_sha256),
                m.message_id) as mail_id,
       encode(m.sha256, 'hex') as sha256, m.octets, m.archived_at,
       r.sent_at, r.sent_at_source, r.date_offset_minutes, f.name as from_name,
       nullif(f.address, '') as from_address, archive.domain_of(f.address) as from_domain,
       r.subject, r.message_id_header, r.in_reply_to, r."references",
       t.thread_id,
       exists (select from archive.manner n where n.message_id = m.message_id and n.automatic is not null) as automatic,
       exists (
           select from mart.header h
           where h.message_id = m.message_id
             and (lower(h.name) in ('list-id', 'list-post', 'list-unsubscribe', 'mailing-list', 'x-mailing-list')
                  or lower(h.name) = 'precedence' and lower(h.value) in ('bulk', 'list', 'junk'))
       ) as bulk,
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
left join threads.member t using (message_id)
left join lateral (
    select p.name, p.address from archive.participant p
    where p.message_id = m.message_id and p.role = 'from' order by p.position limit 1
) f on true;
comment on view mart.message is 'One row for each distinct message, however many mailboxes held it.';
comment on column mart.message.message_id is 'Number of the message in this archive; joins all views of mart.';
comment on column mart.message.mail_id is
    'The first message that is the same mail but for the way it came (other Received, line ends). Count distinct mail_id to count a mail once; where message_id = mail_id lists it once.';
comment on column mart.message.sha256 is 'SHA-256 of its bytes, in hexadecimal: the name of its exported file.';
comment on column mart.message.octets is 'Size in bytes.';
comment on column mart.message.archived_at is 'When the archive committed it.';
comment on column mart.message.sent_at is 'When it was sent, as far as known; null where nothing tells.';
comment on column mart.message.sent_at_source is 'Where sent_at comes from: date (its Date header) or received (its first hop); null where nothing tells.';
comment on column mart.message.date_offset_minutes is 'The sender''s clock, in minutes east of UTC; null where not known.';
comment on column mart.message.from_name is 'Display name of its first From address; empty where there is none, null without From.';
comment on column mart.message.from_address is 'Its first From address, in lower case; null where there is a name alone, or no From.';
comment on column mart.message.from_domain is 'Domain of that address, as DNS has it; null where that is, or has no @.';
comment on column mart.message.subject is 'Subject, decoded; null where there is none.';
comment on column mart.message.message_id_header is 'Message-ID header as written; not unique, null where there is none.';
comment on column mart.message.in_reply_to is 'Message-ID that it answers; null where it names none.';
comment on column mart.message."references" is 'Message-IDs of its thread, oldest first; empty where it names none.';
comment on column mart.message.thread_id is 'Its thread: see mart.thread. Null for the moment between archiving and joining.';
comment on column mart.message.automatic is 'Whether its headers tell that a machine sent it: an answer from an absent person, a delivery report, a receipt.';
comment on column mart.message.bulk is 'Whether its headers tell that it went to many: a mailing list, a newsletter.';
comment on column mart.message.attachments is 'Number of attachments.';
comment on column mart.message.defects is 'Number of things that are wrong with it, as mart.defect has them.';
comment on column mart.message.protection is
    'encrypted where it or a part of it is, a forwarded message too, else signed where one is; null for neither. Attachments do not count: mart.attachment has its own.';
comment on column mart.message.protected_by is 'By what: pgp, smime, or another protocol; several are listed; null for nothing.';

create view mart.participant with (security_invoker) as
select message_id, position, cast(role as text) as role, name, nullif(address, '') as address,
       archive.domain_of(address) as domain,
       nullif(coalesce(written, address), '') as written, group_name
from archive.participant;
comment on view mart.participant is 'One row for each address in each address header of a message.';
comment on column mart.participant.message_id is 'The message.';
comment on column mart.participant.position is 'Place among all addresses of the message, from 0.';
comment on column mart.participant.role is 'from, sender, reply-to, to, cc, bcc or delivered-to.';
comment on column mart.participant.name is 'Display name, decoded; empty where there is none.';
comment on column mart.participant.address is
    'Address in lower case, its domain as DNS has it; null for a name, or a group of nobody, alone.';
comment on column mart.participant.domain is 'Its domain, as DNS has it: xn--bcher-kva.example for bücher.example; null for what has no @.';
comment on column mart.participant.written is 'Address as written; null where there is none.';
comment on column mart.participant.group_name is
    'Name of the group that it stands in, as undisclosed-recipients; null where it stands in none.';

create view mart.edge with (security_invoker) as
select s.message_id,
       coalesce((select min(o.message_id) from archive.reading o where o.canonical_sha256 = r.canonical_sha256),
                s.message_id) as mail_id,
       r.sent_at, nullif(s.address, '') as sender, archive.domain_of(s.address) as sender_domain,
       nullif(t.address, '') as recipient, archive.domain_of(t.address) as recipient_domain, cast(t.role as text) as role
from archive.participant s
join archive.participant t using (message_id)
join archive.reading r using (message_id)
where s.role = 'from' and t.role in ('to', 'cc', 'bcc')
  and nullif(s.address, '') is not null and nullif(t.address, '') is not null;
comment on view mart.edge is
    'One row for each sender and recipient of a message, and the role of the recipient: who wrote to whom. A message may name an address twice, and come twice: count distinct mail_id.';
comment on column mart.edge.message_id is 'The message.';
comment on column mart.edge.mail_id is 'The first message that is the same mail but for the way it came: copies share it. Count distinct mail_id, or take the rows where message_id = mail_id.';
comment on column mart.edge.sent_at is 'When it was sent, as far as known; null where nothing tells.';
comment on column mart.edge.sender is 'Who wrote: an address in From, in lower case.';
comment on column mart.edge.sender_domain is 'Domain of the sender; null for what has no @.';
comment on column mart.edge.recipient is 'To whom: an address in To, Cc or Bcc, in lower case.';
comment on column mart.edge.recipient_domain is 'Domain of the recipient; null for what has no @.';
comment on column mart.edge.role is 'to, cc or bcc. Blind copies are seen only where a message still names them.';

create view mart.address with (security_invoker) as
select nullif(p.address, '') as address, archive.domain_of(p.address) as domain, max(p.name) as name,
       count(distinct coalesce(r.canonical_sha256, int8send(r.message_id))) filter (where p.role = 'from') as sent,
       count(distinct coalesce(r.canonical_sha256, int8send(r.message_id)))
           filter (where p.role in ('to', 'cc', 'bcc')) as received,
       min(r.sent_at) filter (where p.role = 'from') as first_sent_at,
       min(r.sent_at) filter (where p.role in ('to', 'cc', 'bcc')) as first_received_at,
       min(r.sent_at) as first_at, max(r.sent_at) as last_at
from archive.participant p join archive.reading r using (message_id)
where nullif(p.address, '') is not null
group by nullif(p.address, ''), archive.domain_of(p.address);
comment on view mart.address is 'One row for each address that occurs in a message.';
comment on column mart.address.address is 'Address in lower case.';
comment on column mart.address.domain is 'Its domain; null for what has no @.';
comment on column mart.address.name is 'A display name that it was written with; empty where there never was one.';
comment on column mart.address.sent is 'Mails that it sent (From), copies of one counted once.';
comment on column mart.address.received is 'Mails sent to it (To, Cc, Bcc), likewise.';
comment on column mart.address.first_sent_at is 'When it first wrote (From); null where it never did, or no date tells.';
comment on column mart.address.first_received_at is 'When it was first written to (To, Cc, Bcc); null likewise.';
comment on column mart.address.first_at is
    'When the first message was sent in which it occurs in any role, reply-to and delivered-to too; null where no date tells.';
comment on column mart.address.last_at is 'When the last was, in any role; null likewise.';

create view mart.domain with (security_invoker) as
select archive.domain_of(p.address) as domain, count(distinct p.address) as addresses,
       count(distinct coalesce(r.canonical_sha256, int8send(r.message_id))) filter (where p.role = 'from') as sent,
       count(distinct coalesce(r.canonical_sha256, int8send(r.message_id)))
           filter (where p.role in ('to', 'cc', 'bcc')) as received,
       min(r.sent_at) filter (where p.role = 'from') as first_sent_at,
       min(r.sent_at) filter (where p.role in ('to', 'cc', 'bcc')) as first_received_at,
       min(r.sent_at) as first_at, max(r.sent_at) as last_at
from archive.participant p join archive.reading r using (message_id)
where p.address like '%@%'
group by archive.domain_of(p.address);
comment on view mart.domain is 'One row for each domain of an address that occurs in a message.';
comment on column mart.domain.domain is 'The domain, in lower case; empty for an address that ends with its @.';
comment on column mart.domain.addresses is 'Addresses of it that occur.';
comment on column mart.domain.sent is 'Mails that came from it (From), copies of one counted once.';
comment on column mart.domain.received is 'Mails sent to it (To, Cc, Bcc), likewise.';
comment on column mart.domain.first_sent_at is 'When it first wrote (From); null where it never did, or no date tells.';
comment on column mart.domain.first_received_at is 'When it was first written to (To, Cc, Bcc); null likewise.';
comment on column mart.domain.first_at is
    'When the first message was sent in which it occurs in any role, reply-to and delivered-to too; null where no date tells.';
comment on column mart.domain.last_at is 'When the last was, in any role; null likewise.';

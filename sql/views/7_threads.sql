-- Messages that answer each other.

create view mart.reply with (security_invoker) as
select r.message_id,
       -- Copies of a mail share its answers: each is told of the first copy.
       coalesce((select min(o.message_id) from archive.reading o where o.canonical_sha256 = p.canonical_sha256),
                p.message_id) as parent_message_id,
       t.thread_id, nullif(f.address, '') as from_address,
       archive.domain_of(f.address) as from_domain, nullif(g.address, '') as parent_from_address,
       archive.domain_of(g.address) as parent_from_domain, r.sent_at, p.sent_at as parent_sent_at,
       extract(epoch from r.sent_at - p.sent_at) as seconds,
       sign(extract(epoch from r.sent_at - p.sent_at)) * threads.business_seconds(
           p.sent_at at time zone 'UTC' + o.east, r.sent_at at time zone 'UTC' + o.east, time '09:00', time '17:00'
       ) as business_seconds,
       exists (select from archive.manner n where n.message_id = r.message_id and n.automatic is not null) as automatic
from archive.reading r
left join threads.member t using (message_id)
cross join lateral (
    -- The parent is named by In-Reply-To, else by the last of References, else it is what Outlook's index continues.
    -- Of copies with the same Message-ID the one sent first, and of these one, whatever came first.
    select c.message_id, c.sent_at, c.canonical_sha256 from (
        select p.message_id, p.sent_at, p.canonical_sha256 from archive.reading p
        where p.message_id_header = coalesce(r.in_reply_to, r."references"[cardinality(r."references")])
        union all
        select p.message_id, p.sent_at, p.canonical_sha256
        from archive.manner n
        join archive.manner a on a.thread_index = substr(n.thread_index, 1, octet_length(n.thread_index) - 5)
        join archive.reading p on p.message_id = a.message_id
        where n.message_id = r.message_id and octet_length(n.thread_index) > 22
          and r.in_reply_to is null and r."references" = '{}'
    ) as c join archive.message m using (message_id)
    where c.message_id <> r.message_id and (c.canonical_sha256 = r.canonical_sha256) is not true
    order by c.sent_at, m.sha256 limit 1
) as p
cross join lateral (select make_interval(mins => coalesce(r.date_offset_minutes, 0)) as east) as o
left join lateral (
    select a.address from archive.participant a
    where a.message_id = r.message_id and a.role = 'from' order by a.position limit 1
) as f on true
left join lateral (
    select a.address from archive.participant a
    where a.message_id = p.message_id and a.role = 'from' order by a.position limit 1
) as g on true
-- The first copy alone: an answer that came twice is one.
where not exists (
    select from archive.reading o where o.canonical_sha256 = r.canonical_sha256 and o.message_id < r.message_id);
comment on view mart.reply is 'One row for each mail that answers another one in the archive, by what their headers say, never by subject. Of mail that came in copies the first stands for all, on both sides: join with mart.message.mail_id to find the others.';
comment on column mart.reply.message_id is 'The answer, in its first copy: the mail_id of all its copies.';
comment on column mart.reply.parent_message_id is 'What it answers, in its first copy: the mail_id of all its copies, whichever was answered.';
comment on column mart.reply.thread_id is 'The thread of both; null for the moment between archiving and joining.';
comment on column mart.reply.from_address is 'Who answers; null where From names no address.';
comment on column mart.reply.from_domain is 'Domain of that address; null where that is, or has no @.';
comment on column mart.reply.parent_from_address is 'Who is answered; the same for somebody who adds to what he wrote; null where From names no address.';
comment on column mart.reply.parent_from_domain is 'Domain of that address; null where that is, or has no @.';
comment on column mart.reply.sent_at is 'When the answer was sent; null where nothing tells.';
comment on column mart.reply.parent_sent_at is 'When what it answers was sent; null where nothing tells.';
comment on column mart.reply.seconds is 'Seconds between the two; below 0 where a clock is wrong, null where a date is missing.';
comment on column mart.reply.business_seconds is
    'The seconds of these from 9 to 17 o''clock, Monday to Friday, on the clock of who answers (UTC where that is not known); below 0 and null likewise.';
comment on column mart.reply.automatic is 'Whether a machine answered, as far as its headers tell.';

create view mart.thread with (security_invoker) as
select t.thread_id, (array_agg(t.message_id order by r.sent_at, t.message_id))[1] as first_message_id,
       (array_agg(r.subject order by r.sent_at, t.message_id))[1] as subject,
       count(distinct coalesce(r.canonical_sha256, int8send(t.message_id))) as messages,
       count(distinct nullif(f.address, '')) as senders,
       min(r.sent_at) as first_at, max(r.sent_at) as last_at
from threads.member t
join archive.reading r using (message_id)
left join lateral (
    select a.address from archive.participant a
    where a.message_id = t.message_id and a.role = 'from' order by a.position limit 1
) as f on true
group by t.thread_id;
comment on view mart.thread is
    'One row for each thread: messages that are joined by the ids they name in References and In-Reply-To, or by Outlook''s Thread-Index. A message that is joined with none is a thread of its own.';
comment on column mart.thread.thread_id is
    'Number of the thread: the same whatever came first, another one when a late message joins two threads.';
comment on column mart.thread.first_message_id is 'The message that was sent first, of those in the archive.';
comment on column mart.thread.subject is 'Its subject; null where it has none.';
comment on column mart.thread.messages is 'Mails in the archive; copies that differ only by the way they came count once.';
comment on column mart.thread.senders is 'Addresses that wrote in it (From).';
comment on column mart.thread.first_at is 'When the first was sent; null where nothing tells.';
comment on column mart.thread.last_at is 'When the last was; null where nothing tells.';

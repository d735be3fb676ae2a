-- An example for each view of mart, and how to find what is often sought: they stand in the data dictionary, and a test
-- runs each.

-- find: Mail from outside the house. What has no domain is null, and `not in` a list with a null is never true, so leave nulls out on both sides
select message_id, sent_at, from_address, subject
from mart.message
where from_domain not in (select domain from mart.mailbox where domain is not null) and message_id = mail_id;

-- find: Mail that did not come from a domain, that without a sender too
select message_id, from_name, subject from mart.message where from_domain is distinct from 'example.org';

-- find: Each mail once, though its copies differ by the way they came: the first copy stands for all
select sent_at, from_address, subject from mart.message where message_id = mail_id;

-- find: Which mailboxes a mail lies in, in whichever copy
select distinct d.mailbox
from mart.message m join mart.delivery d using (message_id)
where m.mail_id = (select mail_id from mart.message where message_id = 17);

-- find: Blind copies: mailboxes that have a mail though it names others in To or Cc and not their address (`popvault query blind_copies` also has mail that names nobody there, and leaves out lists)
select distinct m.mail_id, m.subject, b.address
from mart.delivery d
join mart.mailbox b on b.mailbox = d.mailbox and b.address is not null
join mart.message m using (message_id)
where not exists (
    select from mart.participant p
    where p.message_id = d.message_id and p.role in ('from', 'to', 'cc') and p.address = b.address)
  and exists (
    select from mart.participant p
    where p.message_id = d.message_id and p.role in ('to', 'cc') and p.address is not null);

-- find: Attachments whose first bytes are of another kind than declared; types have several names, so name the kind (`popvault query attachments_unlike_their_names` knows those of many, and files that should begin as a ZIP and do not)
select message_id, filename, content_type, sniffed_type
from mart.attachment
where content_type = 'application/pdf' and sniffed_type is distinct from 'application/pdf'
   or content_type like 'image/%' and coalesce(sniffed_type, '') not like 'image/%';

-- find: Mail from outside that nobody of the house answered in its thread (`popvault query unanswered` leaves out what machines and lists sent)
select m.message_id, m.sent_at, m.from_address, m.subject
from mart.message m
where m.from_domain not in (select domain from mart.mailbox where domain is not null) and m.message_id = m.mail_id
  and not exists (
    select from mart.message a
    where a.thread_id = m.thread_id and a.sent_at > m.sent_at and not a.automatic
      and a.from_domain in (select domain from mart.mailbox))
order by m.sent_at;

-- find: Mail sent after hours, on the sender's own clock
select message_id, from_address, sent_at at time zone 'UTC' + make_interval(mins => date_offset_minutes) as at
from mart.message
where extract(isodow from sent_at at time zone 'UTC' + make_interval(mins => date_offset_minutes)) > 5
   or extract(hour from sent_at at time zone 'UTC' + make_interval(mins => date_offset_minutes)) not between 9 and 16;

-- find: What was deleted on the servers, and when it had been archived
select s.mailbox, s.at as deleted_at, a.at as archived_at
from mart.step s join mart.step a on a.delivery_id = s.delivery_id and a.step in ('archived', 'duplicate')
where s.step = 'delete sent';

-- find: Dates that nobody can read, that are missing, or that no hop agrees to
select message_id, kind, place, detail from mart.defect where kind = 'date';

-- find: Mail by mailbox and day, days without any too
select b.mailbox, cast(d as date) as day, coalesce(v.messages, 0) as messages
from mart.mailbox b
cross join generate_series(timestamp '2026-03-02', '2026-03-08', '1 day') as d
left join mart.volume v on v.mailbox = b.mailbox and v.day = cast(d as date)
order by b.mailbox, d;

-- find: Domains that look like another once 0 is o, 1 is l, rn is m (`popvault query lookalike_domains` also knows letters left out, added or swapped)
select a.domain, b.domain as looks_like, a.first_sent_at
from mart.domain a
join mart.domain b on a.domain <> b.domain and a.received < b.received
    and translate(replace(replace(a.domain, 'rn', 'm'), 'vv', 'w'), '01', 'ol')
        = translate(replace(replace(b.domain, 'rn', 'm'), 'vv', 'w'), '01', 'ol')
where a.sent > 0;

-- find: Who was invited to what, and the last answer that each gave; a mail about an event may hold it more than once
select i.summary, i.starts_at, invited, (
    select r.answer from mart.event r join mart.message m using (message_id)
    where r.uid = i.uid and r.method = 'REPLY' and invited = any (r.attendees)
    order by m.sent_at desc nulls last limit 1) as answer
from (select distinct on (uid) * from mart.event where method = 'REQUEST' order by uid, sequence desc nulls last) as i,
     unnest(i.attendees) as invited
order by i.starts_at, invited;

-- find: Mail that bounced, with what had been sent where the archive has that too
select r.final_recipient, r.status, r.diagnostic, o.sent_at, o.subject
from mart.report r
left join mart.message o on o.message_id_header = r.original_message_id and o.message_id = o.mail_id
where r.kind = 'delivery' and r.action = 'failed';

-- find: Mail that was read, as its receipts tell
select o.subject, r.final_recipient, m.sent_at as read_at
from mart.report r
join mart.message m using (message_id)
left join mart.message o on o.message_id_header = r.original_message_id and o.message_id = o.mail_id
where r.kind = 'disposition' and r.action = 'displayed';

-- mart.message: mail of May 2026 from outside, with attachments
select sent_at, from_address, subject, attachments
from mart.message
where sent_at >= '2026-05-01' and sent_at < '2026-06-01' and attachments > 0 and message_id = mail_id
  and from_domain not in (select domain from mart.mailbox where domain is not null)
order by sent_at;

-- mart.body: what was written about a contract
select m.sent_at, m.from_address, b.body
from mart.message m join mart.body b using (message_id)
where m.subject ilike '%contract%'
order by m.sent_at;

-- mart.participant: the messages that name an address, and as what
select m.sent_at, p.role, m.subject
from mart.participant p join mart.message m using (message_id)
where p.address = 'ann@example.org'
order by m.sent_at;

-- mart.edge: who wrote to whom how often, by month
select date_trunc('month', sent_at, 'UTC') as month, sender, recipient, count(distinct mail_id) as messages
from mart.edge
group by month, sender, recipient
order by month, messages desc;

-- mart.address: what is known of one address
select * from mart.address where address = 'ann@example.org';

-- mart.domain: domains that wrote for the first time in the last 30 days
select domain, sent, first_sent_at from mart.domain where first_sent_at > now() - interval '30 days';

-- mart.same_as: mail that came again with other bytes, by reason
select reason, count(*) from mart.same_as group by reason order by count(*) desc;

-- mart.thread: the longest threads
select subject, messages, senders, last_at - first_at as took from mart.thread order by messages desc limit 10;

-- mart.reply: median response time of each person of the house, in business hours
select from_address, percentile_cont(0.5) within group (order by business_seconds) / 3600 as hours
from mart.reply
where from_domain in (select domain from mart.mailbox) and not automatic and seconds >= 0
  and from_address <> parent_from_address
group by from_address;

-- mart.attachment: which mailboxes have a file, whatever it is called there
select distinct d.mailbox, a.filename
from mart.attachment a join mart.delivery d using (message_id)
where a.sha256 like 'a3f5c0f2%';

-- mart.part: messages that are signed, by what
select protected_by, count(distinct message_id) from mart.part where protection = 'signed' group by protected_by;

-- mart.nested_message: mail that somebody of a domain wrote and others forwarded as attachment
select m.sent_at, m.from_address, n.from_address as written_by, n.subject
from mart.nested_message n join mart.message m using (message_id)
where n.from_domain = 'example.net' and n.kind <> 'headers';

-- mart.nested_header: to whom forwarded mail had been addressed
select message_id, path, value from mart.nested_header where lower(name) = 'to';

-- mart.report: recipients that mail could not be delivered to, and why
select final_recipient, status, diagnostic from mart.report where action = 'failed' order by final_recipient;

-- mart.event: meetings that somebody called
select starts_at, summary, location from mart.event where organizer = 'ann@example.org' order by starts_at;

-- mart.header: which programs the mail of a domain was written with
select h.value, count(*)
from mart.message m join mart.header h using (message_id)
where m.from_domain = 'example.org' and lower(h.name) in ('x-mailer', 'user-agent')
group by h.value order by count(*) desc;

-- mart.hop: how long each server held a message
select position, by_host, at - lag(at) over (order by position) as held
from mart.hop where message_id = 17 order by position;

-- mart.date_candidate: messages whose Date was not taken: nobody can read it, or no hop agrees
select m.message_id, m.sent_at, c.written from mart.message m
join mart.date_candidate c using (message_id)
where c.source = 'date' and not c.chosen;

-- mart.defect: the kinds of defect of a sender
select f.kind, count(*)
from mart.defect f join mart.message m using (message_id)
where m.from_domain = 'example.com' group by f.kind;

-- mart.mailbox: the domains of the house
select distinct domain from mart.mailbox where domain is not null;

-- mart.delivery: what was listed and is not archived, and why
select mailbox, uidl, outcome, reason from mart.delivery where outcome not in ('archived', 'duplicate');

-- mart.step: what befell one delivery
select at, step, reason from mart.step where delivery_id = 17 order by step_id;

-- mart.volume: mail of each mailbox in a week
select mailbox, sum(messages) as messages, sum(octets) as octets
from mart.volume where day between '2026-03-02' and '2026-03-08' group by mailbox;

-- mart.session: logins that failed in the last week
select mailbox, began_at, failure from mart.session where failure is not null and began_at > now() - interval '7 days';

-- mart.balance: mailboxes where something is still to be done, or that do not balance
select * from mart.balance where pending > 0 or not balanced;

-- mart.verification: when all was last verified
select max(ended_at) from mart.verification where verified;

-- mart.label: how many messages each label has
select label, count(*) from mart.label group by label;

-- mart.saved_search: searches that were saved, by whom
select name, query, saved_by from mart.saved_search order by name;

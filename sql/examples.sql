-- An example for each view of mart: they stand in the data dictionary, and a test runs each.

-- mart.message: mail of May 2026 from outside, with attachments
select sent_at, from_address, subject, attachments
from mart.message
where sent_at >= '2026-05-01' and sent_at < '2026-06-01' and from_domain <> 'example.org' and attachments > 0
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
select date_trunc('month', sent_at) as month, sender, recipient, count(distinct mail_id) as messages
from mart.edge
group by month, sender, recipient
order by month, messages desc;

-- mart.address: what is known of one address
select * from mart.address where address = 'ann@example.org';

-- mart.domain: domains that wrote for the first time in the last 30 days
select domain, sent, first_at from mart.domain where sent > 0 and first_at > now() - interval '30 days';

-- mart.same_as: mail that came again with other bytes, by reason
select reason, count(*) from mart.same_as group by reason order by count(*) desc;

-- mart.thread: the longest threads
select subject, messages, senders, last_at - first_at as took from mart.thread order by messages desc limit 10;

-- mart.reply: median response time of each person in business hours
select from_address, percentile_cont(0.5) within group (order by business_seconds) / 3600 as hours
from mart.reply
where not automatic and seconds >= 0 and from_address <> parent_from_address
group by from_address;

-- mart.attachment: which mailboxes have a file, whatever it is called there
select distinct d.mailbox, a.filename
from mart.attachment a join mart.delivery d using (message_id)
where a.sha256 = 'a3f5c0f2';

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

-- mart.date_candidate: messages whose Date no hop agrees to
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

-- mart.balance: mailboxes whose books do not balance
select * from mart.balance where not balanced;

-- mart.verification: when all was last verified
select max(ended_at) from mart.verification where verified;

-- mart.label: how many messages each label has
select label, count(*) from mart.label group by label;

-- mart.saved_search: searches that were saved, by whom
select name, query, saved_by from mart.saved_search order by name;

-- Mailboxes: what their servers listed, what became of it, and how much it was.

create view mart.mailbox with (security_invoker) as
select b.name as mailbox, e.host, e.username, o.address, archive.domain_of(o.address) as domain
from archive.mailbox b
left join lateral (
    select e.epoch_id, e.host, e.username from archive.epoch e
    where e.mailbox_id = b.mailbox_id order by e.epoch_id desc limit 1
) e on true
cross join lateral (
    -- DNS knows a domain beyond ASCII under another name, and only mail tells under which.
    select e.username like '%_@_%' and archive.domain_of(e.username) ~ '^[ -~]+$' as is_address,
           lower(regexp_replace(e.username, '(.)@[^@]*$', '\1')) as name
) u
left join lateral (
    select lower(e.username) as address where u.is_address
    union all
    -- Of a hundred deliveries, found by an index: a question about the house must not read all its mail.
    (select p.address
     from (select delivery_id from archive.delivery where epoch_id = e.epoch_id order by uidl, twin limit 100) d
     join archive.ledger l using (delivery_id)
     join archive.participant p on p.message_id = l.message_id
     where not u.is_address and starts_with(p.address, u.name || '@')
     group by p.address order by count(*) desc, p.address limit 1)
) o on true;
comment on view mart.mailbox is 'One row for each mailbox, and whose it is.';
comment on column mart.mailbox.mailbox is 'Name of the mailbox.';
comment on column mart.mailbox.host is 'Server that has it; null before its first listing.';
comment on column mart.mailbox.username is 'Account on that server; null before its first listing.';
comment on column mart.mailbox.address is
    'Its own address: the username, where that is one that DNS knows; else the address with this username before its @ that most of a hundred of its messages name; null where there is none.';
comment on column mart.mailbox.domain is 'Domain of that address; null where there is none. The domains of all mailboxes are what the queries call the house.';

create view mart.delivery with (security_invoker) as
select s.delivery_id, b.name as mailbox, a.message_id, s.epoch_id, s.uidl, s.outcome, s.outcome_at,
       case when s.outcome <> 'duplicate' or s.reason is not null then s.reason
            else coalesce((
                -- Its own mailbox explains it before others do; of another's, who may not see it sees no row.
                select case when e.mailbox_id <> s.mailbox_id then format('mailbox %s had it before, as UIDL %s', h.name, e.uidl)
                            when e.epoch_id <> s.epoch_id then format('the server gave its mail new UIDLs: before it was %s', e.uidl)
                            else format('the mailbox holds it more than once: first as UIDL %s', e.uidl) end
                from archive.ledger f
                join archive.delivery e using (delivery_id)
                join archive.mailbox h on h.mailbox_id = e.mailbox_id
                where f.message_id = a.message_id and f.step in ('archived', 'duplicate') and f.entry_id < a.entry_id
                order by e.mailbox_id = s.mailbox_id desc, e.epoch_id = s.epoch_id desc, f.entry_id limit 1
            ), 'another mailbox had it before') end as reason,
       s.listed_at, s.listed_octets, s.present, s.outcome_octets as octets
from archive.delivery_state s
join archive.mailbox b using (mailbox_id)
-- Not from the state, which is found by delivery: so that a message's deliveries are found by an index.
left join archive.ledger a on a.delivery_id = s.delivery_id and a.step in ('archived', 'duplicate');
comment on view mart.delivery is 'One row for each message in each mailbox: what the server listed, and what became of it.';
comment on column mart.delivery.delivery_id is 'Number of the delivery.';
comment on column mart.delivery.mailbox is 'Name of the mailbox.';
comment on column mart.delivery.message_id is 'The message; null unless it was retrieved: for archived and duplicate.';
comment on column mart.delivery.epoch_id is 'The span in which this UIDL means this message; another one begins when a server names all its mail anew.';
comment on column mart.delivery.uidl is 'The server''s unique id for it.';
comment on column mart.delivery.outcome is 'archived, duplicate, quarantined, excluded, vanished or pending.';
comment on column mart.delivery.outcome_at is 'When it got this outcome; null while pending.';
comment on column mart.delivery.reason is 'Why, in words; of a duplicate, where the archive had the message from. Null where the outcome says it all.';
comment on column mart.delivery.listed_at is 'When the server listed it first.';
comment on column mart.delivery.listed_octets is 'Size that the server claimed; null where it did not say.';
comment on column mart.delivery.octets is 'Bytes retrieved; for excluded, how large it is at least; null where nothing was.';
comment on column mart.delivery.present is 'Whether the server still had it at the last listing: what was deleted since is present until the next one (its step is delete sent, then gone).';

create view mart.step with (security_invoker) as
select l.entry_id as step_id, l.delivery_id, b.name as mailbox, l.message_id, cast(l.step as text) as step, l.at,
       l.reason, l.session_id
from archive.ledger l
join archive.delivery d using (delivery_id)
join archive.mailbox b using (mailbox_id);
comment on view mart.step is 'One row for each thing that befell a delivery after its listing, none ever changed: the ledger.';
comment on column mart.step.step_id is 'Number of the step; those of a delivery follow each other.';
comment on column mart.step.delivery_id is 'The delivery.';
comment on column mart.step.mailbox is 'Name of the mailbox.';
comment on column mart.step.message_id is 'The message that it turned out to be: for archived and duplicate; else null.';
comment on column mart.step.step is
    'The outcomes of mart.delivery but pending, and: relisted, failed, restarted, delete sent, delete refused, gone (from the server).';
comment on column mart.step.at is 'When.';
comment on column mart.step.reason is 'Why, in words; null where the step says it all.';
comment on column mart.step.session_id is 'The session in which it did; see mart.session.';

create view mart.volume with (security_invoker) as
select b.name as mailbox, cast(r.sent_at at time zone 'UTC' as date) as day, count(*) as messages, sum(m.octets) as octets
from archive.ledger l
join archive.delivery d using (delivery_id)
join archive.mailbox b using (mailbox_id)
join archive.message m on m.message_id = l.message_id
join archive.reading r on r.message_id = l.message_id
where l.step in ('archived', 'duplicate')
group by b.name, day;
comment on view mart.volume is 'One row for each mailbox and day on which mail was sent that it received; a day without has none: join generate_series to count those as 0.';
comment on column mart.volume.mailbox is 'Name of the mailbox.';
comment on column mart.volume.day is 'Day in UTC, by the sender''s clock; null for mail whose date nothing tells.';
comment on column mart.volume.messages is 'Deliveries: what lies in two mailboxes counts in both, and what one holds twice counts twice.';
comment on column mart.volume.octets is 'Their size in bytes.';

create view mart.session with (security_invoker) as
select s.session_id, s.run_id, b.name as mailbox, s.host, s.port, s.username, s.tls_version, s.mechanism, s.began_at,
       s.listed_at,
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
comment on column mart.session.listed_at is 'When its listing was recorded; null where it did not come to that.';
comment on column mart.session.ended_at is 'When it ended; null while it runs or if it was killed.';
comment on column mart.session.listed is 'Messages that the server listed; null where it did not come to that.';
comment on column mart.session.listing_doubted is 'True where an empty listing after a full one was not believed; null where it did not come to that.';
comment on column mart.session.quit_accepted is 'Whether QUIT was accepted; null where it was never sent.';
comment on column mart.session.failure is 'What cut it short; null if nothing did.';

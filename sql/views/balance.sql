-- What analysts and operators see. Made anew whenever a migration runs.

create or replace view archive.delivery_state with (security_invoker) as
select d.delivery_id, d.mailbox_id, d.epoch_id, d.uidl, d.twin, d.listed_octets, d.listed_at,
       coalesce(nullif(o.step, 'relisted')::text, 'pending') as outcome,
       o.message_id, o.at as outcome_at, o.reason, o.session_id,
       coalesce(p.step not in ('gone', 'vanished'), true) as present
from archive.delivery d
left join lateral (
    select l.step, l.message_id, l.at, l.reason, l.session_id from archive.ledger l
    where l.delivery_id = d.delivery_id
      and l.step in ('archived', 'duplicate', 'quarantined', 'excluded', 'vanished', 'relisted')
      and (l.step <> 'relisted' or not exists (
          select from archive.ledger a where a.delivery_id = d.delivery_id and a.step in ('archived', 'duplicate')))
    order by l.entry_id desc limit 1
) o on true
left join lateral (
    select l.step from archive.ledger l
    where l.delivery_id = d.delivery_id and l.step in ('gone', 'vanished', 'relisted')
    order by l.entry_id desc limit 1
) p on true;
comment on view archive.delivery_state is 'One row for each delivery with its outcome, and whether its mailbox still holds it.';

create or replace view mart.balance with (security_invoker) as
select m.name, b.listed, b.archived, b.duplicate, b.quarantined, b.excluded, b.vanished, b.pending,
       b.listed = b.archived + b.duplicate + b.quarantined + b.excluded + b.vanished + b.pending
       and b.present = coalesce(s.listed, b.present) as balanced
from archive.mailbox m
cross join lateral (
    select count(*) as listed,
           count(*) filter (where outcome = 'archived') as archived,
           count(*) filter (where outcome = 'duplicate') as duplicate,
           count(*) filter (where outcome = 'quarantined') as quarantined,
           count(*) filter (where outcome = 'excluded') as excluded,
           count(*) filter (where outcome = 'vanished') as vanished,
           count(*) filter (where outcome = 'pending') as pending,
           count(*) filter (where present and d.epoch_id = e.epoch_id) as present
    from archive.delivery_state d,
         (select max(epoch_id) as epoch_id from archive.epoch where mailbox_id = m.mailbox_id) e
    where d.mailbox_id = m.mailbox_id
) b
left join lateral (
    select listed from ops.session s
    where s.mailbox_id = m.mailbox_id and s.listed_at is not null and not s.listing_doubted
    order by session_id desc limit 1
) s on true;
comment on view mart.balance is
    'One row for each mailbox: every listed message has one outcome, and those still there are as many as the last listing counted.';

-- Mail that reached a mailbox without naming its address in To or Cc: blind copies, aliases and forwarding.
-- Without lists. Also what still names an address in Bcc, and nowhere else.
-- :since = -infinity   sent since then, as in 2026-03-01
-- :until = infinity    and before then
with found as (
    select b.address, d.message_id, 'not named in To or Cc' as how
    from mart.message m
    join mart.delivery d using (message_id)
    join mart.mailbox b using (mailbox)
    where b.address is not null and m.sent_at >= cast(:since as timestamptz) and m.sent_at < cast(:until as timestamptz)
    union
    select e.recipient, e.message_id, 'named in Bcc'
    from mart.edge e
    where e.role = 'bcc' and e.sent_at >= cast(:since as timestamptz) and e.sent_at < cast(:until as timestamptz)
)
select m.sent_at, m.from_address, f.address as recipient, f.how, m.subject, m.message_id
from found f join mart.message m using (message_id)
where not exists (
    select from mart.participant p
    where p.message_id = f.message_id and p.address = f.address and p.role in ('to', 'cc', 'from'))
  and not m.bulk
order by m.sent_at desc, m.message_id, f.address, f.how
limit 100;

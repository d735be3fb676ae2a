-- Mail that reached a mailbox without naming its address in To or Cc: blind copies, aliases and forwarding.
-- Without lists. Also what still names an address in Bcc, and nowhere else. Each mail once for each recipient; last what
-- names nobody at all in To or Cc, as much broken mail does.
-- :since = -infinity   sent since then, as in 2026-03-01
-- :until = infinity    and before then
-- :rows = 100          so many rows
with sent as materialized (
    select message_id, mail_id from mart.message
    where (sent_at >= cast(:since as timestamptz) and sent_at < cast(:until as timestamptz)
           or sent_at is null and cast(:since as timestamptz) = '-infinity')
), found as (
    select b.address, d.message_id, sent.mail_id, 'not named in To or Cc' as how
    from sent
    join mart.step d using (message_id)
    join mart.mailbox b using (mailbox)
    where b.address is not null
    union
    select p.address, p.message_id, sent.mail_id, 'named in Bcc'
    from sent join mart.participant p using (message_id)
    where p.role = 'bcc'
), unnamed as materialized (
    select f.address, f.mail_id, string_agg(distinct f.how, ', ') as how from found f
    where not exists (
        select from mart.participant p
        where p.message_id = f.message_id and p.role in ('to', 'cc', 'from') and p.address = f.address offset 0)
    group by f.address, f.mail_id
)
select m.sent_at, m.from_address, u.address as recipient,
       case when u.how like 'not%' and t.nobody then 'names nobody in To or Cc' else u.how end as how, m.subject, m.message_id
from unnamed u
join mart.message m on m.message_id = u.mail_id
cross join lateral (
    select not exists (
        select from mart.participant p
        where p.message_id = u.mail_id and p.role in ('to', 'cc') and p.address is not null offset 0) as nobody
) as t
where not m.bulk
order by u.how like 'not%' and t.nobody, m.sent_at desc nulls last, m.message_id, u.address, u.how
limit cast(:rows as bigint);

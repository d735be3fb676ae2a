-- Mail that reached a mailbox without naming its address in To or Cc: blind copies, aliases and forwarding.
-- Without lists. Also what still names an address in Bcc, and nowhere else. Each mail once for each recipient.
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
    select distinct f.address, f.mail_id, f.how from found f
    where not exists (
        select from mart.participant p
        where p.message_id = f.message_id and p.role in ('to', 'cc', 'from') and p.address = f.address offset 0)
)
select m.sent_at, m.from_address, u.address as recipient, u.how, m.subject, m.message_id
from unnamed u join mart.message m on m.message_id = u.mail_id
where not m.bulk
order by m.sent_at desc nulls last, m.message_id, u.address, u.how
limit cast(:rows as bigint);

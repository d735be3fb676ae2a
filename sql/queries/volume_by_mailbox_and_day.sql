-- How much mail each mailbox took in, by the day it was sent (UTC): the last 20 days that have any.
select d.mailbox, cast(r.sent_at at time zone 'UTC' as date) as day, count(*) as messages, sum(m.octets) as octets
from mart.delivery d
join archive.message m using (message_id)
join archive.reading r using (message_id)
where r.sent_at is not null
group by d.mailbox, day
order by day desc, d.mailbox
limit 20;

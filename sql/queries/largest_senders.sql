-- Whose mail takes the most room: addresses by the bytes of their messages.
-- :since = -infinity   sent since then, as in 2026-03-01
-- :until = infinity    and before then
select from_address, count(*) as messages, sum(octets) as octets, max(octets) as largest
from mart.message
where (sent_at >= cast(:since as timestamptz) and sent_at < cast(:until as timestamptz)
           or sent_at is null and cast(:since as timestamptz) = '-infinity')
group by from_address
order by octets desc, from_address
limit 20;

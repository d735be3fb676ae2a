-- Whose mail takes the most room: addresses by the bytes of their messages.
-- Copies of a mail that differ in a byte are stored apart, and count each.
-- :since = -infinity   sent since then, as in 2026-03-01
-- :until = infinity    and before then
-- :rows = 20           so many rows
select from_address, count(*) as messages, sum(octets) as octets, max(octets) as largest
from mart.message
where (sent_at >= cast(:since as timestamptz) and sent_at < cast(:until as timestamptz)
           or sent_at is null and cast(:since as timestamptz) = '-infinity')
group by from_address
order by octets desc, from_address
limit cast(:rows as bigint);

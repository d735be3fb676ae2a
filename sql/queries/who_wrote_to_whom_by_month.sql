-- Who wrote to whom in each month, the newest month first, and of each the pairs with the most messages.
-- Copies of a mail count once. Months of UTC; without mail that has no date.
-- :since = -infinity   sent since then, as in 2026-03-01
-- :until = infinity    and before then
-- :pairs = 20          so many pairs of each month
with counted as (
    select date_trunc('month', sent_at at time zone 'UTC') as month, sender, recipient,
           count(distinct mail_id) as messages
    from mart.edge
    where sent_at >= cast(:since as timestamptz) and sent_at < cast(:until as timestamptz)
    group by month, sender, recipient
), ranked as (
    select *, row_number() over (partition by month order by messages desc, sender, recipient) as place from counted
)
select to_char(month, 'YYYY-MM') as month, sender, recipient, messages
from ranked
where place <= cast(:pairs as integer)
order by month desc, place;

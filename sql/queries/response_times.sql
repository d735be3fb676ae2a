-- How fast each address of the house answers others: median and 95th percentile in hours, without what machines answered.
-- An answer counts once, however many copies of it, or of what it answers, there are.
-- Business hours are 9 to 17 o'clock, Monday to Friday, on the clock of who answers.
-- :since = -infinity   answered since then, as in 2026-03-01
-- :until = infinity    and before then
-- :house =             domains of the house, with commas; without, those of the mailboxes
with house as (
    select unnest(string_to_array(:house, ',')) as domain
)
select from_address as address, count(*) as replies,
       round(cast(percentile_cont(0.5) within group (order by business_seconds) / 3600 as numeric), 1) as median_business_hours,
       round(cast(percentile_cont(0.95) within group (order by business_seconds) / 3600 as numeric), 1) as p95_business_hours,
       round(cast(percentile_cont(0.5) within group (order by seconds) / 3600 as numeric), 1) as median_hours
from mart.reply
where from_domain in (select domain from house) and from_address <> parent_from_address and not automatic
  and seconds >= 0  -- below, a clock is wrong
  and sent_at >= cast(:since as timestamptz) and sent_at < cast(:until as timestamptz)
group by from_address
order by replies desc, address;

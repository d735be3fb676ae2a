-- How much mail each mailbox took in, by the day it was sent (UTC): the last days that have any, and how odd each is.
-- Each delivery counts: the same mail in two mailboxes, or twice in one, is two.
-- z is the distance from the mean of the 28 days before, in their standard deviations; days without mail count as 0.
-- Reads the whole archive: each day is compared with those before it.
-- :rows = 20   so many rows
with days as (
    select v.mailbox, cast(d as date) as day
    from (select mailbox, min(day) as first, max(day) as last from mart.volume group by mailbox) as v,
         generate_series(v.first, v.last, interval '1 day') as d
), compared as (
    select d.mailbox, d.day, v.messages, v.octets,
           avg(coalesce(v.messages, 0)) over before as mean, stddev_samp(coalesce(v.messages, 0)) over before as deviation
    from days d left join mart.volume v on v.mailbox = d.mailbox and v.day = d.day
    window before as (partition by d.mailbox order by d.day rows between 28 preceding and 1 preceding)
)
select mailbox, day, messages, octets, round(mean, 1) as mean,
       round(cast((messages - mean) / nullif(deviation, 0) as numeric), 1) as z
from compared
where messages is not null
order by day desc, mailbox
limit cast(:rows as bigint);

-- Days on which a mailbox was asked without a failure and got far less mail than usual: what stopped upstream is seen here.
-- Compared is the mail sent on a day (UTC) with the mean of the 28 days before, at least 7; today is not over yet.
-- Reads the whole archive: each day is compared with those before it.
-- :deviations = 3   so many standard deviations below the mean
with asked as (
    select mailbox, cast(listed_at at time zone 'UTC' as date) as day
    from mart.session
    where listed_at is not null and failure is null
    group by mailbox, day
), days as (
    select s.mailbox, cast(d as date) as day
    from (select a.mailbox, least(min(v.day), min(a.day)) as first, max(a.day) as last
          from asked a left join mart.volume v using (mailbox)
          where v.day > date '1990-01-01' group by a.mailbox) as s,
         generate_series(s.first, s.last, interval '1 day') as d
), compared as (
    select d.mailbox, d.day, coalesce(v.messages, 0) as messages, count(*) over before as days_before,
           avg(coalesce(v.messages, 0)) over before as mean, stddev_samp(coalesce(v.messages, 0)) over before as deviation
    from days d left join mart.volume v on v.mailbox = d.mailbox and v.day = d.day
    window before as (partition by d.mailbox order by d.day rows between 28 preceding and 1 preceding)
)
select mailbox, day, messages, round(mean, 1) as mean, round(deviation, 1) as deviation
from compared join asked using (mailbox, day)
where days_before >= 7 and messages < mean - cast(:deviations as numeric) * deviation
  and day < cast(now() at time zone 'UTC' as date)
order by day desc, mailbox;

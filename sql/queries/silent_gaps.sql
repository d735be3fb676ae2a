-- Mailboxes that got far less mail than usual on a day, or none at all from a day until they were last asked.
-- What stopped upstream is seen here: only days count on which a mailbox was asked without a failure, but of the silence
-- that still lasts also those before it was ever asked, and those between.
-- Compared is the mail sent on a day (UTC) with the mean of the 28 days before, at least 7; today is not over yet. A silence
-- of n days is compared with n times that mean. What a mailbox holds twice counts twice.
-- Reads the whole archive: each day is compared with those before it.
-- :deviations = 3   so many standard deviations below the mean
with asked as (
    select mailbox, cast(listed_at at time zone 'UTC' as date) as day
    from mart.session
    where listed_at is not null and failure is null
    group by mailbox, day
), spans as (
    select a.mailbox, least(min(v.day), min(a.day)) as first, max(a.day) as last, max(v.day) + 1 as silent_from,
           least(max(a.day), cast(now() at time zone 'UTC' as date) - 1) as silent_until
    from asked a left join mart.volume v on v.mailbox = a.mailbox and v.day > date '1990-01-01'
    group by a.mailbox
), days as (
    select s.mailbox, cast(d as date) as day
    from spans s, generate_series(s.first, s.last, interval '1 day') as d
), compared as (
    select d.mailbox, d.day, coalesce(v.messages, 0) as messages, count(*) over before as days_before,
           avg(coalesce(v.messages, 0)) over before as mean, stddev_samp(coalesce(v.messages, 0)) over before as deviation
    from days d left join mart.volume v on v.mailbox = d.mailbox and v.day = d.day
    window before as (partition by d.mailbox order by d.day rows between 28 preceding and 1 preceding)
), judged as (
    select c.*, case when c.day = s.silent_from then greatest(s.silent_until - c.day + 1, 1) else 1 end as length,
           c.day > s.silent_from as told, c.day = s.silent_from and s.silent_until > c.day as lasting,
           exists (select from asked a where a.mailbox = c.mailbox and a.day = c.day) as asked
    from compared c join spans s using (mailbox)
)
select mailbox, day, day + length - 1 as until, messages, round(mean, 1) as mean, round(deviation, 1) as deviation
from judged
where days_before >= 7 and not coalesce(told, false) and (asked or lasting)
  and messages * length < mean * length - cast(:deviations as numeric) * deviation * sqrt(length)
  and day < cast(now() at time zone 'UTC' as date)
order by day desc, mailbox;

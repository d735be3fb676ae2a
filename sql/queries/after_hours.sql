-- What share of its mail each address of the house sends outside business hours, on the clock of who sent it.
-- Copies of a mail count once. Without what machines sent, and without mail that has no date.
-- :since = -infinity   sent since then, as in 2026-03-01
-- :until = infinity    and before then
-- :opens = 09:00       business begins, Monday to Friday
-- :closes = 17:00      and ends
-- :house =             domains of the house, with commas; without, those of the mailboxes
with house as (
    select unnest(string_to_array(:house, ',')) as domain
), sent as (
    select from_address, sent_at at time zone 'UTC' + make_interval(mins => coalesce(date_offset_minutes, 0)) as at
    from mart.message
    where from_domain in (select domain from house) and not automatic and message_id = mail_id
      and sent_at >= cast(:since as timestamptz) and sent_at < cast(:until as timestamptz)
), judged as (
    select from_address,
           extract(isodow from at) > 5 or cast(at as time) < cast(:opens as time) or cast(at as time) >= cast(:closes as time) as after
    from sent
)
select from_address as address, count(*) as messages, count(*) filter (where after) as after_hours,
       round(100.0 * count(*) filter (where after) / count(*), 1) as percent
from judged
group by from_address
order by percent desc, messages desc, address;

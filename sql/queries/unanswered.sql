-- Mail from outside to an address of the house that nobody of the house has answered in its thread, the oldest first.
-- Without what machines and lists sent. An answer counts where a mailbox of this archive received it. Each mail once.
-- :days = 3            unanswered for so many days
-- :since = -infinity   sent since then, as in 2026-03-01
-- :rows = 100          so many rows
-- :house =             domains of the house, with commas; without, those of the mailboxes
with house as (
    select unnest(string_to_array(:house, ',')) as domain
)
select m.message_id, m.sent_at, cast(extract(day from now() - m.sent_at) as integer) as days, m.from_address, t.recipients, m.subject
from mart.message m
cross join lateral (
    select string_agg(e.recipient, ', ' order by e.recipient) as recipients
    from mart.edge e
    where e.message_id = m.message_id and e.role = 'to' and e.recipient_domain in (select domain from house)
) as t
where t.recipients is not null and m.message_id = m.mail_id
  and m.from_domain not in (select domain from house)
  and m.sent_at >= cast(:since as timestamptz)
  and m.sent_at < now() - make_interval(days => cast(:days as integer))
  and not exists (
      select from mart.message a
      where a.thread_id = m.thread_id and a.from_domain in (select domain from house) and not a.automatic
        and a.sent_at > m.sent_at)
  and not m.automatic and not m.bulk
order by m.sent_at, m.message_id
limit cast(:rows as bigint);

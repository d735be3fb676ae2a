-- Threads that began within the house and left it: who took them out, when, and to whom.
-- :since = -infinity   that left since then, as in 2026-03-01
-- :until = infinity    and before then
-- :rows = 100          so many rows
-- :house =             domains of the house, with commas; without, those of the mailboxes
with house as (
    select unnest(string_to_array(:house, ',')) as domain
), leaving as materialized (
    select e.message_id, e.sent_at, e.sender, string_agg(distinct e.recipient, ', ') as outside
    from mart.edge e
    where e.sender_domain in (select domain from house) and e.recipient_domain not in (select domain from house)
      and (e.sent_at >= cast(:since as timestamptz) and e.sent_at < cast(:until as timestamptz)
           or e.sent_at is null and cast(:since as timestamptz) = '-infinity')
    group by e.message_id, e.sent_at, e.sender
), left_first as materialized (
    select distinct on (m.thread_id) m.thread_id, l.*
    from leaving l join mart.message m using (message_id)
    order by m.thread_id, l.sent_at, l.message_id
), named as materialized (
    select l.*, t.subject, t.first_at, t.first_message_id
    from left_first l cross join lateral (
        -- Offset 0, here and below: asked of each thread, not joined with all.
        select * from mart.thread t where t.thread_id = l.thread_id offset 0) as t
)
select n.subject, n.first_at, n.sent_at as left_at, n.sender, n.outside, n.message_id
from named n
where exists (select from mart.edge e where e.message_id = n.first_message_id offset 0)
  and not exists (
      select from mart.edge e
      where e.message_id = n.first_message_id
        and not (e.sender_domain in (select domain from house) and e.recipient_domain in (select domain from house))
      offset 0)
order by n.sent_at desc nulls last, n.thread_id
limit cast(:rows as bigint);

-- What left the servers by our hand: when DELE was sent, how long after archiving, and whether the next listing confirmed it.
-- The next run does that. One row for each DELE: every mailbox's copy of a mail is its own. Reads all steps of all deliveries.
-- :rows = 100   so many rows
select s.mailbox, d.uidl, a.at as archived_at, s.at as delete_sent_at, s.at - a.at as kept_for,
       exists (select from mart.step g
               where g.delivery_id = s.delivery_id and g.step = 'gone' and g.step_id > s.step_id) as confirmed_gone
from mart.step s
join mart.step a on a.delivery_id = s.delivery_id and a.step in ('archived', 'duplicate')
join mart.delivery d on d.delivery_id = s.delivery_id
where s.step = 'delete sent'
order by s.step_id desc
limit cast(:rows as bigint);

-- What left the servers by our hand: when DELE was sent, how long after archiving, and whether the next listing confirmed it.
select b.name as mailbox, d.uidl, a.at as archived_at, s.at as delete_sent_at, s.at - a.at as kept_for,
       exists (select from archive.ledger g
               where g.delivery_id = d.delivery_id and g.step = 'gone' and g.entry_id > s.entry_id) as confirmed_gone
from archive.ledger s
join archive.ledger a on a.delivery_id = s.delivery_id and a.step in ('archived', 'duplicate')
join archive.delivery d on d.delivery_id = s.delivery_id
join archive.mailbox b using (mailbox_id)
where s.step = 'delete sent'
order by s.entry_id desc
limit 100;

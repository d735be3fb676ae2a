-- Mail that was retrieved and that the archive had already, and why it came again.
-- Reads all deliveries.
with first as (
    select message_id, min(delivery_id) as delivery_id from mart.delivery where outcome = 'archived' group by message_id
)
select m.message_id, d.mailbox, d.uidl,
       case when o.mailbox <> d.mailbox then 'another mailbox had it: ' || o.mailbox
            when o.epoch_id <> d.epoch_id then 'the server gave all its mail new UIDLs'
            else 'the mailbox holds it more than once'
       end as reason,
       m.octets, m.subject
from mart.delivery d
join first f using (message_id)
join mart.delivery o on o.delivery_id = f.delivery_id
join mart.message m on m.message_id = d.message_id
where d.outcome = 'duplicate'
order by m.octets desc, m.message_id, d.mailbox, d.uidl
limit 100;

-- Mail that was retrieved and that the archive had already byte for byte, and why it came again.
-- One row for each delivery: each copy counts. Reads all deliveries.
-- :rows = 100   so many rows
select m.message_id, d.mailbox, d.uidl, d.reason, m.octets, m.subject
from mart.delivery d join mart.message m using (message_id)
where d.outcome = 'duplicate'
order by m.octets desc, m.message_id, d.mailbox, d.uidl
limit cast(:rows as bigint);

-- Every message was archived by one delivery, and only one; the others that held it are duplicates.
select 'message ' || m.message_id
from archive.message m left join archive.ledger l on l.message_id = m.message_id and l.step = 'archived'
group by m.message_id having count(l.entry_id) <> 1;

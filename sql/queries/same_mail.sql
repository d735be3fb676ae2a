-- Mail that the archive has more than once because its bytes differ: which, and why.
-- One row for each copy but the first. Reads the whole archive: it compares all messages.
-- :rows = 100   so many rows
select s.message_id, s.original_id, s.identity, s.reason, m.octets, m.subject
from mart.same_as s join mart.message m using (message_id)
order by s.original_id, s.message_id, s.identity
limit cast(:rows as bigint);

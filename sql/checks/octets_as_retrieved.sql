-- Every delivery brought as many bytes as its message has.
select 'delivery ' || l.delivery_id
from archive.ledger l join archive.message m using (message_id)
where l.octets <> m.octets;

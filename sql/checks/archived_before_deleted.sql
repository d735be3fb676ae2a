-- Nothing left a server early: every DELE came after the message was archived.
select 'delivery ' || s.delivery_id
from archive.ledger s
where s.step = 'delete sent' and not exists (
    select from archive.ledger a
    where a.delivery_id = s.delivery_id and a.entry_id < s.entry_id and a.step in ('archived', 'duplicate'));

-- All messages that name an address, in which roles, and which mailboxes received them: what somebody may ask to see.
-- :address   the address
select m.message_id, m.sent_at, string_agg(distinct p.role, ', ') as roles, m.from_address, m.subject,
       array(select distinct d.mailbox from mart.delivery d where d.message_id = m.message_id order by 1) as mailboxes
from mart.participant p join mart.message m using (message_id)
where p.address = lower(:address)
group by m.message_id, m.sent_at, m.from_address, m.subject
order by m.sent_at, m.message_id;

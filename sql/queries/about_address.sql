-- All mail that names an address, in which roles, and which mailboxes received it: what somebody may ask to see.
-- Copies of a mail are one row: its first message, and the mailboxes of all.
-- :address   the address
with named as materialized (
    select m.mail_id, m.message_id, p.role
    from mart.participant p join mart.message m using (message_id)
    where p.address = lower(:address)
), mails as (
    select mail_id, string_agg(distinct role, ', ') as roles, array_agg(distinct message_id) as copies
    from named
    group by mail_id
)
select m.message_id, m.sent_at, n.roles, m.from_address, m.subject,
       array(select distinct d.mailbox from mart.delivery d where d.message_id = any (n.copies) order by 1) as mailboxes
from mails n join mart.message m on m.message_id = n.mail_id
order by m.sent_at, m.message_id;

-- The thread of a message: all mail that is joined with it, in the order in which it was sent; copies of a mail once.
-- :message   number of the message
with thread as (
    select distinct on (m.mail_id) m.message_id, m.sent_at, m.from_address, m.subject
    from mart.message m
    where m.thread_id = (select thread_id from mart.message where message_id = cast(:message as bigint))
    order by m.mail_id, m.message_id
)
select t.message_id, t.sent_at, t.from_address, t.subject, r.parent_message_id,
       round(r.seconds / 3600, 1) as hours_later
from thread t left join mart.reply r using (message_id)
order by t.sent_at nulls last, t.message_id;

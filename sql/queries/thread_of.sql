-- The thread of a message: all messages that are joined with it, in the order in which they were sent.
-- :message   number of the message
select m.message_id, m.sent_at, m.from_address, m.subject, r.parent_message_id as answers,
       round(r.seconds / 3600, 1) as hours_later
from mart.message m left join mart.reply r using (message_id)
where m.thread_id = (select thread_id from mart.message where message_id = cast(:message as bigint))
order by m.sent_at nulls last, m.message_id;

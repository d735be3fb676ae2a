-- Which files lie in more than one mailbox, whatever they are called there: the same content by its SHA-256.
-- Copies of a mail count once as messages. Reads all attachments, unless one is named.
-- :sha256 =    only the file with this SHA-256
-- :rows = 20   so many rows
select a.sha256, min(a.filename) as filename, max(a.octets) as octets, count(distinct m.mail_id) as messages,
       array_agg(distinct d.mailbox order by d.mailbox) as mailboxes
from mart.attachment a
-- Offset 0: asked of each attachment, not joined with all.
cross join lateral (select mail_id from mart.message o where o.message_id = a.message_id offset 0) as m
join mart.delivery d using (message_id)
where :sha256 = '' or a.sha256 = lower(:sha256)
group by a.sha256
having count(distinct d.mailbox) > 1
order by octets desc, a.sha256
limit cast(:rows as bigint);

-- Which files lie in more than one mailbox, whatever they are called there: the same content by its SHA-256.
-- Reads all attachments, unless one is named.
-- :sha256 =   only the file with this SHA-256
select a.sha256, min(a.filename) as filename, max(a.octets) as octets, count(distinct a.message_id) as messages,
       array_agg(distinct d.mailbox order by d.mailbox) as mailboxes
from mart.attachment a
join mart.delivery d using (message_id)
where :sha256 = '' or a.sha256 = lower(:sha256)
group by a.sha256
having count(distinct d.mailbox) > 1
order by octets desc, a.sha256
limit 20;

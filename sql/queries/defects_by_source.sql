-- Which senders' mail is broken, and how: each domain and kind of defect, with one message as an example.
-- Copies of a mail count once. Reads all defects.
-- :rows = 100   so many rows
select m.from_domain, f.kind, count(distinct m.mail_id) as messages, min(f.message_id) as for_example
from mart.defect f join mart.message m using (message_id)
group by m.from_domain, f.kind
order by messages desc, m.from_domain, f.kind
limit cast(:rows as bigint);

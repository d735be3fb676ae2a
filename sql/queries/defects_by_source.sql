-- Which senders' mail is broken, and how: each domain and kind of defect, with one message as an example.
-- Reads all defects.
select m.from_domain, f.kind, count(distinct f.message_id) as messages, min(f.message_id) as for_example
from mart.defect f join mart.message m using (message_id)
group by m.from_domain, f.kind
order by messages desc, m.from_domain, f.kind
limit 100;

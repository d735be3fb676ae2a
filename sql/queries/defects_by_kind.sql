-- What is wrong with the mail in the archive: each kind of defect, the mails that have it, and one example.
-- Copies of a mail count once. Reads all defects.
select f.kind, count(distinct m.mail_id) as messages, min(f.message_id) as for_example,
       (array_agg(f.detail order by f.message_id, f.place))[1] as detail
from mart.defect f join mart.message m using (message_id)
group by f.kind
order by messages desc, f.kind;

-- What is wrong with the mail in the archive: each kind of defect, the messages that have it, and one example.
-- Reads all defects.
select kind, count(distinct message_id) as messages, min(message_id) as for_example, (array_agg(detail order by message_id, place))[1] as detail
from mart.defect
group by kind
order by messages desc, kind;

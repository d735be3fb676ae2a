-- Every message that was read has its thread, or waits for it.
select 'message ' || r.message_id
from archive.reading r
where not exists (select from threads.member m where m.message_id = r.message_id)
  and r.message_id not in (select unnest(message_ids) from threads.pending);

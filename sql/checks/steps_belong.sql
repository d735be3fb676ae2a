-- Every step of a recipe gives bytes of a message, and every piece belongs to a blob; of what was disposed of there are none.
select 'step ' || s.position || ' of message ' || s.message_id
from archive.recipe s left join archive.message m using (message_id)
where m.message_id is null or s.octets = 0
   or s.message_id in (select message_id from archive.disposition where approved_at is not null)
union all
select 'piece ' || p.position || ' of blob ' || p.blob_id
from archive.blob_piece p left join archive.blob b using (blob_id)
where b.blob_id is null;

-- Every message was read, unless it was disposed of: there is a reading of it.
select 'message ' || message_id from archive.message m
where not exists (select from archive.reading r where r.message_id = m.message_id)
  and not exists (
    select from archive.disposition d where d.message_id = m.message_id and d.approved_at is not null);

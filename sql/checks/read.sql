-- Every message was read: there is a reading of it.
select 'message ' || message_id from archive.message m
where not exists (select from archive.reading r where r.message_id = m.message_id);

-- Segments of terms name messages in arrays, which no foreign key finds.

create function search.forget() returns trigger language plpgsql security definer set search_path = '' as $$
begin
    update search.segment s set message_ids = pg_catalog.array_replace(s.message_ids, new.message_id, null)
    where new.message_id between s.first_message_id and s.last_message_id;
    return null;
end $$;
comment on function search.forget is 'Takes a message that was disposed of out of the index of words: nothing says any longer whose its terms are.';

create trigger words_go after update of approved_at on archive.disposition
for each row when (new.approved_at is not null) execute function search.forget();

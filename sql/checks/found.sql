-- Every message that was read is in the index of words.
select 'message ' || message_id
from (
    select message_id from archive.reading
    except
    (select message_id from search.fresh union all select unnest(message_ids) from search.stretch)
) as missing
order by message_id;

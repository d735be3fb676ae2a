-- Every message has a recipe for as many bytes as it has.
select 'message ' || m.message_id
from archive.message m left join archive.recipe s using (message_id)
group by m.message_id, m.octets having coalesce(sum(s.octets), 0) <> m.octets;

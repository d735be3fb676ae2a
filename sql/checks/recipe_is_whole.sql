-- Every message that was not disposed of has a recipe for as many bytes as it has.
select 'message ' || m.message_id
from archive.message m left join archive.recipe s using (message_id)
where not exists (
    select from archive.disposition d where d.message_id = m.message_id and d.approved_at is not null)
group by m.message_id, m.octets having coalesce(sum(s.octets), 0) <> m.octets;

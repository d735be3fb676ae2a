-- Nothing was erased but by an approved disposition.
select 'archive.erasure ' || e.erasure_id
from archive.erasure e
where not exists (
    select from archive.disposition d where d.disposition_id = e.disposition_id and d.approved_at is not null);

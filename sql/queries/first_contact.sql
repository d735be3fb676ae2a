-- With which domains outside the house there was mail for the first time, when, and by which message.
-- Without mail that has no date. Reads the whole archive: what is first is known only of all.
-- :since = -infinity   whose first mail was sent since then, as in 2026-03-01
-- :house =             domains of the house, with commas; without, those of the mailboxes
with house as (
    select unnest(string_to_array(:house, ',')) as domain
), first as (
    select distinct on (p.domain) p.domain, r.sent_at, p.role, p.address, p.message_id
    from mart.participant p join mart.message r using (message_id)
    where p.address like '%@%' and r.sent_at is not null and p.domain not in (select domain from house)
    order by p.domain, r.sent_at, p.message_id, p.position
)
select f.domain, f.sent_at as first_at, case f.role when 'from' then 'from them' else 'to them' end as direction,
       f.address, f.message_id, m.subject
from first f join mart.message m using (message_id)
where f.sent_at >= cast(:since as timestamptz)
order by f.sent_at desc, f.domain;

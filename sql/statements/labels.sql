-- Labels and saved searches, a statement a name.

-- name: labels
select b.name, count(l.message_id) as messages, b.made_by, b.made_at
from search.label b left join search.labelled l using (label_id) group by b.label_id order by b.name;

-- name: make_label
insert into search.label (name) values (:name) on conflict (name) do nothing;

-- name: unknown
-- Which of these numbers are no message's.
select n from unnest(cast(:message_ids as bigint[])) as n
where not exists (select from archive.message where message_id = n) order by n;

-- name: found
-- The numbers of all that a query finds.
select message_id from mart.search(:query, 2147483647);

-- name: put
insert into search.labelled (label_id, message_id)
select label_id, message_id from search.label, unnest(cast(:message_ids as bigint[])) as message_id where name = :name
on conflict do nothing;

-- name: take
delete from search.labelled where message_id = any (cast(:message_ids as bigint[]))
and label_id = (select label_id from search.label where name = :name);

-- name: remove_label
delete from search.label where name = :name;

-- name: saved
select name, query, saved_by, saved_at from search.saved order by name;

-- name: check
-- Fails for what is no query, or asks another saved search.
select cardinality(search.parsed(:query, true));

-- name: save
insert into search.saved (name, query) values (:name, :query)
on conflict (name) do update set query = excluded.query, saved_by = session_user, saved_at = now();

-- name: forget
delete from search.saved where name = :name;

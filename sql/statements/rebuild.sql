-- Reading again what is stored, a statement a name.

-- name: begin
-- Go on with a rebuild that was cut short, or begin one.
with unfinished as (
    select rebuild_id, up_to from ops.rebuild
    where parser = :parser and every = :every and ended_at is null
    order by rebuild_id desc limit 1
), begun as (
    insert into ops.rebuild (parser, every) select :parser, :every where not exists (select from unfinished)
    returning rebuild_id, up_to
)
select * from unfinished union all select * from begun;

-- name: advance
update ops.rebuild set up_to = :up_to, messages = messages + :messages, changed = changed + :changed
where rebuild_id = :rebuild_id;

-- name: has_replaced
-- Whether threads are to be joined anew: all was asked for, or something was replaced, be it by a call that was cut short.
select changed > 0 or every from ops.rebuild where rebuild_id = :rebuild_id;

-- name: finish
update ops.rebuild set ended_at = now() where rebuild_id = :rebuild_id;

-- name: count
-- How many messages are to be read again.
select count(*) from archive.message m left join archive.reading r using (message_id)
where m.message_id > :after and (:every or r.parser is distinct from :parser)
  and m.message_id not in (select message_id from archive.disposition where approved_at is not null);

-- name: next
-- Messages to be read again, in order.
select m.message_id, m.octets from archive.message m left join archive.reading r using (message_id)
where m.message_id > :after and (:every or r.parser is distinct from :parser)
  and m.message_id not in (select message_id from archive.disposition where approved_at is not null)
order by m.message_id limit :messages;

-- name: read_by
-- The same was read by a newer parser: that is all that is new.
update archive.reading set parser = :parser where message_id = any(cast(:message_ids as bigint[])) and parser <> :parser;

-- name: read_by_others
select message_id from archive.reading where message_id = any(cast(:message_ids as bigint[])) and parser <> :parser;

-- name: keys
-- The columns of a table's primary key.
select a.attname from pg_constraint c
cross join lateral unnest(c.conkey) with ordinality as k (attnum, n)
join pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum
where c.conrelid = cast(:table as regclass) and c.contype = 'p' order by k.n;

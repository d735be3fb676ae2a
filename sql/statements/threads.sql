-- How messages find their threads, a statement a name.

-- name: take
-- Messages that wait: of each its own key, whether it names others, all its keys, and the threads these are in now.
with taken as (
    delete from threads.pending
    where ctid = any (array(select ctid from threads.pending limit :loads)) returning message_ids
), waiting as (
    select r.message_id, coalesce(threads.key_of(r.message_id_header), threads.hashed(m.sha256)) as own,
           array_remove(
               array_append(
                   array(select threads.key_of(id) from unnest(array_append(r."references", r.in_reply_to)) as id),
                   threads.key_of_conversation(n.thread_index)),
               null) as named
    from taken, unnest(taken.message_ids) as t (message_id)
    join archive.reading r using (message_id)
    join archive.message m using (message_id)
    left join archive.manner n using (message_id)
)
select w.message_id, w.named <> '{}' as linked, k.keys, k.thread_ids
from waiting w cross join lateral (
    select array_agg(n.key order by place) as keys, array_agg(coalesce(k.thread_id, n.key) order by place) as thread_ids
    from unnest(array_prepend(w.own, w.named)) with ordinality as n (key, place) left join threads.key k using (key)
) as k;

-- name: rename_members
-- Threads that were joined take the number of the smallest.
update threads.member m set thread_id = n.thread_id
from unnest(cast(:old as bigint[]), cast(:new as bigint[])) as n (old, thread_id) where m.thread_id = n.old;

-- name: rename_keys
update threads.key k set thread_id = n.thread_id
from unnest(cast(:old as bigint[]), cast(:new as bigint[])) as n (old, thread_id) where k.thread_id = n.old;

-- name: add_keys
insert into threads.key (key, thread_id)
select * from unnest(cast(:keys as bigint[]), cast(:thread_ids as bigint[])) as n (key, thread_id)
on conflict (key) do nothing;

-- name: add_members
insert into threads.member (message_id, thread_id)
select * from unnest(cast(:message_ids as bigint[]), cast(:thread_ids as bigint[])) as n (message_id, thread_id)
on conflict (message_id) do update set thread_id = excluded.thread_id;

-- name: forget_members
delete from threads.member;

-- name: forget_keys
delete from threads.key;

-- name: forget_pending
delete from threads.pending;

-- name: await_all
insert into threads.pending (message_ids)
select array_agg(message_id) from archive.reading group by message_id / :messages;

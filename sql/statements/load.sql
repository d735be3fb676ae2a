-- How messages come into the archive, a statement a name.

-- name: known
-- Which of these messages the archive has.
select sha256, message_id from archive.message where sha256 = any(cast(:sha256s as bytea[]));

-- name: add_messages
-- Sorted, so that two loaders with the same messages wait for each other instead of deadlocking.
insert into archive.message (sha256, octets, session_id)
select * from unnest(cast(:sha256s as bytea[]), cast(:octets as bigint[]), cast(:session_ids as bigint[])) as n (sha256, octets, session_id)
order by sha256
on conflict (sha256) do nothing returning sha256, message_id;

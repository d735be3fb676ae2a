-- How messages come into the archive, a statement a name.

-- name: number
-- The number that each message has, or will have if it is new; and when it was disposed of.
select n.sha256, m.message_id is not null as known,
       coalesce(m.message_id, nextval(pg_get_serial_sequence('archive.message', 'message_id'))) as message_id,
       to_char(t.approved_at at time zone 'UTC', 'YYYY-MM-DD') as disposed_on
from unnest(cast(:sha256s as bytea[])) as n (sha256) left join archive.message m using (sha256)
left join archive.disposition t using (message_id);

-- name: add_messages
-- Sorted, so that two loaders with the same messages wait for each other instead of deadlocking.
with added as (
    insert into archive.message (message_id, sha256, octets, head_sha256, session_id)
    select * from unnest(
        cast(:message_ids as bigint[]), cast(:sha256s as bytea[]), cast(:octets as bigint[]),
        cast(:head_sha256s as bytea[]), cast(:session_ids as bigint[])
    ) as n (message_id, sha256, octets, head_sha256, session_id)
    order by sha256
    on conflict (sha256) do nothing returning sha256
)
select sha256 from added;

-- name: held_pieces
-- What is held of a large message whose download was cut.
select blob, octets, sha256 from ops.download_piece where delivery_id = :delivery_id order by position;

-- name: add_piece
insert into ops.download_piece (delivery_id, position, blob, octets, sha256, zstd, content)
values (:delivery_id, :position, :blob, :octets, :sha256, :zstd, :content);

-- name: drop_pieces
-- From :position on: the message is not what it was, or it is whole now.
delete from ops.download_piece where delivery_id = :delivery_id and position >= :position;

-- name: take_over_literals
-- The literal pieces of a download become steps of its message's recipe.
insert into archive.segment (message_id, position, octets, zstd, content)
select :message_id, position, octets, zstd, content from ops.download_piece
where delivery_id = :delivery_id and blob is null;

-- name: add_blobs
-- Those that nobody else has put there.
insert into archive.blob (sha256, octets)
select * from unnest(cast(:sha256s as bytea[]), cast(:octets as bigint[]))
on conflict (sha256) do nothing returning sha256;

-- name: blobs
select blob_id, sha256 from archive.blob where sha256 = any(cast(:sha256s as bytea[]));

-- name: take_over_blob
insert into archive.blob_piece (blob_id, position, octets, zstd, content)
select :blob_id, position, octets, zstd, content from ops.download_piece
where delivery_id = :delivery_id and blob = :blob;

-- name: add_blob_segment
insert into archive.segment (message_id, position, octets, blob_id, line_octets, line_end, final_line_end)
values (:message_id, :position, :message_octets, :blob_id, :line_octets, :line_end, :final_line_end);

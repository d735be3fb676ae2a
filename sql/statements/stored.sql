-- What is stored, read back, a statement a name.

-- name: messages
-- Every message that was not disposed of, with the steps of its recipe in order; or those of them that one mailbox held,
-- that were archived since a day, that a sample holds. Offset 0: message by message; joined at once, all that is stored
-- would be sorted.
select m.message_id, m.sha256, m.octets, s.position, s.octets as segment_octets, s.text, s.zstd, s.content, s.blob_id,
       s.line_octets, s.line_end, s.final_line_end
from archive.message m left join lateral (
    select * from archive.recipe s where s.message_id = m.message_id offset 0
) s on true
where m.message_id not in (select message_id from archive.disposition where approved_at is not null)
  and (cast(:mailbox as text) is null or exists (
    select from archive.ledger l join archive.delivery d using (delivery_id) join archive.mailbox b using (mailbox_id)
    where l.message_id = m.message_id and b.name = :mailbox))
  and (cast(:since as timestamptz) is null or m.archived_at >= :since)
  and (num_nonnulls(cast(:sample as bigint), cast(:percent as double precision)) = 0 or m.message_id in (
    select message_id from archive.message
    where (cast(:since as timestamptz) is null or archived_at >= :since)
      and message_id not in (select message_id from archive.disposition where approved_at is not null)
    order by random()
    limit coalesce(cast(:sample as bigint), (
        select ceil(count(*) * cast(:percent as double precision) / 100) from archive.message
        where cast(:since as timestamptz) is null or archived_at >= :since))))
order by m.message_id, s.position;

-- name: message
-- The steps of one message's recipe, in order.
select m.message_id, m.sha256, m.octets, s.position, s.octets as segment_octets, s.text, s.zstd, s.content, s.blob_id,
       s.line_octets, s.line_end, s.final_line_end
from archive.message m left join lateral (
    select * from archive.recipe s where s.message_id = m.message_id offset 0
) s on true
where m.message_id = :message_id
order by s.position;

-- name: blob
-- The pieces of a blob, in order, and what the blob is.
select p.zstd, p.content, b.sha256, b.octets
from archive.blob b join archive.blob_piece p using (blob_id)
where b.blob_id = :blob_id order by p.position;

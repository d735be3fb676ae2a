-- What is stored, read back, a statement a name.

-- name: messages
-- Every message with the steps of its recipe in order, or those that one mailbox held. Offset 0: message by message;
-- joined at once, all that is stored would be sorted.
select m.message_id, m.sha256, m.octets, s.position, s.octets as segment_octets, s.text, s.zstd, s.content, s.blob_id,
       s.line_octets, s.line_end, s.final_line_end
from archive.message m left join lateral (
    select * from archive.recipe s where s.message_id = m.message_id offset 0
) s on true
where cast(:mailbox as text) is null or exists (
    select from archive.ledger l join archive.delivery d using (delivery_id) join archive.mailbox b using (mailbox_id)
    where l.message_id = m.message_id and b.name = :mailbox)
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
-- The pieces of a blob, in order.
select zstd, content from archive.blob_piece where blob_id = :blob_id order by position;

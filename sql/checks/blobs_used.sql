-- Every blob is part of a message, and as large as its pieces.
select 'blob ' || b.blob_id from archive.blob b
where not exists (select from archive.segment s where s.blob_id = b.blob_id)
   or b.octets <> (select coalesce(sum(p.octets), 0) from archive.blob_piece p where p.blob_id = b.blob_id);

-- What gives a message's bytes again.

create view archive.recipe with (security_invoker) as
select message_id, -1 as position, octets, content as text, cast(null as boolean) as zstd,
       cast(null as bytea) as content, cast(null as bigint) as blob_id, cast(null as integer) as line_octets,
       cast(null as bytea) as line_end, cast(null as boolean) as final_line_end
from archive.head
union all
select message_id, position, octets, text, zstd, content, blob_id, line_octets, line_end, final_line_end
from archive.segment;
comment on view archive.recipe is 'One row for each step of the recipe that gives a message''s bytes: its head, then its segments.';
comment on column archive.recipe.message_id is 'The message.';
comment on column archive.recipe.position is 'Place of the step; -1 for the head.';
comment on column archive.recipe.octets is 'Bytes of the message that it gives.';
comment on column archive.recipe.text is 'Bytes that are text: UTF-8, their line ends CRLF, each written as LF here.';
comment on column archive.recipe.zstd is 'Whether content is compressed (zstd).';
comment on column archive.recipe.content is 'Other literal bytes.';
comment on column archive.recipe.blob_id is 'The blob to encode in base64.';
comment on column archive.recipe.line_octets is 'Characters of base64 in a line.';
comment on column archive.recipe.line_end is 'What ends a line.';
comment on column archive.recipe.final_line_end is 'Whether the last line has its end.';

-- Attachments whose content is a program, or something else than their names say; newest first.
select m.message_id, m.sent_at, m.from_address, a.path, a.filename, a.content_type, a.sniffed_type
from mart.attachment a join mart.message m using (message_id)
where a.sniffed_type in ('application/x-msdownload', 'application/x-executable', 'application/x-ms-shortcut')
   or (a.sniffed_type not like 'application/pdf%' and a.filename ilike '%.pdf')
   or (a.sniffed_type not like 'image/%' and a.filename ~* '\.(jpe?g|png|gif|bmp)$')
   or (a.sniffed_type = 'text/html' and a.filename !~* '\.x?html?$')
order by m.sent_at desc nulls last, m.message_id, a.path;

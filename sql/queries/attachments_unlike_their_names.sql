-- Attachments whose file name says another kind of file than their declared type, or than their first bytes show.
-- Reads all attachments: any name may disagree.
-- Office files are OLE storage or ZIP inside: where the bytes show no more, they do not disagree.
with kinds (extension, types) as (values
    ('pdf', 'application/(x-)?pdf'),
    ('jpg|jpeg', 'image/p?jpe?g'),
    ('png', 'image/(x-)?png'),
    ('gif', 'image/gif'),
    ('doc|xls|ppt', 'application/(vnd.)?(x-)?ms-?(word|excel|powerpoint)|application/x-ole-storage'),
    ('docx|xlsx|pptx', 'application/vnd.openxmlformats-officedocument.*|application/zip'),
    ('txt|log|csv', 'text/.*|application/(csv|vnd.ms-excel)'),
    ('htm|html', 'text/html|application/xhtml.*'),
    ('zip', 'application/(x-)?zip.*'),
    ('eml', 'message/rfc822'),
    ('exe|scr|com|pif|bat|cmd|js|vbs|lnk|msi', 'application/.*(dos|exe|msdownload|javascript|ms-installer).*|text/javascript')
)
select a.message_id, m.sent_at, m.from_address, a.filename, a.content_type, a.sniffed_type, a.octets
from mart.attachment a
join kinds k on lower(a.filename) ~ ('\.(' || k.extension || ')$')
join mart.message m using (message_id)
where (lower(a.content_type) not in ('application/octet-stream', 'application/unknown', 'application/x-unknown')
       and lower(a.content_type) !~ ('^(' || k.types || ')$'))
   or a.sniffed_type !~ ('^(' || k.types || ')$')
order by m.sent_at desc nulls last, a.message_id, a.path
limit 100;

-- Attachments that are not what they are called: file name, declared type and first bytes do not say the same kind of file.
-- Also those called a PDF, picture or ZIP, by name or type, whose bytes do not begin as one. Reads all attachments.
-- Office files are OLE storage or ZIP inside: where the bytes show no more, they do not disagree.
-- :rows = 100   so many rows
with kinds (extension, types, shown) as (values
    -- shown: what all files of this kind begin with, as bytes show it; null where they may begin with anything.
    ('pdf', 'application/(x-)?pdf', 'application/pdf'),
    ('jpg|jpeg', 'image/p?jpe?g', 'image/jpeg'),
    ('png', 'image/(x-)?png', 'image/png'),
    ('gif', 'image/gif', 'image/gif'),
    ('zip', 'application/(x-)?zip.*', 'application/(zip|vnd\.(openxmlformats|oasis|ms-).*|epub.*|java.*)'),
    ('docx|xlsx|pptx', 'application/vnd.openxmlformats-officedocument.*|application/zip',
     'application/(zip|vnd\.openxmlformats-officedocument.*|x-ole-storage)'),
    ('doc|xls|ppt', 'application/(vnd.)?(x-)?ms-?(word|excel|powerpoint)|application/x-ole-storage', null),
    ('txt|log|csv', 'text/.*|application/(csv|vnd.ms-excel)', null),
    ('htm|html', 'text/html|application/xhtml.*', null),
    ('eml', 'message/rfc822', null),
    ('exe|scr|com|pif|bat|cmd|js|vbs|lnk|msi', 'application/.*(dos|exe|msdownload|javascript|ms-installer).*|text/javascript', null)
), called as (
    select a.*, lower(a.content_type) as declared from mart.attachment a
)
select a.message_id, m.sent_at, m.from_address, a.filename, a.content_type, a.sniffed_type, a.octets
from called a
join mart.message m using (message_id)
where m.message_id = m.mail_id
  and (exists (
          select from kinds k
          where lower(a.filename) ~ ('\.(' || k.extension || ')$')
            and (a.declared not in ('application/octet-stream', 'application/unknown', 'application/x-unknown')
                 and a.declared !~ ('^(' || k.types || ')$')
                 or a.sniffed_type !~ ('^(' || k.types || '|' || coalesce(k.shown, k.types) || ')$')
                 or a.sniffed_type is null and k.shown is not null))
       -- Of what several kinds are declared as, one will do.
       or (select not bool_or(coalesce(a.sniffed_type, '') ~ ('^(' || k.shown || ')$'))
           from kinds k where k.shown is not null and a.declared ~ ('^(' || k.types || ')$')))
order by m.sent_at desc nulls last, a.message_id, a.path
limit cast(:rows as bigint);

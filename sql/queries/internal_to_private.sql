-- Mail from the house to private mailboxes: domains of free mail, the newest first, and whether files went with it.
-- Each mail once for each recipient and role, however many copies came.
-- :since = -infinity   sent since then, as in 2026-03-01
-- :until = infinity    and before then
-- :rows = 100          so many rows
-- :house =             domains of the house, with commas; without, those of the mailboxes
-- :private = gmail.com,googlemail.com,yahoo.com,hotmail.com,outlook.com,live.com,icloud.com,me.com,aol.com,gmx.de,gmx.net,gmx.at,web.de,t-online.de,hotmail.de,yahoo.de,mail.ru,yandex.ru,qq.com,163.com,126.com,proton.me,protonmail.com   domains of free mail, with commas
with house as (
    select unnest(string_to_array(:house, ',')) as domain
), private as (
    select trim(domain) as domain from unnest(string_to_array(lower(:private), ',')) as d (domain)
), found as materialized (
    select distinct sent_at, sender, recipient, role, message_id from mart.edge
    where sender_domain in (select domain from house) and recipient_domain in (select domain from private)
      and message_id = mail_id
      and (sent_at >= cast(:since as timestamptz) and sent_at < cast(:until as timestamptz)
           or sent_at is null and cast(:since as timestamptz) = '-infinity')
    order by sent_at desc nulls last, message_id, recipient
    limit cast(:rows as bigint)
)
select f.sent_at, f.sender, f.recipient, f.role, m.subject, m.attachments, m.message_id
from found f join mart.message m using (message_id)
order by f.sent_at desc nulls last, f.message_id, f.recipient;

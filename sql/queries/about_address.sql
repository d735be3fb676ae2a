-- All mail that names an address, where, and which mailboxes received it: what somebody may ask to see.
-- In an address header, in a header of a message inside, in a report or an event; and all that lies in its own mailbox.
-- Copies of a mail are one row: its first message, and the mailboxes of all. Not what names it in the text alone, which
-- popvault search finds, nor what was never retrieved, which not_archived tells. Reads all messages inside others.
-- :address   the address
with named as materialized (
    select message_id, cast(role as text) as place from mart.participant where address = lower(:address)
    union all
    select message_id, 'wrote a message inside' from mart.nested_message where from_address = lower(:address)
    union all
    select message_id, 'named in a message inside' from mart.nested_header
    where strpos(lower(value), lower(:address)) > 0
      -- Whole: neither joann@example.org nor ann@example.org.uk is ann@example.org.
      and lower(value) ~ ('(^|[^\w.+-])' || regexp_replace(lower(:address), '([^\w@])', '\\\1', 'g') || '($|[^\w.-]|\.($|\W))')
    union all
    select message_id, 'reported on' from mart.report where final_recipient = lower(:address)
    union all
    select message_id, 'reported on' from mart.report where original_recipient = lower(:address)
    union all
    select message_id, 'organizer' from mart.event where organizer = lower(:address)
    union all
    select message_id, 'attendee' from mart.event where lower(:address) = any (attendees)
    union all
    select d.message_id, 'in its mailbox'
    from mart.mailbox b
    cross join lateral (select * from mart.delivery d where d.mailbox = b.mailbox offset 0) as d
    where b.address = lower(:address) and d.message_id is not null
), mails as (
    select m.mail_id, string_agg(distinct n.place, ', ') as named, array_agg(distinct n.message_id) as copies
    from named n
    -- Offset 0: asked of each, not joined with all.
    cross join lateral (select m.mail_id from mart.message m where m.message_id = n.message_id offset 0) as m
    group by m.mail_id
)
select m.message_id, m.sent_at, n.named, m.from_address, m.subject,
       array(select distinct d.mailbox from mart.delivery d where d.message_id = any (n.copies) order by 1) as mailboxes
from mails n
cross join lateral (select * from mart.message m where m.message_id = n.mail_id offset 0) as m
order by m.sent_at, m.message_id;

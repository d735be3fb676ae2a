-- Recipients whose mail bounced for good: how often, when last, and what their server said then.
-- A bounce that came in copies counts once. Reads all reports: bounces are counted over all time.
select coalesce(r.final_recipient, r.original_recipient) as recipient, count(distinct m.mail_id) as bounces,
       max(m.sent_at) as last_at, (array_agg(r.status order by m.sent_at desc nulls last))[1] as status,
       (array_agg(r.diagnostic order by m.sent_at desc nulls last))[1] as diagnostic
from mart.report r join mart.message m using (message_id)
where r.kind = 'delivery' and r.action = 'failed' and coalesce(r.final_recipient, r.original_recipient) is not null
group by 1
order by bounces desc, recipient;

-- Who writes to whom, and how often: the pairs of addresses with the most messages.
select s.address as sender, r.address as recipient, count(distinct s.message_id) as messages,
       min(m.sent_at) as first_at, max(m.sent_at) as last_at
from mart.participant s
join mart.participant r using (message_id)
join archive.reading m using (message_id)
where s.role = 'from' and r.role in ('to', 'cc', 'bcc') and s.address is not null and r.address is not null
group by s.address, r.address
order by messages desc, sender, recipient
limit 20;

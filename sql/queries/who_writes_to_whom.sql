-- Who writes to whom, and how often: the pairs of addresses with the most messages.
-- Copies of a mail count once. Reads the whole archive; who_wrote_to_whom_by_month can be given a span.
-- :rows = 20   so many rows
select sender, recipient, count(distinct mail_id) as messages, min(sent_at) as first_at, max(sent_at) as last_at
from mart.edge
group by sender, recipient
order by messages desc, sender, recipient
limit cast(:rows as bigint);

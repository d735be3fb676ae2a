-- The books: DESIGN's second rule as one view.

create view mart.balance with (security_invoker) as
select m.name as mailbox, b.listed, b.archived, b.duplicate, b.quarantined, b.excluded, b.vanished, b.pending,
       b.listed = b.archived + b.duplicate + b.quarantined + b.excluded + b.vanished + b.pending
       and b.present = coalesce(s.listed, b.present) as balanced
from archive.mailbox m
left join lateral (
    select s.epoch_id, case when not s.listing_doubted then s.listed end as listed from ops.session s
    where s.mailbox_id = m.mailbox_id and s.listed_at is not null
    order by session_id desc limit 1
) s on true
cross join lateral (
    select count(*) as listed,
           count(*) filter (where outcome = 'archived') as archived,
           count(*) filter (where outcome = 'duplicate') as duplicate,
           count(*) filter (where outcome = 'quarantined') as quarantined,
           count(*) filter (where outcome = 'excluded') as excluded,
           count(*) filter (where outcome = 'vanished') as vanished,
           count(*) filter (where outcome = 'pending') as pending,
           count(*) filter (where present and d.epoch_id = s.epoch_id) as present
    from archive.delivery_state d
    where d.mailbox_id = m.mailbox_id
) b;
comment on view mart.balance is
    'One row for each mailbox: every message ever listed has one outcome, and those still there are as many as the last listing counted.';
comment on column mart.balance.mailbox is 'Name of the mailbox.';
comment on column mart.balance.listed is 'Messages that its server ever listed.';
comment on column mart.balance.archived is 'Of these: retrieved, and new to the archive.';
comment on column mart.balance.duplicate is 'Of these: retrieved, with the same bytes as a message that the archive had.';
comment on column mart.balance.quarantined is 'Of these: tried in vain too often; left aside until asked for.';
comment on column mart.balance.excluded is 'Of these: not retrieved, over a configured limit.';
comment on column mart.balance.vanished is 'Of these: gone from the server before they could be retrieved.';
comment on column mart.balance.pending is 'Of these: not yet retrieved.';
comment on column mart.balance.balanced is 'Whether the outcomes add up to what was listed, and what is there to the last listing.';

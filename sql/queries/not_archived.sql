-- What servers listed and the archive has not: each message, what became of it, and why.
-- One row for each delivery: two mailboxes with the same mail are two. Reads all deliveries.
-- :mailbox =   only this mailbox
select mailbox, uidl, outcome, reason, listed_at, coalesce(octets, listed_octets) as octets, present
from mart.delivery
where outcome not in ('archived', 'duplicate') and (:mailbox = '' or mailbox = :mailbox)
order by mailbox, listed_at, uidl;

-- Where each delivery stands, from its entries in the ledger.

create view archive.delivery_state with (security_invoker) as
select d.delivery_id, d.mailbox_id, d.epoch_id, d.uidl, d.twin, d.listed_octets, d.listed_at,
       coalesce(nullif(o.step, 'relisted')::text, 'pending') as outcome,
       o.message_id, o.at as outcome_at, o.reason, o.session_id,
       coalesce(p.step not in ('gone', 'vanished'), true) as present, o.octets as outcome_octets
from archive.delivery d
left join lateral (
    select l.step, l.message_id, l.at, l.reason, l.session_id, l.octets from archive.ledger l
    where l.delivery_id = d.delivery_id
      and l.step in ('archived', 'duplicate', 'quarantined', 'excluded', 'vanished', 'relisted')
      and (l.step <> 'relisted' or not exists (
          select from archive.ledger a where a.delivery_id = d.delivery_id and a.step in ('archived', 'duplicate')))
    order by l.entry_id desc limit 1
) o on true
left join lateral (
    select l.step from archive.ledger l
    where l.delivery_id = d.delivery_id and l.step in ('gone', 'vanished', 'relisted')
    order by l.entry_id desc limit 1
) p on true;
comment on view archive.delivery_state is 'One row for each delivery with its outcome, and whether its mailbox still holds it.';
comment on column archive.delivery_state.delivery_id is 'The delivery.';
comment on column archive.delivery_state.mailbox_id is 'The mailbox that held it.';
comment on column archive.delivery_state.epoch_id is 'The epoch in which its UIDL means it.';
comment on column archive.delivery_state.uidl is 'The server''s unique id.';
comment on column archive.delivery_state.twin is '0, or how many earlier messages of one listing had the same UIDL.';
comment on column archive.delivery_state.listed_octets is 'Size that LIST claimed.';
comment on column archive.delivery_state.listed_at is 'When it was first listed.';
comment on column archive.delivery_state.outcome is 'archived, duplicate, quarantined, excluded, vanished or pending.';
comment on column archive.delivery_state.message_id is 'The message it turned out to be; null unless archived or duplicate.';
comment on column archive.delivery_state.outcome_at is 'When it got this outcome; null while pending.';
comment on column archive.delivery_state.reason is 'Why it got it, in words; null where the outcome says it all.';
comment on column archive.delivery_state.session_id is 'The session in which it got it.';
comment on column archive.delivery_state.outcome_octets is 'Bytes retrieved; for excluded, how large it is at least.';
comment on column archive.delivery_state.present is 'Whether the last listing that was believed still had it.';

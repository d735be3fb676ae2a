-- Terms of messages, and one message shown whole; a statement a name. Searching itself is mart.search.

-- name: count_fresh
-- How many messages are in no segment yet, up to as many as make one.
select count(*) from (select from search.fresh limit :messages) as f;

-- name: fresh
-- The next messages to make a segment of.
select message_id, sent_at, terms from search.fresh order by message_id limit :messages;

-- name: supersede
-- Terms of these messages that older segments hold count no longer.
update search.stretch t set message_ids = array(
    select case when m <> all (cast(:message_ids as bigint[])) then m end
    from unnest(t.message_ids) with ordinality as places (m, place) order by place)
from search.segment s
where s.segment_id = t.segment_id and s.first_message_id <= :last and s.last_message_id >= :first
  and t.message_ids && cast(:message_ids as bigint[]);

-- name: add_segment
insert into search.segment (first_message_id, last_message_id, oldest, newest)
values (:first, :last, :oldest, :newest) returning segment_id;

-- name: drop_fresh
delete from search.fresh where message_id = any (cast(:message_ids as bigint[]));

-- name: unindexed
-- Which of these messages have no terms anywhere.
select n from unnest(cast(:message_ids as bigint[])) as n
where not exists (select from search.fresh where message_id = n)
  and not exists (select from search.segment s join search.stretch t using (segment_id)
                  where n between s.first_message_id and s.last_message_id and n = any (t.message_ids));

-- name: drop_superseded
-- Segments of which no message counts any longer.
with emptied as (
    select s.segment_id from search.segment s
    where s.first_message_id <= :last and s.last_message_id >= :first and not exists (
        select from search.stretch t where t.segment_id = s.segment_id and array_remove(t.message_ids, null) <> '{}')
), lists as (
    delete from search.posting where segment_id in (select segment_id from emptied)
), bits as (
    delete from search.common where segment_id in (select segment_id from emptied)
), stretches as (
    delete from search.stretch where segment_id in (select segment_id from emptied)
)
delete from search.segment where segment_id in (select segment_id from emptied);

-- name: find
-- A page of what a query finds.
select * from mart.search(:query, :matches, :after_key);

-- name: show
select m.message_id, encode(m.sha256, 'hex') as sha256, m.octets, m.archived_at, r.parser, r.subject, r.sent_at,
       r.sent_at_source, r.date_written, r.date_offset_minutes, b.body,
       coalesce((select jsonb_agg(jsonb_build_array(h.name, h.value) order by h.position)
                 from mart.header h where h.message_id = m.message_id), '[]') as headers,
       coalesce((select jsonb_agg(to_jsonb(p) - 'message_id' - 'position' order by p.position)
                 from mart.participant p where p.message_id = m.message_id), '[]') as participants,
       coalesce((select jsonb_agg(to_jsonb(p) - 'message_id' || jsonb_build_object('sha256', encode(p.sha256, 'hex'))
                                  order by cast(string_to_array(translate(p.path, '/', '.'), '.') as integer[]))
                 from archive.part p where p.message_id = m.message_id), '[]') as parts,
       coalesce((select jsonb_agg(to_jsonb(n) - 'message_id'
                                  order by cast(string_to_array(n.path, '.') as integer[]))
                 from archive.nested_message n where n.message_id = m.message_id), '[]') as nested_messages,
       coalesce((select jsonb_agg(to_jsonb(t) - 'message_id' - 'position' order by t.position)
                 from archive.report t where t.message_id = m.message_id), '[]') as reports,
       coalesce((select jsonb_agg(to_jsonb(e) - 'message_id' - 'position' order by e.position)
                 from archive.event e where e.message_id = m.message_id), '[]') as events,
       coalesce((select jsonb_agg(to_jsonb(d) - 'message_id' - 'position' order by d.position)
                 from archive.defect d where d.message_id = m.message_id), '[]') as defects,
       coalesce((select jsonb_agg(to_jsonb(c) - 'message_id' order by c.source, c.position)
                 from mart.date_candidate c where c.message_id = m.message_id), '[]') as dates,
       r.message_id_header, r.in_reply_to, r."references",
       -- A number of 63 bits, which many readers of JSON would round.
       cast(t.thread_id as text) as thread_id,
       -- Of a long thread, the oldest.
       coalesce((select jsonb_agg(to_jsonb(o)) from (
                     select o.message_id, o.sent_at, o.subject
                     from threads.member n join archive.reading o using (message_id) where n.thread_id = t.thread_id
                     order by o.sent_at, o.message_id limit 100) o), '[]') as thread,
       coalesce((select jsonb_agg(o.message_id order by o.message_id) from archive.reading o
                 where o.message_id <> m.message_id
                   and (o.canonical_sha256 = r.canonical_sha256
                        or o.message_id_header = r.message_id_header and r.message_id_header <> '')), '[]') as same_mail,
       coalesce((select jsonb_agg(l.label order by l.label) from mart.label l where l.message_id = m.message_id), '[]') as labels,
       coalesce((select jsonb_agg(jsonb_build_object('mailbox', b.name, 'uidl', v.uidl, 'step', l.step, 'at', l.at)
                                  order by l.entry_id)
                 from archive.ledger l join archive.delivery v using (delivery_id)
                 join archive.mailbox b using (mailbox_id) where l.message_id = m.message_id), '[]') as deliveries
from archive.message m join archive.reading r using (message_id) join mart.body b using (message_id)
left join threads.member t using (message_id)
where m.message_id = :number or m.sha256 between :least and :greatest
order by m.message_id limit 2;

-- Words of messages, a statement a name.

-- name: index_pending
-- Index the next :messages that wait; others skip what we hold. Pieces keep below Postgres's 1 MB of tsvector.
with taken as (
    delete from search.pending where message_id in (
        select message_id from search.pending order by message_id limit :messages for update skip locked)
    returning message_id
), content as (
    select r.message_id,
           concat_ws(E'\n', r.subject,
               (select string_agg(concat_ws(' ', p.name, p.address), ' ') from archive.participant p
                where p.message_id = r.message_id),
               (select string_agg(a.filename, ' ') from archive.part a where a.message_id = r.message_id),
               b.body) as words
    from taken join archive.reading r using (message_id) join mart.body b using (message_id)
), made as (
    insert into search.document (message_id, piece, words)
    select message_id, piece, to_tsvector('simple', text || ' ' || search.bigrams(text))
    from content, generate_series(0, length(words) / 30000) as piece,
         lateral (select substr(words, piece * 30000 + 1, 30100) as text) as cut
)
select count(*) from taken;

-- name: set_aside
-- The first of those that wait: Postgres refuses its words.
delete from search.pending where message_id = (select min(message_id) from search.pending);

-- name: find
-- The best matches first, newest of equals first.
select m.message_id, m.sha256, r.sent_at, r.subject, max(ts_rank(d.words, q)) as rank,
       (select string_agg(coalesce(p.written, p.address), ', ' order by p.position) from archive.participant p
        where p.message_id = m.message_id and p.role = 'from') as sender
from search.query(:words) as q
join search.document d on d.words @@ q
join archive.message m using (message_id)
join archive.reading r using (message_id)
group by m.message_id, m.sha256, r.sent_at, r.subject
order by rank desc, r.sent_at desc nulls last, m.message_id
limit :matches;

-- name: show
select m.message_id, encode(m.sha256, 'hex') as sha256, m.octets, m.archived_at, r.parser, r.subject, r.sent_at,
       r.sent_at_source, r.date_written, r.date_offset_minutes, b.body,
       coalesce((select jsonb_agg(jsonb_build_array(h.name, h.value) order by h.position)
                 from mart.header h where h.message_id = m.message_id), '[]') as headers,
       coalesce((select jsonb_agg(to_jsonb(p) - 'message_id' - 'position' order by p.position)
                 from mart.participant p where p.message_id = m.message_id), '[]') as participants,
       coalesce((select jsonb_agg(to_jsonb(p) - 'message_id'
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
       coalesce((select jsonb_agg(jsonb_build_object('mailbox', b.name, 'uidl', v.uidl, 'step', l.step, 'at', l.at)
                                  order by l.entry_id)
                 from archive.ledger l join archive.delivery v using (delivery_id)
                 join archive.mailbox b using (mailbox_id) where l.message_id = m.message_id), '[]') as deliveries
from archive.message m join archive.reading r using (message_id) join mart.body b using (message_id)
where cast(m.message_id as text) = :id
   or (length(:id) >= 8 and starts_with(encode(m.sha256, 'hex'), lower(:id)))
order by m.message_id limit 2;
